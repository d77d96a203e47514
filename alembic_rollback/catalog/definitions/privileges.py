"""Owners and privileges.

Privileges are compared with those that a new object has in this database, which ALTER DEFAULT
PRIVILEGES may have changed, and the difference is granted and revoked. What somebody other than the
owner granted is granted by the owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from alembic_rollback.catalog.definitions.model import Address, Recipe
from alembic_rollback.catalog.definitions.reader import GIVEN, Reader

# The last column but one is acldefault()'s letter for the kind of object, NULL without privileges.
_OWNED = (
    "owned (classid, objid, owner, acl, kind, namespace) AS (SELECT every.* FROM ("
    "SELECT CAST(CAST('pg_class' AS regclass) AS oid), oid, relowner, relacl, "
    """CAST(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END AS "char"), relnamespace """
    "FROM pg_class WHERE relkind IN ('v', 'm', 'S') "
    "UNION ALL SELECT CAST('pg_proc' AS regclass), oid, proowner, proacl, 'f', pronamespace "
    "FROM pg_proc "
    "UNION ALL SELECT CAST('pg_type' AS regclass), oid, typowner, typacl, 'T', typnamespace "
    "FROM pg_type "
    "UNION ALL SELECT CAST('pg_operator' AS regclass), oid, oprowner, NULL, NULL, oprnamespace "
    "FROM pg_operator "
    "UNION ALL SELECT CAST('pg_statistic_ext' AS regclass), oid, stxowner, NULL, NULL, "
    "stxnamespace FROM pg_statistic_ext "
    "UNION ALL SELECT CAST('pg_event_trigger' AS regclass), oid, evtowner, NULL, NULL, NULL "
    "FROM pg_event_trigger) AS every (classid, objid, owner, acl, kind, namespace) "
    f"JOIN {GIVEN} USING (classid, objid))"
)

_OWNERS = (
    f"WITH {_OWNED} SELECT classid, objid, quote_ident(pg_get_userbyid(owner)) AS owner "
    "FROM owned WHERE pg_get_userbyid(owner) <> current_user"
)

_BY_DEFAULT = (
    "SELECT defaclacl FROM pg_default_acl WHERE defaclrole = me.oid AND defaclobjtype = "
    "CASE owned.kind WHEN 's' THEN 'S' ELSE owned.kind END AND defaclnamespace = "
)
_ROLE = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS role"
_GRANTS = (
    f"WITH {_OWNED}, me AS (SELECT oid FROM pg_roles WHERE rolname = current_user), "
    "fresh AS (SELECT classid, objid, CASE item.grantee WHEN me.oid THEN owned.owner "
    "ELSE item.grantee END AS grantee, item.privilege_type, bool_or(item.is_grantable) AS more "
    "FROM owned CROSS JOIN me CROSS JOIN LATERAL ("
    f"SELECT * FROM aclexplode(coalesce(({_BY_DEFAULT} 0), acldefault(owned.kind, me.oid))) "
    f"UNION ALL SELECT * FROM aclexplode(({_BY_DEFAULT} owned.namespace))) AS item "
    "WHERE owned.kind IS NOT NULL GROUP BY 1, 2, 3, 4), "
    "wanted AS (SELECT classid, objid, item.grantee, item.privilege_type, "
    "bool_or(item.is_grantable) AS more FROM owned "
    "CROSS JOIN LATERAL aclexplode(coalesce(acl, acldefault(kind, owner))) AS item "
    "WHERE kind IS NOT NULL GROUP BY 1, 2, 3, 4), "
    "change AS ("
    "SELECT false AS added, * FROM (SELECT * FROM fresh EXCEPT SELECT * FROM wanted) AS gone "
    "UNION ALL "
    "SELECT true, * FROM (SELECT * FROM wanted EXCEPT SELECT * FROM fresh) AS come) "
    f"SELECT classid, objid, added, {_ROLE}, added AND more AS more, "
    "string_agg(privilege_type, ', ' ORDER BY privilege_type) AS privileges "
    "FROM change GROUP BY classid, objid, added, grantee, 5 ORDER BY added, role, more"
)

_ON_COLUMNS = (
    f"SELECT given.classid, given.objid, true AS added, {_ROLE}, item.is_grantable AS more, "
    "string_agg(format('%s (%I)', item.privilege_type, a.attname), ', ' "
    "ORDER BY a.attnum, item.privilege_type) AS privileges "
    f"FROM {GIVEN} JOIN pg_attribute a ON given.classid = CAST('pg_class' AS regclass) "
    "AND a.attrelid = given.objid CROSS JOIN LATERAL aclexplode(a.attacl) AS item "
    "GROUP BY 1, 2, item.grantee, 5 ORDER BY role, more"
)

# What COMMENT ON and GRANT call differently.
_NOUNS = {"VIEW": "TABLE", "MATERIALIZED VIEW": "TABLE", "DOMAIN": "TYPE"}


def owners(reader: Reader, made: Mapping[Address, Recipe]) -> dict[Address, list[str]]:
    """OWNER TO, for the objects of other roles than the one that reads."""
    found: dict[Address, list[str]] = {}
    for row in reader.addressed(_OWNERS, made):
        recipe = made[row.classid, row.objid, 0]
        statement = f"ALTER {recipe.noun} {recipe.name} OWNER TO {row.owner}"
        found[row.classid, row.objid, 0] = [statement]
    return found


def grants(reader: Reader, made: Mapping[Address, Recipe]) -> dict[Address, list[str]]:
    """REVOKE and GRANT, also of single columns."""
    found: dict[Address, list[str]] = defaultdict(list)
    for row in (*reader.addressed(_GRANTS, made), *reader.addressed(_ON_COLUMNS, made)):
        address = (row.classid, row.objid, 0)
        found[address].append(_statement(row, made[address]))
    return found


def _statement(row: Any, recipe: Recipe) -> str:
    target = f"{_NOUNS.get(recipe.noun, recipe.noun)} {recipe.name}"
    if not row.added:
        return f"REVOKE {row.privileges} ON {target} FROM {row.role}"
    option = " WITH GRANT OPTION" if row.more else ""
    return f"GRANT {row.privileges} ON {target} TO {row.role}{option}"
