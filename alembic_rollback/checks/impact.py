"""Impact: what a plan takes away, from its parsed scripts and the live catalog, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alembic_rollback.catalog import objects
from alembic_rollback.catalog import tables as catalog
from alembic_rollback.catalog.dependencies import PG_CLASS, Address, Deletion
from alembic_rollback.checks.losses import Losses, Taken
from alembic_rollback.checks.simulation import Change, Failure, World, follow
from alembic_rollback.checks.simulation.names import Names
from alembic_rollback.checks.simulation.origins import made_by
from alembic_rollback.errors import shown_path
from alembic_rollback.model import Affected, Impact, Obstacle, Plan, Revision, StepImpact
from alembic_rollback.sql.effects import (
    Effect,
    Loss,
    changed_tables,
    effects,
    named_relations,
)
from alembic_rollback.sql.kept import put_back_by

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.counting import Budget
    from alembic_rollback.catalog.objects import Description
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script

_LOCKS_ELSEWHERE, _LOCKS_UNKNOWN = 4, 20
"""Entries in the lock table for a statement about something that is no table; and for a `.py`
downgrade or a statement that names nothing."""
_WITH_ROWS = ("table", "materialized view", "foreign table", "column", "rows")
_PARTS = ("policy", "trigger", "constraint", "rule")

Watch = Callable[[World, "Script", "Statement"], None]
"""Told of each statement before it is followed, with the world as it is until then."""


@dataclass(frozen=True)
class Known:
    """What is known about a plan beside its downs."""

    ups: Mapping[str, Script | None] = field(default_factory=dict)
    """The parsed ups of its steps: what they made is not somebody else's."""
    why: Mapping[str, str] = field(default_factory=dict)
    """By version: why a downgrade() could not be read."""
    uncounted: frozenset[int] = frozenset()
    """Tables that are estimated, not counted: their rows were not counted the first time either."""
    own: frozenset[tuple[int, int, int]] = frozenset()
    """Objects that were found to be the plan's own, when the ups were at hand."""
    locks: bool = True
    """Whether the entries in the server's lock table are still to be estimated."""


def assess(
    connection: Connection,
    plan: Plan,
    scripts: Mapping[str, Script | None],
    budget: Budget,
    known: Known | None = None,
    watch: Watch | None = None,
) -> Impact:
    """Say what each step of a plan takes away or changes. Reads only.

    scripts: the parsed down script by version; None for a `.py` revision whose effect is not
    known. The steps are followed in order: what one drops, renames or makes, the next finds so.
    watch: who else wants to know what names mean on the way.
    """
    return _Assessment(connection, plan, scripts, budget, known or Known()).impact(watch)


@dataclass
class _Step:
    revision: Revision
    script: Script | None
    taken: Taken = field(default_factory=Taken)
    changes: list[Change] = field(default_factory=list)
    definitions: list[tuple[Effect, int | None]] = field(default_factory=list)
    """What only a definition goes of, with the table that it belongs to."""


