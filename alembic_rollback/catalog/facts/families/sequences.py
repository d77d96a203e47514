"""Sequences, and the columns that own them. An identity column's sequence is the column's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.naming import renamed
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

reads(
    "sequences",
    """
    WITH s AS MATERIALIZED (
        SELECT c.oid, c.relname, c.relpersistence, n.nspname, q.*,
            CAST(CAST(c.oid AS regclass) AS text) AS shown,
            format('%I.%I', n.nspname, c.relname) AS key, d.refobjid AS owner,
            d.refobjsubid AS number
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_sequence q ON q.seqrelid = c.oid
        LEFT JOIN pg_depend d ON d.classid = 1259 AND d.objid = c.oid AND d.refclassid = 1259
            AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
        WHERE c.relkind = 'S' AND c.oid >= 16384 AND n.nspname !~ '^pg_'
            AND n.nspname <> 'information_schema' AND d.deptype IS DISTINCT FROM 'i'
            /*among c.oid*/)
    SELECT 1259, CAST(s.oid AS bigint), 0, '', 'sequence', s.key, s.shown,
        CAST(NULL AS bigint), CAST(NULL AS bigint), 0,
        jsonb_build_object('name', s.relname, 'schema', s.nspname,
            'type', format_type(s.seqtypid, NULL), 'start', s.seqstart,
            'increment', s.seqincrement, 'least', s.seqmin, 'most', s.seqmax,
            'cache', s.seqcache, 'cycle', nullif(s.seqcycle, false),
            'unlogged', nullif(s.relpersistence = 'u', false))
    FROM s
    UNION ALL
    SELECT 1259, s.oid, 0, 'sequence ownership', 'sequence ownership', s.key, s.shown,
        1259, s.oid, 0,
        jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'column', a.attname,
            'shown', format('%s.%I', CAST(s.owner AS regclass), a.attname))
    FROM s JOIN pg_class c ON c.oid = s.owner JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = s.owner AND a.attnum = s.number
    """,
)

_LIMITS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def _usual(type_name: str) -> dict[str, Any]:
    most = _LIMITS[type_name]
    return {"type": type_name, "start": 1, "increment": 1, "least": 1, "most": most, "cache": 1}


def _settings(sequence: Fact) -> dict[str, Any]:
    return {k: v for k, v in sequence.details.items() if k not in ("name", "schema", "unlogged")}


def is_serial(column: Fact, wanted: Snapshot) -> Fact | None:
    """The sequence that `serial` as the column's type would make, just as it is; else None."""
    default = next(iter(wanted.children_of(column, "default")), None)
    if default is None or column.details.get("not null") is None:
        return None
    if column.details["type"] not in _LIMITS:
        return None
    for one in wanted.needs.get(default.id, ()):
        sequence = wanted.facts.get(one)
        if sequence is None or sequence.kind != "sequence":
            continue
        table = wanted.parent_of(column)
        owned = next(iter(wanted.children_of(sequence, "sequence ownership")), None)
        if (
            owned is not None
            and owned.details["table"] == table.key
            and owned.details["column"] == column.details["name"]
            and sequence.details["name"] == f"{table.details['name']}_{column.details['name']}_seq"
            and sequence.details["schema"] == table.details["schema"]
            and _settings(sequence) == _usual(column.details["type"])
            and bool(sequence.details.get("unlogged")) == bool(table.details.get("unlogged"))
            and default.details["sql"].startswith("nextval(")
            and default.details["sql"].endswith("::regclass)")
        ):
            return sequence
    return None


def serials(table: Fact, wanted: Snapshot) -> dict[Id, Fact]:
    """By column, the sequences of the table's serial columns."""
    found = {}
    for column in wanted.children_of(table, "column"):
        sequence = is_serial(column, wanted)
        if sequence:
            found[column.id] = sequence
    return found


def within(shown: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What puts a sequence's position within new limits, where they are narrower."""
    least, most = new["least"], new["most"]
    if least <= old["least"] and most >= old["most"]:
        return []
    sizes = list(_LIMITS)
    kinds = [one["type"] for one in (old, new) if "type" in one]
    size = f" AS {max(kinds, key=sizes.index)}" if kinds else ""
    limits = f"MINVALUE {min(least, old['least'])} MAXVALUE {max(most, old['most'])}"
    place = (
        f"CASE WHEN last_value BETWEEN {least} AND {most} THEN last_value ELSE {new['start']} END"
    )
    name = quote_literal(shown)
    return [
        f"ALTER SEQUENCE {shown}{size} {limits}",
        f"SELECT setval(CAST({name} AS regclass), {place}, "
        f"is_called AND last_value BETWEEN {least} AND {most}) FROM {shown}",
    ]


_WORDS = {
    "type": "AS",
    "increment": "INCREMENT BY",
    "least": "MINVALUE",
    "most": "MAXVALUE",
    "start": "START WITH",
    "cache": "CACHE",
}


@kind
class Sequence(Kind):
    """A sequence. Its position is data, not schema."""

    name, rank = "sequence", 30

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE SEQUENCE, with what isn't usual."""
        usual = _usual("bigint")
        options = [
            f"{words} {fact.details[key]}"
            for key, words in _WORDS.items()
            if fact.details[key] != self._default(key, fact, usual)
        ]
        unlogged = "UNLOGGED " if fact.details.get("unlogged") else ""
        cycle = ["CYCLE"] if fact.details.get("cycle") else []
        return [" ".join([f"CREATE {unlogged}SEQUENCE {fact.name}", *options, *cycle])]

    @staticmethod
    def _default(key: str, fact: Fact, usual: dict[str, Any]) -> Any:
        limit = _LIMITS[fact.details["type"]]
        rising = fact.details["increment"] > 0
        if key == "least":
            return 1 if rising else -limit - 1
        if key == "most":
            return limit if rising else -1
        if key == "start":
            return fact.details["least"] if rising else fact.details["most"]
        return usual[key]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP SEQUENCE."""
        return [f"DROP SEQUENCE {fact.name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME TO, SET SCHEMA."""
        return renamed("SEQUENCE", old, new)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ALTER SEQUENCE."""
        before, after = old.details, new.details
        parts = [
            f"{words} {after[key]}" for key, words in _WORDS.items() if before[key] != after[key]
        ]
        if before.get("cycle") != after.get("cycle"):
            parts.append("CYCLE" if after.get("cycle") else "NO CYCLE")
        found = within(new.name, before, after)
        found += [f"ALTER SEQUENCE {new.name} {' '.join(parts)}"] if parts else []
        if before.get("unlogged") != after.get("unlogged"):
            word = "UNLOGGED" if after.get("unlogged") else "LOGGED"
            found.append(f"ALTER SEQUENCE {new.name} SET {word}")
        return found


@kind
class SequenceOwnership(Kind):
    """The column that a sequence goes with."""

    name, rank = "sequence ownership", 47

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """OWNED BY a column."""
        return [f"ALTER SEQUENCE {fact.name} OWNED BY {fact.details['shown']}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """OWNED BY NONE."""
        return [f"ALTER SEQUENCE {fact.name} OWNED BY NONE"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """OWNED BY another."""
        return self.create(new, wanted)
