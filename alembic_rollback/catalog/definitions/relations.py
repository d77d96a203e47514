"""What pg_class holds: views, sequences and indexes, and tables, whose rows are lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from alembic_rollback.catalog.definitions.indexes import indexes
from alembic_rollback.catalog.definitions.model import PART, Recipe, lost
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes
from alembic_rollback.catalog.definitions.sequences import sequences
from alembic_rollback.catalog.definitions.views import materialized_views, views

_ROWS = lost("its rows are lost; restore them from a backup")
_Maker: TypeAlias = Callable[[Reader, Iterable[int]], Recipes]

_MAKERS: Mapping[str, _Maker] = {
    "v": views,
    "m": materialized_views,
    "S": sequences,
    "i": indexes,
    "I": indexes,
}
_OTHERS: Mapping[str, Recipe] = {
    "r": _ROWS,
    "p": _ROWS,
    "t": PART,  # of its table
    "c": PART,  # of its composite type
}


def relations(reader: Reader, oids: Iterable[int]) -> Recipes:
    """Views, sequences, indexes; tables with why not."""
    sql = f"SELECT oid, CAST(relkind AS text) AS relkind FROM pg_class WHERE oid = {OIDS}"
    found: dict[int, Recipe] = {}
    wanted: dict[_Maker, list[int]] = defaultdict(list)
    for row in reader.rows(sql, oids):
        if row.relkind in _OTHERS:
            found[row.oid] = _OTHERS[row.relkind]
        elif row.relkind in _MAKERS:
            wanted[_MAKERS[row.relkind]].append(row.oid)
    for maker, listed in wanted.items():
        found.update(maker(reader, listed))
    return found
