"""The one error that leaves this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class EmbeddedError(RuntimeError):
    """A server couldn't be found, made or started; says what to do next."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn the system's errors into EmbeddedError."""
    try:
        yield
    except OSError as error:
        message = f"no server could be started: {error}; make that possible, then try again"
        raise EmbeddedError(message) from error
