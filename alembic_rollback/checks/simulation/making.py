"""CREATE: what is there afterwards, so that later statements find it and what it hangs on."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.dependencies import PG_CLASS, PG_REWRITE, Address
from alembic_rollback.checks.simulation.altering import (
    define_column,
    used_by_expression,
)
from alembic_rollback.checks.simulation.constraining import add_constraint
from alembic_rollback.checks.simulation.dropping import missing, parameters_signature
from alembic_rollback.checks.simulation.inheriting import descendants
from alembic_rollback.checks.simulation.moving import constrain_domain
from alembic_rollback.checks.simulation.registry import RULES, follows
from alembic_rollback.checks.simulation.world import Change, Failure, World
from alembic_rollback.sql.build import enum_name, inner, kind_of, nodes, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.catalog.objects import Found

_PARTS = {
    "CreatePolicyStmt": ("policy", "policy_name", "table"),
    "CreateTrigStmt": ("trigger", "trigname", "relation"),
    "RuleStmt": ("rule", "rulename", "relation"),
}
_SYSTEM = ("cmax", "cmin", "ctid", "tableoid", "xmax", "xmin")
_MAKES = {"CreateSeqStmt": "sequence", "CreateStmt": "relation", "ViewStmt": "view"}
"""Where a statement that may be inside CREATE SCHEMA keeps the name of what it makes."""


@follows("CreateStmt")
def create_table(world: World, node: Any, change: Change) -> None:
    """CREATE TABLE, with its columns, constraints and parents."""
    kind = "p" if node.HasField("partspec") else "r"
    table = _new_relation(world, relation_name(node.relation), kind, node.if_not_exists, change)
    if table is None:
        return
    for item in node.inh_relations:
        parent = world.relation(relation_name(item.range_var))
        if parent is None:
            missing(world, change, relation_name(item.range_var))
        else:
            partition = node.HasField("partbound")
            world.needs(table.address, parent.address, "a" if partition else "n")
            for name in world.names.columns(parent.address):
                world.make_column(table, name)
                world.inherit(table.address, "columns", name, local=False)
            world.children(parent.address).append((table.address, partition))
    for item in node.table_elts:
        element = inner(item)
        if kind_of(element) == "ColumnDef":
            define_column(world, table, element, change)
        elif kind_of(element) == "Constraint":
            add_constraint(world, table, element, change)
        else:
            world.vague.add(table.address)  # LIKE
    if node.HasField("of_typename"):
        world.vague.add(table.address)


@follows("CreateTableAsStmt")
def create_table_as(world: World, node: Any, change: Change) -> None:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    view = enum_name(node, "objtype") == "OBJECT_MATVIEW"
    name = relation_name(node.into.rel)
    reads = _what_is_read(world, node.query, change)
    made = _new_relation(world, name, "m" if view else "r", node.if_not_exists, change)
    if made:
        world.vague.add(made.address)
    if made and view:
        _need_what_is_read(world, made.address, node.query, reads)


@follows("ViewStmt")
def create_view(world: World, node: Any, change: Change) -> None:
    """CREATE VIEW; with OR REPLACE an existing one reads something else from then on."""
    name = relation_name(node.view)
    existing = world.relation(name)
    reads = _what_is_read(world, node.query, change)
    if existing is None or not node.replace:
        made = _new_relation(world, name, "v", False, change)
        if made:
            world.vague.add(made.address)
            _need_what_is_read(world, made.address, node.query, reads)
        return
    world.graph.read(world.connection, [existing.address])
    rules = [e.dependent for e in world.graph.users(existing.address) if e.kind == "i"]
    for rule in rules:
        if rule.classid == PG_REWRITE:
            for edge in world.graph.uses(rule):
                if edge.referenced.whole != existing.address:
                    world.graph.drop(edge)
    _need_what_is_read(world, existing.address, node.query, reads)
    change.changed.append(existing.address)


@follows("IndexStmt")
def create_index(world: World, node: Any, change: Change) -> None:
    """An index hangs on the columns that it names."""
    table = world.relation(relation_name(node.relation))
    if table is None:
        missing(world, change, relation_name(node.relation))
        return
    name = (table.schema, node.idxname or _index_name(world, table, node))
    lacking = [one for one in _column_names(node) if not _has_column(world, table, one)]
    if lacking and not world.uncertain:
        shown = quote_name((table.name, lacking[0]))
        change.failures.append(Failure(f"there is no column {shown}"))
        return
    kind = "I" if table.detail == "p" else "i"
    index = _new_relation(world, name, kind, node.if_not_exists, change)
    if index is None:
        return
    world.needs(index.address, table.address, "a")
    _attach_partitions(world, table, index, node, change)
    for name_ in _column_names(node):
        world.needs(index.address, world.names.column(table.address, name_), "a")


def _attach_partitions(world: World, table: Found, index: Found, node: Any, change: Change) -> None:
    """A partition's index that is like the new one becomes a part of it."""
    names = [item.index_elem.name for item in node.index_params]
    if not node.relation.inh or not all(names) or node.HasField("where_clause"):
        return
    for child in dict.fromkeys(descendants(world, table.address)):
        columns = [world.names.column(child, name) for name in names]
        numbers = [column.objsubid for column in columns if column]
        equal = objects.equal_indexes(world.connection, child, numbers, unique=node.unique)
        for one in equal:
            world.graph.read(world.connection, [one])
            taken = any(edge.kind in "PS" for edge in world.graph.uses(one))
            if one not in world.names.gone and not taken:
                world.needs(one, index.address, "P")
                world.needs(one, child, "S")
                change.along[one] = table.address
                break


