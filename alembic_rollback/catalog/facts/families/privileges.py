"""Privileges on objects and on columns.

There is a fact where they are not those that PostgreSQL gives everything of a kind. The owner's are
the owner's, whoever that is: another owner takes them over. What somebody other than the owner
granted counts as granted by the owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from alembic_rollback.catalog.facts.families.fragments import at
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.families.owners import TYPES
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

Grants: TypeAlias = Mapping[str, Mapping[str, bool]]
"""By role, by privilege: whether it may be granted on. Roles are quoted; OWNER is the owner."""

OWNER = "OWNER"
"""In Grants. A role of that name is `"OWNER"` there, as PUBLIC would be `"PUBLIC"`."""

_LETTERS = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
    "c": "CONNECT",
    "T": "TEMPORARY",
    "s": "SET",
    "A": "ALTER SYSTEM",
}


def grants(acl: Iterable[str] | None, *owners: str) -> Grants:
    """An ACL as PostgreSQL prints it: `{reader=r*w/admin}` may read, and let others read.

    owners: roles that count as the owner.
    """
    found: dict[str, dict[str, bool]] = {}
    for item in acl or ():
        grantee, rest = _role_name(item)
        role = (
            "PUBLIC" if not grantee else OWNER if grantee in owners else quote_identifier(grantee)
        )
        letters, _, _ = rest[1:].partition("/")
        privileges = found.setdefault(role, {})
        for place, letter in enumerate(letters):
            if letter != "*":
                name, more = _LETTERS[letter], letters[place + 1 : place + 2] == "*"
                privileges[name] = privileges.get(name, False) or more
    return {role: privileges for role, privileges in found.items() if privileges}


def _role_name(text: str) -> tuple[str, str]:
    """The role at the beginning of the text, perhaps in double quotes, and what follows it."""
    if not text.startswith('"'):
        name, equals, rest = text.partition("=")
        return name, equals + rest
    name, place = "", 1
    while text[place] != '"' or text[place : place + 2] == '""':
        name += text[place]
        place += 2 if text[place] == '"' else 1
    return name, text[place + 1 :]


def _by_others(acl: Iterable[str], owner: str) -> bool:
    """Whether somebody else than the owner has granted something."""
    grantors = {_role_name(item)[1].partition("/")[2] for item in acl}
    return any(_role_name(one + "=")[0] != owner for one in grantors)


_ACLS = f"""
    acls (classid, objid, number, noun, key, shown, acl, letter, owner, namespace) AS (
    SELECT CAST(1259 AS bigint), CAST(c.oid AS bigint), 0,
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
        format('%I.%I', n.nspname, c.relname), CAST(CAST(c.oid AS regclass) AS text), c.relacl,
        CAST(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS "char"), c.relowner, n.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND {USER_SCHEMA} /*among c.oid*/
    UNION ALL
    SELECT 1255, o.oid, 0, CASE o.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
        format('%I.%I(%s)', n.nspname, o.proname, oidvectortypes(o.proargtypes)),
        CAST(CAST(o.oid AS regprocedure) AS text), o.proacl, 'f', o.proowner, n.oid
    FROM pg_proc o JOIN pg_namespace n ON n.oid = o.pronamespace
    WHERE o.oid >= 16384 AND {USER_SCHEMA} /*among o.oid*/
    UNION ALL
    SELECT 1247, o.oid, 0, 'TYPE', format('%I.%I', n.nspname, o.typname),
        CAST(CAST(o.oid AS regtype) AS text), o.typacl, 'T', o.typowner, n.oid
    {TYPES}
    UNION ALL
    SELECT 2615, n.oid, 0, 'SCHEMA', quote_ident(n.nspname), quote_ident(n.nspname), n.nspacl,
        'n', n.nspowner, NULL
    FROM pg_namespace n
    WHERE (n.oid >= 16384 OR n.oid = 2200) AND {USER_SCHEMA} /*among n.oid*/
    UNION ALL
    SELECT 2612, o.oid, 0, 'LANGUAGE', quote_ident(o.lanname), quote_ident(o.lanname), o.lanacl,
        'l', o.lanowner, NULL
    FROM pg_language o WHERE o.oid >= 16384 /*among o.oid*/
    UNION ALL
    SELECT 2328, o.oid, 0, 'FOREIGN DATA WRAPPER', quote_ident(o.fdwname), quote_ident(o.fdwname),
        o.fdwacl, 'F', o.fdwowner, NULL
    FROM pg_foreign_data_wrapper o WHERE true /*among o.oid*/
    UNION ALL
    SELECT 1417, o.oid, 0, 'FOREIGN SERVER', quote_ident(o.srvname), quote_ident(o.srvname),
        o.srvacl, 'S', o.srvowner, NULL
    FROM pg_foreign_server o WHERE true /*among o.oid*/)
