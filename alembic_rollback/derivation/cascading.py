"""What foreign keys do to other tables when rows are deleted, in an order to put it back in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from alembic_rollback.catalog.references import (
    Reference,
    acting_references,
    has_heirs,
    references_among,
)
from alembic_rollback.catalog.tables import Table, tables_by_oid

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Cascade:
    """Another table of which rows are deleted or changed."""

    table: Table
    references: tuple[Reference, ...]
    """The foreign keys by which that happens."""

    @property
    def sets(self) -> tuple[str, ...]:
        """The columns that are set to NULL; none where whole rows go."""
        return tuple(column for one in self.references if one.action == "n" for column in one.set)


@dataclass(frozen=True)
class Cascades:
    """Every table that a DELETE reaches, the referenced ones first."""

    reached: tuple[Cascade, ...] = ()
    problem: str = ""
    """Why it cannot be followed."""


def cascades(connection: Connection, table: Table) -> Cascades:
    """Follow the foreign keys that act when rows of a table are deleted."""
    found: dict[int, list[Reference]] = {}
    waiting, seen = [table.oid], {table.oid}
    while waiting:
        for one in acting_references(connection, waiting.pop()):
            found.setdefault(one.table, []).append(one)
            if one.action == "c" and one.table not in seen:
                seen.add(one.table)
                waiting.append(one.table)
    problem = _problem(connection, found)
    if problem:
        return Cascades(problem=problem)
    try:
        order = TopologicalSorter(
            {oid: {one.referenced for one in references} for oid, references in found.items()}
        ).static_order()
        reached = [oid for oid in order if oid in found]
    except CycleError:
        return Cascades(problem="its foreign keys ON DELETE CASCADE go round in a circle")
    tables = tables_by_oid(connection, reached)
    return Cascades(tuple(Cascade(tables[oid], tuple(found[oid])) for oid in reached))


def _problem(connection: Connection, found: dict[int, list[Reference]]) -> str:
    for oid, references in found.items():
        names = ", ".join(one.name for one in references)
        actions = {one.action for one in references}
        if any(one.inherited for one in references):
            return f"foreign key {names} is a partition's share of another"
        if "d" in actions:
            return f"foreign key {names} sets other rows to their default"
        if len(actions) > 1:
            return f"foreign keys {names} delete rows and set others to NULL"
        if has_heirs(connection, oid):
            return f"foreign key {names} deletes rows of a table that others inherit from"
    return ""


def parents_first(connection: Connection, oids: Collection[int]) -> list[int] | None:
    """Tables in an order in which rows can be put in; None where there is none."""
    needed: dict[int, set[int]] = {oid: set() for oid in oids}
    for table, referenced in references_among(connection, oids):
        needed[table].add(referenced)
    try:
        return list(TopologicalSorter(needed).static_order())
    except CycleError:
        return None
