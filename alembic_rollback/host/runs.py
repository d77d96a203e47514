"""A run that writes (upgrade, downgrade, stamp, rollback): what stands around Alembic's own loop.

Lock → ledger → reconcile → Alembic's run_migrations → on an error: undo, record, re-raise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from alembic_rollback import ledger as ledgers
from alembic_rollback.errors import DatabaseError, LedgerError
from alembic_rollback.host import archiving, collateral, failures
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.history import History, history_of
from alembic_rollback.host.interrupts import interruptible
from alembic_rollback.host.ledgers import find_ledger, with_ghosts
from alembic_rollback.host.locks import RunnerLock
from alembic_rollback.host.outside import Recorder, note_committed, repair, taken
from alembic_rollback.host.scripts import needs_postgresql
from alembic_rollback.host.state import (
    OPTION,
    STATE,
    Order,
    Starting,
    State,
    Watching,
    entered,
    new_run,
    session_timeouts,
)
from alembic_rollback.host.transactions import autocommits, prepare_transaction
from alembic_rollback.ledger import Ledger, Shape, Tagged
from alembic_rollback.planning import Applied, Reconciled, holes, reconcile
from alembic_rollback.recovery.remains import still_partial
from alembic_rollback.runner import describe, execute, run_script
from alembic_rollback.settings import Settings, check_duration, seconds
from alembic_rollback.sql.names import quote_literal, quote_name
from alembic_rollback.sql.script import Script as SqlScript

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Connection

# Below Alembic's own logger, so that the logging section of any alembic.ini lets it through.
log = logging.getLogger("alembic.rollback")

Load = Callable[[], SqlScript]

_FOR_ANOTHER_ROLE = "`alembic upgrade --sql` prints the statements, for a role that may."


def autocommit_block(wrapped: Any, context: MigrationContext, args: Any, kwargs: Any) -> Any:
    """Seam `MigrationContext.autocommit_block`: the lock and the timeouts survive it."""
    state = STATE.get()
    if state is None or state.context is not context or state.lock is None:
        return wrapped(*args, **kwargs)
    return _bridged(state, state.lock, wrapped(*args, **kwargs))


def run_pair(context: MigrationContext, version: str, direction: str, load: Load) -> None:
    """What a pair's upgrade() and downgrade() do, in a run of ours or in anybody's context.

    load: reads and parses the script, where the run hasn't done so.
    """
    if context.dialect.name != "postgresql":
        raise needs_postgresql(context.dialect.name)
    state = STATE.get()
    if state is not None and state.context is not context:
        state = None
    script = state.scripts.get((version, direction)) if state else None
    script = script or load()
    with nullcontext() if script.transactional else context.autocommit_block():
        if context.as_sql:
            for sql in (*(statement.text for statement in script.statements), *script.resets):
                context.impl.static_output(f"{sql};")
            return
        elapsed = _run(context, state, version, direction, script)
    if state and state.attempt:
        state.attempt.script_ms = elapsed


def _run(
    context: MigrationContext, state: State | None, version: str, direction: str, script: SqlScript
) -> int:
    """Run a script where it is now: in the transaction, or in an autocommit block."""
    assert context.connection is not None
    if state is None:
        return run_script(context.connection, script)
    inside = script.transactional and not state.autocommits
    run = archiving.executor(state, version) if archiving.archives(state, direction) else None
    remains = state.remains.get((version, direction))
    if remains:
        repair(context.connection, remains.repairs, inside=inside)
    if inside:
        return run_script(context.connection, script, held=state.held, each=run)
    with session_timeouts(context, state.held):
        recorder = Recorder(state, version, direction, run or execute)
        if remains:
            recorder.go_on(remains)
        return run_script(context.connection, script, held=state.held, each=recorder)


def run_offline(context: MigrationContext, alembic_run: Callable[[], None]) -> None:
    """Write a run's SQL, with the books that an online run would keep."""
    assert context.script is not None
    order: Order | None = context.opts.get(OPTION)
    settings, history = settings_of(context.config), history_of(context.script, downs=False)
    starting = order.starting if order else None
    if starting is None:
        starting = Starting(history.graph.cov(context.get_current_heads()))
    state = State(
        context,
        settings,
        history,
        find_ledger(context, settings),
        order.run if order else new_run(context.opts.get("tag")),
        Applied(history.graph, starting.applied),
        order,
    )
    with entered(state):
        # Where env.py asks for a transaction a migration, this is one more.
        with context.begin_transaction(_per_migration=True):
            _write_preparation(state, starting)
        alembic_run()


