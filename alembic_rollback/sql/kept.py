"""Rows that an up keeps for its down, known by the trees of its statements.

`generate-down --keep-data` writes such ups:

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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from alembic_rollback.sql.build import inner, kind_of
from alembic_rollback.sql.effects import relation_name

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script

Name: TypeAlias = tuple[str, ...]

AFTER = " after"
"""Behind a column's name: what its values have become."""
TABLES = "kept_"
"""Before the version in the names of the tables in which an up keeps rows."""
KEPT, WAS = "kept", "was"
"""The names that the statement gives to the rows it touches, and to the table as it was."""


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


def is_kept_by_up(table: str) -> bool:
    """Whether a table of that name holds what an up keeps."""
    return table.startswith(TABLES)


def put_back_by(script: Script) -> frozenset[Name]:
    """The tables that a down puts back whole: INSERT … SELECT from one, or UPDATE … FROM it."""
    found = set()
    for node in (one.node for one in script.statements):
        if kind_of(node) == "InsertStmt" and node.HasField("select_stmt"):
            query = node.select_stmt.select_stmt
            if not query.HasField("where_clause"):
                found |= _read(query.from_clause)
        elif kind_of(node) == "UpdateStmt":
            found |= _read(node.from_clause)
    return frozenset(found)


def _read(items: Any) -> set[Name]:
    """The only table of a FROM."""
    relations = [inner(item) for item in items]
    if len(relations) != 1 or kind_of(relations[0]) != "RangeVar":
        return set()
    return {relation_name(relations[0])}


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
