"""What became of the rows: those of every user table before and after, and what is lost.

Values are compared as text, by the names of tables and columns: a table that was dropped and made
again counts as the same one. Positions of sequences are not looked at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.names import quote_always, quote_literal, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

Name = tuple[str, str]
"""Schema and name."""

Row = Mapping[str, str | None]
"""The text of each value by column; None for NULL."""

_BATCH = 200
_PAIRED = 300
"""Up to how many rows without a key are matched by likeness."""
_SETTINGS = {
    "bytea_output": "hex",
    "datestyle": "ISO, YMD",
    "extra_float_digits": "1",
    "intervalstyle": "postgres",
    "row_security": "off",
    "timezone": "UTC",
}
"""The same value has the same text, whatever a migration sets."""


@dataclass(frozen=True)
class TableRows:
    """The rows of one table. `rows` has all of them only where there are not more than asked."""

    shown: str
    """The name as a person would write it: with its schema only where search_path needs it."""
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """The columns of the primary key; empty where there is none."""
    count: int
    digest: str
    """Of all rows; equal where columns and rows are, in whatever order."""
    rows: tuple[Row, ...] = field(default=(), repr=False)

    @property
    def complete(self) -> bool:
        """Whether every row is there to be compared."""
        return len(self.rows) == self.count


@dataclass(frozen=True)
class Rows:
    """The rows of a database at one time."""

    tables: Mapping[Name, TableRows]


@dataclass(frozen=True)
class Loss:
    """Rows of a table that are not what they were."""

    table: str
    """As a person would write it."""
    column: str | None
    """Where only the values of a column differ, or are gone with it."""
    rows: int
    kind: str
    """`gone`, `extra` or `changed`; `table`: gone with the table; `column`: with the column."""

    @property
    def text(self) -> str:
        """`1 row`, `1,200 rows`."""
        return f"{self.rows:,} row{'' if self.rows == 1 else 's'}"

    def describe(self) -> str:
        """A line of output, without any value: `orders: 3 rows are gone`."""
        name = self.table if self.column is None else f"{self.table}.{quote_name((self.column,))}"
        are = "is" if self.rows == 1 else "are"
        if self.kind == "changed" and self.column is None:
            # Which rows it is cannot be told, only that it is some of them.
            return f"{name}: of {self.text}, some are not what they were"
        endings = {
            "changed": f"values of {self.text} are not what they were",
            "column": f"values of {self.text} are gone with the column",
            "extra": f"{self.text} {are} there that {'was' if self.rows == 1 else 'were'} not",
            "gone": f"{self.text} {are} gone",
            "table": f"{self.text} {are} gone with the table",
        }
        return f"{name}: {endings[self.kind]}"


def remember(
    connection: Connection,
    limit: int | None = None,
    *,
    known: Rows | None = None,
    without: Collection[Name] = (),
) -> Rows:
    """Read the rows of every user table; those of partitions with the partition.

    limit: no more rows than that of one table; of a larger one there is only the digest and the
    count. known: what was read before; tables with the same digest are not read again. without:
    tables that don't matter, by schema and name. Raises DBAPIError where a table cannot be read.
    """
    savepoint = connection.begin_nested()
    try:
        for name, value in _SETTINGS.items():
            setting = f"set_config({quote_literal(name)}, {quote_literal(value)}, true)"
            _query(connection, f"SELECT {setting}")
        tables = [one for one in _tables(connection) if one.name not in set(without)]
        before = known.tables if known else {}
        found = {
            table.name: _read(connection, table, count, digest, limit, before.get(table.name))
            for table, count, digest in _digests(connection, tables)
        }
        return Rows(found)
    finally:
        savepoint.rollback()


def lost(before: Rows, after: Rows) -> tuple[Loss, ...]:
    """What is not as it was: by table, in the order of their names.

    Tables without rows before and after are equal, whether they are there or not: that is for a
    comparison of the catalog to say. So are columns that came.
    """
    found: list[Loss] = []
    for name in sorted({*before.tables, *after.tables}):
        was, became = before.tables.get(name), after.tables.get(name)
        found += _lost(was, became)
    return tuple(found)


# Reading


@dataclass(frozen=True)
class _Table:
    name: Name
    shown: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def row(self) -> str:
        """A row as jsonb, its keys in jsonb's own order."""
        names = ", ".join(quote_literal(name) for name in self.columns)
        # The text itself: to_jsonb would write json anew and could not tell its null from NULL.
        values = ", ".join(f"CAST({quote_always(name)} AS text)" for name in self.columns)
        return f"jsonb_object(CAST(ARRAY[{names}] AS text[]), CAST(ARRAY[{values}] AS text[]))"

    @property
    def source(self) -> str:
        return f"ONLY {'.'.join(quote_always(part) for part in self.name)}"


