"""How statements designate objects: one table of kinds for COMMENT, DROP, RENAME, OWNER, GRANT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.build import (
    arguments_text,
    inner,
    kind_of,
    operator_text,
    strings,
    type_name,
    type_text,
)
from alembic_rollback.sql.names import quote_identifier, quote_name

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import Name, Thing, World


@dataclass(frozen=True)
class Target:
    """An object as a statement names it: `{words} {text}` follows DROP, ALTER, COMMENT ON."""

    words: str
    text: str
    thing: Thing

    @property
    def shown(self) -> str:
        """For people: `index app.orders_idx`."""
        return f"{self.words.lower()} {self.text}"

    @property
    def drop(self) -> str:
        """The statement that drops it, quietly where it isn't there."""
        return f"DROP {self.words} IF EXISTS {self.text}"


# ObjectType → the words of SQL, and the namespace that it shares names with.
OBJECTS: dict[str, tuple[str, str]] = {
    "OBJECT_ACCESS_METHOD": ("ACCESS METHOD", "access method"),
    "OBJECT_AGGREGATE": ("AGGREGATE", "routine"),
    "OBJECT_CAST": ("CAST", "cast"),
    "OBJECT_COLLATION": ("COLLATION", "collation"),
    "OBJECT_COLUMN": ("COLUMN", "column"),
    "OBJECT_CONVERSION": ("CONVERSION", "conversion"),
    "OBJECT_DATABASE": ("DATABASE", "database"),
    "OBJECT_DOMAIN": ("DOMAIN", "type"),
    "OBJECT_DOMCONSTRAINT": ("CONSTRAINT", "constraint"),
    "OBJECT_EVENT_TRIGGER": ("EVENT TRIGGER", "event trigger"),
    "OBJECT_EXTENSION": ("EXTENSION", "extension"),
    "OBJECT_FDW": ("FOREIGN DATA WRAPPER", "foreign-data wrapper"),
    "OBJECT_FOREIGN_SERVER": ("SERVER", "server"),
    "OBJECT_FOREIGN_TABLE": ("FOREIGN TABLE", "relation"),
    "OBJECT_FUNCTION": ("FUNCTION", "routine"),
    "OBJECT_INDEX": ("INDEX", "relation"),
    "OBJECT_LANGUAGE": ("LANGUAGE", "language"),
    "OBJECT_LARGEOBJECT": ("LARGE OBJECT", "large object"),
    "OBJECT_MATVIEW": ("MATERIALIZED VIEW", "relation"),
    "OBJECT_OPCLASS": ("OPERATOR CLASS", "opclass"),
    "OBJECT_OPERATOR": ("OPERATOR", "operator"),
    "OBJECT_OPFAMILY": ("OPERATOR FAMILY", "opfamily"),
    "OBJECT_PARAMETER_ACL": ("PARAMETER", "parameter"),
    "OBJECT_POLICY": ("POLICY", "policy"),
    "OBJECT_PROCEDURE": ("PROCEDURE", "routine"),
    "OBJECT_PUBLICATION": ("PUBLICATION", "publication"),
    "OBJECT_ROLE": ("ROLE", "role"),
    "OBJECT_ROUTINE": ("ROUTINE", "routine"),
    "OBJECT_RULE": ("RULE", "rule"),
    "OBJECT_SCHEMA": ("SCHEMA", "schema"),
    "OBJECT_SEQUENCE": ("SEQUENCE", "relation"),
    "OBJECT_STATISTIC_EXT": ("STATISTICS", "statistics"),
    "OBJECT_SUBSCRIPTION": ("SUBSCRIPTION", "subscription"),
    "OBJECT_TABCONSTRAINT": ("CONSTRAINT", "constraint"),
    "OBJECT_TABLE": ("TABLE", "relation"),
    "OBJECT_TABLESPACE": ("TABLESPACE", "tablespace"),
    "OBJECT_TRANSFORM": ("TRANSFORM", "transform"),
    "OBJECT_TRIGGER": ("TRIGGER", "trigger"),
    "OBJECT_TSCONFIGURATION": ("TEXT SEARCH CONFIGURATION", "text search configuration"),
    "OBJECT_TSDICTIONARY": ("TEXT SEARCH DICTIONARY", "text search dictionary"),
    "OBJECT_TSPARSER": ("TEXT SEARCH PARSER", "text search parser"),
    "OBJECT_TSTEMPLATE": ("TEXT SEARCH TEMPLATE", "text search template"),
    "OBJECT_TYPE": ("TYPE", "type"),
    "OBJECT_VIEW": ("VIEW", "relation"),
}


def named(world: World, object_type: str, name: Name) -> Target:
    """An object that its name alone designates."""
    words, kind = OBJECTS[object_type]
    return Target(words, quote_name(name), world.find(kind, name))


