"""Tables: which exist, what hangs on them, whose foreign keys they have, which locks they need."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback import direct
from alembic_rollback.sql.names import quote_always, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_HARMLESS = (
    "clock_timestamp",
    "gen_random_uuid",
    "nextval",
    "pg_advisory_xact_lock",
    "pg_notify",
    "pg_sleep",
    "random",
    "set_config",
    "setval",
    "timeofday",
)


@dataclass(frozen=True)
class Table:
    """A relation that rows can be lost from."""

    oid: int
    schema: str
    name: str
    kind: str
    """pg_class.relkind: r table, p partitioned, m materialized view, f foreign table, …"""
    estimate: int
    """Rows by pg_class.reltuples or the statistics; 0 and less where PostgreSQL doesn't know."""
    visible: bool
    indexes: int
    policies: int
    triggers: int
    parent: int | None = None
    """Of a partition: the table whose count has its rows."""

    @property
    def shown(self) -> str:
        """The name as a person would write it: with its schema only where search_path needs it."""
        return quote_name((self.name,) if self.visible else (self.schema, self.name))


_TABLE = (
    "SELECT c.oid, n.nspname, c.relname, c.relkind, "
    "greatest(CAST(c.reltuples AS bigint), pg_stat_get_live_tuples(c.oid)), "
    "pg_table_is_visible(c.oid), "
    "(SELECT count(*) FROM pg_index WHERE indrelid = c.oid), "
    "(SELECT count(*) FROM pg_policy WHERE polrelid = c.oid), "
    "(SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal), "
    "(SELECT inhparent FROM pg_inherits WHERE inhrelid = c.oid AND c.relispartition) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
)
_OIDS = "ANY (CAST(string_to_array(:oids, ',') AS oid[]))"


def tables_by_oid(connection: Connection, oids: Iterable[int]) -> dict[int, Table]:
    """The relations of those oids, as far as they are there."""
    rows = _query(connection, _TABLE + f"c.oid = {_OIDS}", oids=_joined(oids))
    return {row[0]: _table(row) for row in rows}


def table_named(connection: Connection, name: tuple[str, ...]) -> Table | None:
    """The relation that a name means, by search_path where it has no schema."""
    rows = _query(connection, _TABLE + "c.oid = to_regclass(:name)", name=_always(name)).all()
    return _table(rows[0]) if rows else None


def tables_in_schema(connection: Connection, schema: int) -> tuple[Table, ...]:
    """Every table and materialized view in a schema; partitions not apart from their parent."""
    condition = (
        "n.oid = :schema AND c.relkind IN ('r', 'p', 'm', 'f') AND NOT EXISTS ("
        "SELECT FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent "
        "WHERE i.inhrelid = c.oid AND c.relispartition "
        "AND parent.relnamespace = c.relnamespace) ORDER BY c.oid"
    )
    return tuple(_table(row) for row in _query(connection, _TABLE + condition, schema=schema))


def tables_of_indexes(connection: Connection, oids: Iterable[int]) -> dict[int, int]:
    """The oid of the table of each of the relations that is an index."""
    sql = f"SELECT indexrelid, indrelid FROM pg_index WHERE indexrelid = {_OIDS}"
    return {row[0]: row[1] for row in _query(connection, sql, oids=_joined(oids))}


def firing_triggers(connection: Connection, oid: int, event: str) -> tuple[str, ...]:
    """Enabled triggers of users on a table, which may do anything when rows change.

    event: INSERT, DELETE, UPDATE or TRUNCATE; their bits in pg_trigger.tgtype are from
    PostgreSQL's catalog/pg_trigger.h.
    """
    sql = (
        "SELECT tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid "
        "JOIN pg_namespace n ON n.oid = pronamespace WHERE tgrelid = :oid AND NOT tgisinternal "
        "AND tgenabled IN ('O', 'A') AND (tgtype & :bit) <> 0 AND nspname <> 'pg_catalog' "
        "ORDER BY tgname"
    )
    bit = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}[event]
    return tuple(row[0] for row in _query(connection, sql, oid=oid, bit=bit))


def column_name(connection: Connection, oid: int, number: int) -> str:
    """A column's name by its number."""
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = :oid AND attnum = :number"
    return str(_query(connection, sql, oid=oid, number=number).scalar_one())


