"""Procedural languages and access methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import (
    Named,
    arm,
    at,
    joined,
    routine,
    union,
)
from alembic_rollback.catalog.facts.registry import Statements, kind, reads

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_LANGUAGES = arm(
    "'language'",
    at(2612, "l.oid"),
    "quote_ident(l.lanname)",
    "quote_ident(l.lanname)",
    "jsonb_build_object('name', l.lanname, 'trusted', nullif(l.lanpltrusted, false), "
    f"'HANDLER', {routine('l.lanplcallfoid')}, 'INLINE', {routine('l.laninline')}, "
    f"'VALIDATOR', {routine('l.lanvalidator')})",
    "FROM pg_language l WHERE l.oid >= 16384",
)
_METHODS = arm(
    "'access method'",
    at(2601, "m.oid"),
    "quote_ident(m.amname)",
    "quote_ident(m.amname)",
    f"jsonb_build_object('name', m.amname, 'type', m.amtype, 'handler', {routine('m.amhandler')})",
    "FROM pg_am m WHERE m.oid >= 16384",
)
reads("languages", union(_LANGUAGES, _METHODS))


@kind
class Language(Named):
    """A procedural language that no extension has made."""

    name, rank, noun = "language", 24, "LANGUAGE"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE LANGUAGE."""
        return [self._written("CREATE", fact)]

    @staticmethod
    def _written(verb: str, fact: Fact) -> str:
        details = fact.details
        functions = [
            f"{word} {details[word]}"
            for word in ("HANDLER", "INLINE", "VALIDATOR")
            if word in details
        ]
        trusted = "TRUSTED" if details.get("trusted") else ""
        return joined(verb, trusted, f"LANGUAGE {fact.name}", *functions)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """CREATE OR REPLACE LANGUAGE."""
        return [self._written("CREATE OR REPLACE", new)]


_TYPES = {"i": "INDEX", "t": "TABLE"}


@kind
class AccessMethod(Named):
    """A kind of index, or of storing tables, that no extension has made."""

    name, rank, noun = "access method", 26, "ACCESS METHOD"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE ACCESS METHOD."""
        details = fact.details
        return [
            f"CREATE ACCESS METHOD {fact.name} TYPE {_TYPES[details['type']]} "
            f"HANDLER {details['handler']}"
        ]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """Never."""
        return None
