"""Types: enums, composites, domains, ranges, and base types with their functions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.naming import renamed
from alembic_rollback.catalog.facts.registry import KINDS, Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

_COLLATION = """
    CASE WHEN {0} <> {1} THEN CAST(CAST({0} AS regcollation) AS text) END
"""
_ENUM = """
    (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
    WHERE e.enumtypid = t.oid)
"""
_ATTRIBUTES = f"""
    (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', a.attname,
        'type', format_type(a.atttypid, a.atttypmod),
        'collation', {_COLLATION.format("a.attcollation", "y.typcollation")})) ORDER BY a.attnum),
        '[]')
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
"""
_RANGE = f"""
    (SELECT jsonb_strip_nulls(jsonb_build_object('SUBTYPE', format_type(r.rngsubtype, NULL),
        'SUBTYPE_OPCLASS', (SELECT format('%I.%I', n.nspname, o.opcname) FROM pg_opclass o
            JOIN pg_namespace n ON n.oid = o.opcnamespace
            WHERE o.oid = r.rngsubopc AND NOT o.opcdefault),
        'COLLATION', {_COLLATION.format("r.rngcollation", "s.typcollation")},
        'SUBTYPE_DIFF', CAST(CAST(nullif(r.rngsubdiff, 0) AS regproc) AS text),
        'CANONICAL', CAST(CAST(nullif(r.rngcanonical, 0) AS regproc) AS text),
        'MULTIRANGE_TYPE_NAME', CAST(CAST(r.rngmultitypid AS regtype) AS text)))
    FROM pg_range r JOIN pg_type s ON s.oid = r.rngsubtype WHERE r.rngtypid = t.oid)
"""
_PROCEDURES = (
    "typinput",
    "typoutput",
    "typreceive",
    "typsend",
    "typmodin",
    "typmodout",
    "typanalyze",
)
_BASE = f"""
    jsonb_build_object({
    ", ".join(
        f"'{p.removeprefix('typ').upper()}', CAST(CAST(nullif(t.{p}, 0) AS regproc) AS text)"
        for p in _PROCEDURES
    )
},
        'INTERNALLENGTH', t.typlen, 'PASSEDBYVALUE', nullif(t.typbyval, false),
        'ALIGNMENT', t.typalign, 'STORAGE', t.typstorage, 'CATEGORY', t.typcategory,
        'PREFERRED', nullif(t.typispreferred, false), 'DEFAULT', t.typdefault,
        'DELIMITER', t.typdelim, 'COLLATABLE', nullif(t.typcollation <> 0, false))