def _write_preparation(state: State, starting: Starting) -> None:
    for name, value in state.order.timeouts if state.order else ():
        state.write(f"SET LOCAL {name} = {quote_literal(value)}")
    for ddl in state.ledger.create_sql():
        state.write(ddl)
    order = state.history.graph.order
    if state.order:
        _write_reconciled(state, starting)
    elif starting.applied:
        adopted = [state.entry(v, "none", "adopted") for v in order(starting.applied)]
        state.write(state.ledger.adopt_sql(state.run, adopted))


def _write_reconciled(state: State, starting: Starting) -> None:
    """What an online run would have brought together before its first step."""
    for version in starting.adopted:
        state.add(state.entry(version, "none", "adopted"))
    for version in starting.forgotten:
        state.remove(state.entry(version, "none", "forgotten"))
    if starting.heads is not None:
        state.replace_heads(frozenset(starting.heads))


def run_online(context: MigrationContext, alembic_run: Callable[[], None]) -> None:
    """Run it under the lock; ledger, log and version table follow each step."""
    assert context.script is not None
    assert context.connection is not None
    settings, history = settings_of(context.config), history_of(context.script, downs=False)
    order: Order | None = context.opts.get(OPTION)
    _be_heard(context)
    with ExitStack() as stack:
        stack.enter_context(interruptible(context.connection))
        session = prepare_transaction(context, order, stack)
        refuse_read_only(context.connection)
        ledger = find_ledger(context, settings)
        wait = _lock_wait(context, order, settings)
        lock = RunnerLock(context, ledger.lock_key, session=session, wait=wait)
        stack.enter_context(lock.held())
        required = history.has_pairs or order is not None
        if not _create_ledger(context, ledger, history, required=required):
            alembic_run()
            return
        state = _open(context, settings, history, ledger, order, lock)
        with entered(state), failures.recorded(state):
            if session and context._transaction is None and not context._in_external_transaction:
                state.connection.commit()  # the ledger and what was reconciled
            state.set_timeouts()
            alembic_run()
            collateral.finish(state)
            if context.purge:
                _finish_purge(state)
            if state.run.tag:
                _keep_tag(state)
            if context._in_external_transaction:
                state.lift_timeouts()


def _be_heard(context: MigrationContext) -> None:
    """Let our warnings through, whatever alembic.ini says about logging, or if it says nothing.

    fileConfig in env.py silences loggers that alembic.ini doesn't name. And where nothing is
    configured, Alembic's NullHandler swallows what Python would print; in code that is the
    application's choice, but at the command line somebody sits and waits.
    """
    log.disabled = False
    config = context.config
    if config is None or config.cmd_opts is None or logging.lastResort is None:
        return
    heard = (*log.handlers, *logging.getLogger("alembic").handlers, *logging.getLogger().handlers)
    if all(isinstance(handler, logging.NullHandler) for handler in heard):
        log.addHandler(logging.lastResort)


def refuse_read_only(connection: Connection, setting: str = "transaction_read_only") -> None:
    """Raise DatabaseError where nothing can be written, instead of a run that fails half-way.

    setting: default_transaction_read_only, to ask in a transaction that is ours and only looks.
    """
    sql = f"SELECT pg_is_in_recovery(), current_setting('{setting}')"
    replica, read_only = connection.exec_driver_sql(sql).one()
    if replica:
        raise DatabaseError(
            "The server is a read-only replica.",
            state="Nothing was changed.",
            next_step="Run it against the primary.",
        )
    if read_only == "on":
        raise DatabaseError(
            f"The session is read only: {setting} is on.",
            state="Nothing was changed.",
            next_step="Run it against the primary; or look where default_transaction_read_only is "
            "set: on the role, the database, the server or in env.py.",
        )


def _lock_wait(context: MigrationContext, order: Order | None, settings: Settings) -> float | None:
    """How many seconds to wait for another runner: as rollback-db, the caller, or the setting says.

    In code: `config.attributes["alembic_rollback_lock_wait"] = "1h"`.
    """
    attributes = context.config.attributes if context.config else {}
    given = attributes.get("alembic_rollback_lock_wait", settings.lock_wait)
    return seconds(check_duration("lock_wait", (order and order.lock_wait) or str(given)))


