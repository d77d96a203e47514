"""What several families share: which schemas count, renaming, storage parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_rollback.sql.names import quote_identifier, quote_literal

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact

USER_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
"""SQL: the schema `n` is neither PostgreSQL's own nor of temporary or TOAST tables."""


def renamed(noun: str, old: Fact, new: Fact) -> list[str]:
    """RENAME TO and SET SCHEMA for an object that lives in a schema."""
    schema, name = new.details["schema"], new.details["name"]
    statements, shown = [], old.name
    if old.details["name"] != name:
        statements.append(f"ALTER {noun} {shown} RENAME TO {quote_identifier(name)}")
        qualified = shown != quote_identifier(old.details["name"])
        home = quote_identifier(old.details["schema"]) + "." if qualified else ""
        shown = home + quote_identifier(name)
    if old.details["schema"] != schema:
        statements.append(f"ALTER {noun} {shown} SET SCHEMA {quote_identifier(schema)}")
    return statements


def reloptions(
    noun: str, shown: str, old: list[str], new: list[str], prefix: str = ""
) -> list[str]:
    """SET and RESET that lead from one list of storage parameters (`name=value`) to another."""
    before = dict(item.split("=", 1) for item in old)
    after = dict(item.split("=", 1) for item in new)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    gone = [prefix + name for name in before if name not in after]
    statements = []
    if changed:
        listed = ", ".join(f"{prefix}{name}={option(value)}" for name, value in changed.items())
        statements.append(f"ALTER {noun} {shown} SET ({listed})")
    if gone:
        statements.append(f"ALTER {noun} {shown} RESET ({', '.join(gone)})")
    return statements


def option(value: str) -> str:
    """The value of a storage parameter as SQL."""
    plain = value.replace(".", "", 1).replace("-", "", 1)
    return value if plain.isalnum() and plain.isascii() else quote_literal(value)


def shortened(sql: str, relation: Fact) -> str:
    """A definition that names the relation after ON with its schema, with it only where needed."""
    for only in ("", "ONLY "):
        sql = sql.replace(f" ON {only}{relation.key} ", f" ON {only}{relation.name} ", 1)
    return sql
