"""A migration that runs where nobody sees it says nothing and asks nothing."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def muted() -> Iterator[None]:
    """Keep a migration's prints, and what Alembic says of its context, out of our output.

    input() meets the end of the file: its prompt could not be seen.
    """
    logger, stdin = logging.getLogger("alembic.runtime.migration"), sys.stdin

    def warnings_only(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger.addFilter(warnings_only)
    sys.stdin = io.StringIO()
    try:
        with redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
            yield
    finally:
        sys.stdin = stdin
        logger.removeFilter(warnings_only)
