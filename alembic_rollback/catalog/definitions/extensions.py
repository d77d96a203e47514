"""Objects that are to go together with an extension, without belonging to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from alembic_rollback.catalog.definitions.model import Address, Recipe
from alembic_rollback.catalog.definitions.reader import GIVEN, Reader

_DEPENDENCIES = (
    "SELECT given.classid, given.objid, given.objsubid, quote_ident(e.extname) AS extension "
    f"FROM {GIVEN} JOIN pg_depend d ON d.classid = given.classid AND d.objid = given.objid "
    "AND d.refclassid = CAST('pg_extension' AS regclass) AND d.deptype = 'x' "
    "JOIN pg_extension e ON e.oid = d.refobjid ORDER BY e.extname"
)


def dependencies(reader: Reader, made: Mapping[Address, Recipe]) -> dict[Address, list[str]]:
    """ALTER … DEPENDS ON EXTENSION."""
    found: dict[Address, list[str]] = defaultdict(list)
    for row in reader.addressed(_DEPENDENCIES, made):
        address = (row[0], row[1], row[2])
        recipe = made[address]
        statement = f"ALTER {recipe.noun} {recipe.name} DEPENDS ON EXTENSION {row.extension}"
        found[address].append(statement)
    return found
