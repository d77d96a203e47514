"""How often Python looks through all objects for cycles that nobody can reach."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 50_000
"""Containers, some megabytes of them, between two collections; Python's own default is 700."""


@contextmanager
def rarely() -> Iterator[None]:
    """Collect less often in the block, where a command has the process to itself.

    A long plan makes many objects that stay and hardly a cycle: to look for some among them takes
    a seventh of the client's time in a rollback of a thousand revisions.
    """
    before = gc.get_threshold()
    if before[0]:  # else somebody has switched it off
        gc.set_threshold(max(before[0], _NEW_OBJECTS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