"""

reads(
    "types",
    f"""
    SELECT 1247, CAST(t.oid AS bigint), 0, '', CASE t.typtype WHEN 'e' THEN 'enum'
            WHEN 'c' THEN 'composite type' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type'
            ELSE CASE WHEN t.typisdefined THEN 'base type' ELSE 'shell type' END END,
        format('%I.%I', n.nspname, t.typname), CAST(CAST(t.oid AS regtype) AS text),
        CAST(NULL AS bigint), CAST(NULL AS bigint), 0,
        jsonb_build_object('name', t.typname, 'schema', n.nspname,
            'labels', CASE t.typtype WHEN 'e' THEN coalesce({_ENUM}, '[]') END,
            'attributes', CASE t.typtype WHEN 'c' THEN {_ATTRIBUTES} END,
            'range', CASE t.typtype WHEN 'r' THEN {_RANGE} END,
            'multirange', (SELECT m.typname FROM pg_range r JOIN pg_type m
                ON m.oid = r.rngmultitypid WHERE r.rngtypid = t.oid),
            'base', CASE WHEN t.typtype = 'b' THEN {_BASE}
                WHEN t.typtype = 'd' THEN to_jsonb(format_type(t.typbasetype, t.typtypmod)) END,
            'default', CASE t.typtype WHEN 'd' THEN
                coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) END,
            'collation', CASE t.typtype WHEN 'd' THEN
                (SELECT {_COLLATION.format("t.typcollation", "b.typcollation")}
                FROM pg_type b WHERE b.oid = t.typbasetype) END,
            'not null', CASE WHEN t.typtype = 'd' AND NOT EXISTS (SELECT FROM pg_constraint k
                WHERE k.contypid = t.oid AND k.contype = 'n')
                THEN nullif(t.typnotnull, false) END)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.oid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND t.typtype IN ('e', 'c', 'd', 'r', 'b', 'p') AND (c.oid IS NULL OR c.relkind = 'c')
        AND NOT (t.typtype = 'b' AND EXISTS (SELECT FROM pg_type e
            WHERE e.oid = t.typelem AND e.typarray = t.oid))
        /*among t.oid*/
    ORDER BY 2
    """,
)


class _Type(Kind):
    """What all types have in common."""

    rank = 20
    noun = "TYPE"

    @abstractmethod
    def definition(self, details: Mapping[str, Any]) -> str:
        """What stands behind the name in CREATE TYPE."""

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TYPE."""
        return [f"CREATE {self.noun} {fact.name}{self.definition(fact.details)}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP TYPE."""
        return [f"DROP {self.noun} {fact.name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME TO, SET SCHEMA."""
        return renamed(self.noun, old, new)


@kind
class Enum(_Type):
    """An enum. A label cannot be taken away: then the type is made again, with its columns."""

    name = "enum"

    def definition(self, details: Mapping[str, Any]) -> str:
        """AS ENUM."""
        return f" AS ENUM ({', '.join(map(quote_literal, details['labels']))})"

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ADD VALUE, where labels are only missing."""
        before, after = list(old.details["labels"]), list(new.details["labels"])
        if [label for label in after if label in before] != before:
            return None
        if _said({*after} - {*before}, new, wanted):
            # PostgreSQL takes a label that the same transaction has added for unsafe.
            return None
        found = []
        for place, label in enumerate(after):
            if label in before:
                continue
            known = [one for one in after[place + 1 :] if one in before]
            where = f" BEFORE {quote_literal(known[0])}" if known else ""
            found.append(f"ALTER TYPE {new.name} ADD VALUE {quote_literal(label)}{where}")
        return found


def _said(labels: set[str], enum: Fact, wanted: Snapshot) -> bool:
    """Whether anything that needs the enum, or a column of it, says one of the labels."""
    near = {*wanted.needed_by.get(enum.id, ())}
    near |= {two for one in near for two in wanted.needed_by.get(one, ())}
    near |= {child.id for one in near for child in wanted.children.get(one, ())}
    literals = [quote_literal(label) for label in labels]
    texts = [
        str(value)
        for one in near
        for key, value in wanted.facts[one].details.items()
        if key not in ("name", "schema")
    ]
    return any(literal in text for literal in literals for text in texts)


@kind
class Composite(_Type):
    """A composite type."""

    name = "composite type"

    def definition(self, details: Mapping[str, Any]) -> str:
        """AS (…)."""
        return f" AS ({', '.join(map(self._attribute, details['attributes']))})"

    @staticmethod
    def _attribute(one: Mapping[str, Any]) -> str:
        collation = f" COLLATE {one['collation']}" if one.get("collation") else ""
        return f"{quote_identifier(one['name'])} {one['type']}{collation}"

    def disturbs(self, old: Fact, new: Fact) -> bool:
        """Another type of an attribute."""
        before = {one["name"]: one for one in old.details["attributes"]}
        return any(before.get(one["name"], one) != one for one in new.details["attributes"])

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """DROP, ALTER, ADD ATTRIBUTE, where that leaves them in order; also in tables of it."""
        before = {one["name"]: one for one in old.details["attributes"]}
        after = {one["name"]: one for one in new.details["attributes"]}
        kept = [name for name in before if name in after]
        if list(after)[: len(kept)] != kept:
            return None
        parts = [f"DROP ATTRIBUTE {quote_identifier(n)} CASCADE" for n in before if n not in after]
        for attribute, one in after.items():
            if attribute not in before:
                parts.append(f"ADD ATTRIBUTE {self._attribute(one)} CASCADE")
            elif before[attribute] != one:
                collation = f" COLLATE {one['collation']}" if one.get("collation") else ""
                shown = quote_identifier(attribute)
                parts.append(f"ALTER ATTRIBUTE {shown} TYPE {one['type']}{collation} CASCADE")
        return [f"ALTER TYPE {new.name} {', '.join(parts)}"]


@kind
class Domain(_Type):
    """A domain; its constraints are facts of their own."""

    name, noun, rank = "domain", "DOMAIN", 22

    def definition(self, details: Mapping[str, Any]) -> str:
        """AS another type."""
        parts = [
            f" AS {details['base']}",
            f"COLLATE {details['collation']}" if details.get("collation") else "",
            f"DEFAULT {details['default']}" if details.get("default") else "",
            "NOT NULL" if details.get("not null") else "",
        ]
        return " ".join(part for part in parts if part)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """DEFAULT and NOT NULL."""
        before, after = old.details, new.details
        if any(before.get(key) != after.get(key) for key in ("base", "collation")):
            return None
        found = []
        if before.get("default") != after.get("default"):
            value = after.get("default")
            found.append(f"SET DEFAULT {value}" if value else "DROP DEFAULT")
        if before.get("not null") != after.get("not null"):
            found.append(f"{'SET' if after.get('not null') else 'DROP'} NOT NULL")
        return [f"ALTER DOMAIN {new.name} {one}" for one in found]


@kind
class Range(_Type):
    """A range type."""

    name = "range type"

    def definition(self, details: Mapping[str, Any]) -> str:
        """AS RANGE."""
        listed = ", ".join(f"{key} = {value}" for key, value in details["range"].items())
        return f" AS RANGE ({listed})"

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Another name of its multirange; anything else is made again."""
        key = "MULTIRANGE_TYPE_NAME"
        ranges = [{**one.details["range"], key: None} for one in (old, new)]
        if ranges[0] != ranges[1]:
            return None
        name = quote_identifier(new.details["multirange"])
        return [f"ALTER TYPE {old.details['range'][key]} RENAME TO {name}"]


@kind
class Shell(_Type):
    """A type that was only named."""

    name = "shell type"

    def definition(self, details: Mapping[str, Any]) -> str:
        """Nothing."""
        return ""


_ALIGNMENTS = {"c": "char", "s": "int2", "i": "int4", "d": "double"}
_STORAGES = {"p": "plain", "e": "external", "m": "main", "x": "extended"}


@kind
class Base(_Type):
    """A base type: a shell first, then its functions, then the type."""

    name, rank = "base type", 26

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE TYPE, its functions, and CREATE TYPE with them."""
        functions = [wanted.facts[one] for one in self.absorbs(fact, wanted)]
        made = [sql for one in functions for sql in KINDS[one.kind].create(one, wanted)]
        return [f"CREATE TYPE {fact.name}", *made, *super().create(fact, wanted)]

    def absorbs(self, fact: Fact, wanted: Snapshot) -> Iterable[Id]:
        """Its functions, which need it as much as it needs them."""
        return sorted(
            one
            for one in wanted.needs.get(fact.id, ())
            if fact.id in wanted.needs.get(one, ()) and wanted.facts[one].kind == "function"
        )

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP TYPE with its functions; whatever else needs it has gone before."""
        return [f"DROP TYPE {fact.name} CASCADE"]

    def definition(self, details: Mapping[str, Any]) -> str:
        """Its functions and its layout."""
        base = dict(details["base"])
        base["ALIGNMENT"] = _ALIGNMENTS[base["ALIGNMENT"]]
        base["STORAGE"] = _STORAGES[base["STORAGE"]]
        if base["INTERNALLENGTH"] < 0:
            base["INTERNALLENGTH"] = "VARIABLE"
        for key in ("CATEGORY", "DELIMITER", "DEFAULT"):
            if base.get(key) is not None:
                base[key] = quote_literal(base[key])
        flags = ("PASSEDBYVALUE",)
        parts = [k if k in flags else f"{k} = {v}" for k, v in base.items() if v is not None]
        return f" ({', '.join(parts)})"
