"""Collations and conversions of encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import (
    Named,
    arm,
    at,
    routine,
    union,
    visible,
)
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.names import quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# The locale of ICU and of the built-in provider has had three names: collcollate before PostgreSQL
# 15, colliculocale before 17. The version of the library is not the schema's.
_ROW = "to_jsonb(o)"
_COLLATIONS = arm(
    "'collation'",
    at(3456, "o.oid"),
    "format('%I.%I', n.nspname, o.collname)",
    "CAST(CAST(o.oid AS regcollation) AS text)",
    "jsonb_build_object('name', o.collname, 'schema', n.nspname, 'provider', o.collprovider, "
    "'nondeterministic', nullif(NOT o.collisdeterministic, false), "
    "'collate', o.collcollate, 'ctype', o.collctype, "
    f"'locale', coalesce({_ROW} ->> 'colllocale', {_ROW} ->> 'colliculocale'), "
    f"'rules', {_ROW} ->> 'collicurules')",
    "FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace "
    f"WHERE o.oid >= 16384 AND {USER_SCHEMA}",
)
_CONVERSIONS = arm(
    "'conversion'",
    at(2607, "o.oid"),
    "format('%I.%I', n.nspname, o.conname)",
    visible("pg_conversion_is_visible", "o.oid", "o.conname"),
    "jsonb_build_object('name', o.conname, 'schema', n.nspname, "
    "'from', pg_encoding_to_char(o.conforencoding), 'to', pg_encoding_to_char(o.contoencoding), "
    f"'function', {routine('o.conproc')}, 'default', nullif(o.condefault, false))",
    "FROM pg_conversion o JOIN pg_namespace n ON n.oid = o.connamespace "
    f"WHERE o.oid >= 16384 AND {USER_SCHEMA}",
)
reads("collations", union(_COLLATIONS, _CONVERSIONS))
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


@kind
class Collation(Named):
    """A collation."""

    name, rank, noun = "collation", 8, "COLLATION"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE COLLATION."""
        details = fact.details
        collate, ctype = details.get("collate"), details.get("ctype")
        parts = {
            "provider": _PROVIDERS[details["provider"]],
            "deterministic": "false" if details.get("nondeterministic") else None,
        }
        if "locale" in details or collate == ctype:
            parts["locale"] = quote_literal(details.get("locale") or collate)
        else:
            parts["lc_collate"], parts["lc_ctype"] = map(quote_literal, (collate, ctype))
        parts["rules"] = quote_literal(details["rules"]) if "rules" in details else None
        listed = ", ".join(f"{name} = {value}" for name, value in parts.items() if value)
        return [f"CREATE COLLATION {fact.name} ({listed})"]


@kind
class Conversion(Named):
    """A conversion of an encoding."""

    name, rank, noun = "conversion", 26, "CONVERSION"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE CONVERSION."""
        details = fact.details
        default = "DEFAULT " if details.get("default") else ""
        encodings = (quote_literal(details[key]) for key in ("from", "to"))
        return [
            f"CREATE {default}CONVERSION {fact.name} FOR {' TO '.join(encodings)} "
            f"FROM {details['function']}"
        ]