def _has_column(world: World, relation: Found, name: str) -> bool:
    """Whether a column is there, as far as that is known."""
    known = world.names.columns(relation.address)
    return name in known or name in (*_SYSTEM, relation.name) or relation.address in world.vague


def _index_name(world: World, table: Found, node: Any) -> str:
    """The name that PostgreSQL chooses."""
    from alembic_rollback.sql.naming import choose, index_addition, index_columns

    elements = [item.index_elem for item in (*node.index_params, *node.index_including_params)]
    addition, taken = index_addition(index_columns(elements)), set[str]()
    while True:
        name = choose(table.name, addition, "idx", taken)
        if world.relation((table.schema, name)) is None:
            return name
        taken.add(name)


@follows("CreateSeqStmt")
def create_sequence(world: World, node: Any, change: Change) -> None:
    """A sequence, perhaps owned by a column."""
    name = relation_name(node.sequence)
    made = _new_relation(world, name, "S", node.if_not_exists, change)
    if made:
        own(world, made, node.options)


@follows("AlterSeqStmt")
def alter_sequence(world: World, node: Any, change: Change) -> None:
    """ALTER SEQUENCE, OWNED BY above all."""
    found = world.relation(relation_name(node.sequence))
    if found:
        change.changed.append(found.address)
        own(world, found, node.options)


def own(world: World, sequence: Found, options: Any) -> None:
    """OWNED BY among a sequence's options."""
    for option in (item.def_elem for item in options):
        if option.defname != "owned_by":
            continue
        world.graph.read(world.connection, [sequence.address])
        for edge in world.graph.uses(sequence.address):
            if edge.kind == "a" and edge.referenced.classid == PG_CLASS:
                world.graph.drop(edge)
        name = strings(option.arg.list.items)
        table = world.relation(name[:-1]) if len(name) > 1 else None
        if table:
            world.needs(sequence.address, world.names.column(table.address, name[-1]), "a")


@follows("CreateSchemaStmt")
def create_schema(world: World, node: Any, change: Change) -> None:
    """A schema."""
    name = node.schemaname or node.authrole.rolename
    if not name:
        return
    if world.names.find("schema", (name,)) is None:
        world.make("schema", (name,))
        for item in node.schema_elts:
            _make_inside(world, name, inner(item), change)
    elif not node.if_not_exists:
        _exists(world, change, "schema", (name,))


def _make_inside(world: World, schema: str, node: Any, change: Change) -> None:
    """An element of CREATE SCHEMA is made, and looked for, in the schema first."""
    copy = deepcopy(node)
    for each in nodes(copy):
        if kind_of(each) == "RangeVar" and not each.schemaname:
            inside = world.relation((schema, each.relname))
            if inside or each in (_made_relation(copy),):
                each.schemaname = schema
    rule = RULES.get(kind_of(copy))
    if rule:
        rule(world, copy, change)


def _made_relation(node: Any) -> Any:
    return getattr(node, _MAKES.get(kind_of(node), ""), None)


