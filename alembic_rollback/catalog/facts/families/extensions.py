"""Extensions, and what goes with one without belonging to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import arm, at, signature, union
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_EXTENSIONS = arm(
    "'extension'",
    at(3079, "e.oid"),
    "quote_ident(e.extname)",
    "quote_ident(e.extname)",
    "jsonb_build_object('name', e.extname, 'version', e.extversion, 'schema', n.nspname)",
    "FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace",
)
_TIED = (
    "(SELECT i.*, CASE d.classid "
    f"WHEN 1255 THEN 'ROUTINE ' || {signature('d.objid')} "
    "WHEN 1259 THEN upper(i.type) || ' ' || CAST(d.objid AS regclass) "
    "ELSE upper(i.type) || ' ' || replace(i.identity, ' on ', ' ON ') END AS target "
    "FROM pg_identify_object(d.classid, d.objid, d.objsubid) AS i)"
)
# Started from the extensions, whose members are found by pg_depend's index.
_TIES = arm(
    "'extension dependency'",
    "CAST(d.classid AS bigint), CAST(d.objid AS bigint), CAST(d.objsubid AS integer)",
    "format('%s %s needs %I', one.type, one.identity, e.extname)",
    "one.target",
    "jsonb_build_object('extension', e.extname)",
    "FROM pg_extension e JOIN pg_depend d ON d.refclassid = 3079 AND d.refobjid = e.oid "
    f"AND d.deptype = 'x' CROSS JOIN LATERAL {_TIED} AS one",
    parent="CAST(d.classid AS bigint), CAST(d.objid AS bigint), CAST(d.objsubid AS integer)",
    aspect="'extension ' || e.extname",
)
reads("extensions", union(_EXTENSIONS, _TIES))


@kind
class Extension(Kind):
    """An extension with all its members."""

    name, rank = "extension", 6

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE EXTENSION, of the version that it was."""
        schema = quote_identifier(fact.details["schema"])
        version = quote_literal(fact.details["version"])
        return [f"CREATE EXTENSION {fact.name} WITH SCHEMA {schema} VERSION {version}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP EXTENSION."""
        return [f"DROP EXTENSION {fact.name}"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """UPDATE TO, SET SCHEMA."""
        found, head = [], f"ALTER EXTENSION {new.name}"
        if old.details["version"] != new.details["version"]:
            found.append(f"{head} UPDATE TO {quote_literal(new.details['version'])}")
        if old.details["schema"] != new.details["schema"]:
            found.append(f"{head} SET SCHEMA {quote_identifier(new.details['schema'])}")
        return found


@kind
class ExtensionDependency(Kind):
    """That an object goes with an extension, although it doesn't belong to it."""

    name, rank = "extension dependency", 97

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """DEPENDS ON EXTENSION."""
        extension = quote_identifier(fact.details["extension"])
        return [f"ALTER {fact.name} DEPENDS ON EXTENSION {extension}"]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """NO DEPENDS ON EXTENSION."""
        extension = quote_identifier(fact.details["extension"])
        return [f"ALTER {fact.name} NO DEPENDS ON EXTENSION {extension}"]
