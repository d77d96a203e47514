"""What is known while Alembic's loop runs: the order, the state of the run, the present step."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from alembic_rollback import direct
from alembic_rollback.host.history import History, checksum_of
from alembic_rollback.host.scripts import pair_of
from alembic_rollback.ledger import Ledger, Run
from alembic_rollback.model import LogEntry
from alembic_rollback.sql.names import quote_literal

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.locks import RunnerLock
    from alembic_rollback.model import Partial, Revision, StoredDown
    from alembic_rollback.planning import Applied
    from alembic_rollback.recovery.remains import Remains
    from alembic_rollback.settings import Settings
    from alembic_rollback.sql.script import Script as SqlScript

OPTION = "alembic_rollback"
"""The key of an Order in the context's options: a run of rollback-db."""
ARGUMENTS: ContextVar[Mapping[str, Any] | None] = ContextVar(
    "alembic_rollback_arguments", default=None
)
"""What env.py gives to run_migrations(), for every upgrade() and downgrade(): multidb does so."""
STATE: ContextVar[State | None] = ContextVar("alembic_rollback_state", default=None)

Guard = Callable[["tuple[Revision, ...]"], None]
"""Looks at steps again, under the lock, right before they run; raises to stop them."""


class Starting(NamedTuple):
    """For offline mode, which cannot ask: what is applied, and how ledger and version table get
    there before the first step.
    """

    applied: frozenset[str]
    adopted: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    heads: tuple[str, ...] | None = None
    """New rows of the version table; None where it is right already."""


class Order(NamedTuple):
    """What rollback-db asks of a run."""

    run: Run
    each: bool = False
    """Commit after each step instead of once."""
    timeouts: tuple[tuple[str, str], ...] = ()
    """lock_timeout and statement_timeout, set for the transaction only."""
    starting: Starting | None = None
    stored: bool = False
    """Run the downs that the log keeps, also where there are files."""
    lock_wait: str = ""
    """How long to wait for another runner; the setting's if empty."""
    archive: bool = False
    """Keep what would be lost."""


class Watching(Enum):
    """How the statements of a `.py` revision are taken as they come."""

    OURS = "ours"
    """They are bookkeeping, and no statements of it."""
    TOGETHER = "together"
    """In a transaction: they are counted, should it be committed in the middle."""
    ONE_BY_ONE = "one by one"
    """Each is committed by itself, and recorded."""


