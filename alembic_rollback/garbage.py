"""Python's garbage collector where it has nothing to find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many values that all stay, without being looked through for garbage again and again.

    The collector walks all there is each time that it has grown by a quarter: of 10,000 revisions
    that is a third of the time. What the caller has switched off stays off.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
