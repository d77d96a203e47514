"""Failures that pass: the whole transaction again, a bounded number of times."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator

from alembic_rollback.errors import LockNotAvailable
from alembic_rollback.host.failures import failure_of

log = logging.getLogger("alembic.rollback")

LOCK_TIMEOUT, DEADLOCK, SERIALIZATION_FAILURE = "55P03", "40P01", "40001"
"""SQLSTATEs (PostgreSQL, Appendix A)."""
_FIRST, _MOST = 1.0, 30.0
"""Seconds of the first pause, and of the longest."""


def pauses(retries: int) -> Iterator[float | None]:
    """The pause after each attempt, in seconds: longer each time, not the same for two runners.

    None after the last one: there is no further attempt.
    """
    for number in range(retries):
        yield min(_FIRST * 2**number, _MOST) * random.uniform(0.75, 1.25)
    yield None


def is_passing(error: BaseException) -> bool:
    """Whether the same thing may succeed a moment later, and the attempt has left nothing."""
    failure = failure_of(error)
    if failure is None:
        return isinstance(error, LockNotAvailable)
    if failure.committed or failure.partial or failure.earlier or not failure.recorded:
        return False
    passing = (LOCK_TIMEOUT, DEADLOCK, SERIALIZATION_FAILURE, LockNotAvailable.__name__)
    return not failure.external and failure.message.startswith(passing)


def wait_or_raise(error: Exception, pause: float | None) -> None:
    """Wait before another attempt; raise the error again where there is none, or it cannot help."""
    if pause is None or not is_passing(error):
        raise error
    log.warning("%s Nothing was changed; trying again in %.1f s.", _told(error), pause)
    time.sleep(pause)


def _told(error: Exception) -> str:
    failure = failure_of(error)
    if failure is None or isinstance(error, LockNotAvailable):
        told = getattr(error, "what", "")
    else:
        told = f"{failure.message}."
    return f"{failure.title}: {told}" if failure else told
