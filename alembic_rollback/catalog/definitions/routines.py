"""Functions, procedures and aggregates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic_rollback.catalog.definitions.model import Recipe
from alembic_rollback.catalog.definitions.reader import OIDS, Reader, Recipes

_ROUTINES = (
    "SELECT oid, CAST(prokind AS text) AS kind, CAST(CAST(oid AS regprocedure) AS text) AS name, "
    "CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END AS sql "
    f"FROM pg_proc WHERE oid = {OIDS}"
)


def _name(column: str) -> str:
    return f"CAST(nullif({column}, 0) AS regproc)"


def _modify(column: str) -> str:
    return (
        f"CASE {column} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END"
    )


def _flag(column: str) -> str:
    return f"CASE WHEN {column} THEN 'true' END"


# CREATE AGGREGATE's parameters and where the catalog has them; NULL is left out.
_PARAMETERS = {
    "SFUNC": _name("a.aggtransfn"),
    "STYPE": "format_type(a.aggtranstype, NULL)",
    "SSPACE": "nullif(a.aggtransspace, 0)",
    "FINALFUNC": _name("a.aggfinalfn"),
    "FINALFUNC_EXTRA": _flag("a.aggfinalextra"),
    "FINALFUNC_MODIFY": f"CASE WHEN a.aggfinalfn <> 0 THEN {_modify('a.aggfinalmodify')} END",
    "COMBINEFUNC": _name("a.aggcombinefn"),
    "SERIALFUNC": _name("a.aggserialfn"),
    "DESERIALFUNC": _name("a.aggdeserialfn"),
    "INITCOND": "quote_literal(a.agginitval)",
    "MSFUNC": _name("a.aggmtransfn"),
    "MINVFUNC": _name("a.aggminvtransfn"),
    "MSTYPE": "CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END",
    "MSSPACE": "nullif(a.aggmtransspace, 0)",
    "MFINALFUNC": _name("a.aggmfinalfn"),
    "MFINALFUNC_EXTRA": _flag("a.aggmfinalextra"),
    "MFINALFUNC_MODIFY": f"CASE WHEN a.aggmfinalfn <> 0 THEN {_modify('a.aggmfinalmodify')} END",
    "MINITCOND": "quote_literal(a.aggminitval)",
    "SORTOP": "(SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_operator o "
    "JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = a.aggsortop)",
    "HYPOTHETICAL": _flag("a.aggkind = 'h'"),
    "PARALLEL": "CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END",
}
_VALUES = ", ".join(f"CAST({value} AS text)" for value in _PARAMETERS.values())
_AGGREGATES = (
    "SELECT p.oid, format('%I.%I', n.nspname, p.proname) AS name, "
    f"coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*') AS arguments, {_VALUES} "
    "FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid "
    f"JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = {OIDS}"
)

# ROUTINE takes an aggregate's name without the asterisk and ORDER BY of its arguments.
_NOUNS = {"p": "PROCEDURE", "a": "ROUTINE"}


def routines(reader: Reader, oids: Iterable[int]) -> Recipes:
    """CREATE FUNCTION, PROCEDURE, AGGREGATE."""
    listed = list(oids)
    aggregates = {row.oid: _aggregate(row) for row in reader.rows(_AGGREGATES, listed)}
    found = {}
    for row in reader.rows(_ROUTINES, listed):
        create = aggregates.get(row.oid) or _created(row.sql)
        found[row.oid] = Recipe((create,), _NOUNS.get(row.kind, "FUNCTION"), row.name)
    return found


def _created(sql: str) -> str:
    # Not OR REPLACE: a function that somebody has made since then must not be overwritten.
    return "CREATE " + sql.strip().removeprefix("CREATE OR REPLACE ")


def _aggregate(row: Any) -> str:
    values = zip(_PARAMETERS, tuple(row)[3:], strict=True)
    parameters = [
        name if value == "true" else f"{name} = {value}" for name, value in values if value
    ]
    return f"CREATE AGGREGATE {row.name}({row.arguments}) ({', '.join(parameters)})"
