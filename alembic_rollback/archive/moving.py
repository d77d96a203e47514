"""A table moved into the archive instead of being dropped: at once, whatever its size.

Before, everything goes that would hold it back, drag it along, or be missed by the statements
after the DROP: what stays is the bare rows. Sources: ALTER TABLE, and 5.15 Dependency Tracking.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.archive.store import Archive, Column, Contents
from alembic_rollback.sql.names import quote_always

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_INHERITANCE = """
SELECT format(CASE WHEN relispartition THEN 'ALTER TABLE %1$s DETACH PARTITION %2$s'
              ELSE 'ALTER TABLE %2$s NO INHERIT %1$s' END,
              CAST(inhparent AS regclass), CAST(inhrelid AS regclass))
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhrelid = CAST(:oid AS oid) OR (inhparent = CAST(:oid AS oid) AND NOT relispartition)
ORDER BY inhseqno"""

# In this order. The defaults come before the sequences that they use.
_PARTS = (
    # Foreign keys, its own and those of others.
    "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', CAST(conrelid AS regclass), conname) "
    "FROM pg_constraint WHERE (conrelid = CAST(:oid AS oid) OR confrelid = CAST(:oid AS oid)) "
    "AND contype = 'f' AND conparentid = 0",
    "SELECT format('DROP TRIGGER %I ON %s', tgname, CAST(tgrelid AS regclass)) FROM pg_trigger "
    "WHERE tgrelid = CAST(:oid AS oid) AND NOT tgisinternal",
    "SELECT format('DROP RULE %I ON %s', rulename, CAST(ev_class AS regclass)) FROM pg_rewrite "
    "WHERE ev_class = CAST(:oid AS oid)",
    "SELECT format('DROP POLICY %I ON %s', polname, CAST(polrelid AS regclass)) FROM pg_policy "
    "WHERE polrelid = CAST(:oid AS oid)",
    "SELECT format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', "
    "CAST(oid AS regclass)) FROM pg_class WHERE oid = CAST(:oid AS oid) "
    "AND (relrowsecurity OR relforcerowsecurity)",
    "SELECT format('ALTER TABLE %s %s', CAST(attrelid AS regclass), string_agg(format("
    "CASE WHEN attgenerated = 'v' THEN 'DROP COLUMN %I' "
    "WHEN attgenerated = 's' THEN 'ALTER %I DROP EXPRESSION' "
    "WHEN attidentity <> '' THEN 'ALTER %I DROP IDENTITY' ELSE 'ALTER %I DROP DEFAULT' END, "
    "attname), ', ')) FROM pg_attribute WHERE attrelid = CAST(:oid AS oid) AND attnum > 0 "
    "AND NOT attisdropped AND (atthasdef OR attidentity <> '') GROUP BY attrelid",
    "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', CAST(conrelid AS regclass), conname) "
    "FROM pg_constraint WHERE conrelid = CAST(:oid AS oid) AND contype IN ('c', 'p', 'u', 'x')",
    "SELECT format('DROP INDEX %s', CAST(indexrelid AS regclass)) FROM pg_index "
    "WHERE indrelid = CAST(:oid AS oid)",
    "SELECT format('DROP STATISTICS %I.%I', nspname, stxname) FROM pg_statistic_ext "
    "JOIN pg_namespace n ON n.oid = stxnamespace WHERE stxrelid = CAST(:oid AS oid)",
    # A publication of somebody else may keep it: it publishes changes, of which there are none.
    "SELECT format('ALTER PUBLICATION %I DROP TABLE ONLY %s', pubname, CAST(prrelid AS regclass)) "
    "FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid "
    "WHERE prrelid = CAST(:oid AS oid) AND pg_has_role(pubowner, 'USAGE')",
    "SELECT format('ALTER TABLE %s NOT OF', CAST(oid AS regclass)) FROM pg_class "
    "WHERE oid = CAST(:oid AS oid) AND reloftype <> 0",
    "SELECT format('DROP SEQUENCE %s CASCADE', CAST(d.objid AS regclass)) FROM pg_depend d "
    "JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' WHERE d.classid = 1259 "
    "AND d.refclassid = 1259 AND d.refobjid = CAST(:oid AS oid) AND d.deptype = 'a'",
)

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attgenerated,
  CASE WHEN t.typnamespace = CAST('pg_catalog' AS regnamespace) THEN NULL
       WHEN b.typnamespace = CAST('pg_catalog' AS regnamespace)
       THEN format_type(t.typbasetype, t.typtypmod) ELSE 'text' END,
  attcollation <> 0 AND collnamespace <> CAST('pg_catalog' AS regnamespace)
FROM pg_attribute JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_collation c ON c.oid = attcollation
WHERE attrelid = CAST(:oid AS oid) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""

_SEQUENCES = """
SELECT a.attname, CAST(CAST(d.objid AS regclass) AS text) FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 1259 AND d.refclassid = 1259 AND d.refobjid = CAST(:oid AS oid)
AND d.deptype IN ('a', 'i')"""

_ROOTS = """
WITH RECURSIVE up (oid, depth) AS (SELECT CAST(:oid AS oid), 0 UNION ALL
SELECT inhparent, depth + 1 FROM pg_inherits JOIN up ON inhrelid = up.oid
JOIN pg_class child ON child.oid = up.oid AND child.relispartition)
SELECT nspname, relname FROM up JOIN pg_class c ON c.oid = up.oid
JOIN pg_namespace n ON n.oid = relnamespace WHERE depth > 0 ORDER BY depth DESC LIMIT 1"""


@dataclass(frozen=True)
class Kept:
    """A column, and how its values can stay when its type and collation go."""

    name: str
    type: str
    generated: str
    """pg_attribute.attgenerated."""
    other: str | None
    """The type that it is kept in; None where its own is PostgreSQL's."""
    collated: bool
    """Its collation is a user's."""

    @property
    def expression(self) -> str:
        """The value in the type that it is kept in."""
        return self.value(quote_always(self.name))

    def value(self, name: str) -> str:
        """The same, of the column by the name under which a statement knows it."""
        value = f"CAST({name} AS {self.other})" if self.other else name
        return f'{value} COLLATE pg_catalog."default"' if self._is_collated else value

    @property
    def _is_collated(self) -> bool:
        return self.collated and self.other in (None, "text")

    @property
    def alteration(self) -> str | None:
        """The part of ALTER TABLE that gives the column that type; None where it has it."""
        if self.other is None and not self.collated:
            return None
        name = quote_always(self.name)
        collate = ' COLLATE pg_catalog."default"' if self._is_collated else ""
        return f"ALTER {name} TYPE {self.other or self.type}{collate} USING {self.expression}"


