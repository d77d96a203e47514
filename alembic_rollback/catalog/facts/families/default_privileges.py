"""ALTER DEFAULT PRIVILEGES: what new objects of a role get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import arm, at
from alembic_rollback.catalog.facts.families.privileges import changes, grants
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_NOUN = (
    "CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' "
    "WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' "
    "WHEN 'L' THEN 'LARGE OBJECTS' END"
)
_WHERE = (
    "joined.role || CASE WHEN n.oid IS NULL THEN '' "
    "ELSE ' IN SCHEMA ' || quote_ident(n.nspname) END"
)
# In a schema they add to those that hold everywhere, which replace what PostgreSQL gives.
_USUAL = (
    "CASE WHEN d.defaclnamespace = 0 THEN to_jsonb(CAST(acldefault("
    "CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole) AS text[])) END"
)

reads(
    "default privileges",
    arm(
        "'default privileges'",
        at(826, "d.oid"),
        f"'FOR ROLE ' || {_WHERE} || ' ON ' || {_NOUN}",
        f"'FOR ROLE ' || {_WHERE}",
        "jsonb_build_object('acl', to_jsonb(CAST(d.defaclacl AS text[])), "
        f"'usual', {_USUAL}, 'on', {_NOUN})",
        "FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace "
        "CROSS JOIN LATERAL (SELECT quote_ident(pg_get_userbyid(d.defaclrole))) AS joined (role)",
    ),
)


@kind
class DefaultPrivileges(Kind):
    """What one role's new objects of one kind get, everywhere or in one schema."""

    # Before the objects that get them.
    name, rank = "default privileges", 7

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """ALTER DEFAULT PRIVILEGES … GRANT, REVOKE."""
        return _altered(fact, "usual", fact, "acl")

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """Back to what PostgreSQL gives."""
        return _altered(fact, "acl", fact, "usual")

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """From the old ones."""
        return _altered(old, "acl", new, "acl")

    def equal(self, old: Fact, new: Fact) -> bool:
        """Not in which order they were granted."""
        return grants(old.details["acl"]) == grants(new.details["acl"])


def _altered(old: Fact, before: str, new: Fact, after: str) -> list[str]:
    grants_before, grants_after = grants(old.details.get(before)), grants(new.details.get(after))
    found = changes(grants_before, grants_after, new.details["on"])
    return [f"ALTER DEFAULT PRIVILEGES {new.name} {sql}" for sql in found]
