"""In which order tables are filled: parents first, those that need each other together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set


def together(needs: Mapping[int, Set[int]]) -> list[list[int]]:
    """Sets of tables that need each other, each after all that it needs (Tarjan's algorithm).

    needs: by table, the tables that it refers to; every one of them is a key too.
    """
    found: list[list[int]] = []
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    for start in needs:
        if start not in index:
            _visit(start, needs, index, low, stack, found)
    return found


def _visit(
    start: int,
    needs: Mapping[int, Set[int]],
    index: dict[int, int],
    low: dict[int, int],
    stack: list[int],
    found: list[list[int]],
) -> None:
    # Without recursion: chains of foreign keys can be longer than Python's stack.
    work: list[tuple[int, Iterator[int]]] = [(start, _enter(start, needs, index, low, stack))]
    while work:
        node, rest = work[-1]
        for other in rest:
            if other not in index:
                work.append((other, _enter(other, needs, index, low, stack)))
                break
            if other in stack:
                low[node] = min(low[node], index[other])
        else:
            work.pop()
            if work:
                above = work[-1][0]
                low[above] = min(low[above], low[node])
            if low[node] == index[node]:
                place = stack.index(node)
                found.append(sorted(stack[place:]))
                del stack[place:]


def _enter(
    node: int,
    needs: Mapping[int, Set[int]],
    index: dict[int, int],
    low: dict[int, int],
    stack: list[int],
) -> Iterator[int]:
    index[node] = low[node] = len(index)
    stack.append(node)
    return iter(sorted(needs[node]))
