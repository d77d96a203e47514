"""Before each statement of a down: what it would lose goes into the archive.

What that is, is found out by following the statement through the catalog as it is at that moment,
as the look before the rollback has done with all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_rollback.archive.capturing import Copier, Finish, Source, key_of, shown
from alembic_rollback.archive.dependants import drop_all
from alembic_rollback.archive.moving import move
from alembic_rollback.archive.store import ROWS, TABLE, VALUES, Archive
from alembic_rollback.catalog import tables as catalog
from alembic_rollback.catalog.counting import Budget, count_changed
from alembic_rollback.catalog.dependencies import PG_CLASS, Address
from alembic_rollback.checks.losses import conversion
from alembic_rollback.checks.simulation import World, follow
from alembic_rollback.errors import Blocked
from alembic_rollback.sql.effects import Effect, effects
from alembic_rollback.sql.names import quote_always

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.ledger import Run
    from alembic_rollback.sql.parser import Statement

# Tables that hold rows themselves, are not temporary, and are nobody's bookkeeping.
_TABLES = """
SELECT c.oid, nspname, relname, relkind,
  (WITH RECURSIVE up (oid, depth) AS (SELECT c.oid, 0 UNION ALL SELECT inhparent, depth + 1
   FROM pg_inherits JOIN up ON inhrelid = up.oid) SELECT max(depth) FROM up),
  ARRAY(SELECT inhparent FROM pg_inherits WHERE inhrelid = c.oid), relispartition
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE c.oid = ANY(CAST(:oids AS oid[])) AND relkind IN ('r', 'p') AND relpersistence <> 't'
AND nspname <> :archive"""

_SET_BY_DELETE = """
SELECT conrelid, ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = conrelid
AND attnum = ANY(CASE WHEN confdelsetcols IS NULL THEN conkey ELSE confdelsetcols END))
FROM pg_constraint WHERE contype = 'f' AND confdeltype IN ('n', 'd')
AND confrelid = ANY(CAST(:oids AS oid[])) AND conparentid = 0"""

_CHILDREN = """
WITH RECURSIVE tree (oid) AS (SELECT unnest(CAST(:oids AS oid[])) UNION
SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid
JOIN pg_class p ON p.oid = tree.oid AND p.relkind = 'r') SELECT DISTINCT oid FROM tree"""

_HAS_TRIGGERS = (
    "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = CAST(:oid AS oid) "
    "AND NOT tgisinternal AND (tgtype & 19) = 19 AND tgenabled IN ('O', 'A'))"
)
"""BEFORE UPDATE FOR EACH ROW: the bits are from PostgreSQL's catalog/pg_trigger.h."""


@dataclass(frozen=True)
class Note:
    """One item that was put into the archive."""

    id: int
    kind: str
    table: str
    """As a person would write it."""
    rows: int | None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Relation:
    source: Source
    depth: int
    parents: tuple[int, ...]
    partition: bool

    @property
    def kind(self) -> str:
        return self.source.kind


