"""Functions, procedures and aggregates."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.fragments import (
    Named,
    arm,
    at,
    no_member,
    operator,
    routine,
    signature,
    union,
)
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# What a range type brings along for itself is internal to it.
_OWN = no_member(1255, "p.oid", "'e', 'i'")
_KEY = "format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes))"
_SHAPE = (
    "'name', p.proname, 'schema', n.nspname, 'inputs', oidvectortypes(p.proargtypes), "
    "'returns', pg_get_function_result(p.oid)"
)
_ROUTINES = arm(
    "CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END",
    at(1255, "p.oid"),
    _KEY,
    signature("p.oid"),
    f"jsonb_build_object({_SHAPE}, 'sql', pg_get_functiondef(p.oid), "
    "'window', nullif(p.prokind = 'w', false), 'defaults', nullif(p.pronargdefaults, 0), "
    "'argument names', p.proargnames, 'argument modes', p.proargmodes, "
    "'argument types', CASE WHEN p.proallargtypes IS NOT NULL THEN (SELECT jsonb_agg("
    "format_type(one, NULL) ORDER BY place) FROM unnest(p.proallargtypes) WITH ORDINALITY "
    "AS every (one, place)) END)",
    "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
    f"WHERE p.oid >= 16384 AND p.prokind <> 'a' AND {USER_SCHEMA} AND {_OWN} "
    "/*among p.oid*/",
)


def _modify(column: str) -> str:
    return (
        f"CASE {column} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END"
    )


# CREATE AGGREGATE's parameters and where the catalog has them; NULL is left out, true a word.
_PARAMETERS = {
    "SFUNC": routine("a.aggtransfn"),
    "STYPE": "format_type(a.aggtranstype, NULL)",
    "SSPACE": "nullif(a.aggtransspace, 0)",
    "FINALFUNC": routine("a.aggfinalfn"),
    "FINALFUNC_EXTRA": "nullif(a.aggfinalextra, false)",
    "FINALFUNC_MODIFY": f"CASE WHEN a.aggfinalfn <> 0 THEN {_modify('a.aggfinalmodify')} END",
    "COMBINEFUNC": routine("a.aggcombinefn"),
    "SERIALFUNC": routine("a.aggserialfn"),
    "DESERIALFUNC": routine("a.aggdeserialfn"),
    "INITCOND": "quote_literal(a.agginitval)",
    "MSFUNC": routine("a.aggmtransfn"),
    "MINVFUNC": routine("a.aggminvtransfn"),
    "MSTYPE": "CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END",
    "MSSPACE": "nullif(a.aggmtransspace, 0)",
    "MFINALFUNC": routine("a.aggmfinalfn"),
    "MFINALFUNC_EXTRA": "nullif(a.aggmfinalextra, false)",
    "MFINALFUNC_MODIFY": f"CASE WHEN a.aggmfinalfn <> 0 THEN {_modify('a.aggmfinalmodify')} END",
    "MINITCOND": "quote_literal(a.aggminitval)",
    "SORTOP": operator("a.aggsortop"),
    "HYPOTHETICAL": "nullif(a.aggkind = 'h', false)",
    "PARALLEL": "CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END",
}
_VALUES = ", ".join(f"'{name}', {value}" for name, value in _PARAMETERS.items())
_AGGREGATES = arm(
    "'aggregate'",
    at(1255, "p.oid"),
    _KEY,
    "format('%s(%s)', CAST(p.oid AS regproc), "
    "coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*'))",
    f"jsonb_build_object({_SHAPE}, "
    "'arguments', coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'), "
    f"'parameters', jsonb_strip_nulls(jsonb_build_object({_VALUES})))",
    "FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid "
    "JOIN pg_namespace n ON n.oid = p.pronamespace "
    f"WHERE CAST(a.aggfnoid AS oid) >= 16384 AND {USER_SCHEMA} AND {_OWN} /*among p.oid*/",
)
reads("routines", union(_ROUTINES, _AGGREGATES))


class _Routine(Named):
    def suffix(self, fact: Fact) -> str:
        """Its arguments' types."""
        return f"({fact.details['inputs']})"


class _Printed(_Routine):
    """One that PostgreSQL prints as CREATE OR REPLACE."""

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE; not OR REPLACE: what somebody else has made must not be overwritten."""
        return ["CREATE " + _sql(fact).removeprefix("CREATE OR REPLACE ")]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """CREATE OR REPLACE, where its arguments and its result stay what they are."""
        return [_sql(new)] if _replaceable(old, new) else None


def _sql(fact: Fact) -> str:
    return str(fact.details["sql"]).strip()


def _replaceable(old: Fact, new: Fact) -> bool:
    before, after = old.details, new.details
    same = ("inputs", "returns", "window", "argument modes", "argument types")
    if any(before.get(key) != after.get(key) for key in same):
        return False
    # Defaults can be added or changed, names only be given to arguments that have none.
    fewer = before.get("defaults", 0) > after.get("defaults", 0)
    names = zip_longest(before.get("argument names") or (), after.get("argument names") or ())
    modes = before.get("argument modes")
    return not fewer and all(
        _may_be_named(one, other, (modes or "i")[place if modes else 0])
        for place, (one, other) in enumerate(names)
    )


def _may_be_named(old: str | None, new: str | None, mode: str) -> bool:
    return old == new or (not old and mode in "iv")


@kind
class Function(_Printed):
    """A function, window functions among them."""

    name, rank, noun = "function", 25, "FUNCTION"


@kind
class Procedure(_Printed):
    """A procedure."""

    name, rank, noun = "procedure", 25, "PROCEDURE"


@kind
class Aggregate(_Routine):
    """An aggregate, which PostgreSQL doesn't print."""

    name, rank, noun = "aggregate", 26, "AGGREGATE"

    def suffix(self, fact: Fact) -> str:
        """Its arguments as they stand behind its name."""
        return fact.name[fact.name.index("(") :]

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE AGGREGATE."""
        return [_aggregate("CREATE", fact)]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """CREATE OR REPLACE, where its arguments and its result stay what they are."""
        same = all(old.details.get(key) == new.details.get(key) for key in ("arguments", "returns"))
        kinds = {one.details["parameters"].get("HYPOTHETICAL") for one in (old, new)}
        return [_aggregate("CREATE OR REPLACE", new)] if same and len(kinds) == 1 else None


def _aggregate(verb: str, fact: Fact) -> str:
    parameters: dict[str, Any] = fact.details["parameters"]
    listed = ", ".join(
        name if parameters[name] is True else f"{name} = {parameters[name]}"
        for name in _PARAMETERS
        if name in parameters
    )
    name = quote_name((fact.details["schema"], fact.details["name"]))
    return f"{verb} AGGREGATE {name}({fact.details['arguments']}) ({listed})"