"""
# What a new object of the connection's role would have.
_BY_DEFAULT = (
    "(SELECT d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = me.oid AND d.defaclobjtype = "
    "CASE a.letter WHEN 's' THEN 'S' ELSE a.letter END AND d.defaclnamespace = {})"
)
_FRESH = (
    f"coalesce({_BY_DEFAULT.format('0')}, acldefault(a.letter, me.oid)) "
    f"|| {_BY_DEFAULT.format('a.namespace')}"
)


def _text(acl: str) -> str:
    return f"to_jsonb(CAST({acl} AS text[]))"


def _objects(acl: str, told: str, wanted: str) -> str:
    """SQL. told: which objects; wanted: which of these, by what is usual for them.

    The sequence of an identity is no fact, and goes with its column.
    """
    return f"""
    WITH {_ACLS},
    me AS (SELECT CAST(CAST(quote_ident(current_user) AS regrole) AS oid) AS oid),
    told AS MATERIALIZED (
        SELECT a.*, acldefault(a.letter, a.owner) AS usual FROM acls a WHERE {told})
    SELECT a.classid, a.objid, a.number, 'privileges', 'privileges', a.noun || ' ' || a.key,
        a.noun || ' ' || a.shown, a.classid,
        coalesce(CAST(d.refobjid AS bigint), a.objid), coalesce(d.refobjsubid, a.number),
        jsonb_build_object('acl', {_text(acl)}, 'usual', {_text("a.usual")},
            'fresh', {_text(_FRESH)}, 'owner', pg_get_userbyid(a.owner), 'me', current_user)
    FROM told a CROSS JOIN me
    LEFT JOIN pg_depend d ON a.letter = 's' AND d.classid = 1259 AND d.objid = a.objid
        AND d.refclassid = 1259 AND d.deptype = 'i'
    WHERE {wanted}
    """


_USUAL = "a.acl @> a.usual AND a.acl <@ a.usual"
reads(
    "privileges",
    f"""
    {_objects("a.acl", "a.acl IS NOT NULL", f"NOT ({_USUAL})")}
    UNION ALL
    SELECT {at(1259, "c.oid", "a.attnum")}, 'privileges', 'privileges',
        format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname),
        format('%I ON TABLE %s', a.attname, CAST(c.oid AS regclass)),
        {at(1259, "c.oid", "CASE WHEN c.relkind IN ('v', 'm') THEN 0 ELSE a.attnum END")},
        jsonb_build_object('acl', {_text("a.attacl")}, 'column', a.attname,
            'table', CAST(CAST(c.oid AS regclass) AS text),
            'owner', pg_get_userbyid(c.relowner))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attrelid >= 16384 AND a.attacl <> '{{}}' AND NOT a.attisdropped AND {USER_SCHEMA}
        /*among a.attrelid*/
    """,
    own=True,
)
reads(
    "usual privileges",
    _objects(
        "a.usual",
        "EXISTS (SELECT FROM pg_default_acl WHERE defaclrole = "
        "CAST(quote_ident(current_user) AS regrole))",
        f"a.acl IS NULL OR ({_USUAL})",
    ),
    elsewhere=True,
    own=True,
)


@kind
class Privileges(Kind):
    """Who may do what with an object, or a column."""

    name, rank = "privileges", 95

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """From what a new object has, after ALTER DEFAULT PRIVILEGES."""
        owners = fact.details["owner"], fact.details.get("me", "")
        return _changes(fact, grants(fact.details.get("fresh"), *owners), _told(fact))

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """To what every object of the kind has."""
        usual = grants(fact.details.get("usual"), fact.details["owner"])
        return _changes(fact, _told(fact), usual, chained=_chained(fact))

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """From the old ones."""
        return _changes(new, _told(old), _told(new), chained=_chained(old))

    def equal(self, old: Fact, new: Fact) -> bool:
        """Not what others of the kind have, and not who granted it."""
        return old.details["acl"] == new.details["acl"] or _told(old) == _told(new)


def _told(fact: Fact) -> Grants:
    return grants(fact.details["acl"], fact.details["owner"])


def _chained(fact: Fact) -> bool:
    return _by_others(fact.details["acl"], fact.details["owner"])


def _changes(fact: Fact, old: Grants, new: Grants, *, chained: bool = False) -> list[str]:
    column: str | None = fact.details.get("column")
    target = f"TABLE {fact.details['table']}" if column is not None else fact.name
    found = changes(old, new, target, column, chained=chained)
    owner = quote_identifier(fact.details["owner"])
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
