"""Foreign keys as they act on rows: what a DELETE reaches, and in which order rows can come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_NAMES = (
    "ARRAY(SELECT CAST(attname AS text) FROM unnest({numbers}) WITH ORDINALITY k (n, at) "
    "JOIN pg_attribute ON attrelid = {table} AND attnum = n ORDER BY at)"
)
_SET = "coalesce(confdelsetcols, conkey)"

_ACTING = f"""
SELECT conname, conrelid, confrelid, confdeltype, conparentid <> 0,
  {_NAMES.format(numbers="conkey", table="conrelid")},
  {_NAMES.format(numbers="confkey", table="confrelid")},
  {_NAMES.format(numbers="$set", table="conrelid")}
FROM pg_constraint k WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd')
AND confrelid = CAST(:oid AS oid) AND NOT EXISTS (
  SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.confrelid = k.confrelid)
ORDER BY conrelid, conname"""

_AMONG = """
SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid
AND conrelid = ANY(CAST(:oids AS oid[])) AND confrelid = ANY(CAST(:oids AS oid[]))"""

_BY_UPDATE = """
SELECT conname FROM pg_constraint JOIN pg_attribute ON attrelid = confrelid
AND attnum = ANY(confkey) WHERE contype = 'f' AND confupdtype IN ('n', 'd')
AND confrelid = CAST(:oid AS oid) AND attname = ANY(CAST(:columns AS text[])) ORDER BY conname"""

_HEIRS = """
SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid
WHERE inhparent = CAST(:oid AS oid) AND NOT relispartition)"""


@dataclass(frozen=True)
class Reference:
    """A foreign key that does something to its own table when referenced rows are deleted."""

    name: str
    table: int
    """The oid of the table that has it."""
    referenced: int
    action: str
    """pg_constraint.confdeltype: `c` CASCADE, `n` SET NULL, `d` SET DEFAULT."""
    inherited: bool
    """It is the share of a referenced partition in one."""
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    """The referenced columns."""
    set: tuple[str, ...]
    """The columns that `n` and `d` set."""


def acting_references(connection: Connection, oid: int) -> tuple[Reference, ...]:
    """The foreign keys that act when rows of a table are deleted; not those of partitions."""
    # ON DELETE SET NULL (column) came with PostgreSQL 15.
    version = connection.dialect.server_version_info or (15,)
    columns = _SET if version >= (15,) else "conkey"
    rows = _query(connection, _ACTING.replace("$set", columns), oid=oid)
    return tuple(Reference(*row[:5], *map(tuple, row[5:])) for row in rows)


def references_among(connection: Connection, oids: Collection[int]) -> list[tuple[int, int]]:
    """Pairs of tables of which the first has a foreign key to the second."""
    return [(row[0], row[1]) for row in _query(connection, _AMONG, oids=list(oids))]


def set_by_update(connection: Connection, oid: int, columns: Collection[str]) -> tuple[str, ...]:
    """Foreign keys that set something to NULL or its default when these columns are updated."""
    rows = _query(connection, _BY_UPDATE, oid=oid, columns=list(columns))
    return tuple(row[0] for row in rows)


def has_heirs(connection: Connection, oid: int) -> bool:
    """Whether other tables inherit from a table (partitions don't count)."""
    return bool(_query(connection, _HEIRS, oid=oid).scalar_one())


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
