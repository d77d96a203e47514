"""Operators, operator classes and families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.fragments import (
    Named,
    arm,
    at,
    differ,
    no_member,
    operator,
    routine,
    union,
    visible,
)
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# CREATE OPERATOR's parameters and where the catalog has them; NULL is left out, true a word.
_PARAMETERS = {
    "FUNCTION": routine("o.oprcode"),
    "LEFTARG": "CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END",
    "RIGHTARG": "format_type(o.oprright, NULL)",
    "COMMUTATOR": operator("o.oprcom"),
    "NEGATOR": operator("o.oprnegate"),
    "RESTRICT": routine("o.oprrest"),
    "JOIN": routine("o.oprjoin"),
    "HASHES": "nullif(o.oprcanhash, false)",
    "MERGES": "nullif(o.oprcanmerge, false)",
}
_VALUES = ", ".join(f"'{name}', {value}" for name, value in _PARAMETERS.items())
_LEFT = "CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END"
_OPERATORS = arm(
    "'operator'",
    at(2617, "o.oid"),
    f"format('%I.%s(%s, %s)', n.nspname, o.oprname, {_LEFT}, format_type(o.oprright, NULL))",
    "CAST(CAST(o.oid AS regoperator) AS text)",
    f"jsonb_build_object('name', o.oprname, 'schema', n.nspname, {_VALUES})",
    "FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace "
    f"WHERE o.oid >= 16384 AND {USER_SCHEMA} AND {no_member(2617, 'o.oid')}",
)


def _members(classid: int, oid: str, types: str) -> str:
    """What pg_depend says is part of an operator class, or loose in a family."""
    family = (
        "(SELECT format('%I.%I', fn.nspname, f.opfname) FROM pg_opfamily f "
        "JOIN pg_namespace fn ON fn.oid = f.opfnamespace WHERE f.oid = e.amopsortfamily)"
    )
    of = f"d.refclassid = {classid} AND d.refobjid = {oid} AND d.deptype IN ({types})"
    return (
        "'operators', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object("
        "'number', e.amopstrategy, "
        "'operator', CAST(CAST(e.amopopr AS regoperator) AS text), "
        "'left', format_type(e.amoplefttype, NULL), 'right', format_type(e.amoprighttype, NULL), "
        f"'order by', {family})) ORDER BY e.amopstrategy, format_type(e.amoplefttype, NULL), "
        "format_type(e.amoprighttype, NULL)) "
        f"FROM pg_depend d JOIN pg_amop e ON d.classid = 2602 AND e.oid = d.objid WHERE {of}), "
        "'functions', (SELECT jsonb_agg(jsonb_build_object('number', e.amprocnum, "
        "'function', CAST(CAST(e.amproc AS regprocedure) AS text), "
        "'left', format_type(e.amproclefttype, NULL), "
        "'right', format_type(e.amprocrighttype, NULL)) ORDER BY e.amprocnum, "
        "format_type(e.amproclefttype, NULL), format_type(e.amprocrighttype, NULL)) "
        f"FROM pg_depend d JOIN pg_amproc e ON d.classid = 2603 AND e.oid = d.objid WHERE {of})"
    )


def _grouped(
    kind: str, classid: int, catalog: str, prefix: str, shown: str, details: str, join: str = ""
) -> str:
    return arm(
        f"'{kind}'",
        at(classid, "o.oid"),
        f"format('%I.%I USING %I', n.nspname, o.{prefix}name, m.amname)",
        f"{visible(shown, 'o.oid', f'o.{prefix}name')} || ' USING ' || quote_ident(m.amname)",
        f"jsonb_build_object('name', o.{prefix}name, 'schema', n.nspname, "
        f"'method', quote_ident(m.amname), {details})",
        f"FROM {catalog} o JOIN pg_namespace n ON n.oid = o.{prefix}namespace "
        f"JOIN pg_am m ON m.oid = o.{prefix}method {join} "
        f"WHERE o.oid >= 16384 AND {USER_SCHEMA} AND {no_member(classid, 'o.oid')}",
    )


_CLASSES = _grouped(
    "operator class",
    2616,
    "pg_opclass",
    "opc",
    "pg_opclass_is_visible",
    "'type', format_type(o.opcintype, NULL), 'default', nullif(o.opcdefault, false), "
    "'family', format('%I.%I', g.nspname, f.opfname), "
    "'storage', CASE WHEN o.opckeytype <> 0 THEN format_type(o.opckeytype, NULL) END, "
    + _members(2616, "o.oid", "'i'"),
    "JOIN pg_opfamily f ON f.oid = o.opcfamily JOIN pg_namespace g ON g.oid = f.opfnamespace",
)
_FAMILIES = _grouped(
    "operator family",
    2753,
    "pg_opfamily",
    "opf",
    "pg_opfamily_is_visible",
    _members(2753, "o.oid", "'a'"),
)
reads("operators", union(_OPERATORS, _CLASSES, _FAMILIES))


@kind
class Operator(Named):
    """An operator; two that name each other find each other again."""

    name, rank, noun = "operator", 26, "OPERATOR"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE OPERATOR; one that only another operator names is made by that."""
        details = fact.details
        if "FUNCTION" not in details:
            return ()
        listed = ", ".join(
            name if details[name] is True else f"{name} = {details[name]}"
            for name in _PARAMETERS
            if name in details
        )
        home = quote_name((details["schema"],))
        return [f"CREATE OPERATOR {home}.{details['name']} ({listed})"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """SET SCHEMA; the name of an operator stays."""
        if old.details["name"] != new.details["name"]:
            return None
        return super().rename(old, new)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """What estimates it; anything else is made again."""
        estimators = ("RESTRICT", "JOIN")
        if differ(old, new, estimators):
            return None
        listed = ", ".join(f"{one} = {new.details.get(one, 'NONE')}" for one in estimators)
        return [f"ALTER OPERATOR {new.name} SET ({listed})"]


@kind
class Family(Named):
    """An operator family, with what no class in it holds."""

    name, rank, noun = "operator family", 27, "OPERATOR FAMILY"

    def suffix(self, fact: Fact) -> str:
        """The index's method."""
        return f" USING {fact.details['method']}"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE OPERATOR FAMILY; what is loose in it is added."""
        return [f"CREATE OPERATOR FAMILY {fact.name}", *_added(fact, {}, fact.details)]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """DROP, ADD."""
        return [*_dropped(new, old.details, new.details), *_added(new, old.details, new.details)]


def _added(fact: Fact, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    listed = ", ".join(
        write(one)
        for key, write in (("operators", _operator), ("functions", _function))
        for one in new.get(key) or ()
        if one not in (old.get(key) or ())
    )
    return [f"ALTER OPERATOR FAMILY {fact.name} ADD {listed}"] if listed else []


def _dropped(fact: Fact, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    listed = ", ".join(
        f"{word} {one['number']} ({one['left']}, {one['right']})"
        for key, word in (("operators", "OPERATOR"), ("functions", "FUNCTION"))
        for one in old.get(key) or ()
        if one not in (new.get(key) or ())
    )
    return [f"ALTER OPERATOR FAMILY {fact.name} DROP {listed}"] if listed else []


def _operator(one: Mapping[str, Any]) -> str:
    order = f" FOR ORDER BY {one['order by']}" if "order by" in one else ""
    return f"OPERATOR {one['number']} {one['operator']}{order}"


def _function(one: Mapping[str, Any]) -> str:
    return f"FUNCTION {one['number']} ({one['left']}, {one['right']}) {one['function']}"


@kind
class OperatorClass(Named):
    """An operator class, with its operators and functions."""

    name, rank, noun = "operator class", 28, "OPERATOR CLASS"

    def suffix(self, fact: Fact) -> str:
        """The index's method."""
        return f" USING {fact.details['method']}"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE OPERATOR CLASS in its family, which is there."""
        details = fact.details
        storage = details.get("storage")
        items = [
            *(_operator(one) for one in details.get("operators") or ()),
            *(_function(one) for one in details.get("functions") or ()),
            *([f"STORAGE {storage}"] if storage else ()),
        ]
        # One without anything in it still needs a word: as pg_dump writes it.
        listed = ", ".join(items or [f"STORAGE {details['type']}"])
        name = fact.name.removesuffix(self.suffix(fact))
        default = " DEFAULT" if details.get("default") else ""
        return [
            f"CREATE OPERATOR CLASS {name}{default} FOR TYPE {details['type']} "
            f"USING {details['method']} FAMILY {details['family']} AS {listed}"
        ]
