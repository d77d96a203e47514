"""RENAME and SET SCHEMA: turned round, from the new name to the old one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import OBJECTS, Target, on_relation, target
from alembic_rollback.sql.build import arguments_text, enum_name, inner, operator_text, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import Name, Thing

_RELATIONS = (
    "OBJECT_FOREIGN_TABLE",
    "OBJECT_INDEX",
    "OBJECT_MATVIEW",
    "OBJECT_SEQUENCE",
    "OBJECT_TABLE",
    "OBJECT_VIEW",
)
_ROUTINES = ("OBJECT_AGGREGATE", "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE")
_PARTS = ("OBJECT_POLICY", "OBJECT_RULE", "OBJECT_TRIGGER")
# RenameStmt holds their name as text, not as a node.
_PLAIN = ("OBJECT_DATABASE", "OBJECT_ROLE", "OBJECT_SCHEMA", "OBJECT_TABLESPACE")
_CLASSES = ("OBJECT_OPCLASS", "OBJECT_OPFAMILY")


@inverts("RenameStmt")
def rename(step: Step) -> Iterator[Part]:
    """ALTER x a RENAME TO b → ALTER x b RENAME TO a."""
    kind = enum_name(step.node, "rename_type")
    rule = _RULES.get(kind)
    if rule is None and kind not in OBJECTS:
        yield Missing(f"no rule for RENAME of {kind}, what it changed is not known from the text")
        return
    yield (rule or _object)(step)


def _head(step: Step, object_type: str, text: str) -> str:
    exists = "IF EXISTS " if step.node.missing_ok else ""
    return f"ALTER {OBJECTS[object_type][0]} {exists}{text} RENAME"


def _relation(step: Step) -> Undo:
    node = step.node
    name = relation_name(node.relation)
    new = (*name[:-1], node.newname)
    thing = step.world.find("relation", name)
    step.world.rename(thing, new)
    head = _head(step, enum_name(node, "rename_type"), quote_name(new))
    return Undo(f"{head} TO {quote_identifier(name[-1])}", thing)


def _column(step: Step) -> Undo:
    return _inside(step, "COLUMN", "column")


def _attribute(step: Step) -> Undo:
    undo = _inside(step, "ATTRIBUTE", "column")
    cascade = enum_name(step.node, "behavior") == "DROP_CASCADE"
    return Undo(f"{undo.sql} CASCADE", undo.about) if cascade else undo


def _constraint(step: Step) -> Undo:
    relation = relation_name(step.node.relation)
    # A key's index has the constraint's name and takes the new one with it.
    index = step.world.find("relation", (*relation[:-1], step.node.subname))
    if index.new:
        step.world.rename(index, (*relation[:-1], step.node.newname))
    return _inside(step, "CONSTRAINT", "constraint")


def _inside(step: Step, words: str, kind: str) -> Undo:
    node = step.node
    name = relation_name(node.relation)
    object_type = enum_name(node, "relation_type") if words != "CONSTRAINT" else "OBJECT_TABLE"
    owner = step.world.find(OBJECTS[object_type][1], name)
    thing = step.world.part(owner, kind, node.subname)
    step.world.rename_part(owner, thing, node.newname)
    only = "ONLY " if object_type == "OBJECT_TABLE" and not node.relation.inh else ""
    head = _head(step, object_type, only + quote_name(name))
    return Undo(f"{head} {words} {_back(step)}", thing)


def _back(step: Step) -> str:
    """`new TO old`."""
    return f"{quote_identifier(step.node.newname)} TO {quote_identifier(step.node.subname)}"


def _domain_constraint(step: Step) -> Undo:
    node = step.node
    name = strings(node.object.list.items)
    domain = step.world.find("type", name)
    thing = step.world.part(domain, "constraint", node.subname)
    step.world.rename_part(domain, thing, node.newname)
    return Undo(f"ALTER DOMAIN {quote_name(name)} RENAME CONSTRAINT {_back(step)}", thing)


def _part(step: Step) -> Undo:
    node = step.node
    object_type = enum_name(node, "rename_type")
    relation = relation_name(node.relation)
    thing = on_relation(step.world, object_type, relation, node.subname).thing
    step.world.rename_part(thing.owners[0], thing, node.newname)
    new = on_relation(step.world, object_type, relation, node.newname)
    return Undo(f"{_head(step, object_type, new.text)} TO {quote_identifier(node.subname)}", thing)


def _routine(step: Step) -> Undo:
    node = step.node.object.object_with_args
    object_type = enum_name(step.node, "rename_type")
    found = _target(step, object_type)
    name = strings(node.objname)
    new = (*name[:-1], step.node.newname)
    step.world.rename(found.thing, new)
    # The signature as the target has it: an aggregate of nothing has (*).
    text = quote_name(new) + found.text.removeprefix(quote_name(name))
    return Undo(f"{_head(step, object_type, text)} TO {quote_identifier(name[-1])}", found.thing)


def _plain(step: Step) -> Undo:
    words, kind = OBJECTS[enum_name(step.node, "rename_type")]
    thing = step.world.find(kind, (step.node.subname,))
    step.world.rename(thing, (step.node.newname,))
    return Undo(
        f"ALTER {words} {quote_identifier(step.node.newname)} RENAME TO "
        f"{quote_identifier(step.node.subname)}",
        thing,
    )


def _class(step: Step) -> Undo:
    object_type = enum_name(step.node, "rename_type")
    method, *name = strings(step.node.object.list.items)
    thing = _target(step, object_type).thing
    new = (*name[:-1], step.node.newname)
    step.world.rename(thing, new)
    text = f"{quote_name(new)} USING {quote_identifier(method)}"
    return Undo(f"{_head(step, object_type, text)} TO {quote_identifier(name[-1])}", thing)


def _object(step: Step) -> Undo:
    object_type = enum_name(step.node, "rename_type")
    thing = _target(step, object_type).thing
    name = thing.name
    new = (*name[:-1], step.node.newname)
    step.world.rename(thing, new)
    head = _head(step, object_type, quote_name(new))
    return Undo(f"{head} TO {quote_identifier(name[-1])}", thing)


def _target(step: Step, object_type: str) -> Target:
    found = target(step.world, object_type, step.node.object)
    assert found is not None, object_type
    return found


_RULES: dict[str, Callable[[Step], Undo]] = {
    **dict.fromkeys(_CLASSES, _class),
    **dict.fromkeys(_PARTS, _part),
    **dict.fromkeys(_PLAIN, _plain),
    **dict.fromkeys(_RELATIONS, _relation),
    **dict.fromkeys(_ROUTINES, _routine),
    "OBJECT_ATTRIBUTE": _attribute,
    "OBJECT_COLUMN": _column,
    "OBJECT_DOMCONSTRAINT": _domain_constraint,
    "OBJECT_TABCONSTRAINT": _constraint,
}


@inverts("AlterObjectSchemaStmt")
def set_schema(step: Step) -> Iterator[Part]:
    """ALTER x a.t SET SCHEMA b → ALTER x b.t SET SCHEMA a, where a is written."""
    node = step.node
    object_type = enum_name(node, "object_type")
    if object_type == "OBJECT_EXTENSION":
        name = quote_identifier(node.object.string.sval)
        fact = f"the schema of extension {name} before"
        yield from step.lost(step.world.find("extension", (node.object.string.sval,)), fact)
        return
    words, old, moved, thing = _moved(step, object_type)
    if len(old) == 1:
        yield Missing(f"the schema that {words.lower()} {quote_name(old)} was in")
        return
    step.world.rename(thing, (node.newschema, old[-1]))
    exists = "IF EXISTS " if node.missing_ok else ""
    yield Undo(f"ALTER {words} {exists}{moved} SET SCHEMA {quote_identifier(old[0])}", thing)


def _moved(step: Step, object_type: str) -> tuple[str, Name, str, Thing]:
    """The words, the old name, what the object is called after the move, and the object."""
    node = step.node
    words = OBJECTS[object_type][0]
    if object_type in _RELATIONS:
        old = relation_name(node.relation)
        new = (node.newschema, old[-1])
        return words, old, quote_name(new), step.world.find("relation", old)
    found = target(step.world, object_type, node.object)
    assert found is not None, object_type
    item, old = inner(node.object), found.thing.name
    new = (node.newschema, old[-1])
    if object_type == "OBJECT_OPERATOR":
        return words, old, f"{operator_text(new)} {arguments_text(item)}", found.thing
    # What follows the name: a signature, USING btree.
    return words, old, quote_name(new) + found.text.removeprefix(quote_name(old)), found.thing
