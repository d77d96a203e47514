"""Locks on directories: who may start a server there, and waiting for that."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic_rollback.embedded.errors import EmbeddedError

_TURN_SECONDS = 300.0


def lock(directory: Path) -> int | None:
    """Return an open file that locks `directory`, None when another has it locked.

    Every process that inherits the file holds the lock too; it is free when the last has ended.
    """
    import fcntl  # missing on Windows, where this module is imported too

    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return handle


def unlock(handle: int) -> None:
    """Free a lock for all who hold it: a child forked meanwhile has the file open as well."""
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


@contextmanager
def held(handle: int | None) -> Iterator[int | None]:
    """Close our own hold of a lock in the end: by then the server has it, or nobody should."""
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def turn(directory: Path) -> Iterator[None]:
    """Keep other starts in `directory` waiting; EmbeddedError after five minutes of waiting."""
    pause = pauses(_TURN_SECONDS, f"another start in {directory} doesn't end: end that process")
    while (handle := lock(directory)) is None:
        next(pause)
    try:
        yield
    finally:
        unlock(handle)


def pauses(seconds: float, complaint: str) -> Iterator[None]:
    """Yield a short pause at each `next`; EmbeddedError with `complaint` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() <= deadline:
        time.sleep(0.02)
        yield
    raise EmbeddedError(complaint)
