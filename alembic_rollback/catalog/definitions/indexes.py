"""Indexes: a partitioned one with those of its partitions, a constraint's with the constraint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from alembic_rollback.catalog.definitions.model import PART, Recipe, lost
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes, options, relation

_INDEXES = (
    "WITH RECURSIVE tree (root, oid, parent, level) AS ("
    f"SELECT oid, oid, CAST(NULL AS oid), 0 FROM pg_class WHERE oid = {OIDS} UNION ALL "
    "SELECT tree.root, inhrelid, inhparent, level + 1 FROM tree "
    "JOIN pg_inherits ON inhparent = tree.oid) "
    f"SELECT tree.root, tree.oid, {relation('tree.oid')} AS name, "
    f"{relation('tree.parent')} AS parent, pg_get_indexdef(tree.oid) AS sql, "
    "c.relispartition OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = tree.oid "
    "AND k.contype IN ('p', 'u', 'x')) AS part, "
    # A partitioned index is invalid as long as a partition has none of it.
    "i.indisvalid OR c.relkind = 'I' AS valid "
    "FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_index i ON i.indexrelid = tree.oid "
    "ORDER BY tree.root, tree.level, tree.oid"
)

_TARGET = "ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s"
_SETTINGS = (
    "SELECT i.indexrelid AS oid, setting.sql AS statement "
    f"FROM (SELECT i.*, {relation('indexrelid')} AS name, {relation('indrelid')} AS owner "
    f"FROM pg_index i WHERE indexrelid = {OIDS}) AS i "
    "JOIN pg_class c ON c.oid = i.indexrelid CROSS JOIN LATERAL ("
    "SELECT 1, (SELECT format('ALTER INDEX %s SET TABLESPACE %I', i.name, spcname) "
    "FROM pg_tablespace WHERE oid = c.reltablespace) "
    f"UNION ALL SELECT 2, format('ALTER INDEX %s SET (%s)', i.name, {options('c.reloptions')}) "
    "WHERE c.reloptions IS NOT NULL AND :constraints "
    f"UNION ALL SELECT 3, format('{_TARGET}', i.name, attnum, attstattarget) "
    "FROM pg_attribute WHERE attrelid = c.oid AND attstattarget >= 0 "
    "UNION ALL SELECT 4, format('ALTER TABLE %s CLUSTER ON %I', i.owner, c.relname) "
    "WHERE i.indisclustered "
    "UNION ALL SELECT 5, format('ALTER TABLE ONLY %s REPLICA IDENTITY USING INDEX %I', "
    "i.owner, c.relname) WHERE i.indisreplident "
    "UNION ALL SELECT 6, format('COMMENT ON INDEX %s IS %L', i.name, description) "
    "FROM pg_description WHERE objoid = c.oid AND classoid = CAST('pg_class' AS regclass) "
    "AND :comments) AS setting (place, sql) "
    "WHERE setting.sql IS NOT NULL ORDER BY i.indexrelid, setting.place, setting.sql"
)


def indexes(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE INDEX; what stands in the way of an invalid one."""
    trees: dict[int, list[Any]] = defaultdict(list)
    for row in reader.rows(_INDEXES, oids):
        trees[row.root].append(row)
    children = [row.oid for tree in trees.values() for row in tree[1:]]
    settings = index_settings(reader, trees, comments=False)
    settings |= index_settings(reader, children)
    return {root: _recipe(tree, settings) for root, tree in trees.items()}


def index_settings(
    reader: Reader, oids: Iterable[int], *, constraints: bool = False, comments: bool = True
) -> dict[int, list[str]]:
    """By index, the statements for what CREATE INDEX or ADD CONSTRAINT doesn't say.

    constraints: also the storage parameters, which stand in CREATE INDEX, but not in what
    pg_get_constraintdef() prints.
    """
    found: dict[int, list[str]] = defaultdict(list)
    for row in reader.rows(_SETTINGS, oids, constraints=constraints, comments=comments):
        found[row.oid].append(row.statement)
    return found


def _recipe(tree: list[Any], settings: dict[int, list[str]]) -> Recipe:
    root, *children = tree
    if root.part:
        return PART
    if not all(row.valid for row in tree):
        return lost("it is invalid: CREATE INDEX CONCURRENTLY or REINDEX left it unfinished")
    after = list(settings.get(root.oid, ()))
    for child in children:
        attach = f"ALTER INDEX {child.parent} ATTACH PARTITION {child.name}"
        after += [child.sql, attach, *settings.get(child.oid, ())]
    return Recipe((root.sql,), "INDEX", root.name, tuple(after))