@dataclass
class Attempt:
    """The step that is being run."""

    version: str
    direction: str
    started: float = field(default_factory=perf_counter)
    script_ms: int | None = None
    """What the script took; for a pair without parsing and bookkeeping."""
    outside: bool = False
    """Something of it ran outside a transaction, so its record must not be undone with others."""
    statements: int = 0
    """How many statements of a `.py` revision were begun."""
    watching: Watching = Watching.OURS
    """How those that come now are taken."""
    kept: int = 0
    """How many of them the log knows as executed."""
    pending: bool = False
    """The last of them is committed by itself, and has not come to its end."""

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the step began."""
        return round((perf_counter() - self.started) * 1000)


@dataclass
class State:
    """A run on one database, and what has come of it so far."""

    context: MigrationContext
    settings: Settings
    history: History
    ledger: Ledger
    run: Run
    applied: Applied
    order: Order | None = None
    lock: RunnerLock | None = None
    autocommits: bool = False
    """env.py's engine has no transactions at all (isolation_level AUTOCOMMIT)."""
    backend: int = 0
    """The server's process, where the transaction is not ours: asked while it still answers."""
    scripts: dict[tuple[str, str], SqlScript] = field(default_factory=dict)
    """Parsed scripts of the run, checked before its first statement."""
    partials: dict[str, Partial] = field(default_factory=dict)
    """What was begun outside a transaction before, and neither finished nor undone."""
    remains: dict[tuple[str, str], Remains] = field(default_factory=dict)
    """Of those, what is still to be run, by version and direction."""
    stored: dict[str, StoredDown] = field(default_factory=dict)
    """Downs that are run as the log keeps them, by version."""
    held: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Settings of the run: name → (the session's value, the run's)."""
    guard: Guard | None = None
    """Called before each step that is a transaction of its own."""
    attempt: Attempt | None = None
    done: list[str] = field(default_factory=list)
    """Versions whose step has been run, committed or not."""

    @property
    def connection(self) -> Connection:
        """The connection, which Alembic exchanges around autocommit blocks."""
        assert self.context.connection is not None
        return self.context.connection

    @property
    def offline(self) -> bool:
        """Whether SQL is written out instead of run."""
        return bool(self.context.as_sql)

    def write(self, sql: str) -> None:
        """Write one statement to the output of offline mode."""
        self.context.impl.static_output(f"{sql};")

    def add(self, entry: LogEntry, also: str = "") -> int:
        """Put a revision into ledger and log; `also` and the result as of Ledger.add."""
        if self.offline:
            self.write(self.ledger.add_sql(self.run, entry))
            return 0
        return self.ledger.add(self.connection, self.run, entry, also)

    def remove(self, entry: LogEntry, also: str = "") -> int:
        """Take a revision out of the ledger and say so in the log; as `add`."""
        if self.offline:
            self.write(self.ledger.remove_sql(self.run, entry))
            return 0
        return self.ledger.remove(self.connection, self.run, entry, also)

    def replace_heads(self, heads: frozenset[str]) -> None:
        """Set the version table's rows."""
        table: Any = self.context._version
        if not self.offline:
            self.context._ensure_version_table()
        self.context.impl._exec(table.delete())
        for head in sorted(heads):
            from sqlalchemy import literal_column

            value: Any = literal_column(quote_literal(head))
            self.context.impl._exec(table.insert().values(version_num=value))

    def commit(self) -> None:
        """Commit what has been recorded so far and go on in a new transaction, under the lock."""
        context = self.context
        if context._transaction is None or context._transaction_per_migration or not self.lock:
            return
        with self.lock.bridged():
            context._transaction.commit()
            context._transaction = self.connection.begin()
        self.apply_timeouts()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is recorded in the block comes together, also where there are no transactions."""
        if self.offline or not self.autocommits:
            yield
            return
        self.connection.exec_driver_sql("BEGIN")
        try:
            yield
            self.connection.exec_driver_sql("COMMIT")
        except BaseException:
            with suppress(Exception):  # the connection may be gone
                self.connection.exec_driver_sql("ROLLBACK")
            raise

    def set_timeouts(self) -> None:
        """Set the order's timeouts; remember the session's, for scripts that SET them."""
        for name, value in self.order.timeouts if self.order else ():
            was = self.connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            self.held[name] = (str(was), value)
        self.apply_timeouts()

    def apply_timeouts(self) -> None:
        """Set the run's timeouts in the present transaction; they end with it."""
        self._set_local({name: value for name, (_, value) in self.held.items()})

    def lift_timeouts(self) -> None:
        """Give a caller's transaction, which goes on, its own values back."""
        self._set_local({name: was for name, (was, _) in self.held.items()})

    def _set_local(self, values: Mapping[str, str]) -> None:
        calls = (
            f"set_config({quote_literal(name)}, {quote_literal(value)}, true)"
            for name, value in values.items()
        )
        if values:
            direct.execute(self.connection, f"SELECT {', '.join(calls)}")

    def entry(self, version: str, direction: str, outcome: str, **more: Any) -> LogEntry:
        """A log entry with what the files say about the revision."""
        revision = self.history.revisions.get(version)
        if revision is None:
            return LogEntry(version, direction, outcome, **more)
        down_sql = None
        if direction != "down" and revision.is_pair:
            pair = pair_of(self.history.script(version))
            down_sql = pair.down_text if pair else None
        return LogEntry(
            version,
            direction,
            outcome,
            name=revision.name,
            checksum=checksum_of(revision),
            down_sql=down_sql,
            down_checksum=_sha256(down_sql),
            down_revisions=revision.down_revisions,
            depends_on=revision.depends_on,
            **more,
        )


DowngradeGuard = Callable[[State, "tuple[Revision, ...]"], None]
DOWNGRADE: ContextVar[DowngradeGuard | None] = ContextVar("alembic_rollback_guard", default=None)
"""While `alembic downgrade` runs from the command line: looks at its steps under the lock."""


@contextmanager
def guarding(guard: DowngradeGuard) -> Iterator[None]:
    """Let Alembic's own downgrade be looked at again before its first step."""
    token = DOWNGRADE.set(guard)
    try:
        yield
    finally:
        DOWNGRADE.reset(token)


@contextmanager
def entered(state: State) -> Iterator[None]:
    """Make the state known to the seams, for one run."""
    token = STATE.set(state)
    try:
        yield
    finally:
        STATE.reset(token)


@contextmanager
def session_timeouts(
    context: MigrationContext, held: Mapping[str, tuple[str, str]]
) -> Iterator[None]:
    """Set a run's timeouts where SET LOCAL has no effect: outside a transaction."""
    connection: Any = context.connection
    for name, (_, value) in held.items():
        connection.exec_driver_sql(f"SET {name} = {quote_literal(value)}")
    try:
        yield
    finally:
        for name, (was, _) in held.items():
            connection.exec_driver_sql(f"SET {name} = {quote_literal(was)}")


def new_run(tag: str | None = None) -> Run:
    """Identify a run in the log."""
    return Run(str(uuid.uuid4()), tag, f"{socket.gethostname()}:{os.getpid()}")


def _sha256(text: str | None) -> str | None:
    if text is None:
        return None
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()
