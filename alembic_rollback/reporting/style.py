"""What the terminal can show: signs or plain ASCII, colour or none."""

from __future__ import annotations

import os
from typing import NamedTuple, TextIO

_SIGNS = {
    "applied": ("✅", "[x]"),
    "pending": ("⬜", "[ ]"),
    "warning": ("⚠️ ", "!!"),
    "failed": ("❌", "[!]"),
    "bullet": ("-", "-"),
}
_COLOURS = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


class Style(NamedTuple):
    """How to write for one stream."""

    unicode: bool = False
    colour: bool = False

    def sign(self, name: str) -> str:
        """`✅`, or `[x]` where the stream can't."""
        return _SIGNS[name][0 if self.unicode else 1]

    def paint(self, text: str, colour: str) -> str:
        """The text in colour where that is wanted."""
        return f"\033[{_COLOURS[colour]}m{text}\033[0m" if self.colour else text


def style_for(stream: TextIO) -> Style:
    """Unicode where the encoding has it; colour only on a terminal, never with NO_COLOR."""
    try:
        "✅⬜⚠️❌".encode(getattr(stream, "encoding", None) or "ascii")
        unicode = os.environ.get("TERM") != "dumb"
    except (UnicodeEncodeError, LookupError):
        unicode = False
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    return Style(unicode, terminal and not os.environ.get("NO_COLOR"))