@dataclass
class Keeper:
    """Fills the archive while one step of a rollback runs."""

    connection: Connection
    archive: Archive
    run: Run
    version: str
    notes: list[Note] = field(default_factory=list)
    _watched: list[tuple[Source, str, Finish]] = field(default_factory=list)

    def before(self, statement: Statement) -> Callable[[], None]:
        """Keep what the statement will lose; to be called before it. Call the result after it."""
        world = World(self.connection)
        told = [e for e in effects(statement) if e.kind in ("rows", "table", "column")]
        sources = {effect: self._source(world, effect) for effect in told}
        change = follow(world, statement)
        if change.failures:
            return self._finish  # it will say itself why
        reached = {a for deletion in change.deletions for a in deletion.reached}
        relations = self._relations(reached)
        self._keep_columns(reached, relations)
        for effect, source in sources.items():
            if source is not None:
                self._keep_changed(effect, source)
        self._move_tables(statement, reached, relations)
        return self._finish

    def _finish(self) -> None:
        for source, kind, finish in self._watched:
            found = finish()
            if found:
                self.notes.append(Note(found[0], kind, shown(source), found[1]))
        self._watched.clear()

    # --- tables -----------------------------------------------------------------------------

    def _move_tables(
        self, statement: Statement, reached: set[Address], relations: dict[int, _Relation]
    ) -> None:
        whole = {a.objid for a in reached if a.classid == PG_CLASS and not a.objsubid}
        tables = [
            one
            for oid, one in relations.items()
            if oid in whole and one.kind == "r" and self._has_rows(one.source)
        ]
        if not tables:
            return
        world = World(self.connection)
        addresses = [Address(PG_CLASS, one.source.oid) for one in tables]
        hanging = world.outermost(world.deletion(addresses))
        drop_all(self.connection, [a for a in hanging if a.whole not in addresses])
        for one in sorted(tables, key=lambda one: -one.depth):
            self._move(one.source)
        if statement.kind == "DropStmt":
            self._put_shells(statement, [one.source for one in tables])

    def _move(self, source: Source) -> None:
        place = source.schema, source.name
        number, kept_in = self.archive.reserve(
            self.connection, self.run, self.version, TABLE, place
        )
        contents = move(self.connection, self.archive, source.oid, place, kept_in)
        self.archive.fill(self.connection, number, kept_in, contents, None)
        self.notes.append(Note(number, TABLE, shown(source), None))

    def _put_shells(self, statement: Statement, moved: Sequence[Source]) -> None:
        """Empty tables for those that the statement names: it runs as it is written."""
        for effect in effects(statement):
            named = effect.name[-1] if effect.kind == "table" else None
            for source in moved:
                in_schema = len(effect.name) < 2 or effect.name[-2] == source.schema
                if source.name == named and in_schema:
                    self._execute(f"CREATE TABLE {source.named} ()")

    def _has_rows(self, source: Source) -> bool:
        return bool(self._execute(f"SELECT EXISTS (SELECT FROM ONLY {source.named})").scalar_one())

    # --- values and rows --------------------------------------------------------------------

    def _keep_columns(self, reached: set[Address], relations: dict[int, _Relation]) -> None:
        """Columns that go while their table stays."""
        columns: dict[int, list[str]] = {}
        for address in reached:
            is_column = address.classid == PG_CLASS and address.objsubid > 0
            if is_column and address.whole not in reached and address.objid in relations:
                name = catalog.column_name(self.connection, address.objid, address.objsubid)
                columns.setdefault(address.objid, []).append(name)
        for oid, names in columns.items():
            own = [n for n in names if not self._by_parent(relations[oid], n, columns)]
            own = [n for n in own if self._is_stored(relations[oid].source, n)]
            if own:
                self._keep_values(relations[oid].source, own)

    def _by_parent(self, relation: _Relation, name: str, columns: dict[int, list[str]]) -> bool:
        """A partitioned table's copy has the values of its partitions."""
        if not relation.partition:
            return False
        return any(name in columns.get(parent, ()) for parent in relation.parents)

    def _is_stored(self, source: Source, column: str) -> bool:
        sql = "SELECT attgenerated = '' FROM pg_attribute WHERE attrelid = :oid AND attname = :name"
        return bool(self._query(sql, oid=source.oid, name=column).scalar())

    def _keep_values(self, source: Source, columns: Sequence[str]) -> None:
        there = " OR ".join(f"{quote_always(column)} IS NOT NULL" for column in columns)
        sql = f"SELECT EXISTS (SELECT FROM {source.rows} WHERE {there})"
        if not self._execute(sql).scalar_one():
            return
        number, rows = self._copier.keep_values(source, columns)
        self.notes.append(Note(number, VALUES, shown(source), rows, tuple(columns)))

    def _keep_changed(self, effect: Effect, source: Source) -> None:
        if effect.kind == "column" and effect.action.startswith("CHANGE TYPE"):
            self._keep_converted(effect, source)
        elif effect.action == "TRUNCATE":
            self._keep_truncated(effect, source)
        elif effect.kind == "rows":
            if effect.action in ("DELETE FROM", "MERGE INTO"):
                self._watch_deletes(source)
            if effect.action != "DELETE FROM":
                self._watch_updates(effect, source)

    def _keep_converted(self, effect: Effect, source: Source) -> None:
        converted = conversion(effect, effect.column)
        table = catalog.tables_by_oid(self.connection, [source.oid])[source.oid]
        counted = converted and count_changed(
            self.connection, table, effect.column, converted, Budget()
        )
        if not counted or counted[0].rows or not counted[0].exact:
            finish = self._copier.watch_conversion(source, effect.column)
            self._watched.append((source, VALUES, finish))

    def _keep_truncated(self, effect: Effect, source: Source) -> None:
        oids = [source.oid]
        if effect.cascade:
            reached = catalog.reached_by_foreign_keys(self.connection, source.oid, deleting=False)
            oids += [one.oid for one in reached]
        for one in self._with_children(oids):
            if self._execute(f"SELECT EXISTS (SELECT FROM {one.rows})").scalar_one():
                number, rows = self._copier.keep_rows(one)
                self.notes.append(Note(number, ROWS, shown(one), rows))

    def _watch_deletes(self, source: Source) -> None:
        reached = catalog.reached_by_foreign_keys(self.connection, source.oid, deleting=True)
        every = [source.oid, *(one.oid for one in reached)]
        sources = self._sources(every)
        for one in sources:
            self._refuse_children(one)
            self._watched.append((one, ROWS, self._copier.watch_deletes(one)))
        oids = [one.oid for one in sources]
        for oid, columns in self._query(_SET_BY_DELETE, oids=oids).all():
            if oid not in oids:
                (relation,) = self._relations([Address(PG_CLASS, oid)]).values()
                self._watch(relation.source, columns)

    def _watch_updates(self, effect: Effect, source: Source) -> None:
        columns = _set_columns(effect)
        if not columns or self._query(_HAS_TRIGGERS, oid=source.oid).scalar_one():
            columns = self._columns(source)
        self._watch(source, columns)

    def _watch(self, source: Source, columns: Sequence[str]) -> None:
        self._refuse_children(source)
        finish = self._copier.watch_updates(source, columns)
        self._watched.append((source, VALUES, finish))

    def _refuse_children(self, source: Source) -> None:
        """A trigger is told rows of children as if they were the parent's."""
        if source.kind == "r" and len(self._with_children([source.oid])) > 1:
            raise Blocked(
                f"Rows of {shown(source)} change, which other tables inherit from: which table a "
                "row was in would not be known, so it cannot be archived.",
                state="Nothing was changed.",
                next_step="Run it without --archive, with a backup.",
            )

    def _with_children(self, oids: Sequence[int]) -> list[Source]:
        """Tables with those that inherit from them; of a partitioned one, itself."""
        found = [row[0] for row in self._query(_CHILDREN, oids=list(oids))]
        return self._sources(found)

    def _sources(self, oids: Iterable[int]) -> list[Source]:
        relations = self._relations([Address(PG_CLASS, oid) for oid in oids])
        return [relations[oid].source for oid in sorted(relations)]

    def _columns(self, source: Source) -> list[str]:
        sql = (
            "SELECT attname FROM pg_attribute WHERE attrelid = :oid AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
        )
        key = key_of(self.connection, source.oid)
        names = [row[0] for row in self._query(sql, oid=source.oid)]
        return [name for name in names if name not in key]

    # --- the catalog ------------------------------------------------------------------------

    @property
    def _copier(self) -> Copier:
        return Copier(self.connection, self.archive, self.run, self.version)

    def _source(self, world: World, effect: Effect) -> Source | None:
        """The table that an effect names, before the statement."""
        relation = world.relation(effect.name)
        if relation is None or relation.address.objid < 0:
            return None
        if relation.detail == "v" and effect.kind == "rows":
            raise Blocked(
                f"{effect.shown} goes through a view, so what it takes cannot be archived.",
                state="Nothing was changed.",
                next_step="Let the down name the table; or run it without --archive.",
            )
        return next(iter(self._sources([relation.address.objid])), None)

    def _relations(self, addresses: Iterable[Address]) -> dict[int, _Relation]:
        oids = [a.objid for a in addresses if a.classid == PG_CLASS and a.objid > 0]
        rows = self._query(_TABLES, oids=oids, archive=self.archive.schema) if oids else ()
        return {row[0]: _Relation(Source(*row[:4]), row[4], tuple(row[5]), row[6]) for row in rows}

    def _query(self, sql: str, **values: Any) -> Any:
        from sqlalchemy import text

        return self.connection.execute(text(sql), values)

    def _execute(self, sql: str) -> Any:
        return self.connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def _set_columns(effect: Effect) -> list[str]:
    """The columns that an UPDATE sets; none where they are not to be read from it."""
    node = effect.statement.node
    if effect.action != "UPDATE" or type(node).__name__ != "UpdateStmt":
        return []
    return [item.res_target.name for item in node.target_list]
