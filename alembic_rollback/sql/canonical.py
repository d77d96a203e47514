"""Texts that PostgreSQL prints, in the form in which it prints them for good.

What it prints of an expression and reads again is stored in another shape now and then, and then
printed differently: `(ARRAY['a'::character varying])::text[]` becomes
`ARRAY[('a'::character varying)::text]`. Both mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

_TEXTS = ("sql", "default", "using", "check", "when", "filter")
"""Entries of details that hold SQL which PostgreSQL has printed from an expression."""


def same_definition(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether details are the same but for how an expression in them is printed."""
    if before == after:
        return True
    if before.keys() != after.keys():
        return False
    return all(
        before[key] == after[key]
        or (key in _TEXTS and same_text(str(before[key]), str(after[key])))
        for key in before
    )


def same_text(before: str, after: str) -> bool:
    """Whether two expressions, constraint definitions or statements mean the same."""
    if before == after:
        return True
    if "ARRAY[" not in before or "ARRAY[" not in after:
        return False
    one, other = _canonical(before), _canonical(after)
    return one is not None and one == other


def same_index(before: str, after: str) -> bool:
    """Whether two CREATE INDEX are the same but for storage parameters."""
    return _without_options(before) == _without_options(after)


def _without_options(text: str) -> str:
    from postgast import deparse, parse

    tree = parse(text)
    del tree.stmts[0].stmt.index_stmt.options[:]
    return str(deparse(tree))


def with_columns_in_order(query: str, order: Sequence[int] | None = None) -> str | None:
    """A query with the columns of its result in another order; None where that isn't known.

    order: for each column, which it has been, from 0; as they are where it is not given.
    """
    from postgast import PgQueryError, deparse, parse

    try:
        tree = parse(query)
    except PgQueryError:
        return None
    select = tree.stmts[0].stmt.select_stmt
    if order is not None and not _reorder(select, order):
        return None
    return str(deparse(tree))


def _reorder(select: Any, order: Sequence[int]) -> bool:
    """The columns of a SELECT, or of every arm of a UNION; not of VALUES."""
    if any(_by_number(one.sort_by.node) for one in select.sort_clause):
        return False
    if select.HasField("larg"):
        return _reorder(select.larg, order) and _reorder(select.rarg, order)
    if len(select.target_list) != len(order) or any(map(_by_number, select.group_clause)):
        return False
    columns = list(select.target_list)
    copies = [type(columns[place])() for place in order]
    for copy, place in zip(copies, order, strict=True):
        copy.CopyFrom(columns[place])
    del select.target_list[:]
    select.target_list.extend(copies)
    return True


def _by_number(item: Any) -> bool:
    """Whether ORDER BY or GROUP BY means a column by its place."""
    return bool(item.HasField("a_const"))


@lru_cache(maxsize=1024)
def _canonical(text: str) -> str | None:
    from postgast import PgQueryError, deparse, parse

    for before in ("", "ALTER TABLE t ADD CONSTRAINT c ", "SELECT "):
        try:
            tree = parse(before + text)
        except PgQueryError:
            continue
        _spread(tree)
        return str(deparse(tree))
    return None


def _spread(tree: Any) -> None:
    """Every cast of a whole array literal becomes casts of its elements."""
    from postgast import walk

    for _, node in list(walk(tree)):
        if type(node).__name__ != "Node" and not hasattr(node, "DESCRIPTOR"):
            continue
        for field, value in node.ListFields():
            if field.message_type is None:
                continue
            for item in value if field.is_repeated else (value,):
                if item.DESCRIPTOR.name == "Node" and item.WhichOneof("node") == "type_cast":
                    _spread_one(item)


def _spread_one(item: Any) -> None:
    cast = item.type_cast
    if not cast.type_name.array_bounds or cast.arg.WhichOneof("node") != "a_array_expr":
        return
    array = type(cast.arg.a_array_expr)()
    array.CopyFrom(cast.arg.a_array_expr)
    element = type(cast.type_name)()
    element.CopyFrom(cast.type_name)
    del element.array_bounds[:]
    for each in array.elements:
        inside = type(each)()
        inside.CopyFrom(each)
        each.Clear()
        each.type_cast.arg.CopyFrom(inside)
        each.type_cast.type_name.CopyFrom(element)
    item.Clear()
    item.a_array_expr.CopyFrom(array)
