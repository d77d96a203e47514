"""Columns of tables, their order, and their defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alembic_rollback.catalog.facts.families.fragments import option_changes, option_list
from alembic_rollback.catalog.facts.families.sequences import is_serial, within
from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier, quote_name

_TABLES = """
    WITH t AS MATERIALIZED (
        SELECT c.oid, c.relkind, c.reloftype, CAST(CAST(c.oid AS regclass) AS text) AS shown,
            format('%I.%I', n.nspname, c.relname) AS key
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 /*among c.oid*/
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
"""
_IDENTITY = """
    CASE WHEN a.attidentity <> '' THEN (
        SELECT jsonb_build_object('kind', a.attidentity, 'sequence', s.relname,
            'schema', nullif(CAST(CAST(s.relnamespace AS regnamespace) AS text),
                CAST(CAST(t.namespace AS regnamespace) AS text)),
            'start', q.seqstart, 'increment', q.seqincrement, 'least', q.seqmin, 'most', q.seqmax,
            'cache', q.seqcache, 'cycle', q.seqcycle, 'unlogged', nullif(s.relpersistence, 'p'))
        FROM (SELECT objid FROM pg_depend WHERE classid = 1259 AND refclassid = 1259
            AND refobjid = a.attrelid AND refobjsubid = a.attnum AND deptype = 'i' OFFSET 0) d
        JOIN pg_sequence q ON q.seqrelid = d.objid JOIN pg_class s ON s.oid = d.objid) END
"""


def _columns(not_null: str, joins: str = "") -> str:
    tables = _TABLES.replace("c.relkind,", "c.relkind, c.relnamespace AS namespace,")
    return f"""
    {tables}
    SELECT 1259, CAST(a.attrelid AS bigint), CAST(a.attnum AS integer), '', 'column',
        format('%s.%I', t.key, a.attname), format('%s.%I', t.shown, a.attname),
        CAST(1259 AS bigint), CAST(a.attrelid AS bigint), 0,
        jsonb_strip_nulls(jsonb_build_object(
            'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
            'category', y.typcategory, 'own type', nullif(y.oid >= 16384, false),
            'not null', {not_null}, 'identity', {_IDENTITY},
            'generated', CASE WHEN a.attgenerated <> '' THEN
                (SELECT jsonb_build_object('kind', a.attgenerated,
                    'sql', pg_get_expr(d.adbin, d.adrelid))
                FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END,
            'collation', CASE WHEN a.attcollation <> y.typcollation THEN
                CAST(CAST(a.attcollation AS regcollation) AS text) END,
            'storage', nullif(a.attstorage, y.typstorage),
            'usual storage', CASE WHEN a.attstorage <> y.typstorage THEN y.typstorage END,
            'compression', nullif(CAST(a.attcompression AS text), ''),
            'statistics', nullif(coalesce(a.attstattarget, -1), -1),
            'options', CASE WHEN a.attoptions IS NOT NULL THEN to_jsonb(a.attoptions) END,
            'server options', CASE WHEN a.attfdwoptions IS NOT NULL
                THEN to_jsonb(a.attfdwoptions) END,
            'inherited', nullif(a.attinhcount > 0, false),
            'typed', nullif(t.reloftype <> 0, false),
            'local', CASE WHEN a.attinhcount > 0 THEN nullif(a.attislocal, false) END))
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid JOIN pg_type y ON y.oid = a.atttypid {joins}
    WHERE a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum
    """


_NOT_NULL = "CASE WHEN a.attnotnull THEN '{}'::jsonb END"
# From PostgreSQL 18 on every NOT NULL is a constraint with a name, perhaps not validated.
_NAMED_NOT_NULL = """
    CASE WHEN a.attnotnull OR k.oid IS NOT NULL THEN coalesce(jsonb_build_object(
        'name', k.conname, 'not valid', nullif(NOT k.convalidated, false),
        'no inherit', nullif(k.connoinherit, false),
        'inherited', nullif(k.coninhcount > 0, false),
        'local', CASE WHEN k.coninhcount > 0 THEN nullif(k.conislocal, false) END), '{}') END
"""
_NOT_NULL_JOIN = """
    LEFT JOIN (SELECT *, conkey[1] AS number FROM pg_constraint
        WHERE contype = 'n' AND conrelid <> 0 /*among conrelid*/ OFFSET 0) k
        ON k.conrelid = a.attrelid AND k.number = a.attnum
"""

reads("columns", _columns(_NOT_NULL), before=18)
reads("columns with named not null", _columns(_NAMED_NOT_NULL, _NOT_NULL_JOIN), since=18)
reads(
    "defaults",
    f"""
    {_TABLES}
    SELECT 2604, CAST(d.oid AS bigint), 0, '', 'default',
        format('%s.%I', t.key, a.attname), t.shown,
        CAST(1259 AS bigint), CAST(a.attrelid AS bigint), CAST(a.attnum AS integer),
        jsonb_build_object('column', a.attname, 'sql', pg_get_expr(d.adbin, d.adrelid))
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.atthasdef AND a.attgenerated = ''
    JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE NOT a.attisdropped
    """,
)
reads(
    "column order",
    f"""
    {_TABLES}
    SELECT 1259, CAST(t.oid AS bigint), 0, 'column order', 'column order', t.key, t.shown,
        CAST(1259 AS bigint), CAST(t.oid AS bigint), 0,
        jsonb_build_object('columns', jsonb_agg(a.attname ORDER BY a.attnum))
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY t.oid, t.key, t.shown
    """,
)

_STORAGES = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
_COMPRESSIONS = {"p": "pglz", "l": "lz4"}
# Between these PostgreSQL casts on assignment, so that ALTER TYPE needs no USING.
_ASSIGNABLE = {("N", "N"), ("S", "S"), ("D", "D"), ("N", "S"), ("D", "S"), ("B", "S"), ("U", "S")}


def clause(column: Fact, table: Fact, default: Fact | None, *, serial: bool = False) -> str:
    """The column as CREATE TABLE and ADD COLUMN write it."""
    details = column.details
    shown_type = details["type"]
    if serial:
        shown_type = {"smallint": "smallserial", "bigint": "bigserial"}.get(shown_type, "serial")
    parts = [quote_identifier(details["name"]), shown_type]
    if details.get("server options"):
        parts.append(option_list(server_options(details)))
    if details.get("collation"):
        parts.append(f"COLLATE {details['collation']}")
    if default and not serial:
        parts.append(f"DEFAULT {default.details['sql']}")
    if details.get("generated"):
        stored = "STORED" if details["generated"]["kind"] == "s" else "VIRTUAL"
        parts.append(f"GENERATED ALWAYS AS ({details['generated']['sql']}) {stored}")
    if details.get("identity"):
        parts.append(_identity(column, table))
    required = details.get("not null")
    if required is not None and not required.get("not valid"):
        implied = serial or bool(details.get("identity"))
        written = _not_null(column, table, required)
        if not (implied and written == "NOT NULL"):
            parts.append(written)
    return " ".join(parts)


def _not_null(column: Fact, table: Fact, required: Mapping[str, Any]) -> str:
    name = required.get("name")
    usual = f"{table.details['name']}_{column.details['name']}_not_null"
    named = f"CONSTRAINT {quote_identifier(name)} " if name and name != usual else ""
    return f"{named}NOT NULL{' NO INHERIT' if required.get('no inherit') else ''}"


def _identity(column: Fact, table: Fact) -> str:
    identity = column.details["identity"]
    always = "ALWAYS" if identity["kind"] == "a" else "BY DEFAULT"
    options = " ".join(_identity_options(column, table))
    return f"GENERATED {always} AS IDENTITY" + (f" ({options})" if options else "")


_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


def _identity_options(column: Fact, table: Fact) -> Iterator[str]:
    identity, details = column.details["identity"], column.details
    limit = _LIMITS.get(details["type"], 2**63)
    rising = identity["increment"] > 0
    least, most = (1, limit - 1) if rising else (-limit, -1)
    if identity["sequence"] != f"{table.details['name']}_{details['name']}_seq":
        yield f"SEQUENCE NAME {quote_identifier(identity['sequence'])}"
    if identity["start"] != (least if rising else most):
        yield f"START WITH {identity['start']}"
    if identity["increment"] != 1:
        yield f"INCREMENT BY {identity['increment']}"
    if identity["least"] != least:
        yield f"MINVALUE {identity['least']}"
    if identity["most"] != most:
        yield f"MAXVALUE {identity['most']}"
    if identity["cache"] != 1:
        yield f"CACHE {identity['cache']}"
    if identity.get("cycle"):
        yield "CYCLE"


def _default_of(column: Fact, wanted: Snapshot) -> Fact | None:
    return next(iter(wanted.children_of(column, "default")), None)


@kind
class Column(Kind):
    """A column of a table."""

    name, rank = "column", 42

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ADD COLUMN, together with its default."""
        table = wanted.parent_of(fact)
        serial = is_serial(fact, wanted) is not None
        written = clause(fact, table, _default_of(fact, wanted), serial=serial)
        return [
            f"ALTER {_noun(table)} {table.name} ADD COLUMN {written}",
            *self._settings({}, fact, table),
        ]

    def settings(self, fact: Fact, wanted: Snapshot) -> list[str]:
        """What CREATE TABLE doesn't say."""
        return self._settings({}, fact, wanted.parent_of(fact))

    def absorbs(self, fact: Fact, wanted: Snapshot) -> Iterator[Id]:
        """Its default, and the sequence of a serial."""
        yield from (one.id for one in wanted.children_of(fact, "default"))
        sequence = is_serial(fact, wanted)
        if sequence:
            yield sequence.id
            yield from (one.id for one in wanted.children_of(sequence, "sequence ownership"))

    def inherent(self, fact: Fact) -> bool:
        """A column that only a parent table, or the type of a table, has made."""
        if fact.details.get("typed"):
            return True
        return bool(fact.details.get("inherited")) and not fact.details.get("local")

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP COLUMN."""
        table = current.parent_of(fact)
        name = quote_identifier(fact.details["name"])
        return [f"ALTER {_noun(table)} {table.name} DROP COLUMN {name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME COLUMN; what is inherited has the name that the parent's has."""
        if old.details.get("inherited"):
            return ()
        table = old.name.removesuffix("." + quote_identifier(old.details["name"]))
        names = (quote_identifier(one.details["name"]) for one in (old, new))
        return [f"ALTER TABLE {table} RENAME COLUMN {' TO '.join(names)}"]

    def disturbs(self, old: Fact, new: Fact) -> bool:
        """Its type or collation."""
        return any(old.details.get(key) != new.details.get(key) for key in ("type", "collation"))

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ALTER COLUMN; a generated column is made again."""
        before, after = old.details, new.details
        if before.get("generated") != after.get("generated"):
            return self._generated(old, new, wanted)
        table = wanted.parent_of(new)
        clauses = [*self._required(old, new, table, early=True)]
        if self.disturbs(old, new):
            clauses.append(_type_change(old, new))
        clauses += [*self._identified(old, new, table)]
        clauses += [*self._required(old, new, table, early=False)]
        head = f"ALTER {_noun(table)} {table.name} "
        if _only_renamed(before.get("not null"), after.get("not null")):
            labels = (quote_identifier(one["not null"]["name"]) for one in (before, after))
            rest = Fact(
                old.id,
                old.kind,
                old.key,
                old.name,
                old.parent,
                {**before, "not null": after["not null"]},
            )
            others = () if rest.details == after else self.change(rest, new, wanted) or ()
            return [f"{head}RENAME CONSTRAINT {' TO '.join(labels)}", *others]
        name = quote_identifier(after["name"])
        whole = [
            clause
            if clause.startswith(("ADD C", "DROP C", "VALIDATE", "ALTER CON"))
            else f"ALTER COLUMN {name} {clause}"
            for clause in clauses
        ]
        found = _positioned(before.get("identity"), after.get("identity"), table)
        found += [head + ", ".join(whole)] if whole else []
        found += _identity_sequence(old, new, table)
        options = option_changes(server_options(before), server_options(after))
        found += [f"{head}ALTER COLUMN {name} {options}"] if options else []
        return [*found, *self._settings(_kept(old, new), new, table)]

    def _generated(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        rest = [{**one.details, "generated": None} for one in (old, new)]
        if not new.details.get("generated") and rest[0] == rest[1]:
            table, name = wanted.parent_of(new), quote_identifier(new.details["name"])
            return [f"ALTER TABLE {table.name} ALTER COLUMN {name} DROP EXPRESSION"]
        return None

    def _required(self, old: Fact, new: Fact, table: Fact, *, early: bool) -> Iterator[str]:
        """NOT NULL: dropped before anything else of the column changes, set at the end."""
        before, after = old.details.get("not null"), new.details.get("not null")
        if before == after or _brought(before) or _brought(after):
            return
        if early:
            if before is not None and (after is None or _must_be_made_again(before, after)):
                yield "DROP NOT NULL"
        elif after is not None and (before is None or _must_be_made_again(before, after)):
            written = _not_null(new, table, after)
            if written == "NOT NULL" and not after.get("not valid"):
                yield "SET NOT NULL"
            else:
                name = quote_identifier(new.details["name"])
                inherit = " NO INHERIT" if after.get("no inherit") else ""
                valid = " NOT VALID" if after.get("not valid") else ""
                label = quote_identifier(after["name"])
                yield f"ADD CONSTRAINT {label} NOT NULL {name}{inherit}{valid}"
        elif after is not None and before is not None and before.get("not valid"):
            yield f"VALIDATE CONSTRAINT {quote_identifier(after['name'])}"

    def _identified(self, old: Fact, new: Fact, table: Fact) -> Iterator[str]:
        before, after = old.details.get("identity"), new.details.get("identity")
        if before == after:
            return
        if after is None:
            yield "DROP IDENTITY"
        elif before is None:
            yield f"ADD {_identity(new, table)}"
        else:
            if before["kind"] != after["kind"]:
                yield f"SET GENERATED {'ALWAYS' if after['kind'] == 'a' else 'BY DEFAULT'}"
            names = {
                "start": "START WITH",
                "increment": "INCREMENT BY",
                "least": "MINVALUE",
                "most": "MAXVALUE",
                "cache": "CACHE",
            }
            for key, words in names.items():
                if before[key] != after[key]:
                    yield f"SET {words} {after[key]}"
            if before.get("cycle") != after.get("cycle"):
                yield f"SET {'' if after.get('cycle') else 'NO '}CYCLE"

    @staticmethod
    def _settings(before: Mapping[str, Any], new: Fact, table: Fact) -> list[str]:
        after = new.details
        head = f"ALTER {_noun(table)} {table.name} ALTER COLUMN {quote_identifier(after['name'])}"
        found = []
        if before.get("storage") != after.get("storage"):
            # DEFAULT is a word that PostgreSQL understands from 16 on.
            storage = _STORAGES[after.get("storage") or before["usual storage"]]
            found.append(f"{head} SET STORAGE {storage}")
        if before.get("compression") != after.get("compression"):
            method = _COMPRESSIONS.get(after.get("compression", ""), "DEFAULT")
            found.append(f"{head} SET COMPRESSION {method}")
        if before.get("statistics") != after.get("statistics"):
            found.append(f"{head} SET STATISTICS {after.get('statistics', -1)}")
        found += _options(head, before.get("options") or [], after.get("options") or [])
        return found


def server_options(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options of a foreign table or of its column."""
    pairs = (item.partition("=") for item in details.get("server options") or ())
    return [(name, value) for name, _, value in pairs]


def _beside(table: Fact, name: str) -> str:
    """Something in the table's schema as SQL names it."""
    bare = table.name == quote_identifier(table.details["name"])
    return quote_identifier(name) if bare else quote_name((table.details["schema"], name))


def _positioned(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, table: Fact
) -> list[str]:
    if not before or not after:
        return []
    return within(_beside(table, before["sequence"]), before, after)


def _identity_sequence(old: Fact, new: Fact, table: Fact) -> Iterator[str]:
    before, after = old.details.get("identity"), new.details.get("identity")
    if not before or not after:
        return
    if before["sequence"] != after["sequence"]:
        name = quote_identifier(after["sequence"])
        yield f"ALTER SEQUENCE {_beside(table, before['sequence'])} RENAME TO {name}"
    if before.get("unlogged") != after.get("unlogged"):
        word = "UNLOGGED" if after.get("unlogged") else "LOGGED"
        yield f"ALTER SEQUENCE {_beside(table, after['sequence'])} SET {word}"


def _kept(old: Fact, new: Fact) -> Mapping[str, Any]:
    """What of the old details another type leaves."""
    if old.details["type"] == new.details["type"]:
        return old.details
    return {**old.details, "storage": None, "compression": None}


def _only_renamed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
    if not before or not after or before.get("name") == after.get("name"):
        return False
    return not _brought(after) and {**before, "name": ""} == {**after, "name": ""}


def _brought(required: Mapping[str, Any] | None) -> bool:
    """Whether only a parent table says NOT NULL."""
    return bool(required and required.get("inherited") and not required.get("local"))


def _must_be_made_again(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    keys = ("name", "no inherit")
    if any(before.get(key) != after.get(key) for key in keys):
        return True
    return bool(after.get("not valid")) and not before.get("not valid")


def _options(head: str, before: list[str], after: list[str]) -> list[str]:
    gone = [item.split("=", 1)[0] for item in before if item not in after]
    new = [item for item in after if item not in before]
    kept = {item.split("=", 1)[0] for item in new}
    found = [f"{head} SET ({', '.join(new)})"] if new else []
    lost = [name for name in gone if name not in kept]
    return found + ([f"{head} RESET ({', '.join(lost)})"] if lost else [])


def _noun(table: Fact) -> str:
    return "FOREIGN TABLE" if table.details.get("kind") == "f" else "TABLE"


def _type_change(old: Fact, new: Fact) -> str:
    before, after = old.details, new.details
    collation = f" COLLATE {after['collation']}" if after.get("collation") else ""
    return f"TYPE {after['type']}{collation}{_using(before, after)}"


def _using(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The conversion, where PostgreSQL doesn't know it by itself; by way of text, which every
    type has, where no direct cast need exist.
    """
    own = before.get("own type") or after.get("own type")
    same = before["type"].split("(")[0] == after["type"].split("(")[0]
    if same or (not own and (before["category"], after["category"]) in _ASSIGNABLE):
        return ""
    name = quote_identifier(after["name"])
    texts = "S" in (before["category"], after["category"]) and not own
    direct = texts or {before["type"], after["type"]} == {"boolean", "integer"}
    return f" USING {name}{'' if direct else '::text'}::{after['type']}"


@kind
class Default(Kind):
    """A column's default."""

    name, rank = "default", 46

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """SET DEFAULT; not for the tables that inherit it, which have their own."""
        only = "ONLY " if _has_heirs(fact.name, wanted) else ""
        return [f"{self._head(fact, only)} SET DEFAULT {fact.details['sql']}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP DEFAULT."""
        return [f"{self._head(fact)} DROP DEFAULT"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """SET DEFAULT."""
        return self.create(new, wanted)

    @staticmethod
    def _head(fact: Fact, only: str = "") -> str:
        column = quote_identifier(fact.details["column"])
        return f"ALTER TABLE {only}{fact.name} ALTER COLUMN {column}"


def _has_heirs(shown: str, wanted: Snapshot) -> bool:
    """Whether another table inherits from the table, or is a partition of it."""
    return any(
        one.kind in ("partition", "inheritance") and one.details["parent"] == shown
        for one in wanted.facts.values()
    )


@kind
class ColumnOrder(Kind):
    """The order of a table's columns, which nothing but making it again can change."""

    name, rank = "column order", 99

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """Nothing: it comes with the columns."""
        return ()

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """Nothing: it goes with the columns."""
        return ()

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Nothing: a column that is added again comes last."""
        return ()

    def reordered(self, old: Fact, new: Fact) -> bool:
        """Always."""
        return True

    def inherent(self, fact: Fact) -> bool:
        """Always."""
        return True
