"""Views and materialized views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.fragments import Named, arm, at, joined, union
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA, option, reloptions
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.canonical import (
    same_definition,
    same_text,
    with_columns_in_order,
)
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_SORTED = "(SELECT jsonb_agg(one ORDER BY one) FROM unnest({}) AS one)"
_COLUMNS = (
    "(SELECT jsonb_agg(jsonb_build_object('name', a.attname, "
    "'type', format_type(a.atttypid, a.atttypmod), "
    "'collation', CAST(CAST(nullif(a.attcollation, y.typcollation) AS regcollation) AS text)) "
    "ORDER BY a.attnum) FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid "
    "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)"
)
# Whoever never had a setting has NULL or -1, depending on the version.
_SETTINGS = (
    "(SELECT jsonb_object_agg(a.attname, jsonb_strip_nulls(jsonb_build_object("
    "'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END, "
    "'storage', nullif(a.attstorage, y.typstorage), "
    "'usual storage', CASE WHEN a.attstorage <> y.typstorage THEN y.typstorage END, "
    "'compression', nullif(CAST(a.attcompression AS text), ''), 'options', to_jsonb(a.attoptions)"
    "))) FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid "
    "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "AND (a.attstattarget >= 0 OR a.attstorage <> y.typstorage OR a.attcompression <> '' "
    "OR a.attoptions IS NOT NULL))"
)
_SHAPE = (
    f"'name', c.relname, 'schema', n.nspname, 'columns', {_COLUMNS}, "
    f"'options', {_SORTED.format('c.reloptions')}, 'sql', pg_get_viewdef(c.oid)"
)
_KEY = "format('%I.%I', n.nspname, c.relname)"
_NAME = "CAST(CAST(c.oid AS regclass) AS text)"
_FROM = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"

_VIEWS = arm(
    "'view'",
    at(1259, "c.oid"),
    _KEY,
    _NAME,
    f"jsonb_build_object({_SHAPE})",
    f"{_FROM} WHERE c.relkind = 'v' AND c.oid >= 16384 AND {USER_SCHEMA} /*among c.oid*/",
)
_MATERIALIZED = arm(
    "'materialized view'",
    at(1259, "c.oid"),
    _KEY,
    _NAME,
    f"jsonb_build_object({_SHAPE}, 'populated', c.relispopulated, 'settings', {_SETTINGS}, "
    f"'toast', {_SORTED.format('t.reloptions')}, "
    "'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace), "
    "'method', (SELECT amname FROM pg_am WHERE oid = c.relam AND amname <> 'heap'))",
    f"{_FROM} LEFT JOIN pg_class t ON t.oid = c.reltoastrelid "
    f"WHERE c.relkind = 'm' AND c.oid >= 16384 AND {USER_SCHEMA} /*among c.oid*/",
)
_DEFAULTS = arm(
    "'view default'",
    at(2604, "d.oid"),
    "format('%I.%I.%I', n.nspname, c.relname, a.attname)",
    "format('%s ALTER COLUMN %I', CAST(c.oid AS regclass), a.attname)",
    "jsonb_build_object('sql', pg_get_expr(d.adbin, d.adrelid))",
    "FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid AND c.relkind = 'v' "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum "
    f"WHERE c.oid >= 16384 AND {USER_SCHEMA} /*among c.oid*/",
    parent=at(1259, "c.oid"),
)
# The kind is that of tables.
_CLUSTERING = arm(
    "'clustering'",
    at(1259, "c.oid"),
    _KEY,
    _NAME,
    "jsonb_build_object('index', i.relname)",
    f"{_FROM} JOIN pg_index x ON x.indrelid = c.oid AND x.indisclustered "
    "JOIN pg_class i ON i.oid = x.indexrelid "
    f"WHERE c.relkind = 'm' AND c.oid >= 16384 AND {USER_SCHEMA} /*among c.oid*/",
    parent=at(1259, "c.oid"),
    aspect="'clustering'",
)
reads("views", union(_VIEWS, _MATERIALIZED, _DEFAULTS, _CLUSTERING))


def _listed(options: list[str] | None, prefix: str = "") -> list[str]:
    pairs = (one.split("=", 1) for one in options or ())
    return [f"{prefix}{name}={option(value)}" for name, value in pairs]


def _head(fact: Fact) -> str:
    """The name with its columns; there are views without any."""
    columns = ", ".join(quote_identifier(one["name"]) for one in fact.details.get("columns") or ())
    return f"{fact.name} ({columns})" if columns else fact.name


def _query(fact: Fact) -> str:
    return str(fact.details["sql"]).strip().removesuffix(";")


def _with(items: list[str]) -> str:
    return f"WITH ({', '.join(items)})" if items else ""


@kind
class View(Named):
    """A view, with its columns."""

    name, rank, noun = "view", 55, "VIEW"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE VIEW."""
        return [self._written("CREATE", fact)]

    @staticmethod
    def _written(verb: str, fact: Fact) -> str:
        options = _with(_listed(fact.details.get("options")))
        return joined(f"{verb} VIEW {_head(fact)}", options, f"AS {_query(fact)}")

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """SET, RESET; CREATE OR REPLACE where the columns that were there stay, perhaps renamed."""
        before, after = old.details, new.details
        if before.get("columns") == after.get("columns") and _same_query(old, new):
            options = before.get("options") or [], after.get("options") or []
            return reloptions("VIEW", new.name, options[0], options[1])
        renames = _column_renames(before.get("columns") or [], after.get("columns") or [])
        if renames is None:
            return None
        head = f"ALTER VIEW {new.name} RENAME COLUMN"
        return [
            *(f"{head} {quote_identifier(a)} TO {quote_identifier(b)}" for a, b in renames),
            self._written("CREATE OR REPLACE", new),
        ]

    def equal(self, old: Fact, new: Fact) -> bool:
        """The queries as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)

    def reordered(self, old: Fact, new: Fact) -> bool:
        """Whether it shows the same columns, from the same query, in another order."""
        return _reordered(old, new)


def _reordered(old: Fact, new: Fact) -> bool:
    before, after = old.details.get("columns") or [], new.details.get("columns") or []
    places = {one["name"]: place for place, one in enumerate(before)}
    order = [places.get(one["name"], -1) for one in after]
    if sorted(order) != list(range(len(before))) or [before[one] for one in order] != after:
        return False
    query = with_columns_in_order(str(old.details["sql"]), order)
    if query is None or not same_text(query, str(with_columns_in_order(new.details["sql"]))):
        return False
    rest = {"columns": (), "sql": ""}
    return same_definition({**old.details, **rest}, {**new.details, **rest})


def _same_query(old: Fact, new: Fact) -> bool:
    return same_definition({"sql": old.details["sql"]}, {"sql": new.details["sql"]})


def _column_renames(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> list[tuple[str, str]] | None:
    """What to rename so that the old columns are the first of the new ones; None: impossible.

    A name that stays in use stays with its column: whatever needs the view means that one.
    """
    if len(old) > len(new):
        return None
    renames = []
    names = {one["name"] for one in old}, {one["name"] for one in new}
    for before, after in zip(old, new, strict=False):
        if {**before, "name": ""} != {**after, "name": ""}:
            return None
        if before["name"] != after["name"]:
            if before["name"] in names[1] or after["name"] in names[0]:
                return None
            renames.append((before["name"], after["name"]))
    return renames


@kind
class ViewDefault(Kind):
    """What INSERT into a view takes for a column that isn't given."""

    name, rank = "view default", 56

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """SET DEFAULT."""
        return [f"ALTER VIEW {fact.name} SET DEFAULT {fact.details['sql']}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP DEFAULT."""
        return [f"ALTER VIEW {fact.name} DROP DEFAULT"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """SET DEFAULT."""
        return self.create(new, wanted)


_STORAGES = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
_COMPRESSIONS = {"p": "pglz", "l": "lz4"}


@kind
class MaterializedView(Named):
    """A materialized view, filled or not, with how it is stored."""

    name, rank, noun = "materialized view", 58, "MATERIALIZED VIEW"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE MATERIALIZED VIEW; which index it is clustered on is said when that is there."""
        details = fact.details
        options = [*_listed(details.get("options")), *_listed(details.get("toast"), "toast.")]
        place, method = details.get("tablespace"), details.get("method")
        create = joined(
            f"CREATE MATERIALIZED VIEW {_head(fact)}",
            f"USING {quote_identifier(method)}" if method else "",
            _with(options),
            f"TABLESPACE {quote_identifier(place)}" if place else "",
            f"AS {_query(fact)}",
            "WITH DATA" if details["populated"] else "WITH NO DATA",
        )
        return [create, *_column_settings(fact.name, {}, details.get("settings") or {})]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """How it is stored, and whether it is filled; another query is made again."""
        before, after = old.details, new.details
        if before.get("columns") != after.get("columns") or not _same_query(old, new):
            return None
        head, noun = f"ALTER {self.noun} {new.name}", self.noun
        found = []
        for key, prefix in (("options", ""), ("toast", "toast.")):
            options = before.get(key) or [], after.get(key) or []
            found += reloptions(noun, new.name, options[0], options[1], prefix)
        found += _column_settings(
            new.name, before.get("settings") or {}, after.get("settings") or {}
        )
        if before.get("tablespace") != after.get("tablespace"):
            place = quote_identifier(after.get("tablespace") or "pg_default")
            found.append(f"{head} SET TABLESPACE {place}")
        if before.get("method") != after.get("method"):
            method = quote_identifier(after.get("method") or "heap")
            found.append(f"{head} SET ACCESS METHOD {method}")
        if before["populated"] != after["populated"]:
            data = "" if after["populated"] else " WITH NO DATA"
            found.append(f"REFRESH MATERIALIZED VIEW {new.name}{data}")
        return found

    def equal(self, old: Fact, new: Fact) -> bool:
        """The queries as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)

    def reordered(self, old: Fact, new: Fact) -> bool:
        """Whether it shows the same columns, from the same query, in another order."""
        return _reordered(old, new)


def _column_settings(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    found = []
    for column in sorted(old.keys() | new.keys()):
        head = f"ALTER MATERIALIZED VIEW {name} ALTER COLUMN {quote_identifier(column)}"
        before, after = old.get(column) or {}, new.get(column) or {}
        changes = {
            "statistics": f"SET STATISTICS {after.get('statistics', -1)}",
            "storage": f"SET STORAGE {_STORAGES.get(_storage(before, after), 'DEFAULT')}",
            "compression": "SET COMPRESSION "
            + _COMPRESSIONS.get(after.get("compression", ""), "DEFAULT"),
        }
        found += [
            f"{head} {sql}" for key, sql in changes.items() if before.get(key) != after.get(key)
        ]
        found += _options(head, before.get("options") or [], after.get("options") or [])
    return found


def _storage(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    # DEFAULT is a word that PostgreSQL understands from 16 on.
    return str(after.get("storage") or before.get("usual storage"))


def _options(head: str, old: list[str], new: list[str]) -> list[str]:
    added = [one for one in new if one not in old]
    names = {one.split("=", 1)[0] for one in new}
    gone = [name for one in old if (name := one.split("=", 1)[0]) not in names]
    found = [f"{head} SET ({', '.join(added)})"] if added else []
    return found + ([f"{head} RESET ({', '.join(gone)})"] if gone else [])