def referencing_tables(connection: Connection, oids: Iterable[int]) -> tuple[str, ...]:
    """Tables outside the given ones whose foreign keys point at them, by name."""
    sql = (
        "SELECT n.nspname, c.relname, pg_table_is_visible(c.oid) "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE k.contype = 'f' AND k.confrelid = {_OIDS} AND NOT k.conrelid = {_OIDS} "
        "GROUP BY c.oid, n.nspname, c.relname ORDER BY min(k.oid)"
    )
    rows = _query(connection, sql, oids=_joined(oids))
    return tuple(
        quote_name((name,) if visible else (schema, name)) for schema, name, visible in rows
    )


def referencing_each(connection: Connection, oids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """`referencing_tables` of each table by itself; those without any are left out."""
    sql = (
        "SELECT k.confrelid, n.nspname, c.relname, pg_table_is_visible(c.oid) "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE k.contype = 'f' AND k.confrelid = {_OIDS} AND k.conrelid <> k.confrelid "
        "GROUP BY k.confrelid, c.oid, n.nspname, c.relname ORDER BY min(k.oid)"
    )
    found: dict[int, list[str]] = {}
    for oid, schema, name, visible in _query(connection, sql, oids=_joined(oids)):
        found.setdefault(oid, []).append(quote_name((name,) if visible else (schema, name)))
    return {oid: tuple(names) for oid, names in found.items()}


def foreign_keys_among(connection: Connection, oids: Iterable[int]) -> frozenset[int]:
    """Which of some oids are foreign keys."""
    wanted = [oid for oid in oids if oid > 0]
    if not wanted:
        return frozenset()
    sql = f"SELECT oid FROM pg_constraint WHERE contype = 'f' AND oid = {_OIDS}"
    return frozenset(row[0] for row in _query(connection, sql, oids=_joined(wanted)))


def reached_by_foreign_keys(
    connection: Connection, oid: int, *, deleting: bool
) -> tuple[Table, ...]:
    """Tables that lose rows together with a table: by TRUNCATE … CASCADE, or when rows are deleted.

    deleting: only through foreign keys ON DELETE CASCADE.
    """
    condition = "AND k.confdeltype = 'c' " if deleting else ""
    sql = (
        "WITH RECURSIVE reached (oid) AS (SELECT CAST(:oid AS oid) UNION "
        "SELECT k.conrelid FROM pg_constraint k JOIN reached ON k.confrelid = reached.oid "
        f"WHERE k.contype = 'f' {condition}) "
        + _TABLE
        + "c.oid IN (SELECT oid FROM reached) AND c.oid <> :oid ORDER BY c.oid"
    )
    return tuple(_table(row) for row in _query(connection, sql, oid=oid))


def count_locks_of_drop(
    connection: Connection, tables: Iterable[int], schemas: Iterable[int]
) -> int:
    """Entries in the server's lock table that dropping with CASCADE takes, until the commit.

    One for each object that goes, followed over pg_depend as PostgreSQL does, and one for each
    table whose foreign key goes with them (AcquireDeletionLock in dependency.c).
    """
    sql = (
        "WITH RECURSIVE gone (classid, objid) AS ("
        f"SELECT CAST(CAST('pg_class' AS regclass) AS oid), oid FROM pg_class WHERE oid = {_OIDS} "
        "UNION SELECT CAST(CAST('pg_namespace' AS regclass) AS oid), oid FROM pg_namespace "
        f"WHERE oid = {_OIDS.replace(':oids', ':schemas')} "
        "UNION SELECT near.classid, near.objid FROM gone CROSS JOIN LATERAL ("
        "SELECT d.classid, d.objid FROM pg_depend d "
        "WHERE d.refclassid = gone.classid AND d.refobjid = gone.objid "
        # What is internal to an object that stays takes that object with it: a rule its view.
        "UNION ALL SELECT d.refclassid, d.refobjid FROM pg_depend d "
        "WHERE d.classid = gone.classid AND d.objid = gone.objid AND d.deptype = 'i') near) "
        "SELECT (SELECT count(*) FROM gone) + (SELECT count(DISTINCT conrelid) FROM pg_constraint "
        "WHERE contype = 'f' AND oid IN (SELECT objid FROM gone))"
    )
    values = {"oids": _joined(tables), "schemas": _joined(schemas)}
    return int(_query(connection, sql, **values).scalar_one())


def count_locks_of_use(connection: Connection, oids: Iterable[int]) -> dict[int, int]:
    """Entries for a statement that changes a table: it, its children, and all their indexes."""
    sql = (
        "WITH RECURSIVE tree (root, oid) AS ("
        "SELECT oid, oid FROM unnest(CAST(string_to_array(:oids, ',') AS oid[])) AS named (oid) "
        "UNION SELECT root, inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid) "
        "SELECT root, sum(3 + (SELECT count(*) FROM pg_index WHERE indrelid = tree.oid)) "
        "FROM tree GROUP BY root"
    )
    return {row[0]: int(row[1]) for row in _query(connection, sql, oids=_joined(oids))}


def is_harmless_function(connection: Connection, name: tuple[str, ...]) -> bool:
    """Whether a call can only mean a function of PostgreSQL's own that touches no row.

    Volatile ones are harmless only by name: query_to_xml, for one, runs any statement.
    """
    sql = (
        "SELECT count(*) > 0 AND bool_and(n.nspname = 'pg_catalog' AND (p.provolatile <> 'v' "
        "OR p.proname = ANY (string_to_array(:harmless, ',')))) "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = :name "
        "AND CASE WHEN :schema = '' THEN pg_function_is_visible(p.oid) ELSE n.nspname = :schema END"
    )
    values = {"name": name[-1], "schema": name[-2] if len(name) > 1 else ""}
    return bool(_query(connection, sql, harmless=",".join(_HARMLESS), **values).scalar_one())


def lock_tables(connection: Connection, oids: Iterable[int]) -> None:
    """Take ACCESS EXCLUSIVE locks, in one order for everybody, until the transaction ends.

    What cannot be locked (a materialized view, another role's table) is left to the statement that
    drops it. Raises DBAPIError where a lock is not given in time.
    """
    listed = _joined(oids)
    if not listed:
        return
    names = direct.scalar(
        connection,
        "SELECT string_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname), ', ' "
        "ORDER BY c.oid) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.oid IN ({listed}) AND c.relkind IN ('r', 'p') "
        "AND pg_has_role(c.relowner, 'USAGE')",
    )
    if names:
        direct.execute(connection, f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def lock_capacity(connection: Connection) -> int:
    """Entries that the server's lock table holds for all sessions (Lock Management, 19.12)."""
    sql = (
        "SELECT CAST(current_setting('max_locks_per_transaction') AS integer) * "
        "(CAST(current_setting('max_connections') AS integer) + "
        "CAST(current_setting('max_prepared_transactions') AS integer))"
    )
    return int(_query(connection, sql).scalar_one())


def untracked_bodies(connection: Connection, names: Iterable[str]) -> list[tuple[int, str, str]]:
    """(oid, signature, body) of functions whose body is a string in which one of the names stands.

    PostgreSQL keeps no dependencies of what such a body uses (5.15 Dependency Tracking).
    """
    sql = (
        "SELECT p.oid, CAST(CAST(p.oid AS regprocedure) AS text), prosrc FROM pg_proc p "
        "JOIN pg_language l ON l.oid = prolang JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE prosqlbody IS NULL AND lanname NOT IN ('c', 'internal') "
        "AND nspname NOT IN ('pg_catalog', 'information_schema') AND EXISTS ("
        "SELECT FROM jsonb_array_elements_text(CAST(:names AS jsonb)) name "
        "WHERE strpos(lower(prosrc), lower(name)) > 0) ORDER BY p.oid"
    )
    return [tuple(row) for row in _query(connection, sql, names=json.dumps(list(names)))]


def database_identity(connection: Connection) -> tuple[str, ...]:
    """What tells this database from one of the same name elsewhere."""
    from sqlalchemy.exc import DBAPIError

    sql = "SELECT oid FROM pg_database WHERE datname = current_database()"
    oid = str(_query(connection, sql).scalar_one())
    savepoint = connection.begin_nested()
    try:
        sql = "SELECT system_identifier FROM pg_control_system()"
        return oid, str(_query(connection, sql).scalar_one())
    except DBAPIError:
        return (oid,)  # a managed server may not tell
    finally:
        savepoint.rollback()


def _always(name: tuple[str, ...]) -> str:
    return ".".join(quote_always(part) for part in name)


def _joined(oids: Iterable[int]) -> str:
    return ",".join(str(oid) for oid in oids)


def _table(row: Any) -> Table:
    return Table(*row)


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
