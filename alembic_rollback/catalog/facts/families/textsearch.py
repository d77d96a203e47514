"""Text search: parsers, templates, dictionaries, configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import (
    Named,
    arm,
    at,
    differ,
    routine,
    union,
    visible,
)
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_PARSER_PARTS = ("START", "GETTOKEN", "END", "HEADLINE", "LEXTYPES")
_TEMPLATE_PARTS = ("INIT", "LEXIZE")


def _other(catalog: str, prefix: str, oid: str) -> str:
    return (
        f"(SELECT format('%I.%I', m.nspname, x.{prefix}name) FROM {catalog} x "
        f"JOIN pg_namespace m ON m.oid = x.{prefix}namespace WHERE x.oid = {oid})"
    )


def _arm(kind: str, classid: int, catalog: str, prefix: str, shown: str, details: str) -> str:
    return arm(
        f"'{kind}'",
        at(classid, "o.oid"),
        f"format('%I.%I', n.nspname, o.{prefix}name)",
        shown,
        f"jsonb_build_object('name', o.{prefix}name, 'schema', n.nspname, {details})",
        f"FROM {catalog} o JOIN pg_namespace n ON n.oid = o.{prefix}namespace "
        f"WHERE o.oid >= 16384 AND {USER_SCHEMA}",
    )


_MAPPINGS = (
    "(SELECT jsonb_object_agg(one.alias, one.dictionaries) FROM ("
    "SELECT t.alias, jsonb_agg(CAST(CAST(m.mapdict AS regdictionary) AS text) "
    "ORDER BY m.mapseqno) AS dictionaries FROM pg_ts_config_map m "
    "JOIN ts_token_type(o.cfgparser) t ON t.tokid = m.maptokentype "
    "WHERE m.mapcfg = o.oid GROUP BY t.alias) AS one)"
)
_PARSERS = _arm(
    "text search parser",
    3601,
    "pg_ts_parser",
    "prs",
    visible("pg_ts_parser_is_visible", "o.oid", "o.prsname"),
    f"'START', {routine('o.prsstart')}, 'GETTOKEN', {routine('o.prstoken')}, "
    f"'END', {routine('o.prsend')}, 'HEADLINE', {routine('o.prsheadline')}, "
    f"'LEXTYPES', {routine('o.prslextype')}",
)
_TEMPLATES = _arm(
    "text search template",
    3764,
    "pg_ts_template",
    "tmpl",
    visible("pg_ts_template_is_visible", "o.oid", "o.tmplname"),
    f"'INIT', {routine('o.tmplinit')}, 'LEXIZE', {routine('o.tmpllexize')}",
)
_DICTIONARIES = _arm(
    "text search dictionary",
    3600,
    "pg_ts_dict",
    "dict",
    "CAST(CAST(o.oid AS regdictionary) AS text)",
    f"'template', {_other('pg_ts_template', 'tmpl', 'o.dicttemplate')}, "
    "'options', o.dictinitoption",
)
_CONFIGURATIONS = _arm(
    "text search configuration",
    3602,
    "pg_ts_config",
    "cfg",
    "CAST(CAST(o.oid AS regconfig) AS text)",
    f"'parser', {_other('pg_ts_parser', 'prs', 'o.cfgparser')}, 'mappings', {_MAPPINGS}",
)
reads("text search", union(_PARSERS, _TEMPLATES, _DICTIONARIES, _CONFIGURATIONS))


def _parts(fact: Fact, names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = {fact.details[name]}" for name in names if name in fact.details)


@kind
class Parser(Named):
    """A parser."""

    name, rank, noun = "text search parser", 26, "TEXT SEARCH PARSER"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TEXT SEARCH PARSER."""
        return [f"CREATE {self.noun} {fact.name} ({_parts(fact, _PARSER_PARTS)})"]


@kind
class Template(Named):
    """A template of dictionaries."""

    name, rank, noun = "text search template", 26, "TEXT SEARCH TEMPLATE"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TEXT SEARCH TEMPLATE."""
        return [f"CREATE {self.noun} {fact.name} ({_parts(fact, _TEMPLATE_PARTS)})"]


@kind
class Dictionary(Named):
    """A dictionary."""

    name, rank, noun = "text search dictionary", 27, "TEXT SEARCH DICTIONARY"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TEXT SEARCH DICTIONARY; the catalog holds its options as SQL."""
        options = fact.details.get("options")
        rest = f", {options}" if options else ""
        return [f"CREATE {self.noun} {fact.name} (TEMPLATE = {fact.details['template']}{rest})"]


@kind
class Configuration(Named):
    """A configuration, with which dictionaries see which tokens."""

    name, rank, noun = "text search configuration", 28, "TEXT SEARCH CONFIGURATION"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TEXT SEARCH CONFIGURATION, ADD MAPPING."""
        create = f"CREATE {self.noun} {fact.name} (PARSER = {fact.details['parser']})"
        return [create, *self._mapped(fact, {}, fact.details.get("mappings") or {})]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """DROP, ADD MAPPING; the parser stays."""
        if differ(old, new, ["mappings"]):
            return None
        mappings = [one.details.get("mappings") or {} for one in (old, new)]
        return self._mapped(new, *mappings)

    def _mapped(
        self, fact: Fact, old: Mapping[str, list[str]], new: Mapping[str, list[str]]
    ) -> list[str]:
        head = f"ALTER {self.noun} {fact.name}"
        different = [one for one in sorted(old.keys() | new.keys()) if old.get(one) != new.get(one)]
        gone = [
            f"{head} DROP MAPPING FOR {quote_identifier(one)}" for one in different if one in old
        ]
        come = [
            f"{head} ADD MAPPING FOR {quote_identifier(one)} WITH {', '.join(new[one])}"
            for one in different
            if one in new
        ]
        return gone + come
