"""A run that writes (upgrade, downgrade, stamp, rollback): what stands around Alembic's own loop.

Lock → ledger → reconcile → Alembic's run_migrations → on an error: undo, record, re-raise.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from alembic_rollback import ledger as ledgers
from alembic_rollback.errors import LedgerError, UsageError
from alembic_rollback.host import failures
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.history import History, checksum_of, history_of
from alembic_rollback.host.locks import RunnerLock
from alembic_rollback.host.scripts import load_script, needs_postgresql, pair_of
from alembic_rollback.ledger import Ledger, Run, Shape
from alembic_rollback.model import LogEntry
from alembic_rollback.pairs import Pair, read_text
from alembic_rollback.planning import Applied, reconcile
from alembic_rollback.runner import describe, run_script
from alembic_rollback.settings import Settings
from alembic_rollback.sql.names import quote_literal
from alembic_rollback.sql.script import Script as SqlScript

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

# Below Alembic's own logger, so that the logging section of any alembic.ini lets it through.
log = logging.getLogger("alembic.rollback")

OPTION = "alembic_rollback"
"""The key of an Order in the context's options: a run of rollback-db."""
STATE: ContextVar[State | None] = ContextVar("alembic_rollback_state", default=None)


@dataclass(frozen=True)
class Order:
    """What rollback-db asks of a run."""

    run: Run
    each: bool = False
    """Commit after each step instead of once."""
    timeouts: tuple[tuple[str, str], ...] = ()
    """lock_timeout and statement_timeout, set for the transaction only."""
    applied: frozenset[str] = frozenset()
    """The applied set for offline mode, which cannot ask."""


@dataclass
class State:
    """What is known while Alembic's loop runs."""

    context: MigrationContext
    settings: Settings
    history: History
    ledger: Ledger
    run: Run
    applied: Applied
    order: Order | None = None
    lock: RunnerLock | None = None
    scripts: dict[tuple[str, str], SqlScript] = field(default_factory=dict)
    """Parsed scripts of the run, checked before its first statement."""
    held: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Settings of the run: name → (the session's value, the run's)."""
    attempt: Attempt | None = None
    autocommits: bool = False
    """env.py's engine has no transactions at all (isolation_level AUTOCOMMIT)."""

    @property
    def connection(self) -> Connection:
        """The connection, which Alembic exchanges around autocommit blocks."""
        assert self.context.connection is not None
        return self.context.connection

    @property
    def offline(self) -> bool:
        """Whether SQL is written out instead of run."""
        return bool(self.context.as_sql)

    def add(self, entry: LogEntry) -> None:
        """Put a revision into ledger and log."""
        if self.offline:
            self.context.impl.static_output(self.ledger.add_sql(self.run, entry) + ";")
        else:
            self.ledger.add(self.connection, self.run, entry)

    def remove(self, entry: LogEntry) -> None:
        """Take a revision out of the ledger and say so in the log."""
        if self.offline:
            self.context.impl.static_output(self.ledger.remove_sql(self.run, entry) + ";")
        else:
            self.ledger.remove(self.connection, self.run, entry)

    def commit(self) -> None:
        """Commit what has been recorded so far and go on in a new transaction, under the lock."""
        context = self.context
        if context._transaction is None or context._transaction_per_migration or not self.lock:
            return
        with self.lock.bridged():
            context._transaction.commit()
            context._transaction = self.connection.begin()
        apply_timeouts(self)

    def entry(self, version: str, direction: str, outcome: str, **more: Any) -> LogEntry:
        """A log entry with what the files say about the revision."""
        revision = self.history.revisions.get(version)
        if revision is None:
            return LogEntry(version, direction, outcome, **more)
        down_sql = None
        if direction != "down" and revision.is_pair:
            down_sql = _down_text(pair_of(self.history.script(version)))
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

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the step began."""
        return round((perf_counter() - self.started) * 1000)


def run_migrations(wrapped: Any, context: MigrationContext, args: Any, kwargs: Any) -> None:
    """Seam `MigrationContext.run_migrations`."""

    def alembic_run() -> None:
        wrapped(*args, **kwargs)

    if not _is_ours(context):
        alembic_run()
    elif context.as_sql:
        _run_offline(context, alembic_run)
    else:
        _run_online(context, alembic_run)


def autocommit_block(wrapped: Any, context: MigrationContext, args: Any, kwargs: Any) -> Any:
    """Seam `MigrationContext.autocommit_block`: the lock and the timeouts survive it."""
    state = STATE.get()
    if state is None or state.context is not context or state.lock is None:
        return wrapped(*args, **kwargs)
    return _bridged(state, state.lock, wrapped(*args, **kwargs))


def run_pair(context: MigrationContext, pair: Pair, direction: str) -> None:
    """What a pair's upgrade() and downgrade() do, in a run of ours or in anybody's context."""
    if context.dialect.name != "postgresql":
        raise needs_postgresql(context.dialect.name)
    state = STATE.get()
    ours = state is not None and state.context is context
    script = state.scripts.get((pair.version, direction)) if state and ours else None
    script = script or load_script(pair, direction)
    with nullcontext() if script.transactional else context.autocommit_block():
        if context.as_sql:
            for statement in script.statements:
                context.impl.static_output(statement.text + ";")
            return
        assert context.connection is not None
        held = state.held if state and ours else {}
        with nullcontext() if script.transactional else _session_timeouts(context, held):
            elapsed = run_script(context.connection, script, held=held)
    if state and ours and state.attempt:
        state.attempt.script_ms = elapsed


def find_ledger(context: MigrationContext, settings: Settings) -> Ledger:
    """Name the ledger that belongs to a context's version table."""
    table = ledgers.ledger_name(settings.ledger_table, context.version_table)
    schema = context.version_table_schema
    if context.as_sql:
        return Ledger(schema or "", table)
    assert context.connection is not None
    found = ledgers.find_schema(context.connection, schema, context.version_table, table)
    return Ledger(found, table)


