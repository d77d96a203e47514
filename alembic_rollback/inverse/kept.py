"""Rows that an up keeps for its down, and how they are put back.

`generate-down --keep-data` writes such ups; they are known again by their trees:

    WITH kept AS (UPDATE items SET sku = upper(sku) RETURNING items.id, items.sku)
    INSERT INTO archive.k (id, sku, "sku after") SELECT was.id, was.sku, kept.sku FROM items AS was
    JOIN kept USING (id)

    WITH kept AS (DELETE FROM items RETURNING items.*), kept_2 AS (INSERT INTO …)
    INSERT INTO archive.k (id, sku) SELECT id, sku FROM kept

    CREATE TABLE archive.k AS SELECT id, sku FROM items; TRUNCATE items

` after` behind a column's name holds what the statement has made of the value: what somebody has
written since is not overwritten. The other columns of such a table are the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alembic_rollback.inverse.registry import Missing, Part, Undo
from alembic_rollback.inverse.world import Name
from alembic_rollback.sql.build import inner, kind_of
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier, quote_name
from alembic_rollback.sql.parser import Statement
from alembic_rollback.sql.script import Script

AFTER = " after"
"""Behind a column's name: what its values have become."""
KEPT, WAS = "kept", "was"
"""The names that the statement gives to the rows it touches, and to the table as it was."""

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


@dataclass(frozen=True)
class Kept:
    """One table of kept rows."""

    into: Name
    table: Name
    """Whose rows they are, as written."""
    columns: tuple[str, ...]
    """Without those that hold what became of the values."""
    changed: tuple[str, ...] = ()
    """The columns with values that were changed; none where whole rows have gone."""
    texts: frozenset[str] = frozenset()
    """The columns that are kept as text, or another type that no migration has made."""

    @property
    def key(self) -> tuple[str, ...]:
        """By which a changed row is found again."""
        return tuple(one for one in self.columns if one not in self.changed)


def kept_by(script: Script) -> dict[Statement, tuple[Kept, ...]]:
    """By statement, what the script keeps of the rows that it changes, in the order of going back.

    What a TRUNCATE empties was copied by the statements right before it.
    """
    found: dict[Statement, tuple[Kept, ...]] = {}
    made: set[Name] = set()
    copies: list[Kept] = []
    for statement in script.statements:
        if statement.kind == "CreateTableAsStmt":
            made.add(relation_name(statement.node.into.rel))
        elif statement.kind == "InsertStmt":
            rows = tuple(_of_insert(statement.node))
            if rows and made.issuperset(one.into for one in rows):
                found[statement] = rows
        elif statement.kind == "TruncateStmt":
            emptied = [relation_name(item.range_var) for item in statement.node.relations]
            if copies and {one.table for one in copies}.issuperset(emptied):
                found[statement] = tuple(copies)
        copy = _copy(statement.node) if statement.kind == "CreateTableAsStmt" else None
        copies = [*copies, copy] if copy else []
    return found


def shared_schemas(script: Script) -> tuple[str, ...]:
    """Schemas of kept rows that the script makes where they are missing.

    They hold what other revisions and rollbacks keep, too, so no down drops them.
    """
    used = {one.into[0] for rows in kept_by(script).values() for one in rows if len(one.into) > 1}
    made = (one.node for one in script.statements if one.kind == "CreateSchemaStmt")
    return tuple(n.schemaname for n in made if n.if_not_exists and n.schemaname in used)


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


# --- the trees --------------------------------------------------------------------------------


def _of_insert(node: Any) -> Iterator[Kept]:
    """What `WITH kept AS (UPDATE or DELETE) INSERT INTO …` keeps; nothing for any other INSERT."""
    ctes = [item.common_table_expr for item in node.with_clause.ctes]
    queries = {one.ctename: one.ctequery for one in ctes}
    if KEPT not in queries:
        return
    change = inner(queries.pop(KEPT))
    others = [inner(query) for query in queries.values()]
    if kind_of(change) not in ("UpdateStmt", "DeleteStmt") or not node.cols:
        return
    if any(kind_of(one) != "InsertStmt" or not one.cols or not _was(one) for one in others):
        return
    yield _kept(node, relation_name(change.relation))
    yield from (_kept(one, relation_name(_was(one))) for one in others)


def _was(node: Any) -> Any:
    """The table that an INSERT … SELECT reads under the name `was`; None if there is none."""
    for item in node.select_stmt.select_stmt.from_clause:
        relation = inner(item)
        if kind_of(relation) == "RangeVar" and relation.alias.aliasname == WAS:
            return relation
    return None


def _kept(node: Any, table: Name) -> Kept:
    names = [item.res_target.name for item in node.cols]
    values = [inner(item.res_target.val) for item in node.select_stmt.select_stmt.target_list]
    columns = tuple(name for name in names if name.removesuffix(AFTER) not in set(names) - {name})
    changed = tuple(name for name in columns if name + AFTER in names)
    texts = {
        name
        for name, value in zip(names, values, strict=False)
        if name in columns and kind_of(value) in ("TypeCast", "CollateClause")
    }
    return Kept(relation_name(node.relation), table, columns, changed, frozenset(texts))


def _copy(node: Any) -> Kept | None:
    """A table that CREATE TABLE … AS copies, column by column and without a condition."""
    query = inner(node.query)
    if kind_of(query) != "SelectStmt" or node.into.skip_data or len(query.from_clause) != 1:
        return None
    limited = any(query.HasField(part) for part in ("where_clause", "limit_count", "limit_offset"))
    table = inner(query.from_clause[0])
    if kind_of(table) != "RangeVar" or limited:
        return None
    names = [item.res_target.name for item in query.target_list]
    values = [inner(item.res_target.val) for item in query.target_list]
    columns = tuple(map(_column, values))
    if not all(columns) or any(n and n != c for n, c in zip(names, columns, strict=True)):
        return None
    texts = (c for c, value in zip(columns, values, strict=True) if kind_of(value) != "ColumnRef")
    into = relation_name(node.into.rel)
    return Kept(into, relation_name(table), columns, texts=frozenset(texts))


def _column(value: Any) -> str:
    """The column that an expression shows, perhaps as another type."""
    while kind_of(value) in ("TypeCast", "CollateClause"):
        value = inner(value.arg)
    if kind_of(value) != "ColumnRef" or kind_of(inner(value.fields[-1])) != "String":
        return ""
    return str(value.fields[-1].string.sval)
