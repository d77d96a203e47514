"""Publications, and the tables and schemas that they publish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.fragments import Named, arm, at, differ, joined, union
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

# Generated columns are published since PostgreSQL 18 only.
_PUBLICATIONS = arm(
    "'publication'",
    at(6104, "p.oid"),
    "quote_ident(p.pubname)",
    "quote_ident(p.pubname)",
    "jsonb_build_object('name', p.pubname, 'all tables', nullif(p.puballtables, false), "
    "'publish', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, "
    "CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, "
    "CASE WHEN p.pubtruncate THEN 'truncate' END), 'via root', nullif(p.pubviaroot, false), "
    "'generated', nullif(to_jsonb(p) ->> 'pubgencols', 'n'))",
    "FROM pg_publication p",
)


def _tables(columns: str, condition: str) -> str:
    return arm(
        "'publication table'",
        at(6106, "r.oid"),
        "format('%I.%I in %I', n.nspname, c.relname, p.pubname)",
        "CAST(CAST(r.prrelid AS regclass) AS text)",
        f"jsonb_build_object('publication', p.pubname, 'columns', {columns}, "
        f"'filter', {condition})",
        "FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid "
        "JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace",
        parent=at(6104, "r.prpubid"),
    )


_COLUMNS = (
    "(SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a "
    "WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))"
)
_SCHEMAS = arm(
    "'publication schema'",
    at(6237, "r.oid"),
    "format('%I in %I', n.nspname, p.pubname)",
    "quote_ident(n.nspname)",
    "jsonb_build_object('publication', p.pubname)",
    "FROM pg_publication_namespace r JOIN pg_publication p ON p.oid = r.pnpubid "
    "JOIN pg_namespace n ON n.oid = r.pnnspid",
    parent=at(6104, "r.pnpubid"),
)
reads("publications before 15", union(_PUBLICATIONS, _tables("NULL", "NULL")), before=15)
reads(
    "publications",
    union(_PUBLICATIONS, _tables(_COLUMNS, "pg_get_expr(r.prqual, r.prrelid)"), _SCHEMAS),
    since=15,
)
_GENERATED = {"s": "stored"}


@kind
class Publication(Named):
    """A publication, without what it publishes unless that is everything."""

    name, rank, noun = "publication", 90, "PUBLICATION"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE PUBLICATION."""
        everything = "FOR ALL TABLES" if fact.details.get("all tables") else ""
        options = f"WITH ({', '.join(self._options({'publish': _USUAL}, fact.details))})"
        return [
            joined(
                f"CREATE PUBLICATION {fact.name}",
                everything,
                options if options != "WITH ()" else "",
            )
        ]

    @staticmethod
    def _options(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        found = []
        if old.get("publish") != new.get("publish"):
            found.append(f"publish = {quote_literal(new.get('publish'))}")
        if old.get("via root") != new.get("via root"):
            flag = "true" if new.get("via root") else "false"
            found.append(f"publish_via_partition_root = {flag}")
        if old.get("generated") != new.get("generated"):
            generated = _GENERATED.get(str(new.get("generated")), "none")
            found.append(f"publish_generated_columns = {generated}")
        return found

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """SET (…); whether it is for all tables stays."""
        if differ(old, new, ["publish", "via root", "generated"]):
            return None
        options = ", ".join(self._options(old.details, new.details))
        return [f"ALTER PUBLICATION {new.name} SET ({options})"]


_USUAL = "insert, update, delete, truncate"


def _altered(fact: Fact, what: str) -> str:
    return f"ALTER PUBLICATION {quote_identifier(fact.details['publication'])} {what}"


@kind
class PublicationTable(Kind):
    """That a publication has a table, which of its columns, and which rows."""

    name, rank = "publication table", 91

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ADD TABLE."""
        columns = ", ".join(map(quote_identifier, fact.details.get("columns") or ()))
        condition = fact.details.get("filter")
        added = joined(
            f"ADD TABLE ONLY {fact.name}",
            f"({columns})" if columns else "",
            f"WHERE ({condition})" if condition else "",
        )
        return [_altered(fact, added)]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP TABLE."""
        return [_altered(fact, f"DROP TABLE ONLY {fact.name}")]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Taken out and put in again: SET TABLE would be of all tables."""
        return [*self.drop(new, wanted), *self.create(new, wanted)]

    def equal(self, old: Fact, new: Fact) -> bool:
        """The conditions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)


@kind
class PublicationSchema(Kind):
    """That a publication has all tables of a schema."""

    name, rank = "publication schema", 91

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ADD TABLES IN SCHEMA."""
        return [_altered(fact, f"ADD TABLES IN SCHEMA {fact.name}")]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP TABLES IN SCHEMA."""
        return [_altered(fact, f"DROP TABLES IN SCHEMA {fact.name}")]
