"""What many families share: the arms of their queries, and kinds that go by one noun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from alembic_rollback.catalog.facts.registry import Kind, Statements
from alembic_rollback.sql.names import quote_identifier, quote_literal, quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Snapshot

NOBODY = "CAST(NULL AS bigint), CAST(NULL AS bigint), 0"
"""SQL: the columns of a fact without a parent."""


def at(classid: int, oid: str, number: str = "0") -> str:
    """SQL for an address as pg_depend has it. The types are the same in every arm of a UNION."""
    return f"CAST({classid} AS bigint), CAST({oid} AS bigint), CAST({number} AS integer)"


def arm(
    kind: str,
    where: str,
    key: str,
    name: str,
    details: str,
    source: str,
    *,
    parent: str = NOBODY,
    aspect: str = "''",
) -> str:
    """One SELECT of facts. All but `source`, which starts with FROM, are SQL expressions."""
    return f"SELECT {where}, {aspect}, {kind}, {key}, {name}, {parent}, {details} {source}"


def union(*arms: str) -> str:
    """Several arms as one query: one way to the server and back."""
    return " UNION ALL ".join(arms)


def visible(function: str, oid: str, name: str) -> str:
    """SQL for the name of an object in schema `n`, for catalogs whose oids don't print as names."""
    return (
        f"CASE WHEN {function}({oid}) THEN quote_ident({name}) "
        f"ELSE format('%I.%I', n.nspname, {name}) END"
    )


def routine(oid: str) -> str:
    """SQL for a function's name without its arguments; NULL where there is none."""
    return f"CAST(CAST(nullif({oid}, 0) AS regproc) AS text)"


def signature(oid: str) -> str:
    """SQL for a function's name with its arguments; NULL where there is none."""
    return f"CAST(CAST(nullif({oid}, 0) AS regprocedure) AS text)"


def operator(oid: str) -> str:
    """SQL for an operator as OPERATOR(app.=), without its types; NULL where there is none."""
    return (
        "(SELECT format('OPERATOR(%I.%s)', other_n.nspname, other.oprname) FROM pg_operator other "
        f"JOIN pg_namespace other_n ON other_n.oid = other.oprnamespace WHERE other.oid = {oid})"
    )


def role(oid: str) -> str:
    """SQL for a role as statements name it."""
    return f"CASE {oid} WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid({oid})) END"


def settings(options: str) -> str:
    """SQL for options (`{name=value}`) as pairs in their order; NULL without any."""
    return (
        "(SELECT jsonb_agg(jsonb_build_array(option_name, option_value)) "
        f"FROM pg_options_to_table({options}))"
    )


def no_member(classid: int, oid: str, types: str = "'e'") -> str:
    """SQL: it doesn't belong to an extension. Only worth it where the rest of a row is dear."""
    # OFFSET 0: found by its index, row by row. The catalogs have no statistics in a new database.
    return (
        f"NOT EXISTS (SELECT FROM pg_depend member WHERE member.classid = {classid} "
        f"AND member.objid = {oid} AND member.deptype IN ({types}) OFFSET 0)"
    )


def joined(*parts: str | None) -> str:
    """The parts of a statement that aren't empty."""
    return " ".join(part for part in parts if part)


def moved(noun: str, old: Fact, new: Fact, suffix: str = "") -> list[str]:
    """RENAME TO and SET SCHEMA. suffix: what follows the name of such an object: `(integer)`."""
    before, after = old.details, new.details
    shown, statements = old.name, []
    if before["name"] != after["name"]:
        name = quote_identifier(after["name"])
        statements.append(f"ALTER {noun} {shown} RENAME TO {name}")
        shown = name if "schema" not in before else quote_name((before["schema"], after["name"]))
        shown += suffix
    if before.get("schema") != after.get("schema"):
        schema = quote_identifier(after["schema"])
        statements.append(f"ALTER {noun} {shown} SET SCHEMA {schema}")
    return statements


def differ(old: Fact, new: Fact, but: Sequence[str] = ()) -> bool:
    """Whether two facts differ in anything but these details, their names and schemas aside."""
    aside = {"name", "schema", *but}
    keys = (old.details.keys() | new.details.keys()) - aside
    return any(old.details.get(key) != new.details.get(key) for key in keys)


Options: TypeAlias = Sequence[tuple[str, str]]
"""Names and values."""


def option_list(options: Options | None) -> str:
    """OPTIONS (…) of a new foreign object; empty without any."""
    listed = ", ".join(f"{quote_identifier(k)} {quote_literal(v)}" for k, v in options or ())
    return f"OPTIONS ({listed})" if listed else ""


def option_changes(old: Options | None, new: Options | None) -> str:
    """OPTIONS (…) that lead from the old ones to the new; empty where they are the same."""
    before, after = dict(old or ()), dict(new or ())
    kept = [name for name in before if name in after]
    if kept != list(after)[: len(kept)]:
        # Only what is added anew comes in another order.
        kept = []
    parts = [f"DROP {quote_identifier(name)}" for name in before if name not in kept]
    for name, value in after.items():
        if name not in kept or before[name] != value:
            verb = "SET" if name in kept else "ADD"
            parts.append(f"{verb} {quote_identifier(name)} {quote_literal(value)}")
    return f"OPTIONS ({', '.join(parts)})" if parts else ""


class Named(Kind):
    """An object that DROP and ALTER … RENAME TO find by a noun and its name."""

    noun: str
    """As DROP and ALTER call it."""

    def suffix(self, fact: Fact) -> str:
        """What follows the name in SQL: an operator class's ` USING btree`."""
        return ""

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP."""
        return [f"DROP {self.noun} {fact.name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME TO, SET SCHEMA."""
        return moved(self.noun, old, new, self.suffix(old))


class Part(Kind):
    """Something of a table, which goes by `name ON table`."""

    noun: str
    """As DROP and ALTER call it."""

    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """DROP … ON."""
        return [f"DROP {self.noun} {fact.name}"]

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """RENAME TO."""
        name = quote_identifier(new.details["name"])
        return [f"ALTER {self.noun} {old.name} RENAME TO {name}"]


def part(catalog: str, alias: str, relation: str, name: str) -> tuple[str, str, str]:
    """SQL for the key and the name of something of a table, and for where that is read from."""
    key = f"format('%I on %I.%I', {name}, n.nspname, c.relname)"
    shown = f"format('%I ON %s', {name}, CAST({relation} AS regclass))"
    source = (
        f"FROM {catalog} {alias} JOIN pg_class c ON c.oid = {relation} "
        "JOIN pg_namespace n ON n.oid = c.relnamespace"
    )
    return key, shown, source
