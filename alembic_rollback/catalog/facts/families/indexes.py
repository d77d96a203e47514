"""Indexes that no constraint has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.constraints import has_partitions, statistics
from alembic_rollback.catalog.facts.families.naming import reloptions, renamed, shortened
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition, same_index
from alembic_rollback.sql.names import quote_identifier

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

reads(
    "indexes",
    """
    SELECT 1259, CAST(i.oid AS bigint), 0, '', 'index', format('%I.%I', n.nspname, i.relname),
        CAST(CAST(i.oid AS regclass) AS text),
        CAST(1259 AS bigint), CAST(x.indrelid AS bigint), 0,
        jsonb_build_object('name', i.relname, 'schema', n.nspname,
            'sql', pg_get_indexdef(i.oid), 'table', CAST(CAST(x.indrelid AS regclass) AS text),
            'invalid', nullif(i.relkind = 'i' AND NOT x.indisvalid, false),
            'partitioned', nullif(i.relkind = 'I', false),
            'attached', nullif(i.relispartition, false),
            'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(i.reloptions) AS o),
            'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = i.reltablespace),
            'statistics', (SELECT jsonb_object_agg(a.attnum, a.attstattarget)
                FROM pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0))
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_namespace n ON n.oid = i.relnamespace
    WHERE x.indrelid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        /*among x.indrelid*/
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 1259 AND d.objid = i.oid
            AND CAST(d.refclassid AS bigint) = 2606 AND d.deptype = 'i' OFFSET 0)
    ORDER BY 2
    """,
)


@kind
class Index(Kind):
    """An index."""

    name, rank = "index", 62

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE INDEX; of a partitioned table without those of its partitions, which follow."""
        details, table = fact.details, fact.details["table"]
        sql = shortened(details["sql"], wanted.parent_of(fact))
        for on in (f" ON {table} ", f" ON ONLY {table} "):
            sql = sql.replace(f"{on}USING btree ", on, 1)  # what it is anyway
        if details.get("partitioned") and not has_partitions(table, wanted):
            sql = sql.replace(f" ON ONLY {table} ", f" ON {table} ", 1)
        found = [sql]
        if details.get("tablespace"):
            place = quote_identifier(details["tablespace"])
            found.append(f"ALTER INDEX {fact.name} SET TABLESPACE {place}")
        return found + statistics(fact.name, {}, details.get("statistics") or {})

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP INDEX; one that is attached goes with its parent."""
        return [f"DROP INDEX {fact.name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME TO; an index follows its table to another schema."""
        if old.details["schema"] != new.details["schema"]:
            return ()
        return renamed("INDEX", old, new)

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Storage parameters and statistics; another definition is made again."""
        # What is attached is said by a fact of its own.
        aside = ("options", "statistics", "sql", "attached")
        rest = [{k: v for k, v in one.details.items() if k not in aside} for one in (old, new)]
        before, after = old.details.get("options") or [], new.details.get("options") or []
        same_text = old.details["sql"] == new.details["sql"] or before != after
        if (
            rest[0] != rest[1]
            or not same_text
            or not same_index(old.details["sql"], new.details["sql"])
        ):
            return None
        found = reloptions("INDEX", new.name, before, after)
        numbers = [one.details.get("statistics") or {} for one in (old, new)]
        return found + statistics(new.name, *numbers)

    def equal(self, old: Fact, new: Fact) -> bool:
        """The definitions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)