_TABLES = """
SELECT n.nspname, c.relname, pg_table_is_visible(c.oid),
    ARRAY(SELECT CAST(a.attname AS text) FROM pg_attribute a WHERE a.attrelid = c.oid
        AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
    ARRAY(SELECT CAST(a.attname AS text) FROM pg_index i CROSS JOIN LATERAL
        unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY k (number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
        WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass)
    AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""


def _tables(connection: Connection) -> Iterator[_Table]:
    for schema, name, visible, columns, key in _query(connection, _TABLES):
        shown = quote_name((name,) if visible else (schema, name))
        yield _Table((schema, name), shown, tuple(columns), tuple(key))


def _digests(connection: Connection, tables: Sequence[_Table]) -> Iterator[tuple[_Table, int, str]]:
    for first in range(0, len(tables), _BATCH):
        some = tables[first : first + _BATCH]
        sql = " UNION ALL ".join(
            f"SELECT {number}, count(*), md5(concat(string_agg(one, '' ORDER BY one))) "
            f"FROM (SELECT md5(CAST({table.row} AS text)) FROM {table.source}) hashed (one)"
            for number, table in enumerate(some)
        )
        for number, count, digest in _query(connection, sql):
            yield some[number], count, digest


def _read(
    connection: Connection,
    table: _Table,
    count: int,
    digest: str,
    limit: int | None,
    known: TableRows | None,
) -> TableRows:
    rows: tuple[Row, ...] = ()
    if known and (known.digest, known.count) == (digest, count):
        rows = known.rows
    elif count and (limit is None or count <= limit):
        sql = f"SELECT CAST({table.row} AS text) FROM {table.source}"
        rows = tuple(json.loads(row) for (row,) in _query(connection, sql))
    return TableRows(table.shown, table.columns, table.key, count, digest, rows)


def _query(connection: Connection, sql: str) -> list[Any]:
    return list(connection.exec_driver_sql(sql, execution_options={"no_parameters": True}))


# Comparing


def _lost(was: TableRows | None, became: TableRows | None) -> list[Loss]:
    if was is None or became is None:
        if was is not None:
            return [Loss(was.shown, None, was.count, "table")] if was.count else []
        return _rows_lost(became.shown, 0, became.count) if became else []
    if was.digest == became.digest and was.columns == became.columns:
        return []
    if not was.count or not became.count:
        return _rows_lost(was.shown, was.count, became.count)
    if not was.complete or not became.complete:
        return _uncompared(was, became)
    return [*_columns_gone(was, became), *_compared(was, became)]


def _rows_lost(table: str, gone: int, extra: int) -> list[Loss]:
    found = [Loss(table, None, gone, "gone"), Loss(table, None, extra, "extra")]
    return [loss for loss in found if loss.rows]


def _uncompared(was: TableRows, became: TableRows) -> list[Loss]:
    if was.digest == became.digest:
        return []  # the columns' order only
    found = _rows_lost(
        was.shown, max(was.count - became.count, 0), max(became.count - was.count, 0)
    )
    return found or [Loss(was.shown, None, was.count, "changed")]


def _columns_gone(was: TableRows, became: TableRows) -> list[Loss]:
    found = []
    for column in was.columns:
        values = sum(row[column] is not None for row in was.rows)
        if column not in became.columns and values:
            found.append(Loss(was.shown, column, values, "column"))
    return found


def _compared(was: TableRows, became: TableRows) -> list[Loss]:
    """The differences in the columns that both have."""
    columns = [column for column in was.columns if column in became.columns]
    key = was.key if set(was.key) <= set(columns) else ()
    old, new = _apart(was.rows, became.rows, columns)
    pairs = _by_key(old, new, key) if key else _by_likeness(old, new)
    found = []
    for column in columns:
        changed = sum(a[column] != b[column] for a, b in pairs)
        if changed:
            found.append(Loss(was.shown, column, changed, "changed"))
    return [*_rows_lost(was.shown, len(old) - len(pairs), len(new) - len(pairs)), *found]


def _apart(
    old: Sequence[Row], new: Sequence[Row], columns: Sequence[str]
) -> tuple[list[Row], list[Row]]:
    """The rows that only one side has, each as often as it has more of them."""
    ours, theirs = (Counter(tuple(row[c] for c in columns) for row in rows) for rows in (old, new))
    return (
        [dict(zip(columns, row, strict=True)) for row in (ours - theirs).elements()],
        [dict(zip(columns, row, strict=True)) for row in (theirs - ours).elements()],
    )


def _by_key(old: Sequence[Row], new: Sequence[Row], key: Sequence[str]) -> list[tuple[Row, Row]]:
    found = {tuple(row[name] for name in key): row for row in new}
    pairs = ((row, found.pop(tuple(row[name] for name in key), None)) for row in old)
    return [(row, other) for row, other in pairs if other is not None]


def _by_likeness(old: Sequence[Row], new: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Rows that have at least one value in common, the most alike first."""
    if len(old) > _PAIRED or len(new) > _PAIRED:
        return []  # as gone and extra they are still counted exactly
    likeness = sorted(
        (-sum(a[name] == b[name] for name in a), i, j)
        for i, a in enumerate(old)
        for j, b in enumerate(new)
    )
    pairs, ours, theirs = [], set[int](), set[int]()
    for score, i, j in likeness:
        if i in ours or j in theirs or (not score and len(old[i]) > 1):
            continue
        ours.add(i)
        theirs.add(j)
        pairs.append((old[i], new[j]))
    return pairs
