"""The line that shows on a terminal what takes long: `3 of 12: CREATE INDEX … (41 s)`.

Alembic's log lines come in between, so neither click's progress bar nor a library's, which redraw
themselves when they are stepped, would do: this is a thread that draws while the main one waits for
the server, and takes the line away before anything else is written.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import click

from alembic_rollback import direct
from alembic_rollback.progress import LISTENER, PLACE

PATIENCE = 1.0
"""Seconds after which something takes long."""
_INTERVAL = 0.25
_LONG = 10_000
"""Characters of a statement above which it isn't parsed to find its secrets."""


@contextmanager
def shown(config: Any = None) -> Iterator[None]:
    """Show the progress of what runs in the block: on a terminal only, not in CI, not with -q."""
    if not _is_wanted(config):
        yield
        return
    line = _Line()
    listeners = {
        "before_cursor_execute": line.statement_begins,
        "after_cursor_execute": line.statement_ends,
        "handle_error": line.statement_ends,
    }
    make_record, token = logging.getLogRecordFactory(), LISTENER.set(line.item_begins)

    def make_record_on_a_clean_line(*args: Any, **kwargs: Any) -> logging.LogRecord:
        line.make_way()
        return make_record(*args, **kwargs)

    for name, listener in listeners.items():
        direct.listen(name, listener)
    logging.setLogRecordFactory(make_record_on_a_clean_line)
    line.start()
    try:
        yield
    finally:
        line.stop()
        logging.setLogRecordFactory(make_record)
        for name, listener in listeners.items():
            direct.stop_listening(name, listener)
        LISTENER.reset(token)


def _is_wanted(config: Any) -> bool:
    quiet = getattr(getattr(config, "cmd_opts", None), "quiet", False)
    if quiet or os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stderr is not None and sys.stderr.isatty()


class _Statement:
    """One that was sent and has not come back."""

    def __init__(self, text: str, place: tuple[int, int] | None, begun: float) -> None:
        self.text, self.place, self.begun = text, place, begun

    @cached_property
    def shown(self) -> str:
        """In one line and without passwords."""
        from alembic_rollback.sql.secrets import redacted

        text = self.text
        text = redacted(text) if len(text) < _LONG else text.partition("'")[0].partition("$")[0]
        number = "{} of {}: ".format(*self.place) if self.place else ""
        return number + _plain(text).rstrip("; ")


class _Line:
    """What goes on, drawn by a thread of its own; every write to the terminal is under the lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw_on, name="progress", daemon=True)
        self._statement: _Statement | None = None
        self._item = ""
        self._item_begun = self._items_begun = 0.0
        self._quiet_until = 0.0
        self._drawn = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the line away for good."""
        self._ended.set()
        self._thread.join()
        self._clear()

    # What happens, told by the thread that works

    def statement_begins(
        self, connection: Any, cursor: Any, text: str, values: Any, context: Any, many: bool
    ) -> None:
        """SQLAlchemy's before_cursor_execute."""
        options = context.execution_options if context else {}
        self._statement = _Statement(text, options.get(PLACE), time.monotonic())

    def statement_ends(self, *_: Any) -> None:
        """SQLAlchemy's after_cursor_execute and handle_error."""
        with self._lock:
            self._statement = None
            if not self._item:
                self._clear()

    def item_begins(self, text: str) -> None:
        """See progress.LISTENER."""
        with self._lock:
            now = time.monotonic()
            if not self._item:
                self._items_begun = now
            self._item, self._item_begun = _plain(text), now
            if not text:
                self._clear()

    def make_way(self) -> None:
        """Somebody is about to write a line."""
        with self._lock:
            self._clear()
            self._quiet_until = time.monotonic() + _INTERVAL

    # The line

    def _draw_on(self) -> None:
        while not self._ended.wait(_INTERVAL):
            with self._lock:
                now = time.monotonic()
                text = self._text(now) if now >= self._quiet_until else ""
                if text:
                    self._write(f"\r{text}\x1b[K")
                    self._drawn = True

    def _text(self, now: float) -> str:
        statement, begun, parts = self._statement, self._item_begun, []
        if self._item and now - self._items_begun >= PATIENCE:
            parts.append(self._item)
        if statement and now - statement.begun >= PATIENCE:
            parts.append(statement.shown)
            begun = statement.begun
        return _fitted(": ".join(parts), f" ({now - begun:.0f} s)") if parts else ""

    def _clear(self) -> None:
        with self._lock:
            if self._drawn:
                self._write("\r\x1b[K")
                self._drawn = False

    def _write(self, text: str) -> None:
        try:
            click.echo(text, nl=False, err=True, color=True)
        except (OSError, ValueError):  # the terminal has gone; that is no reason to stop
            self._ended.set()


def _plain(text: str) -> str:
    """In one line, without what a terminal would take for a command."""
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))


def _fitted(text: str, end: str) -> str:
    """As much as fits into the terminal's width, and the end."""
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        width = 80
    room = (width or 80) - len(end) - 2
    for place, one in enumerate(text):
        room -= 2 if unicodedata.east_asian_width(one) in "WF" else 1
        if room < 0:
            ellipsis = "…" if "utf" in (sys.stderr.encoding or "").lower() else "~"
            return text[:place] + ellipsis + end
    return text + end
