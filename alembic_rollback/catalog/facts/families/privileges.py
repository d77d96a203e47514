"""Privileges on objects and on columns.

There is a fact where they are not those that PostgreSQL gives everything of a kind. The owner's are
the owner's, whoever that is: another owner takes them over. What somebody other than the owner
granted counts as granted by the owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from alembic_rollback.catalog.facts.families.fragments import at
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.families.owners import TYPES
from alembic_rollback.catalog.facts.model import Fact, Snapshot
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier

Grants: TypeAlias = Mapping[str, Mapping[str, bool]]
"""By role, by privilege: whether it may be granted on. Roles are quoted; OWNER is the owner."""

OWNER = "OWNER"
"""In Grants. A role of that name is `"OWNER"` there, as PUBLIC would be `"PUBLIC"`."""

_ROLE = (
    "CASE item.grantee WHEN 0 THEN 'PUBLIC' WHEN {owner} THEN 'OWNER' "
    "ELSE quote_ident(pg_get_userbyid(item.grantee)) END"
)


def grants(acl: str, owner: str = "NULL") -> str:
    """SQL for an ACL, or several rows of aclexplode(), as Grants."""
    source = acl if acl.startswith("(") else f"aclexplode({acl})"
    return (
        "(SELECT coalesce(jsonb_object_agg(each.role, each.privileges), '{}') FROM ("
        f"SELECT {_ROLE.format(owner=owner)} AS role, "
        "jsonb_object_agg(item.privilege_type, item.more) AS privileges FROM ("
        "SELECT one.grantee, one.privilege_type, bool_or(one.is_grantable) AS more "
        f"FROM {source} AS one GROUP BY 1, 2) AS item GROUP BY 1) AS each)"
    )


_ACLS = f"""
    acls (classid, objid, number, noun, key, shown, acl, letter, owner, namespace) AS (
    SELECT CAST(1259 AS bigint), CAST(c.oid AS bigint), 0,
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
        format('%I.%I', n.nspname, c.relname), CAST(CAST(c.oid AS regclass) AS text), c.relacl,
        CAST(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS "char"), c.relowner, n.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relacl IS NOT NULL
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND {USER_SCHEMA}
    UNION ALL
    SELECT 1255, o.oid, 0, CASE o.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
        format('%I.%I(%s)', n.nspname, o.proname, oidvectortypes(o.proargtypes)),
        CAST(CAST(o.oid AS regprocedure) AS text), o.proacl, 'f', o.proowner, n.oid
    FROM pg_proc o JOIN pg_namespace n ON n.oid = o.pronamespace
    WHERE o.oid >= 16384 AND o.proacl IS NOT NULL AND {USER_SCHEMA}
    UNION ALL
    SELECT 1247, o.oid, 0, 'TYPE', format('%I.%I', n.nspname, o.typname),
        CAST(CAST(o.oid AS regtype) AS text), o.typacl, 'T', o.typowner, n.oid
    {TYPES} AND o.typacl IS NOT NULL
    UNION ALL
    SELECT 2615, n.oid, 0, 'SCHEMA', quote_ident(n.nspname), quote_ident(n.nspname), n.nspacl,
        'n', n.nspowner, NULL
    FROM pg_namespace n
    WHERE n.nspacl IS NOT NULL AND (n.oid >= 16384 OR n.oid = 2200) AND {USER_SCHEMA}
    UNION ALL
    SELECT 2612, o.oid, 0, 'LANGUAGE', quote_ident(o.lanname), quote_ident(o.lanname), o.lanacl,
        'l', o.lanowner, NULL
    FROM pg_language o WHERE o.oid >= 16384 AND o.lanacl IS NOT NULL
    UNION ALL
    SELECT 2328, o.oid, 0, 'FOREIGN DATA WRAPPER', quote_ident(o.fdwname), quote_ident(o.fdwname),
        o.fdwacl, 'F', o.fdwowner, NULL
    FROM pg_foreign_data_wrapper o WHERE o.fdwacl IS NOT NULL
    UNION ALL
    SELECT 1417, o.oid, 0, 'FOREIGN SERVER', quote_ident(o.srvname), quote_ident(o.srvname),
        o.srvacl, 'S', o.srvowner, NULL
    FROM pg_foreign_server o WHERE o.srvacl IS NOT NULL)
