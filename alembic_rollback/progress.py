"""How far a long piece of work has got, for whoever shows it; nobody listens unless told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")

PLACE = "alembic_rollback_place"
"""SQLAlchemy execution option of a script's statement: (its number, how many there are)."""

LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("alembic_rollback_progress")
"""Gets `3 of 12: title` at the beginning of each item, and an empty text at the end of all."""


def along(items: Sequence[Item], title: Callable[[Item], str]) -> Iterator[Item]:
    """The items one by one, each announced to the listener."""
    tell = LISTENER.get(None)
    if tell is None:
        yield from items
        return
    try:
        for number, item in enumerate(items, 1):
            tell(f"{number} of {len(items)}: {title(item)}")
            yield item
    finally:
        tell("")