def routine(world: World, object_type: str, name: Name, arguments: str) -> Target:
    """A function by its signature, `(int, text)`; without one, the only one of that name."""
    words = OBJECTS[object_type][0]
    if words == "AGGREGATE" and arguments == "()":
        arguments = "(*)"
    known = world.routines(name)
    if not arguments and len(known) == 1:
        return Target(words, quote_name(name), known[0])
    return Target(words, quote_name(name) + arguments, world.find(f"routine{arguments}", name))


def on_relation(world: World, object_type: str, relation: Name, name: str) -> Target:
    """A policy, trigger, rule or constraint, which belongs to a relation."""
    words, kind = OBJECTS[object_type]
    owner = world.find("relation", relation)
    text = f"{quote_identifier(name)} ON {quote_name(relation)}"
    return Target(words, text, world.part(owner, kind, name))


def using(world: World, object_type: str, name: Name, method: str) -> Target:
    """An operator class or family, which belongs to an index method."""
    words, kind = OBJECTS[object_type]
    thing = world.find(f"{kind} {method}", name)
    return Target(words, f"{quote_name(name)} USING {quote_identifier(method)}", thing)


def operator(world: World, name: Name, arguments: str) -> Target:
    """An operator by its operands, `(int, NONE)`."""
    thing = world.find(f"operator{arguments}", name)
    return Target("OPERATOR", f"{operator_text(name)} {arguments}", thing)


def cast(world: World, source: Any, target: Any) -> Target:
    """A cast by its two types."""
    text = f"({type_text(source)} AS {type_text(target)})"
    return Target("CAST", text, world.find("cast", (text,)))


def transform(world: World, of: Any, language: str) -> Target:
    """A transform by its type and language."""
    text = f"FOR {type_text(of)} LANGUAGE {quote_identifier(language)}"
    return Target("TRANSFORM", text, world.find("transform", (text,)))


def target(world: World, object_type: str, item: Any) -> Target | None:
    """The object that a COMMENT, DROP, ALTER or GRANT names; None for what has no rule here."""
    if object_type not in OBJECTS:
        return None
    node = inner(item)
    rule = _SHAPES.get(object_type)
    if rule:
        return rule(world, object_type, node)
    return named(world, object_type, _plain_name(node))


def _plain_name(node: Any) -> Name:
    kind = kind_of(node)
    if kind == "String":
        return (node.sval,)
    if kind == "TypeName":
        return type_name(node)
    if kind == "RangeVar":
        return tuple(part for part in (node.schemaname, node.relname) if part)
    if kind == "List":
        return strings(node.items)
    # A large object's number.
    return (str(getattr(node, "ival", "") or getattr(node, "fval", "")),)


def _routine(world: World, object_type: str, node: Any) -> Target:
    return routine(world, object_type, strings(node.objname), arguments_text(node))


def _operator(world: World, object_type: str, node: Any) -> Target:
    return operator(world, strings(node.objname), arguments_text(node))


def _on_relation(world: World, object_type: str, node: Any) -> Target:
    *relation, name = strings(node.items)
    return on_relation(world, object_type, tuple(relation), name)


def _column(world: World, object_type: str, node: Any) -> Target:
    *relation, name = strings(node.items)
    owner = world.find("relation", tuple(relation))
    text = quote_name((*relation, name))
    return Target("COLUMN", text, world.part(owner, "column", name))


def _domain_constraint(world: World, object_type: str, node: Any) -> Target:
    domain = type_name(node.items[0].type_name)
    name = node.items[1].string.sval
    owner = world.find("type", domain)
    text = f"{quote_identifier(name)} ON DOMAIN {quote_name(domain)}"
    return Target("CONSTRAINT", text, world.part(owner, "constraint", name))


def _using(world: World, object_type: str, node: Any) -> Target:
    method, *name = strings(node.items)
    return using(world, object_type, tuple(name), method)


def _cast(world: World, object_type: str, node: Any) -> Target:
    return cast(world, node.items[0].type_name, node.items[1].type_name)


def _transform(world: World, object_type: str, node: Any) -> Target:
    return transform(world, node.items[0].type_name, node.items[1].string.sval)


_SHAPES: dict[str, Callable[[World, str, Any], Target]] = {
    "OBJECT_AGGREGATE": _routine,
    "OBJECT_CAST": _cast,
    "OBJECT_COLUMN": _column,
    "OBJECT_DOMCONSTRAINT": _domain_constraint,
    "OBJECT_FUNCTION": _routine,
    "OBJECT_OPCLASS": _using,
    "OBJECT_OPERATOR": _operator,
    "OBJECT_OPFAMILY": _using,
    "OBJECT_POLICY": _on_relation,
    "OBJECT_PROCEDURE": _routine,
    "OBJECT_ROUTINE": _routine,
    "OBJECT_RULE": _on_relation,
    "OBJECT_TABCONSTRAINT": _on_relation,
    "OBJECT_TRANSFORM": _transform,
    "OBJECT_TRIGGER": _on_relation,
}
