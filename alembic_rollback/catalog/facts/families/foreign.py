"""Foreign data wrappers, servers, user mappings. Their options may hold passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.families.fragments import (
    Named,
    arm,
    at,
    differ,
    joined,
    option_changes,
    option_list,
    settings,
    union,
)
from alembic_rollback.catalog.facts.registry import Kind, Statements, kind, reads
from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot


def _function(oid: str) -> str:
    """The name alone, which is all that HANDLER and VALIDATOR take."""
    return f"CAST(CAST(nullif({oid}, 0) AS regproc) AS text)"


_WRAPPERS = arm(
    "'foreign data wrapper'",
    at(2328, "w.oid"),
    "quote_ident(w.fdwname)",
    "quote_ident(w.fdwname)",
    f"jsonb_build_object('name', w.fdwname, 'handler', {_function('w.fdwhandler')}, "
    f"'validator', {_function('w.fdwvalidator')}, 'options', {settings('w.fdwoptions')})",
    "FROM pg_foreign_data_wrapper w",
)
_SERVERS = arm(
    "'server'",
    at(1417, "s.oid"),
    "quote_ident(s.srvname)",
    "quote_ident(s.srvname)",
    "jsonb_build_object('name', s.srvname, 'type', s.srvtype, 'version', s.srvversion, "
    f"'wrapper', w.fdwname, 'options', {settings('s.srvoptions')})",
    "FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw",
)
_USER = "CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END"
# The view shows the options to whom they are for. A server doesn't go while it has a mapping, so
# that this is no part of it.
_MAPPINGS = arm(
    "'user mapping'",
    at(1418, "u.umid"),
    f"format('%s on %I', {_USER}, u.srvname)",
    f"format('FOR %s SERVER %I', {_USER}, u.srvname)",
    f"jsonb_build_object('options', {settings('u.umoptions')})",
    "FROM pg_user_mappings u",
)
reads("foreign objects", union(_WRAPPERS, _SERVERS, _MAPPINGS))


@kind
class Wrapper(Named):
    """A foreign data wrapper."""

    name, rank, noun = "foreign data wrapper", 35, "FOREIGN DATA WRAPPER"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE FOREIGN DATA WRAPPER."""
        parts = _functions({}, fact.details)
        options = option_list(fact.details.get("options"))
        return [joined(f"CREATE FOREIGN DATA WRAPPER {fact.name}", *parts, options)]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Its functions and options."""
        parts = _functions(old.details, new.details)
        options = option_changes(old.details.get("options"), new.details.get("options"))
        return [joined(f"ALTER FOREIGN DATA WRAPPER {new.name}", *parts, options)]


def _functions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{key.upper()} {new.get(key)}" if new.get(key) else f"NO {key.upper()}"
        for key in ("handler", "validator")
        if old.get(key) != new.get(key)
    ]


@kind
class Server(Named):
    """A foreign server."""

    name, rank, noun = "server", 36, "SERVER"

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE SERVER."""
        details = fact.details
        create = joined(
            f"CREATE SERVER {fact.name}",
            f"TYPE {quote_literal(details['type'])}" if "type" in details else "",
            f"VERSION {quote_literal(details['version'])}" if "version" in details else "",
            f"FOREIGN DATA WRAPPER {quote_identifier(details['wrapper'])}",
            option_list(details.get("options")),
        )
        return [create]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Its version and options."""
        if differ(old, new, ["version", "options"]):
            return None
        before, after = old.details, new.details
        version = ""
        if before.get("version") != after.get("version"):
            version = f"VERSION {quote_literal(after.get('version'))}"
        options = option_changes(before.get("options"), after.get("options"))
        return [joined(f"ALTER SERVER {new.name}", version, options)]


@kind
class UserMapping(Kind):
    """As whom a role works on a foreign server."""

    name, rank = "user mapping", 37

    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """CREATE USER MAPPING."""
        options = option_list(fact.details.get("options"))
        return [joined(f"CREATE USER MAPPING {fact.name}", options)]

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP USER MAPPING."""
        return [f"DROP USER MAPPING {fact.name}"]

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """Its options."""
        options = option_changes(old.details.get("options"), new.details.get("options"))
        return [f"ALTER USER MAPPING {new.name} {options}"]
