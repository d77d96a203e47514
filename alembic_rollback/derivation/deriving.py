"""A down derived where its up can be tried: in a database that stands right before the revision.

What the text of a statement tells is taken from there; where it tells too little, the catalog
before and after the statement is compared. What comes out is run: up, down, and up again have to
lead to the same catalogs. If they don't, every statement is looked at with its catalogs; if that
doesn't help either, the whole script's difference is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.catalog.facts.restoring import restore
from alembic_rollback.derivation.kept import put_all_back
from alembic_rollback.derivation.proof import Proof, prove_down
from alembic_rollback.derivation.rows import (
    CHANGE_ROWS,
    delete_of,
    is_new,
    lost_with,
    missing_facts,
)
from alembic_rollback.derivation.stages import Site, Stage, look_at
from alembic_rollback.errors import StatementError
from alembic_rollback.inverse.conversions import computed
from alembic_rollback.inverse.generate import (
    alone,
    changes_path,
    compose,
    invert,
    lost_rows,
    render,
)
from alembic_rollback.inverse.model import Down, Inverse, Irreversible, Known
from alembic_rollback.sql.kept import kept_by
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.script import Script, read_script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.facts.memory import Memory
    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.sql.parser import Statement

_OPAQUE = {
    "DoStmt": "DO",
    "CallStmt": "CALL",
    "ExecuteStmt": "EXECUTE",
    "ExplainStmt": "EXPLAIN ANALYZE",
    "SelectStmt": "a function",
}


@dataclass(frozen=True)
class Derivation:
    """A down, how it was found, and what trying it showed."""

    down: Down
    how: str
    """`text`, `statements` or `difference`."""
    proof: Proof | None
    """None where nobody asked for it."""
    problem: str = ""
    """Where a statement could not be undone: what PostgreSQL said to the attempt."""


def derive(site: Site, up: Script, *, prove: bool = True) -> Derivation:
    """The down of a script, tried at the site. Raises StatementError where the up itself fails."""
    found: list[tuple[tuple[bool, bool, int], int, Derivation]] = []
    deriver = _Deriver(site, up)
    for how, make in deriver.ways():
        deriver.problem = ""
        down = make()
        if not prove:
            return Derivation(down, how, None, deriver.problem)
        proof = _tried(site, up, down)
        derivation = Derivation(down, how, proof, deriver.problem)
        found.append((_badness(proof), len(found), derivation))
        if proof.holds and all(one.lasting for one in proof.differences):
            break
    return min(found, key=lambda one: one[:2])[2]


def _tried(site: Site, up: Script, down: Down) -> Proof:
    script = _as_script(down)
    if up.transactional and not script.transactional:
        return Proof(failure="the down cannot run in a transaction, in which the up runs")
    leaves_rows = any(gap.rows for gap in down.irreversible)
    return prove_down(site, up, script, leaves_rows=leaves_rows)


def _badness(proof: Proof) -> tuple[bool, bool, int]:
    return not proof.holds, bool(proof.failure), len(proof.differences)


def same_effect(site: Site, up: Script, other: Script, found: Derivation) -> bool:
    """Whether another down leads to the same catalog as the derived one."""
    catalogs = []
    for down in (other, _as_script(found.down)):
        with site() as stage:
            stage.run(up)
            try:
                stage.run(down)
            except StatementError:
                return False
            catalogs.append(look_at(stage))
    return not compare(*catalogs)


def _as_script(down: Down) -> Script:
    return read_script(render(down, ()), Path("down.sql"), no_transaction=down.outside)


class _Deriver:
    def __init__(self, site: Site, up: Script) -> None:
        self.site, self.up = site, up
        self.problem = ""
        """What stood in the way of undoing a statement, in the way that was tried last."""
        self.by_path = changes_path(up)
        self.deleting = True
        """Whether inserted rows are deleted by their keys."""
        self.text = invert(up)
        """What the text alone tells."""
        self.kept = kept_by(up)
        """What the script keeps of the rows that it changes."""
        self.gaps = {gap.statement for gap in self.text.irreversible} | self.kept.keys()
        self.rows = lost_rows(up)
        self.making = {
            one
            for one in up.statements
            if one.kind in CHANGE_ROWS and one not in self.kept
            if not self.rows.get(one) and missing_facts(one)
        }
        """Statements that change rows only of what the script makes; if IF NOT EXISTS makes it."""
        self.start: Snapshot | None = None
        self.deletes = False
        """Whether there are such."""

    def ways(self) -> Iterator[tuple[str, Callable[[], Down]]]:
        """Ways to a down, the most readable first."""
        if all(gap.rows for gap in self.text.irreversible):
            yield "text", self._from_text
        elif not self.by_path:
            yield "statements", self._from_text
        yield "statements", self._from_statements
        if self.deletes:
            # What a trigger made of the inserted rows may hold on to them.
            self.deleting = False
            if not self.by_path:
                yield "statements", self._from_text
            yield "statements", self._from_statements
        yield "difference", self._from_difference

    def _from_text(self) -> Down:
        """The text's rules; the catalog only for statements that their text doesn't explain."""
        if self.by_path or not self.gaps:
            return self.text
        return invert(self.up, self._walk(lambda one: one in self.gaps, check=False))

    def _from_statements(self) -> Down:
        """The catalog before and after each statement."""
        return compose(self.up, self._walk(lambda statement: True, check=True))

    def _from_difference(self) -> Down:
        """The catalog before and after the whole script."""
        with self.site() as stage:
            before = look_at(stage, edges=True)
            stage.run(self.up)
            with stage.look() as connection:
                restored = restore(connection, before, prepared=True, memory=stage.memory)
                self.problem = self.problem or restored.failure
        first = self.up.statements[0]
        gaps = [
            Irreversible(statement, "; ".join(dict.fromkeys(lost)), rows=True)
            for statement in self.up.statements
            if (lost := self._unrestored(statement, before))
        ]
        gaps += [Irreversible(first, fact, rows=True) for fact in lost_with(restored.made)]
        inverse = Inverse(first, restored.statements)
        return Down((inverse,), tuple(gaps), outside=False)

    def _unrestored(self, statement: Statement, before: Snapshot) -> list[str]:
        """Facts about rows that no difference of catalogs brings back."""
        kept = [f"what is kept in {quote_name(one.into)}" for one in self.kept.get(statement, ())]
        return kept or self._lost_rows(statement) or self._standing(statement, before)

    def _standing(self, statement: Statement, before: Snapshot) -> list[str]:
        """Facts about rows of what the script seems to make, but there is before it."""
        new = statement not in self.making or is_new(statement, before, before)
        return [] if new else missing_facts(statement)

    def _walk(self, wanted: Callable[[Statement], bool], *, check: bool) -> dict[Statement, Known]:
        """Run the up, and find out how to undo the wanted statements.

        check: believe what a statement's text tells only if it restores the catalog by itself.
        """
        known = {}
        with self.site() as stage:
            self.start = look_at(stage) if self.making else None
            total = len(self.up.statements)
            for number, statement in enumerate(self.up.statements, 1):
                if not wanted(statement):
                    stage.step(statement, number, total)
                elif statement in self.kept:
                    with stage.look() as connection:
                        known[statement] = put_all_back(connection, self.kept[statement])
                    stage.step(statement, number, total)
                elif statement.kind in CHANGE_ROWS:
                    known[statement] = self._rows(stage, statement)
                    stage.step(statement, number, total)
                else:
                    known[statement] = self._schema(stage, statement, (number, total), check)
        return known

    def _rows(self, stage: Stage, statement: Statement) -> Known:
        lost = self._lost_rows(statement)
        if statement in self.making:
            assert self.start is not None
            if not is_new(statement, self.start, look_at(stage)):
                lost = missing_facts(statement)
        if statement.kind == "InsertStmt" and lost:
            delete = delete_of(statement, look_at(stage))
            if delete and self.deleting:
                self.deletes = True
                return Known((delete,))
            if delete:
                lost = [f"what refers to the inserted rows; without that, {delete} would do"]
        return Known((), tuple(lost))

    def _lost_rows(self, statement: Statement) -> list[str]:
        """Facts about rows that the catalog doesn't tell either."""
        lost = list(self.rows.get(statement, ()))
        if statement in self.gaps:
            lost += computed(statement.node)
            if statement.kind in _OPAQUE and not lost:
                lost.append(f"which rows {_OPAQUE[statement.kind]} changed, if any")
        return lost

    def _schema(
        self, stage: Stage, statement: Statement, place: tuple[int, int], check: bool
    ) -> Known:
        before = look_at(stage, edges=True)
        stage.step(statement, *place)
        sql, missing = alone(statement)
        lost = self._lost_rows(statement)
        if check and not self.by_path and not any(not one.rows for one in missing):
            with stage.look() as connection:
                if _undoes(connection, sql, before, stage.memory):
                    return Known(sql, tuple(lost))
        with stage.look() as connection:
            restored = restore(connection, before, prepared=True, memory=stage.memory)
            self.problem = self.problem or restored.failure
        made = _as_gently(statement, restored.statements)
        return Known(made, (*lost, *lost_with(restored.made)))


def _as_gently(statement: Statement, sql: tuple[str, ...]) -> tuple[str, ...]:
    """Indexes that were dropped CONCURRENTLY are made so again."""
    if statement.kind != "DropStmt" or not statement.node.concurrent:
        return sql
    return tuple(map(_concurrently, sql))


def _concurrently(sql: str) -> str:
    for head in ("CREATE INDEX ", "CREATE UNIQUE INDEX "):
        if sql.startswith(head):
            return f"{head}CONCURRENTLY {sql.removeprefix(head)}"
    return sql


def _undoes(connection: Connection, sql: tuple[str, ...], before: Snapshot, memory: Memory) -> bool:
    from sqlalchemy.exc import DBAPIError

    try:
        for one in sql:
            connection.exec_driver_sql(one, execution_options={"no_parameters": True}).close()
    except DBAPIError:
        return False
    now = read(connection, edges=False, prepared=True, memory=memory)
    return all(one.lasting for one in compare(before, now))
