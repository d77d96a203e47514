"""What a tree mentions among the things that the file has made.

A down drops in reverse order. Where something older came to use something younger, the younger
thing's drop would fail, unless that use is taken back first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic_rollback.sql.build import kind_of, nodes, split_name, strings
from alembic_rollback.sql.effects import relation_name

if TYPE_CHECKING:
    from alembic_rollback.inverse.world import Thing, World


def younger_than(world: World, tree: Any, thing: Thing) -> bool:
    """Whether the tree uses something that the file made after the thing."""
    return any(found.new and found.age > thing.age for found in mentioned(world, tree))


def mentioned(world: World, tree: Any) -> Iterator[Thing]:
    """Types, functions and relations by name; a string, too, may name a sequence (nextval)."""
    for node in nodes(tree):
        kind = kind_of(node)
        if kind == "TypeName":
            yield world.find("type", strings(node.names))
            yield world.find("relation", strings(node.names))
        elif kind == "RangeVar":
            yield world.find("relation", relation_name(node))
        elif kind == "FuncCall":
            yield from world.routines(strings(node.funcname))
        elif kind == "A_Const" and node.WhichOneof("val") == "sval":
            yield from _named_by_text(world, node.sval.sval)


def _named_by_text(world: World, text: str) -> Iterator[Thing]:
    name = split_name(text)
    if name:
        yield world.find("relation", name)
