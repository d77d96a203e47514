"""Rows that an up keeps (`sql.kept`), put back by its down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from alembic_rollback.inverse.registry import Missing, Part, Undo
from alembic_rollback.sql.kept import AFTER, Kept, kept_by, shared_schemas
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script

_WIDTH = 64
# Types whose equality says that nothing was written since. `box` compares areas, `json` nothing.
_COMPARABLE = (
    "bigint",
    "boolean",
    "bytea",
    "character varying",
    "date",
    "double precision",
    "integer",
    "interval",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "uuid",
)


def told_by(script: Script) -> Mapping[Statement, Sequence[Part]]:
    """What the script as a whole tells about how to undo some of its statements."""
    schemas = shared_schemas(script)
    parts: dict[Statement, Sequence[Part]] = {
        statement: ()
        for statement in script.statements
        if statement.kind == "CreateSchemaStmt" and statement.node.schemaname in schemas
    }
    for statement, rows in kept_by(script).items():
        # Undos run last first.
        parts[statement] = [part for one in reversed(rows) for part in _parts(one)]
    return parts


def _parts(kept: Kept) -> Iterator[Part]:
    if kept.texts:
        columns = ", ".join(map(quote_identifier, sorted(kept.texts)))
        yield Missing(
            f"the type of {columns} of {quote_name(kept.table)}, kept as another one", rows=True
        )
    else:
        yield Undo(put_back(kept, {}))


def put_back(kept: Kept, types: Mapping[str, str]) -> str:
    """The statement that puts kept rows back.

    types: of the table's columns, as PostgreSQL writes them; empty where they are not known.
    """
    return _update(kept, types) if kept.changed else _insert(kept, types)


def _update(kept: Kept, types: Mapping[str, str]) -> str:
    """Only where nobody has written since."""
    names = {one: quote_identifier(one) for one in kept.columns}
    new = listed(f"{names[c]} = {_value(kept, c, types, 'kept.')}" for c in kept.changed)
    same = [f"now.{names[one]} = {_value(kept, one, types, 'kept.')}" for one in kept.key]
    for column in kept.changed:
        now, then = f"now.{names[column]}", f"kept.{quote_identifier(column + AFTER)}"
        if not _comparable(types.get(column, "")):
            now, then = f"CAST({now} AS text)", f"CAST({then} AS text)"
        same.append(f"{now} IS NOT DISTINCT FROM {then}")
    condition = "\n    AND ".join(same)
    return (
        f"UPDATE {quote_name(kept.table)} AS now SET {new}\n"
        f"FROM {quote_name(kept.into)} AS kept\nWHERE {condition}"
    )


def _insert(kept: Kept, types: Mapping[str, str]) -> str:
    names = listed(map(quote_identifier, kept.columns))
    values = listed(_value(kept, one, types) for one in kept.columns)
    return (
        f"INSERT INTO {quote_name(kept.table)} ({names}) OVERRIDING SYSTEM VALUE\n"
        f"SELECT {values}\nFROM {quote_name(kept.into)}"
    )


def listed(items: Iterable[str]) -> str:
    """With commas, and lines of a length that one can read."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > _WIDTH:
            lines.append("")
        lines[-1] += f"{item}, "
    return "\n    ".join(line.rstrip() for line in lines).removesuffix(",")


def _value(kept: Kept, column: str, types: Mapping[str, str], of: str = "") -> str:
    name = f"{of}{quote_identifier(column)}"
    return f"CAST({name} AS {types[column]})" if column in kept.texts else name


def _comparable(type_: str) -> bool:
    base = type_.split("(")[0].split(" with")[0]
    return base in _COMPARABLE