def columns_of(connection: Connection, oid: int) -> tuple[Kept, ...]:
    """The columns of a table, in order."""
    return tuple(Kept(*row) for row in _query(connection, _COLUMNS, oid=oid))


def sequences_of(connection: Connection, oid: int) -> dict[str, int]:
    """How far the sequences of a table's identity and serial columns have come, by column."""
    found = {}
    for column, sequence in _query(connection, _SEQUENCES, oid=oid).all():
        sql = f"SELECT last_value, is_called FROM {sequence}"
        last, called = connection.exec_driver_sql(sql).one()
        if called:
            found[column] = int(last)
    return found


def root_of(connection: Connection, oid: int) -> tuple[str, ...]:
    """Schema and name of the partitioned table that a partition belongs to; else nothing."""
    row = _query(connection, _ROOTS, oid=oid).first()
    return tuple(row) if row else ()


def move(
    connection: Connection, archive: Archive, oid: int, source: tuple[str, str], kept_in: str
) -> Contents:
    """Move a table into the archive, bare; return what it holds.

    source: its schema and name. What depends on it must be gone already.
    """
    into, sequences = root_of(connection, oid), sequences_of(connection, oid)
    columns = columns_of(connection, oid)
    for query in (_INHERITANCE, *_PARTS):
        _run_all(connection, [row[0] for row in _query(connection, query, oid=oid)])
    schema, name = map(quote_always, source)
    changes = [one.alteration for one in columns if one.alteration and one.generated != "v"]
    if changes:
        _run_all(connection, [f"ALTER TABLE {schema}.{name} {', '.join(changes)}"])
    new = quote_always(kept_in)
    _run_all(
        connection,
        [
            f"ALTER TABLE {schema}.{name} RENAME TO {new}",
            f"ALTER TABLE {schema}.{new} SET SCHEMA {quote_always(archive.schema)}",
        ],
    )
    held = tuple(Column(one.name, one.type) for one in columns if not one.generated)
    return Contents(held, sequences, into=into)


def _run_all(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
