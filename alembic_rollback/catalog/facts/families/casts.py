"""Casts, and transforms of types for languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import (
    arm,
    at,
    joined,
    no_member,
    signature,
    union,
)
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_INTERNAL = "'e', 'i'"
_TYPES = "(%s AS %s)', CAST(c.castsource AS regtype), CAST(c.casttarget AS regtype))"
_CASTS = arm(
    "'cast'",
    at(2605, "c.oid"),
    f"format('{_TYPES}",
    f"format('{_TYPES}",
    f"jsonb_build_object('function', {signature('c.castfunc')}, "
    "'context', c.castcontext, 'method', c.castmethod)",
    # That of a range to its multirange comes with the range.
    f"FROM pg_cast c WHERE c.oid >= 16384 AND {no_member(2605, 'c.oid', _INTERNAL)}",
)
_TRANSFORMS = arm(
    "'transform'",
    at(3576, "t.oid"),
    "format('FOR %s LANGUAGE %I', CAST(t.trftype AS regtype), l.lanname)",
    "format('FOR %s LANGUAGE %I', CAST(t.trftype AS regtype), l.lanname)",
    f"jsonb_build_object('from', {signature('t.trffromsql')}, 'to', {signature('t.trftosql')})",
    "FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang",
)
reads("casts", union(_CASTS, _TRANSFORMS))
_HOW = {"i": "WITH INOUT", "b": "WITHOUT FUNCTION"}
_WHEN = {"a": "AS ASSIGNMENT", "i": "AS IMPLICIT"}


@kind
class Cast(Kind):
    """A cast."""

    name, rank = "cast", 27

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE CAST."""
        details = fact.details
        how = _HOW.get(details["method"]) or f"WITH FUNCTION {details['function']}"
        return [joined(f"CREATE CAST {fact.name}", how, _WHEN.get(details["context"]))]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP CAST."""
        return [f"DROP CAST {fact.name}"]


@kind
class Transform(Kind):
    """How a language sees values of a type."""

    name, rank = "transform", 27

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TRANSFORM."""
        return [self._written("CREATE", fact)]

    @staticmethod
    def _written(verb: str, fact: Fact) -> str:
        words = {"from": "FROM SQL WITH FUNCTION", "to": "TO SQL WITH FUNCTION"}
        listed = ", ".join(
            f"{word} {fact.details[key]}" for key, word in words.items() if key in fact.details
        )
        return f"{verb} TRANSFORM {fact.name} ({listed})"

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP TRANSFORM."""
        return [f"DROP TRANSFORM {fact.name}"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """CREATE OR REPLACE TRANSFORM."""
        return [self._written("CREATE OR REPLACE", new)]
