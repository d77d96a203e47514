"""What a rollback takes, drawn as a tree: each object under what it hangs on.

One column that grows downwards, so that it can be read on a phone and on paper. What happens to an
object is told by words and by the border, never by colour alone.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic_rollback.model import Affected, Impact, TableLoss

WIDTH, INDENT, DEEPEST = 360, 18, 5
LINE, PADDING, GAP = 16, 8, 10
MOST = 60
"""Boxes in a drawing; of the rest it says how many there are."""
_CHARACTER = 7.3
"""The width of one, at 12 px in the monospace fonts of browsers."""
_PLURALS = {"index": "indexes", "policy": "policies"}
_BORDERS = {
    "dropped": 'stroke-width="2.5"',
    "changed": 'stroke-width="1.5" stroke-dasharray="7 4"',
    "recreated": 'stroke-width="1.5" stroke-dasharray="7 4"',
    "stays": 'stroke-width="1" stroke-dasharray="1.5 3"',
}


@dataclass
class Node:
    """One object, and what hangs on it."""

    title: str
    action: str
    """`dropped`, `changed`, `recreated` or `stays`."""
    notes: list[str] = field(default_factory=list)
    parts: Counter[str] = field(default_factory=Counter)
    """How many of its parts go, by kind."""
    children: list[Node] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """What stands in its box below the title."""
        counted = [_counted(number, kind) for kind, number in sorted(self.parts.items())]
        with_it = "with it: " if self.action == "dropped" else "of it go: "
        return [*self.notes, *([with_it + ", ".join(counted)] if counted else [])]


_Key = tuple[int, int, int]


def trees(impact: Impact) -> list[Node]:
    """The objects that a rollback names, in its order, with everything that hangs on them."""
    nodes: dict[_Key, Node] = {}
    above: dict[_Key, _Key | None] = {}
    affected = [one for step in impact.steps for one in step.objects]
    for one in affected:
        if one.owner is None and one.address not in nodes:
            nodes[one.address] = Node(one.shown, one.action)
            above[one.address] = one.source if one.how != "named" else None
    for one in affected:
        if one.owner is not None:
            _add_part(nodes, above, one)
    for step in impact.steps:
        for loss in step.tables:
            _add_loss(nodes, loss)
    roots = []
    for key, node in nodes.items():
        parent = above.get(key)
        if parent in nodes and not _is_below(parent, key, above):
            nodes[parent].children.append(node)
        else:
            roots.append(node)
    return roots


def _add_part(nodes: dict[_Key, Node], above: dict[_Key, _Key | None], one: Affected) -> None:
    """Parts are counted where their owner stands; what it loses itself is told by name."""
    assert one.owner is not None
    if one.owner not in nodes:
        nodes[one.owner] = Node(one.part_of, "stays")
        above[one.owner] = one.source if one.source != one.owner else None
    owner = nodes[one.owner]
    if owner.action == "dropped" or one.how != "CASCADE":
        owner.parts[one.kind.removeprefix("table ")] += 1
    else:
        owner.notes.append(f"loses {one.shown.removesuffix(f' on {one.part_of}')}")


def _add_loss(nodes: dict[_Key, Node], loss: TableLoss) -> None:
    node = next((n for key, n in nodes.items() if key[1] == loss.oid and loss.oid), None)
    if node is None:
        node = nodes[0, -len(nodes) - 1, 0] = Node(f"table {loss.name}", "stays")
    number = (
        "an unknown number of" if loss.rows is None else f"{'' if loss.exact else '~'}{loss.rows}"
    )
    what = f"values of {loss.column}" if loss.column else "rows"
    note = f"loses {number} {what}"
    if note not in node.notes:
        node.notes.insert(0, note)


def _is_below(key: _Key | None, other: _Key, above: dict[_Key, _Key | None]) -> bool:
    """Whether an object hangs, through others, on that one: then it must not stand above it."""
    seen: set[_Key] = set()
    while key is not None and key not in seen:
        if key == other:
            return True
        seen.add(key)
        key = above.get(key)
    return False


def svg(roots: Sequence[Node], title: str) -> str:
    """The drawing as an SVG element; nothing where there is nothing to be drawn."""
    placed = list(_placed(roots))
    if not placed:
        return ""
    shown, y, parts = placed[:MOST], GAP, []
    tops: dict[int, float] = {}
    for depth, parent, node in shown:
        height = LINE * (2 + len(node.lines)) + PADDING
        if parent is not None:
            parts.append(_branch(depth, tops[parent], y + height / 2))
        parts.append(_box(node, depth, y, height))
        tops[id(node)] = y + height
        y += height + GAP
    left = len(placed) - len(shown)
    if left:
        parts.append(_text(f"… and {left} objects more", GAP, y + LINE))
        y += LINE + GAP
    words = escape(title)
    return (
        f'<svg viewBox="0 0 {WIDTH} {y:.0f}" role="img" aria-label="{words}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{words}</title>{_HATCH}{"".join(parts)}</svg>'
    )


_HATCH = (
    '<defs><pattern id="gone" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="5" stroke="currentColor" '
    'stroke-width="1.5"/></pattern></defs>'
)


def _placed(
    nodes: Iterable[Node], depth: int = 0, parent: int | None = None
) -> Iterator[tuple[int, int | None, Node]]:
    for node in nodes:
        yield min(depth, DEEPEST), parent, node
        yield from _placed(node.children, depth + 1, id(node))


def _box(node: Node, depth: int, y: float, height: float) -> str:
    x = 2 + depth * INDENT
    width = WIDTH - x - 2
    band = ""
    if node.action == "dropped":
        band = f'<rect x="{x}" y="{y}" width="8" height="{height}" fill="url(#gone)"/>'
    room = int((width - 24) / _CHARACTER)
    lines = [(node.action.upper(), "b"), (node.title, ""), *((one, "") for one in node.lines)]
    texts = "".join(
        _text(_fitting(words, room), x + 16, y + LINE * (number + 1), bold=bool(how))
        for number, (words, how) in enumerate(lines)
    )
    return (
        f'<g><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="none" '
        f'stroke="currentColor" {_BORDERS[node.action]}/>{band}{texts}</g>'
    )


def _branch(depth: int, top: float, middle: float) -> str:
    """From the lower edge of what it hangs on to the box."""
    x = 2 + depth * INDENT
    start = x - INDENT / 2
    return (
        f'<path d="M{start} {top} V{middle} H{x}" fill="none" stroke="currentColor" '
        'stroke-width="1"/>'
    )


def _text(words: str, x: float, y: float, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x}" y="{y}"{weight} style="unicode-bidi:isolate">{escape(_visible(words))}'
        "</text>"
    )


def _visible(words: str) -> str:
    """Without what would turn or hide the text around it."""
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cf") else c for c in words)


def _fitting(words: str, room: int) -> str:
    """Cut to so many columns."""
    width = 0
    for number, character in enumerate(words):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > room:
            return words[: max(number - 1, 0)] + "…"
    return words


def _counted(number: int, kind: str) -> str:
    return f"{number} {kind if number == 1 else _PLURALS.get(kind, f'{kind}s')}"