@follows("CreateExtensionStmt")
def create_extension(world: World, node: Any, change: Change) -> None:
    """An extension; what it brings is not known by name."""
    if world.names.find("extension", (node.extname,)) is None:
        world.uncertain = True
        world.make("extension", (node.extname,))


@follows("CreateEnumStmt", "CreateRangeStmt", "CreateDomainStmt", "CompositeTypeStmt")
def create_type(world: World, node: Any, change: Change) -> None:
    """A type of any of the four kinds."""
    if kind_of(node) == "CompositeTypeStmt":
        name, detail = relation_name(node.typevar), "c"
    elif kind_of(node) == "CreateDomainStmt":
        name, detail = strings(node.domainname), "d"
    else:
        name, detail = strings(node.type_name), "e"
    if not has_schema(world, name, change):
        return
    place = (world.names.schema_for(name), name[-1])
    if world.names.find("type", place):
        _exists(world, change, "type", name)
        return
    made = world.make("type", place, detail)
    if detail == "d":
        for item in node.constraints:
            constrain_domain(world, made, item.constraint)
    if detail == "c":
        relation = world.make("relation", place, "c")
        world.needs(relation.address, made.address, "i")
        for item in node.coldeflist:
            define_column(world, relation, item.column_def, change)


@follows("CreateFunctionStmt")
def create_function(world: World, node: Any, change: Change) -> None:
    """A function or procedure; with OR REPLACE it may exist."""
    name = strings(node.funcname)
    if not has_schema(world, name, change):
        return
    wanted = parameters_signature(world, [item.function_parameter for item in node.parameters])
    schema = world.names.schema_for(name)
    every = world.names.all("routine", (schema, name[-1]))
    existing = next((found for found in every if found.detail == wanted), None)
    if existing is None:
        oids = [int(oid) for oid in wanted.split()]
        made = world.make("routine", name, wanted, arguments=_shown_types(world, oids))
        for user in used_by_expression(world, node):
            if user != made.address:
                world.needs(made.address, user)
    elif node.replace:
        change.changed.append(existing.address)
    else:
        _exists(world, change, "function", name)


@follows("CreateTrigStmt", "CreatePolicyStmt", "RuleStmt")
def create_part(world: World, node: Any, change: Change) -> None:
    """A trigger, policy or rule of a table."""
    space, name_field, table_field = _PARTS[kind_of(node)]
    name, table = getattr(node, name_field), getattr(node, table_field)
    owner = world.relation(relation_name(table))
    if owner is None:
        missing(world, change, relation_name(table))
    elif world.names.part(space, owner.address, name) is None:
        made = world.make_part(space, owner, name)
        if space == "trigger":
            for found in world.names.all("routine", strings(node.funcname)):
                world.needs(made, found.address)
        else:
            for user in used_by_expression(world, node):
                world.needs(made, user)
            for column in _column_names(node):
                world.needs(made, world.names.column(owner.address, column))
    elif not getattr(node, "replace", False):
        shown = f"{space} {quote_name((name,))} on {quote_name((owner.name,))}"
        if world.uncertain:
            return
        change.failures.append(Failure(f"there is a {shown} already"))


@follows("CreateStatsStmt")
def create_statistics(world: World, node: Any, change: Change) -> None:
    """A statistics object, which goes with its table's columns."""
    tables = [world.relation(relation_name(item.range_var)) for item in node.relations]
    for item, table in zip(node.relations, tables, strict=True):
        if table is None:
            missing(world, change, relation_name(item.range_var))
    name = strings(node.defnames)
    if not name or None in tables or not has_schema(world, name, change):
        return
    if world.names.find("statistics", (world.names.schema_for(name), name[-1])):
        if not node.if_not_exists:
            _exists(world, change, "statistics object", name)
        return
    made = world.make("statistics", name)
    for table in filter(None, tables):
        columns = [item.stats_elem.name for item in node.exprs if item.stats_elem.name]
        for column in columns:
            world.needs(made.address, world.names.column(table.address, column), "a")
        if not columns:
            world.needs(made.address, table.address, "a")