def _is_ours(context: MigrationContext) -> bool:
    options = context.opts
    writes = options.get("destination_rev") is not None or OPTION in options
    return (
        writes
        and context.dialect.name == "postgresql"
        and context.script is not None
        and not options.get("dont_mutate", False)
    )


def _run_offline(context: MigrationContext, alembic_run: Callable[[], None]) -> None:
    assert context.script is not None
    order: Order | None = context.opts.get(OPTION)
    settings, history = settings_of(context.config), history_of(context.script, downs=False)
    ledger = find_ledger(context, settings)
    versions = order.applied if order else history.graph.cov(context.get_current_heads())
    run = order.run if order else new_run(context.opts.get("tag"))
    applied = Applied(history.graph, versions)
    state = State(context, settings, history, ledger, run, applied, order)
    with _entered(state):
        # Where env.py asks for a transaction a migration, this is one more.
        with context.begin_transaction(_per_migration=True):
            _write_preparation(state)
        alembic_run()


def _write_preparation(state: State) -> None:
    write, order = state.context.impl.static_output, state.order
    for name, value in order.timeouts if order else ():
        write(f"SET LOCAL {name} = {quote_literal(value)};")
    for ddl in state.ledger.create_sql():
        write(ddl + ";")
    starting = state.history.graph.order(state.applied.versions)
    if starting and not order:
        adopted = [state.entry(version, "none", "adopted") for version in starting]
        write(state.ledger.adopt_sql(state.run, adopted) + ";")


def _run_online(context: MigrationContext, alembic_run: Callable[[], None]) -> None:
    assert context.script is not None
    assert context.connection is not None
    settings, history = settings_of(context.config), history_of(context.script, downs=False)
    order: Order | None = context.opts.get(OPTION)
    with ExitStack() as stack:
        session = _prepare_transaction(context, order, stack)
        ledger = find_ledger(context, settings)
        lock = RunnerLock(context, ledger.lock_key, session=session)
        stack.enter_context(lock.held())
        adopting = ledger.is_adopting(context.connection)
        required = history.has_pairs or order is not None
        if not _create_ledger(context, ledger, required=required):
            alembic_run()
            return
        state = _open(context, settings, history, ledger, order, lock, adopting=adopting)
        with _entered(state), failures.recorded(state):
            if session and context._transaction is None and not context._in_external_transaction:
                state.connection.commit()  # the ledger and what was reconciled
            _set_timeouts(state)
            alembic_run()
            if context.purge:
                _finish_purge(state)


def _prepare_transaction(context: MigrationContext, order: Order | None, stack: ExitStack) -> bool:
    """Begin what the run needs; return whether it commits in between (a session lock is needed).

    `alembic upgrade` keeps to what env.py says. rollback-db is one transaction also where env.py
    says transaction_per_migration, unless each step is to be its own.
    """
    assert context.connection is not None
    if order:
        leave_autocommit(context)
    if context._in_external_transaction:
        if order and order.each:
            raise UsageError(
                "--transaction each: the caller of Alembic has begun a transaction already.",
                next_step="Leave it out, or use a connection that is not in a transaction.",
            )
        return False
    if order and order.each and not context._transaction_per_migration:
        if context._transaction is not None:
            context._transaction.commit()
            context._transaction = None
        context._transaction_per_migration = True
    elif order and not order.each and context._transaction_per_migration:
        context._transaction_per_migration = False
        stack.enter_context(context.begin_transaction())
    return context._transaction_per_migration or _autocommits(context.connection)


def leave_autocommit(context: MigrationContext) -> None:
    """Give an engine without transactions one for this connection, for what must be whole."""
    connection = context.connection
    assert connection is not None
    if not _autocommits(connection):
        return
    if connection.in_transaction():
        connection.rollback()
    connection.execution_options(isolation_level="READ COMMITTED")
    if context._transaction is not None:
        context._transaction = connection.begin()


