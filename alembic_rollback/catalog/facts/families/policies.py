"""Row-level security policies, which PostgreSQL prints only in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.families.fragments import Part, arm, at, joined, part, role
from alembic_rollback.catalog.facts.families.naming import USER_SCHEMA
from alembic_rollback.catalog.facts.registry import Statements, kind, reads
from alembic_rollback.sql.canonical import same_definition

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

_KEY, _NAME, _SOURCE = part("pg_policy", "p", "p.polrelid", "p.polname")
_COMMAND = (
    "CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' "
    "WHEN 'd' THEN 'DELETE' ELSE 'ALL' END"
)
# Their order has no meaning.
_ROLES = (
    f"(SELECT string_agg({role('one')}, ', ' ORDER BY pg_get_userbyid(one)) "
    "FROM unnest(p.polroles) AS one)"
)

reads(
    "policies",
    arm(
        "'policy'",
        at(3256, "p.oid"),
        _KEY,
        _NAME,
        f"jsonb_build_object('name', p.polname, 'command', {_COMMAND}, "
        f"'restrictive', nullif(NOT p.polpermissive, false), 'roles', {_ROLES}, "
        "'using', pg_get_expr(p.polqual, p.polrelid), "
        "'check', pg_get_expr(p.polwithcheck, p.polrelid))",
        f"{_SOURCE} WHERE p.oid >= 16384 AND {USER_SCHEMA} /*among p.polrelid*/",
        parent=at(1259, "p.polrelid"),
    ),
)


@kind
class Policy(Part):
    """A policy of a table."""

    name, rank, noun = "policy", 85, "POLICY"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE POLICY."""
        details = fact.details
        create = joined(
            f"CREATE POLICY {fact.name}",
            "AS RESTRICTIVE" if details.get("restrictive") else "",
            f"FOR {details['command']}" if details["command"] != "ALL" else "",
            f"TO {details['roles']}" if details["roles"] != "PUBLIC" else "",
            *_conditions(fact, ("using", "check")),
        )
        return [create]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """ALTER POLICY, which can give another condition, but take none away."""
        before, after = old.details, new.details
        fixed = any(before.get(key) != after.get(key) for key in ("command", "restrictive"))
        if fixed or any(before.get(key) and not after.get(key) for key in ("using", "check")):
            return None
        changed = [key for key in ("using", "check") if before.get(key) != after.get(key)]
        roles = f"TO {after['roles']}" if before["roles"] != after["roles"] else ""
        return [joined(f"ALTER POLICY {new.name}", roles, *_conditions(new, changed))]

    def equal(self, old: Fact, new: Fact) -> bool:
        """The conditions as PostgreSQL would print them again."""
        return same_definition(old.details, new.details)


def _conditions(fact: Fact, keys: tuple[str, ...] | list[str]) -> list[str]:
    words = {"using": "USING", "check": "WITH CHECK"}
    return [f"{words[key]} ({fact.details[key]})" for key in keys if fact.details.get(key)]