"""
# What a new object of the connection's role would have.
_BY_DEFAULT = (
    "(SELECT d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = me.oid AND d.defaclobjtype = "
    "CASE a.letter WHEN 's' THEN 'S' ELSE a.letter END AND d.defaclnamespace = {})"
)
_FRESH = (
    "(SELECT CASE every.grantee WHEN me.oid THEN a.owner ELSE every.grantee END AS grantee, "
    "every.privilege_type, every.is_grantable FROM (SELECT * FROM aclexplode("
    f"coalesce({_BY_DEFAULT.format('0')}, acldefault(a.letter, me.oid))) UNION ALL "
    f"SELECT * FROM aclexplode({_BY_DEFAULT.format('a.namespace')})) AS every)"
)
_OTHERS = "nullif(EXISTS (SELECT FROM aclexplode({0}) one WHERE one.grantor <> {1}), false)"

reads(
    "privileges",
    f"""
    WITH {_ACLS}, me AS (SELECT CAST(CAST(quote_ident(current_user) AS regrole) AS oid) AS oid),
    told AS MATERIALIZED (SELECT a.*, {grants("a.acl", "a.owner")} AS roles,
        {grants("acldefault(a.letter, a.owner)", "a.owner")} AS usual FROM acls a)
    SELECT a.classid, a.objid, a.number, 'privileges', 'privileges', a.noun || ' ' || a.key,
        a.noun || ' ' || a.shown, a.classid, a.objid, a.number,
        jsonb_build_object('roles', a.roles, 'usual', a.usual,
            'fresh', {grants(_FRESH, "a.owner")},
            'owner', quote_ident(pg_get_userbyid(a.owner)),
            'by others', {_OTHERS.format("a.acl", "a.owner")})
    FROM told a CROSS JOIN me WHERE a.roles <> a.usual
    UNION ALL
    SELECT {at(1259, "c.oid", "a.attnum")}, 'privileges', 'privileges',
        format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname),
        format('%I ON TABLE %s', a.attname, CAST(c.oid AS regclass)),
        {at(1259, "c.oid", "CASE WHEN c.relkind IN ('v', 'm') THEN 0 ELSE a.attnum END")},
        jsonb_build_object('roles', {grants("a.attacl", "c.relowner")}, 'column', a.attname,
            'table', CAST(CAST(c.oid AS regclass) AS text),
            'owner', quote_ident(pg_get_userbyid(c.relowner)),
            'by others', {_OTHERS.format("a.attacl", "c.relowner")})
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attrelid >= 16384 AND a.attacl <> '{{}}' AND NOT a.attisdropped AND {USER_SCHEMA}
    """,
)


@kind
class Privileges(Kind):
    """Who may do what with an object, or a column."""

    name, rank = "privileges", 95

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """From what a new object has, after ALTER DEFAULT PRIVILEGES."""
        return _changes(fact, fact.details.get("fresh", {}), fact.details["roles"])

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """To what every object of the kind has."""
        return _changes(fact, fact.details["roles"], fact.details.get("usual", {}), fact)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """From the old ones."""
        return _changes(new, old.details["roles"], new.details["roles"], old)

    def equal(self, old: Fact, new: Fact) -> bool:
        """Not what others of the kind have."""
        return bool(old.details["roles"] == new.details["roles"])


def _changes(fact: Fact, old: Grants, new: Grants, before: Fact | None = None) -> list[str]:
    column: str | None = fact.details.get("column")
    target = f"TABLE {fact.details['table']}" if column is not None else fact.name
    chained = before is not None and before.details.get("by others")
    found = changes(old, new, target, column, chained=bool(chained))
    owner = fact.details["owner"]
    return [sql.replace("\0", owner) for sql in found]


def changes(
    old: Grants, new: Grants, target: str, column: str | None = None, *, chained: bool = False
) -> list[str]:
    """REVOKE and GRANT that lead from old to new.

    chained: somebody else than the owner has granted something, which only goes with its own
    privilege, so that everything is revoked first.
    """
    found = []
    roles = list(dict.fromkeys([*old, *new]))
    for role in roles:
        before, after = old.get(role, {}), new.get(role, {})
        gone = sorted(before if chained else before.keys() - after.keys())
        cascade = " CASCADE" if chained else ""
        if gone:
            found.append(f"REVOKE {_listed(gone, column)} ON {target} FROM {_role(role)}{cascade}")
        if not chained:
            less = [one for one in sorted(after) if before.get(one) and not after[one]]
            if less:
                what = f"GRANT OPTION FOR {_listed(less, column)}"
                found.append(f"REVOKE {what} ON {target} FROM {_role(role)}")
    for role in roles:
        before, after = {} if chained else old.get(role, {}), new.get(role, {})
        for more in (False, True):
            come = [
                one
                for one in sorted(after)
                if after[one] is more and (one not in before or (more and not before[one]))
            ]
            option = " WITH GRANT OPTION" if more else ""
            if come:
                found.append(f"GRANT {_listed(come, column)} ON {target} TO {_role(role)}{option}")
    return found


def _role(role: str) -> str:
    # Put in by whoever knows the owner.
    return "\0" if role == OWNER else role


def _listed(privileges: list[str], column: str | None) -> str:
    suffix = f" ({quote_identifier(column)})" if column is not None else ""
    return ", ".join(one + suffix for one in privileges)