class _Assessment:
    def __init__(
        self,
        connection: Connection,
        plan: Plan,
        scripts: Mapping[str, Script | None],
        budget: Budget,
        known: Known,
    ) -> None:
        self.connection, self.known = connection, known
        self.world = World(connection)
        self.losses = Losses(connection, self.world, budget, set(known.uncounted))
        self.steps = [_Step(revision, scripts[revision.version]) for revision in plan.steps]
        self.other_locks = 0
        self.relations: set[int] = set()
        self.locks_of_use: dict[int, int] = {}
        self.tables_of_indexes: dict[int, int] = {}

    def impact(self, watch: Watch | None) -> Impact:
        self._preload()
        for step in self.steps:
            self._follow(step, watch)
        report = _Report(self)
        steps = tuple(report.step(step) for step in self.steps)
        tables, schemas = self.losses.dropped, self.losses.dropped_schemas
        locks = capacity = 0
        if self.known.locks:
            locks = catalog.count_locks_of_drop(self.connection, tables, schemas)
            capacity = catalog.lock_capacity(self.connection)
        return Impact(
            steps=steps,
            referenced_by=catalog.referencing_tables(self.connection, tables) if tables else (),
            locks=locks + self.other_locks,
            lock_capacity=capacity,
            relations=tuple(sorted(self.relations | tables)),
        )

    def _preload(self) -> None:
        """Read what the plan's statements ask for in one query each, however many they are."""
        scripts = [step.script for step in self.steps]
        named = self.world.preload(scripts)
        oids = [address.objid for address in named]
        if not oids:
            return
        self.losses.load(self.world.graph.known(PG_CLASS))
        self.losses.preload(self._dropped_tables(scripts))
        if self.known.locks:
            self.locks_of_use = catalog.count_locks_of_use(self.connection, oids)
        self.tables_of_indexes = catalog.tables_of_indexes(self.connection, oids)

    def _dropped_tables(self, scripts: Iterable[Script | None]) -> Iterator[Address]:
        """As far as their names mean something now; what comes of renames is counted later."""
        for script in scripts:
            for statement in script.statements if script else ():
                if statement.kind == "DropStmt":
                    for name in named_relations(statement):
                        found = self.world.relation(name)
                        if found and found.detail == "r":
                            yield found.address

    def _follow(self, step: _Step, watch: Watch | None) -> None:
        if step.script is None:
            self.other_locks += _LOCKS_UNKNOWN
            self.world.uncertain = True
            why = self.known.why.get(step.revision.version, "what it destroys is not known")
            line = f"run downgrade() of {shown_path(step.revision.path)}: {why}"
            step.taken.lines.append(line)
            step.taken.unknown.append(line)
            step.taken.destructive = True
            return
        self.losses.put_back = put_back_by(step.script)
        with self.world.names.script(step.script):
            for statement in step.script.statements:
                if watch:
                    watch(self.world, step.script, statement)
                self._follow_statement(statement, step)

    def _follow_statement(self, statement: Statement, step: _Step) -> None:
        for effect in effects(statement):
            if effect.loss is Loss.DEFINITION:
                self._note_definition(effect, step)
            else:
                self._note(effect, step.taken)
        self._note_triggers(statement, step.taken)
        if self.known.locks:
            self.other_locks += self._locks(statement)
        change = follow(self.world, statement)
        self.losses.note_cascade(change, step.taken)
        step.changes.append(change)

    def _note(self, effect: Effect, taken: Taken) -> None:
        if effect.kind == "function call" and catalog.is_harmless_function(
            self.connection, effect.name
        ):
            return
        if effect.loss is Loss.UNKNOWN:
            self._note_unknown(effect.shown, effect.statement, taken)
        elif effect.kind == "schema":
            taken.destructive = True
            self.losses.note_schema(effect, taken)
        elif effect.kind in _WITH_ROWS:
            self.losses.note_rows(effect, taken)

    def _note_unknown(self, words: str, statement: Statement, taken: Taken) -> None:
        line = f"{words} (line {statement.where.line}): what it does is not known"
        taken.destructive = self.world.uncertain = True
        taken.lines.append(line)
        taken.unknown.append(line)

    def _note_definition(self, effect: Effect, step: _Step) -> None:
        relation = self.world.relation(effect.name) if effect.name else None
        if relation is None:
            if not self.world.names.is_gone("relation", effect.name):
                step.definitions.append((effect, None))
            return
        oid: int | None = relation.address.objid
        if effect.kind == "index":
            oid = self._table_of_index(relation.address.objid)
        elif effect.kind not in _PARTS:
            oid = None
        step.definitions.append((effect, oid))

    def _note_triggers(self, statement: Statement, taken: Taken) -> None:
        for event, name in changed_tables(statement):
            relation = self.world.relation(name)
            if relation and relation.address.objid > 0:
                oid = relation.address.objid
                for trigger in catalog.firing_triggers(self.connection, oid, event):
                    self._note_unknown(f"{event} fires trigger {trigger}", statement, taken)

    def _locks(self, statement: Statement) -> int:
        """Entries beyond those of the dropped tables and what hangs on them."""
        names = named_relations(statement)
        if not names:
            return _LOCKS_UNKNOWN
        return sum(self._locks_of_use(name) for name in names)

    def _locks_of_use(self, name: tuple[str, ...]) -> int:
        relation = self.world.relation(name)
        if relation is None or relation.address.objid < 0:
            return 0 if self.world.names.is_gone("relation", name) else _LOCKS_ELSEWHERE
        oid = relation.address.objid
        self.relations.add(oid)
        if oid not in self.locks_of_use:
            self.locks_of_use |= catalog.count_locks_of_use(self.connection, [oid])
        return self.locks_of_use[oid]

    def _table_of_index(self, oid: int) -> int | None:
        if oid not in self.tables_of_indexes:
            self.tables_of_indexes |= catalog.tables_of_indexes(self.connection, [oid])
        return self.tables_of_indexes.get(oid)