def _autocommits(connection: Connection) -> bool:
    return bool(getattr(connection.connection.dbapi_connection, "autocommit", False))


def _create_ledger(context: MigrationContext, ledger: Ledger, *, required: bool) -> bool:
    """Create ledger and log where they are missing; return whether there is a ledger to use.

    A project without pairs runs without one, as it did before the package was installed.
    """
    from sqlalchemy.exc import DBAPIError

    connection, name = context.connection, f"{ledger.schema}.{ledger.table}"
    assert connection is not None
    if ledger.shape(connection) is Shape.FOREIGN:
        problem = f"The table {name} is another tool's: it hasn't the columns of a ledger."
        advice = "Set `ledger_table = …` in [alembic_rollback] to a free name."
    else:
        try:
            with nullcontext() if _autocommits(connection) else connection.begin_nested():
                ledger.create(connection)
            return True
        except DBAPIError as error:
            problem = f"The ledger {name} cannot be created: {describe(error)['message']}."
            advice = "`alembic upgrade --sql` prints the statements, for a role that may."
    if required:
        raise LedgerError(problem, state="Nothing was changed.", next_step=advice)
    log.warning("%s Running without a ledger. %s", problem, advice)
    return False


def _open(
    context: MigrationContext,
    settings: Settings,
    history: History,
    ledger: Ledger,
    order: Order | None,
    lock: RunnerLock,
    *,
    adopting: bool,
) -> State:
    """Bring ledger and version table together, and say what that changed."""
    assert context.connection is not None
    connection = context.connection
    rows = ledger.rows(connection)
    history = history.remembering(ledger.ghosts(connection))
    heads = frozenset(context.get_current_heads())
    outcome = reconcile(history.graph, frozenset(rows), heads, adopting=adopting)
    run = order.run if order else new_run(context.opts.get("tag"))
    applied = Applied(history.graph, outcome.applied)
    state = State(context, settings, history, ledger, run, applied, order, lock)
    state.autocommits = _autocommits(connection)
    for version in history.graph.order(outcome.added):
        state.add(state.entry(version, "none", "adopted"))
    for version in sorted(outcome.removed):
        log.warning("%s was downgraded without the plugin: taken out of the ledger.", version)
        state.remove(state.entry(version, "none", "forgotten"))
    if outcome.heads is not None:
        _replace_heads(state, outcome.heads)
    return state


def _replace_heads(state: State, heads: frozenset[str]) -> None:
    state.context._ensure_version_table()
    table = state.context._version
    state.connection.execute(table.delete())
    for head in sorted(heads):
        state.connection.execute(table.insert().values(version_num=head))
    log.info("Version table set to %s, as the ledger says.", ", ".join(sorted(heads)) or "base")


def _finish_purge(state: State) -> None:
    """After `stamp --purge` only what was stamped is applied."""
    stamped = state.history.graph.cov(state.context.get_current_heads())
    for version in sorted(state.applied.versions - stamped):
        state.applied.remove(version)
        state.remove(state.entry(version, "none", "stamped"))
    if state.context._transaction_per_migration:
        state.connection.commit()


def _set_timeouts(state: State) -> None:
    """Set the run's timeouts for its transaction; remember the session's to restore after SET."""
    if not state.order:
        return
    for name, value in state.order.timeouts:
        was = state.connection.exec_driver_sql(f"SHOW {name}").scalar_one()
        state.held[name] = (str(was), value)
    apply_timeouts(state)


@contextmanager
def _session_timeouts(
    context: MigrationContext, held: Mapping[str, tuple[str, str]]
) -> Iterator[None]:
    """Outside a transaction SET LOCAL has no effect."""
    connection: Any = context.connection
    for name, (_, value) in held.items():
        connection.exec_driver_sql(f"SET {name} = {quote_literal(value)}")
    try:
        yield
    finally:
        for name, (was, _) in held.items():
            connection.exec_driver_sql(f"SET {name} = {quote_literal(was)}")


def apply_timeouts(state: State) -> None:
    """Set the run's timeouts in the present transaction; they end with it."""
    for name, (_, value) in state.held.items():
        state.connection.exec_driver_sql(f"SET LOCAL {name} = {quote_literal(value)}")


@contextmanager
def _bridged(state: State, lock: RunnerLock, block: Any) -> Iterator[None]:
    if state.attempt:
        state.attempt.outside = True
    with lock.bridged(), block:
        yield
    apply_timeouts(state)


@contextmanager
def _entered(state: State) -> Iterator[None]:
    token = STATE.set(state)
    try:
        yield
    finally:
        STATE.reset(token)


def new_run(tag: str | None = None) -> Run:
    """Identify a run in the log."""
    return Run(str(uuid.uuid4()), tag, f"{socket.gethostname()}:{os.getpid()}")


def _down_text(pair: Pair | None) -> str | None:
    return read_text(pair.down) if pair and pair.down else None


def _sha256(text: str | None) -> str | None:
    import hashlib

    if text is None:
        return None
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()
