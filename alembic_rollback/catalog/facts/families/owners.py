"""Owners of everything that has one, and how GRANT, COMMENT ON and ALTER call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import arm, at, union, visible
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

RELATION = (
    "CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' "
    "WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' "
    "WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END"
)
"""SQL: what statements call relation `c`."""

ROUTINE = "CASE o.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END"
"""SQL: what statements call routine `o`."""

ROUTINE_NAME = (
    "CASE o.prokind WHEN 'a' THEN format('%s(%s)', CAST(o.oid AS regproc), "
    "coalesce(nullif(pg_get_function_identity_arguments(o.oid), ''), '*')) "
    "ELSE CAST(CAST(o.oid AS regprocedure) AS text) END"
)
"""SQL: the name of routine `o`, an aggregate's as AGGREGATE wants it."""

TYPES = (
    "FROM pg_type o JOIN pg_namespace n ON n.oid = o.typnamespace "
    "LEFT JOIN pg_class row ON row.oid = o.typrelid "
    f"WHERE o.oid >= 16384 AND o.typtype <> 'm' AND {USER_SCHEMA} "
    "AND (row.oid IS NULL OR row.relkind = 'c') "
    "AND NOT (o.typelem <> 0 AND o.typsubscript = CAST('array_subscript_handler' AS regproc)) "
    "/*among o.oid*/"
)
"""SQL: FROM … WHERE for the types that somebody made, and which come with nothing else."""


def _owner(classid: int, oid: str, noun: str, key: str, name: str, owner: str, source: str) -> str:
    return arm(
        "'owner'",
        at(classid, oid),
        f"{noun} || ' ' || {key}",
        f"{noun} || ' ' || {name}",
        f"jsonb_build_object('role', pg_get_userbyid({owner}), "
        f"'mine', pg_get_userbyid({owner}) = current_user)",
        source,
        parent=at(classid, oid),
        aspect="'owner'",
    )


def _in_schema(
    classid: int, catalog: str, prefix: str, noun: str, name: str, *, key: str = "", join: str = ""
) -> str:
    """A catalog with the usual columns: oprname, oprnamespace, oprowner."""
    return _owner(
        classid,
        "o.oid",
        noun,
        key or f"format('%I.%I', n.nspname, o.{prefix}name)",
        name,
        f"o.{prefix}owner",
        f"FROM {catalog} o JOIN pg_namespace n ON n.oid = o.{prefix}namespace {join} "
        f"WHERE o.oid >= 16384 AND {USER_SCHEMA} /*among o.oid*/",
    )


def _global(classid: int, catalog: str, prefix: str, noun: str, where: str = "") -> str:
    name = f"quote_ident(o.{prefix}name)"
    source = f"FROM {catalog} o WHERE o.oid >= 16384 {where} /*among o.oid*/"
    return _owner(classid, "o.oid", noun, name, name, f"o.{prefix}owner", source)


_METHOD = "JOIN pg_am m ON m.oid = o.{}"
# A sequence that a column owns always has the owner of its table.
_RELATIONS = _owner(
    1259,
    "c.oid",
    RELATION,
    "format('%I.%I', n.nspname, c.relname)",
    "CAST(c.oid AS regclass)",
    "c.relowner",
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND {USER_SCHEMA} "
    "AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 1259 "
    "AND d.objid = c.oid AND d.refclassid = 1259 AND d.deptype IN ('a', 'i'))) /*among c.oid*/",
)
_TYPES = _owner(
    1247,
    "o.oid",
    "CASE o.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END",
    "format('%I.%I', n.nspname, o.typname)",
    "CAST(o.oid AS regtype)",
    "o.typowner",
    TYPES,
)
_SCHEMAS = _owner(
    2615,
    "n.oid",
    "'SCHEMA'",
    "quote_ident(n.nspname)",
    "quote_ident(n.nspname)",
    "n.nspowner",
    f"FROM pg_namespace n WHERE (n.oid >= 16384 OR n.oid = 2200) AND {USER_SCHEMA} /*among n.oid*/",
)
_ROUTINES = _in_schema(
    1255,
    "pg_proc",
    "pro",
    ROUTINE,
    ROUTINE_NAME,
    key="format('%I.%I(%s)', n.nspname, o.proname, oidvectortypes(o.proargtypes))",
)
_OPERATORS = _in_schema(
    2617,
    "pg_operator",
    "opr",
    "'OPERATOR'",
    "CAST(o.oid AS regoperator)",
    key="format('%I.%s(%s, %s)', n.nspname, o.oprname, "
    "CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END, "
    "format_type(o.oprright, NULL))",
)


def _by_method(classid: int, catalog: str, prefix: str, noun: str, shown: str) -> str:
    return _in_schema(
        classid,
        catalog,
        prefix,
        noun,
        f"{visible(shown, 'o.oid', f'o.{prefix}name')} || ' USING ' || quote_ident(m.amname)",
        key=f"format('%I.%I USING %I', n.nspname, o.{prefix}name, m.amname)",
        join=_METHOD.format(f"{prefix}method"),
    )


reads(
    "owners",
    union(
        _RELATIONS,
        _TYPES,
        _SCHEMAS,
        _ROUTINES,
    ),
)
reads(
    "owners of rare objects",
    union(
        _OPERATORS,
        _by_method(2616, "pg_opclass", "opc", "'OPERATOR CLASS'", "pg_opclass_is_visible"),
        _by_method(2753, "pg_opfamily", "opf", "'OPERATOR FAMILY'", "pg_opfamily_is_visible"),
        _in_schema(3456, "pg_collation", "coll", "'COLLATION'", "CAST(o.oid AS regcollation)"),
        _in_schema(
            2607,
            "pg_conversion",
            "con",
            "'CONVERSION'",
            visible("pg_conversion_is_visible", "o.oid", "o.conname"),
        ),
        _in_schema(
            3600, "pg_ts_dict", "dict", "'TEXT SEARCH DICTIONARY'", "CAST(o.oid AS regdictionary)"
        ),
        _in_schema(
            3602, "pg_ts_config", "cfg", "'TEXT SEARCH CONFIGURATION'", "CAST(o.oid AS regconfig)"
        ),
        _in_schema(
            3381,
            "pg_statistic_ext",
            "stx",
            "'STATISTICS'",
            visible("pg_statistics_obj_is_visible", "o.oid", "o.stxname"),
        ),
        _global(2328, "pg_foreign_data_wrapper", "fdw", "'FOREIGN DATA WRAPPER'"),
        _global(1417, "pg_foreign_server", "srv", "'SERVER'"),
        _global(6104, "pg_publication", "pub", "'PUBLICATION'"),
        _global(3466, "pg_event_trigger", "evt", "'EVENT TRIGGER'"),
        _global(2612, "pg_language", "lan", "'LANGUAGE'"),
    ),
)


@kind
class Owner(Kind):
    """Whose an object is."""

    name, rank = "owner", 94

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """OWNER TO, for a new object, which belongs to the connection's role."""
        return () if fact.details.get("mine") else [_owner_to(fact)]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """Nothing: every object has one."""
        return ()

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """OWNER TO."""
        return [_owner_to(new)]

    def inherent(self, fact: Fact) -> bool:
        """Always: that of a new object is the connection's role."""
        return True

    def equal(self, old: Fact, new: Fact) -> bool:
        """Whoever reads them."""
        return bool(old.details["role"] == new.details["role"])


def _owner_to(fact: Fact) -> str:
    return f"ALTER {fact.name} OWNER TO {quote_identifier(fact.details['role'])}"