class _Report:
    """Puts what was found into words, once it is all known."""

    def __init__(self, found: _Assessment) -> None:
        self.found = found
        self.deletions = [d for step in found.steps for c in step.changes for d in c.deletions]
        self.named = {address for d in self.deletions for address in d.originals}
        self.described = self._describe()
        self.made = self._made_by_the_plan()
        self.foreign_keys = catalog.foreign_keys_among(
            found.connection, [a.objid for d in self.deletions for a in d.cascaded]
        )

    def step(self, step: _Step) -> StepImpact:
        """One step, as the reports and the checks see it."""
        taken, outside = step.taken, step.script.outside if step.script else None
        affected = tuple(self._affected(step))
        for effect, table in step.definitions:
            if table is None or table not in taken.dropped:
                taken.lines.append(effect.shown)
        if taken.related:
            taken.lines.append(f"DROP related {_listed(taken.related)}")
        taken.lines += [
            f"DROP by CASCADE: {one.shown}"
            for one in affected
            if _is_worth_a_line(one) and one.address[1] not in self.foreign_keys
        ]
        return StepImpact(
            step.revision,
            tuple(taken.lines),
            tuple(taken.tables),
            taken.destructive,
            outside,
            affected,
            tuple(taken.unknown),
            tuple(self._obstacles(step)),
        )

    def _affected(self, step: _Step) -> Iterator[Affected]:
        for change in step.changes:
            for deletion in change.deletions:
                for address, source in deletion.reached.items():
                    described = self.described.get(address)
                    if described is None or described.hidden:
                        continue
                    cascaded = address in deletion.cascaded
                    source = self._beyond(source, address, deletion)
                    parent = described.parent
                    how = "named" if address in self.named else "CASCADE" if cascaded else "with"
                    yield Affected(
                        described.kind,
                        described.identity,
                        described.shown,
                        self._action(address, described),
                        how,
                        "" if how == "named" else self._shown(source),
                        cascaded and self._is_outside(address),
                        address,
                        source=source.whole if source else None,
                        part_of=self._shown(parent) if parent else "",
                        owner=parent.whole if parent else None,
                    )
            yield from self._changed(change)

    def _beyond(
        self, source: Address | None, address: Address, deletion: Deletion
    ) -> Address | None:
        """What an object hangs on: a view is reached from its own rule, and that from a table."""
        while source is not None:
            described = self.described.get(source)
            if described is None or described.parent is None or described.parent != address:
                break
            source = deletion.reached.get(source)
        return source

    def _changed(self, change: Change) -> Iterator[Affected]:
        for address, source in [
            *((one, None) for one in dict.fromkeys(change.changed)),
            *change.along.items(),
        ]:
            described = self.described.get(address)
            if described and not described.hidden and address not in self.found.world.removed:
                how = "with" if source else "named"
                via = self._shown(source) if source else ""
                yield Affected(
                    described.kind,
                    described.identity,
                    described.shown,
                    "changed",
                    how,
                    via,
                    address=address,
                )

    def _action(self, address: Address, described: Description) -> str:
        world = self.found.world
        made = world.made.get((address.classid, described.identity), -1)
        return "recreated" if made > world.removed[address] else "dropped"

    def _is_outside(self, address: Address) -> bool:
        """Neither the plan names it or what it is a part of, nor did its revisions make it."""
        if address in self.found.known.own:
            return False
        seen: Address | None = address
        while seen is not None:
            if seen in self.named or seen in self.made:
                return False
            if seen.objsubid and (seen.whole in self.named or seen.whole in self.made):
                return False
            described = self.described.get(seen)
            seen = described.parent if described else None
        return True

    def _obstacles(self, step: _Step) -> Iterator[Obstacle]:
        for change in step.changes:
            for failure in change.failures:
                first = " ".join(change.statement.text.split())
                text = first if len(first) <= 72 else f"{first[:69]}…"
                yield Obstacle(
                    str(change.statement.where),
                    f"`{text}` will fail: {self._told(failure)}",
                )

    def _told(self, failure: Failure) -> str:
        shown = [self._shown(address) for address in failure.about]
        if failure.problem.count("{}") == len(shown):
            return failure.problem.format(*shown)
        return failure.problem.format(_listed(shown[:5]))

    def _shown(self, address: Address | None) -> str:
        described = self.described.get(address) if address else None
        return described.shown if described else "something that an earlier statement makes"

    def _describe(self) -> dict[Address, Description]:
        wanted: set[Address] = set()
        for step in self.found.steps:
            for change in step.changes:
                wanted.update(change.changed, change.along, change.along.values())
                wanted.update(a for failure in change.failures for a in failure.about)
        for deletion in self.deletions:
            wanted.update(deletion.reached)
        found = self._read(wanted)
        parents = {one.parent for one in found.values() if one.parent} - found.keys()
        return found | self._read(parents)

    def _read(self, addresses: Iterable[Address]) -> dict[Address, Description]:
        real = [a for a in addresses if a.objid > 0 and a.objsubid < 10_000]
        return objects.describe(self.found.connection, real)

    def _made_by_the_plan(self) -> frozenset[Address]:
        if not any(d.cascaded for d in self.deletions):
            return frozenset()
        names = Names(self.found.connection)
        ups = (self.found.known.ups.get(step.revision.version) for step in self.found.steps)
        return frozenset().union(*(made_by(names, up) for up in ups if up))


def _is_worth_a_line(one: Affected) -> bool:
    """What CASCADE takes from others, unless a line tells its rows; foreign keys have their own."""
    told = one.address[0] == PG_CLASS and one.kind not in ("view", "sequence", "index")
    return one.outside and one.action == "dropped" and not told


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
