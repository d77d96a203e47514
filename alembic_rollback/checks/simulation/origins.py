"""Which objects of the database a revision's up has made, and which it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog import objects
from alembic_rollback.checks.simulation.inheriting import definition
from alembic_rollback.sql.build import enum_name, kind_of, strings
from alembic_rollback.sql.effects import named_relations, relation_name, sets_search_path

if TYPE_CHECKING:
    from alembic_rollback.catalog.dependencies import Address
    from alembic_rollback.checks.simulation.names import Names
    from alembic_rollback.sql.script import Script

_PARTS = {
    "CreatePolicyStmt": ("policy", "policy_name", "table"),
    "CreateTrigStmt": ("trigger", "trigname", "relation"),
    "RuleStmt": ("rule", "rulename", "relation"),
}


def made_by(names: Names, script: Script) -> frozenset[Address]:
    """What the script creates, as far as it is there now. What it then renames is not followed."""
    found: set[Address] = set()
    with names.script(script):
        for statement in script.statements:
            if sets_search_path(statement):
                names.set_path(statement)
            rule = _RULES.get(statement.kind)
            if rule:
                found.update(address for address in rule(names, statement.node) if address)
    return frozenset(found)


def used_by(names: Names, script: Script) -> frozenset[Address]:
    """The relations that the script names, made by it or not, as far as they are there now."""
    used: set[Address] = set()
    with names.script(script):
        for statement in script.statements:
            if sets_search_path(statement):
                names.set_path(statement)
            every = (names.find("relation", name) for name in named_relations(statement))
            used.update(found.address for found in every if found)
    return frozenset(used)


def _relation(read: Callable[[Any], Any]) -> Callable[[Names, Any], Iterator[Address | None]]:
    def rule(names: Names, node: Any) -> Iterator[Address | None]:
        found = names.find("relation", relation_name(read(node)))
        yield found.address if found else None

    return rule


def _named(space: str, read: Callable[[Any], tuple[str, ...]]) -> Any:
    def rule(names: Names, node: Any) -> Iterator[Address | None]:
        found = names.find(space, read(node))
        yield found.address if found else None

    return rule


def _table(names: Names, node: Any) -> Iterator[Address | None]:
    table = names.find("relation", relation_name(node.relation))
    yield table.address if table else None


def _index(names: Names, node: Any) -> Iterator[Address | None]:
    table = names.find("relation", relation_name(node.relation))
    if table and node.idxname:
        found = names.find("relation", (table.schema, node.idxname))
        yield found.address if found else None


def _part(names: Names, node: Any) -> Iterator[Address | None]:
    space, name, relation = _PARTS[kind_of(node)]
    table = names.find("relation", relation_name(getattr(node, relation)))
    if table:
        yield names.part(space, table.address, getattr(node, name))


def _altered(names: Names, node: Any) -> Iterator[Address | None]:
    table = names.find("relation", relation_name(node.relation))
    if table is None:
        return
    for item in node.cmds:
        command = item.alter_table_cmd
        kind, what = enum_name(command, "subtype"), definition(command)
        if kind == "AT_AddColumn":
            yield names.column(table.address, what.colname)
            for constraint in what.constraints:
                yield from _constraint(names, table.address, constraint.constraint)
        elif kind == "AT_AddConstraint":
            yield from _constraint(names, table.address, what)


def _constraint(names: Names, table: Address, node: Any) -> Iterator[Address | None]:
    if node.conname:
        yield names.part("constraint", table, node.conname)
    elif enum_name(node, "contype") == "CONSTR_FOREIGN":
        target = names.find("relation", relation_name(node.pktable))
        if target:
            # PostgreSQL chose the name: any foreign key between the two will be meant.
            yield from objects.foreign_keys(names.connection, table, target.address)


def _routine(names: Names, node: Any) -> Iterator[Address | None]:
    for found in names.all("routine", strings(node.funcname)):
        yield found.address


_RULES: dict[str, Any] = {
    "AlterTableStmt": _altered,
    "CompositeTypeStmt": _named("type", lambda node: relation_name(node.typevar)),
    "CreateDomainStmt": _named("type", lambda node: strings(node.domainname)),
    "CreateEnumStmt": _named("type", lambda node: strings(node.type_name)),
    "CreateExtensionStmt": _named("extension", lambda node: (node.extname,)),
    "CreateFunctionStmt": _routine,
    "CreatePolicyStmt": _part,
    "CreatePublicationStmt": _named("publication", lambda node: (node.pubname,)),
    "CreateRangeStmt": _named("type", lambda node: strings(node.type_name)),
    "CreateSchemaStmt": _named("schema", lambda node: (node.schemaname,)),
    "CreateSeqStmt": _relation(lambda node: node.sequence),
    "CreateStatsStmt": _named("statistics", lambda node: strings(node.defnames)),
    "CreateStmt": _table,
    "CreateTableAsStmt": _relation(lambda node: node.into.rel),
    "CreateTrigStmt": _part,
    "IndexStmt": _index,
    "RuleStmt": _part,
    "ViewStmt": _relation(lambda node: node.view),
}
