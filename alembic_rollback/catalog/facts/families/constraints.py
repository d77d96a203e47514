"""Constraints of tables and domains; NOT NULL is the column's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.naming import reloptions
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

reads(
    "constraints",
    """
    SELECT 2606, CAST(k.oid AS bigint), 0, '', 'constraint',
        format('%I on %I.%I', k.conname, n.nspname, c.relname),
        CAST(CAST(k.conrelid AS regclass) AS text),
        CAST(1259 AS bigint), CAST(k.conrelid AS bigint), 0,
        jsonb_build_object('name', k.conname, 'type', k.contype,
            'sql', pg_get_constraintdef(k.oid),
            'inherited', nullif(k.coninhcount > 0 OR k.conparentid <> 0, false),
            'local', CASE WHEN k.coninhcount > 0 THEN nullif(k.conislocal, false) END,
            'clone', nullif(k.conparentid <> 0, false),
            'valid', k.convalidated,
            'columns', CASE WHEN k.contype IN ('p', 'u') THEN
                (SELECT jsonb_agg(a.attname ORDER BY place)
                FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) END,
            'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(i.reloptions) AS o),
            'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = i.reltablespace),
            'partitioned', nullif(i.relkind = 'I', false),
            'statistics', (SELECT jsonb_object_agg(a.attnum, a.attstattarget)
                FROM pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
    WHERE k.conrelid >= 16384 AND k.contype IN ('p', 'u', 'x', 'c', 'f') /*among k.conrelid*/
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 2606, k.oid, 0, '', 'constraint',
        format('%I on %I.%I', k.conname, n.nspname, t.typname),
        CAST(CAST(k.contypid AS regtype) AS text), 1247, k.contypid, 0,
        jsonb_build_object('name', k.conname, 'type', k.contype,
            'sql', pg_get_constraintdef(k.oid), 'domain', true, 'valid', k.convalidated)
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid
    JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE k.contypid >= 16384 AND k.contype IN ('c', 'n') /*among k.contypid*/
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY 2
    """,
)
reads(
    "attachments",
    """
    SELECT CAST(CASE WHEN k.oid IS NULL THEN 1259 ELSE 2606 END AS bigint),
        CAST(coalesce(k.oid, i.oid) AS bigint), 0, 'attachment', 'attachment',
        format('%I.%I', n.nspname, i.relname), CAST(CAST(i.oid AS regclass) AS text),
        CAST(CASE WHEN k.oid IS NULL THEN 1259 ELSE 2606 END AS bigint),
        CAST(coalesce(k.oid, i.oid) AS bigint), 0,
        jsonb_build_object('parent', CAST(CAST(h.inhparent AS regclass) AS text))
    FROM pg_inherits h JOIN pg_class i ON i.oid = h.inhrelid AND i.relkind IN ('i', 'I')
    JOIN pg_namespace n ON n.oid = i.relnamespace
    LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')
        AND k.conrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = i.oid)
    ORDER BY 2
    """,
)


def inline(constraint: Fact, wanted: Snapshot) -> str:
    """The constraint as CREATE TABLE holds it; empty where it comes by a statement of its own.

    Foreign keys come last, when all tables are there; so do those that need what isn't said in
    CREATE TABLE: not valid, with storage parameters, of partitions and of partitioned tables.
    """
    details = constraint.details
    plain = details["valid"] and details["type"] in "puxc" and not details.get("domain")
    special = ("options", "statistics", "tablespace", "partitioned", "clone", "inherited")
    if not plain or any(details.get(key) for key in special):
        return ""
    if any(child.kind == "attachment" for child in wanted.children.get(constraint.id, ())):
        return ""
    table = wanted.parent_of(constraint).details["name"]
    if details["type"] == "p" and details["name"] == f"{table}_pkey":
        return str(details["sql"])
    return f"CONSTRAINT {quote_identifier(details['name'])} {details['sql']}"


def statistics(index: str, before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """SET STATISTICS for the columns of an index, by number."""
    numbers = [*after, *(number for number in before if number not in after)]
    return [
        f"ALTER INDEX {index} ALTER COLUMN {number} SET STATISTICS {after.get(number, -1)}"
        for number in numbers
        if before.get(number) != after.get(number)
    ]


def has_partitions(shown: str, wanted: Snapshot) -> bool:
    """Whether the partitioned table, named as SQL names it, has any partition."""
    return any(
        one.kind == "partition" and one.details["parent"] == shown for one in wanted.facts.values()
    )


@kind
class Constraint(Kind):
    """A constraint of a table or a domain, with its index."""

    name, rank = "constraint", 60

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ADD CONSTRAINT; of a partitioned table without those of its partitions, which follow."""
        details, name = fact.details, quote_identifier(fact.details["name"])
        if details.get("clone") and details["type"] == "f":
            return ()
        only = "ONLY " if self._by_itself(fact, wanted) else ""
        noun = "DOMAIN" if details.get("domain") else f"TABLE {only}".strip()
        found = [f"ALTER {noun} {fact.name} ADD CONSTRAINT {name} {details['sql']}"]
        if details.get("options"):
            found += reloptions("INDEX", self._index(fact, wanted), [], details["options"])
        if details.get("tablespace"):
            place = quote_identifier(details["tablespace"])
            found.append(f"ALTER INDEX {self._index(fact, wanted)} SET TABLESPACE {place}")
        return found + statistics(self._index(fact, wanted), {}, details.get("statistics") or {})

    @staticmethod
    def _index(fact: Fact, wanted: Snapshot) -> str:
        # The index is in the table's schema, and named as the constraint.
        table = quote_identifier(wanted.parent_of(fact).details["name"])
        return fact.name.removesuffix(table) + quote_identifier(fact.details["name"])

    @staticmethod
    def _by_itself(fact: Fact, wanted: Snapshot) -> bool:
        return bool(fact.details.get("partitioned")) and has_partitions(fact.name, wanted)

    def inherent(self, fact: Fact) -> bool:
        """What a parent table's constraint brings along."""
        details = fact.details
        if details["type"] in "pux":
            # Made by itself, and attached.
            return False
        return bool(details.get("inherited")) and not details.get("local")

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP CONSTRAINT."""
        noun = "DOMAIN" if fact.details.get("domain") else "TABLE"
        name = quote_identifier(fact.details["name"])
        return [f"ALTER {noun} {fact.name} DROP CONSTRAINT {name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME CONSTRAINT; a check that is inherited has the name that the parent's has."""
        if old.details.get("inherited") and old.details["type"] == "c":
            return ()
        noun = "DOMAIN" if new.details.get("domain") else "TABLE"
        names = (quote_identifier(one.details["name"]) for one in (old, new))
        return [f"ALTER {noun} {old.name} RENAME CONSTRAINT {' TO '.join(names)}"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """VALIDATE; storage parameters. Anything else: made again."""
        before, after = dict(old.details), dict(new.details)
        if not before["valid"] and after["valid"]:
            before["sql"] = before["sql"].removesuffix(" NOT VALID")
            before["valid"] = True
            if before == after:
                name = quote_identifier(after["name"])
                noun = "DOMAIN" if after.get("domain") else "TABLE"
                return [f"ALTER {noun} {new.name} VALIDATE CONSTRAINT {name}"]
        options = before.pop("options", None) or [], after.pop("options", None) or []
        numbers = before.pop("statistics", None) or {}, after.pop("statistics", None) or {}
        for aside in ("inherited", "local", "clone"):
            # INHERIT, ATTACH and their opposites bring that.
            before.pop(aside, None), after.pop(aside, None)
        if before == after:
            index = self._index(new, wanted)
            return reloptions("INDEX", index, *options) + statistics(index, *numbers)
        return None

    def equal(self, old: Fact, new: Fact) -> bool:
        """The definitions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)


@kind
class Attachment(Kind):
    """That an index belongs to the index of a partitioned table."""

    name, rank = "attachment", 69

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ATTACH PARTITION; nothing happens where it is attached already."""
        return [f"ALTER INDEX {fact.details['parent']} ATTACH PARTITION {fact.name}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """Nothing: there is no DETACH; it goes with the partition."""
        return ()

    def inherent(self, fact: Fact) -> bool:
        """ATTACH PARTITION of the table brings it, but it is made where it is missing."""
        return False