@follows("DefineStmt")
def define(world: World, node: Any, change: Change) -> None:
    """CREATE COLLATION, TEXT SEARCH …, TYPE of the lowest level."""
    spaces = {
        "OBJECT_COLLATION": "collation",
        "OBJECT_TSCONFIGURATION": "text search configuration",
        "OBJECT_TSDICTIONARY": "text search dictionary",
        "OBJECT_TSPARSER": "text search parser",
        "OBJECT_TSTEMPLATE": "text search template",
        "OBJECT_TYPE": "type",
    }
    space = spaces.get(enum_name(node, "kind"))
    name = strings(node.defnames)
    if not space or not has_schema(world, name, change):
        return
    if world.names.find(space, (world.names.schema_for(name), name[-1])) is None:
        world.make(space, name)
    elif not node.if_not_exists and space != "type":
        _exists(world, change, space, name)


def _new_relation(
    world: World, name: tuple[str, ...], kind: str, if_not_exists: bool, change: Change
) -> Found | None:
    """Make a relation unless there is one in the schema where it would be made."""
    schema = world.names.schema_for(name)
    if not has_schema(world, name, change):
        return None
    if world.relation((schema, name[-1])) is None:
        made = world.make("relation", (schema, name[-1]), kind)
        if kind in "rpvmf":
            row_type = world.names.make("type", (schema, name[-1]), "c")
            world.needs(row_type.address, made.address, "i")
        return made
    if not if_not_exists:
        _exists(world, change, "relation", name)
    return None


def has_schema(world: World, name: tuple[str, ...], change: Change) -> bool:
    """Whether there is the schema that something is made in; else the statement fails."""
    schema = world.names.schema_for(name)
    if schema.startswith("pg_") or world.uncertain or world.names.find("schema", (schema,)):
        return True
    change.failures.append(Failure(f"there is no schema {quote_name((schema,))}"))
    return False


def _exists(world: World, change: Change, words: str, name: tuple[str, ...]) -> None:
    if not world.uncertain:
        change.failures.append(Failure(f"there is a {words} {quote_name(name)} already"))


def _what_is_read(world: World, query: Any, change: Change) -> list[Found]:
    """The relations that a query names; what isn't there makes the statement fail."""
    tree = inner(query)
    local = {node.ctename for node in nodes(tree) if kind_of(node) == "CommonTableExpr"}
    named = [relation_name(node) for node in nodes(tree) if kind_of(node) == "RangeVar"]
    found = []
    for name in named:
        relation = world.relation(name)
        if relation:
            found.append(relation)
        elif name[-1] not in local:
            missing(world, change, name)
    if len(found) == 1 == len(named) and not local:
        _read_columns(world, tree, found[0], change)
    return found


def _read_columns(world: World, select: Any, relation: Found, change: Change) -> None:
    """What a query lists of its only relation must be there."""
    if kind_of(select) != "SelectStmt" or len(select.from_clause) != 1:
        return
    values = (inner(item.res_target.val) for item in select.target_list)
    if select.from_clause[0].WhichOneof("node") != "range_var":
        return
    for value in values:
        if kind_of(value) == "ColumnRef" and len(value.fields) == 1:
            name = value.fields[0].string.sval
            if name and not _has_column(world, relation, name) and not world.uncertain:
                shown = quote_name((relation.name, name))
                change.failures.append(Failure(f"there is no column {shown}"))


def _need_what_is_read(world: World, view: Address, query: Any, relations: list[Found]) -> None:
    """Relations, their columns as far as they are named, and routines: the view's rule does."""
    tree = inner(query)
    rule = world.names.new_address(PG_REWRITE)
    world.needs(rule, view, "i")
    everything = any(kind_of(node) == "A_Star" for node in nodes(tree))
    named = set(_column_names(tree))
    for found in relations:
        world.needs(rule, found.address)
        for name, number in world.names.columns(found.address).items():
            if everything or name in named:
                world.needs(rule, Address(PG_CLASS, found.address.objid, number))
    for user in used_by_expression(world, tree):
        world.needs(rule, user)


def _column_names(tree: Any) -> Iterator[str]:
    for node in nodes(tree):
        if kind_of(node) == "ColumnRef":
            last = inner(node.fields[-1])
            if kind_of(last) == "String":
                yield last.sval
        elif kind_of(node) == "IndexElem" and node.name:
            yield node.name


def _shown_types(world: World, oids: list[int]) -> str:
    """Argument types as pg_identify_object writes them."""
    from sqlalchemy import text

    sql = text("SELECT format_type(:oid, NULL)")
    shown = (world.connection.execute(sql, {"oid": oid}).scalar_one() for oid in oids)
    return ",".join(str(one) for one in shown)