def _create_ledger(
    context: MigrationContext, ledger: Ledger, history: History, *, required: bool
) -> bool:
    """Create ledger and log where they are missing; return whether there is a ledger to use.

    A project without pairs runs without one, as it did before the package was installed.
    """
    found = _why_no_ledger(context, ledger, history)
    if found is None:
        return True
    problem, advice = found
    if required:
        raise LedgerError(problem, state="Nothing was changed.", next_step=advice)
    log.warning("%s Running without a ledger. %s", problem, advice)
    return False


def _why_no_ledger(
    context: MigrationContext, ledger: Ledger, history: History
) -> tuple[str, str] | None:
    """What stands in the way, and what to do about it."""
    from sqlalchemy.exc import DBAPIError

    connection = context.connection
    assert connection is not None
    long = [version for version in history.revisions if len(version) > ledgers.MAX_VERSION]
    if long:
        return (
            f"Revision {long[0]} has {len(long[0])} characters; the ledger holds "
            f"{ledgers.MAX_VERSION}.",
            "Give it a shorter id.",
        )
    if ledger.shape(connection) is Shape.FOREIGN:
        return ledger.foreign
    try:
        with nullcontext() if autocommits(connection) else connection.begin_nested():
            ledger.create(connection)
    except DBAPIError as error:
        told = describe(error)
        name = quote_name((ledger.schema, ledger.table))
        return (
            f"The ledger {name} cannot be created: {told['message']}.",
            " ".join(filter(None, (told["hint"], _FOR_ANOTHER_ROLE))),
        )
    if not ledger.may_write(connection):
        name = quote_name((ledger.schema, ledger.table))
        return (
            f"This role may not write to the ledger {name}.",
            f"GRANT SELECT, INSERT, DELETE on it and on {name}_log.",
        )
    return None


def _open(
    context: MigrationContext,
    settings: Settings,
    history: History,
    ledger: Ledger,
    order: Order | None,
    lock: RunnerLock,
) -> State:
    """Bring ledger and version table together, and say what that changed."""
    assert context.connection is not None
    connection = context.connection
    rows = ledger.rows(connection)
    history = with_ghosts(history, ledger, rows, connection)
    heads = frozenset(context.get_current_heads())
    adopting = ledger.is_adopting(connection)
    outcome = reconcile(history.graph, frozenset(rows), heads, adopting=adopting)
    run = order.run if order else new_run(context.opts.get("tag"))
    applied = Applied(history.graph, outcome.applied)
    state = State(context, settings, history, ledger, run, applied, order, lock)
    state.autocommits = autocommits(connection)
    if context._in_external_transaction:
        state.backend = backend_of(connection)
    state.partials = still_partial(connection, ledger.partials(connection))
    with state.whole():
        _bring_together(state, outcome)
    return state


def backend_of(connection: Connection) -> int:
    """The process of the server that the connection talks to."""
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def _bring_together(state: State, outcome: Reconciled) -> None:
    for version in state.history.graph.order(outcome.added):
        state.add(state.entry(version, "none", "adopted"))
    for version in sorted(outcome.removed):
        log.warning(
            "%s is taken out of the ledger: the version table no longer covers it.", version
        )
        state.remove(state.entry(version, "none", "forgotten"))
    if outcome.heads is not None:
        state.replace_heads(outcome.heads)
        shown = ", ".join(sorted(outcome.heads)) or "base"
        log.info("Version table set to %s, as the ledger says.", shown)


def _keep_tag(state: State) -> None:
    """Alembic's --tag: what is applied now can be gone back to by that name."""
    applied = frozenset(state.applied.versions)
    missing = holes(state.history.graph, applied)
    tagged = Tagged(tuple(sorted(state.applied.heads())), tuple(sorted(missing)))
    state.ledger.note_tag(state.connection, state.run, tagged)
    if state.context._transaction_per_migration:
        state.connection.commit()


def _finish_purge(state: State) -> None:
    """After `stamp --purge` only what was stamped is applied."""
    stamped = state.history.graph.cov(state.context.get_current_heads())
    with state.whole():
        for version in sorted(state.applied.versions - stamped):
            state.applied.remove(version)
            state.remove(state.entry(version, "none", "stamped"))
    if state.context._transaction_per_migration:
        state.connection.commit()


@contextmanager
def _bridged(state: State, lock: RunnerLock, block: Any) -> Iterator[None]:
    attempt = state.attempt
    if attempt is None:
        with lock.bridged(), block:
            yield
        return
    attempt.outside = True
    with taken(attempt, Watching.OURS):
        note_committed(state, attempt)
        with lock.bridged(), block, taken(attempt, Watching.ONE_BY_ONE):
            yield
        state.apply_timeouts()
