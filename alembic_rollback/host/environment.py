"""Run something through the project's own env.py: its connections, its schemas, its settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from alembic_rollback.errors import DatabaseError, PairError, RollbackError
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.history import History, history_of
from alembic_rollback.host.interrupts import interruptible
from alembic_rollback.host.ledgers import archived_versions, find_ledger, with_ghosts
from alembic_rollback.host.scripts import needs_postgresql, script_of
from alembic_rollback.host.state import (
    ARGUMENTS,
    OPTION,
    STATE,
    DowngradeGuard,
    Order,
    Starting,
    State,
)
from alembic_rollback.host.transactions import leave_autocommit
from alembic_rollback.ledger import Ledger, Shape, server_now
from alembic_rollback.planning import reconcile

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy.engine import Connection

    from alembic_rollback.model import (
        Collateral,
        Failure,
        LedgerRow,
        Partial,
        Plan,
        Revision,
        StoredDown,
    )
    from alembic_rollback.settings import Settings
    from alembic_rollback.sql.script import Script

T = TypeVar("T")
Guard = Callable[
    ["Key", "State", "tuple[Revision, ...]", "Mapping[str, Script | None]"],
    None,
]
Key = tuple[int, str, str, str]
"""The how-manyth database of env.py, its name, and the ledger's schema and table."""


class Snapshot(NamedTuple):
    """What one database says, read without writing anything."""

    key: Key
    settings: Settings
    history: History
    ledger: Ledger
    shape: Shape
    rows: Mapping[str, LedgerRow]
    applied: frozenset[str]
    """The applied set as a run that writes would find it after reconciling."""
    starting: Starting
    """What such a run would do before its first step."""
    heads: tuple[str, ...]
    """The version table's rows as such a run would leave them."""
    failures: Mapping[str, Failure]
    now: datetime
    collateral: tuple[Collateral, ...] = ()
    """What rollbacks took from revisions that are applied, and is not there again."""
    has_log: bool = False
    partials: Mapping[str, Partial] = MappingProxyType({})
    """What was begun outside a transaction, and neither finished nor undone."""
    archived: tuple[str, ...] = ()
    """Of which revisions the archive has something that was not put back."""
    arguments: Mapping[str, Any] | None = None
    """What env.py gives to every upgrade() and downgrade()."""

    @property
    def database(self) -> str:
        """The database's name, with the ledger's schema where that isn't public."""
        return self.key[1] if self.ledger.schema == "public" else f"{self.key[1]}.{self.key[2]}"

    @property
    def applied_without_file(self) -> dict[str, str]:
        """Applied revisions that no file of this release has, with the ledger's name for them."""
        return {
            version: self.rows[version].name if version in self.rows else ""
            for version in sorted(self.applied)
            if version not in self.history.revisions
        }

    @property
    def ranked(self) -> dict[str, int]:
        """The applied versions with their place in the order of application."""
        known = [version for version in self.rows if version in self.applied]
        rank = {version: place for place, version in enumerate(known, 1)}
        return {version: rank.get(version, 0) for version in self.applied}

    @property
    def revertible(self) -> dict[str, int]:
        """The same with what was begun and not recorded as applied: it came last."""
        begun = [version for version in self.partials if version not in self.applied]
        last = len(self.applied) + 1
        return {**self.ranked, **{version: last + n for n, version in enumerate(begun)}}


def inspect(config: Config, read: Callable[[Snapshot, Connection], T]) -> list[T]:
    """Read each database that env.py connects to; nothing is written, in a READ ONLY transaction.

    Raises DatabaseError where there is no connection, or no PostgreSQL.
    """

    def see(context: MigrationContext, number: int) -> T:
        assert context.connection is not None
        return read(_read_snapshot(context, number), context.connection)

    return _look(config, see)


def inspect_ledgers(config: Config, read: Callable[[Key, Ledger, Connection], T]) -> list[T]:
    """The same for what only the ledger and its log can say: no revision is read."""

    def see(context: MigrationContext, number: int) -> T:
        assert context.connection is not None
        ledger = find_ledger(context, settings_of(context.config))
        return read(_key(context, ledger, number), ledger, context.connection)

    return _look(config, see)


def _look(config: Config, see: Callable[[MigrationContext, int], T]) -> list[T]:
    found: list[T] = []

    def look(heads: Any, context: MigrationContext) -> list[Any]:
        if context.dialect.name != "postgresql":
            raise needs_postgresql(context.dialect.name)
        with _read_only(context):
            found.append(see(context, len(found)))
        return []

    directory = script_directory(config)
    with _quiet(), _connection_errors():
        _run_env(config, directory, fn=look, dont_mutate=True)
    if not found:
        raise DatabaseError(
            "env.py did not run any migrations, so no database was seen.",
            next_step="It must call context.run_migrations().",
        )
    return found


def execute(config: Config, plans: Mapping[Key, Plan], order: Order, guard: Guard) -> None:
    """Run the plans through env.py: each in the database that it was made for.

    plans: by Snapshot.key. guard: called under the lock, before the first step or, where each step
    is a transaction of its own, before each; raises to stop it. Errors of a step come out as they
    were raised; `failure_of` tells where the database is then.
    """
    from alembic_rollback.host.steps import prepare

    seen: list[str] = []

    def roll_back(heads: Any, context: MigrationContext) -> list[Any]:
        state = STATE.get()
        if state is None:
            raise RollbackError("Without a ledger nothing can be rolled back.")
        key = _key(context, state.ledger, len(seen))
        seen.append(key[1])
        plan = plans.get(key)
        if plan is None:
            return []
        there = state.applied.versions | state.partials.keys()
        gone = [step.title for step in plan.steps if step.version not in there]
        if gone:
            raise RollbackError(
                f"{', '.join(gone)}: rolled back by somebody else in the meantime.",
                state="Nothing was changed.",
                next_step="`alembic migration-status` shows what is applied now.",
            )
        state.stored = stored_downs(
            state.connection, state.ledger, state.history, plan, always=order.stored
        )
        state.history = state.history.knowing(state.stored)
        steps = prepare(state, _steps(context, plan, state.stored))
        scripts = {step.version: state.scripts.get((step.version, "down")) for step in plan.steps}

        def look_again(some: tuple[Revision, ...]) -> None:
            guard(key, state, some, {one.version: scripts[one.version] for one in some})

        if order.each:
            state.guard = look_again
        else:
            look_again(plan.steps)
        return steps

    with _quiet(), _connection_errors():
        _run_env(config, script_directory(config), fn=roll_back, **{OPTION: order})


def amend(config: Config, order: Order, change: Callable[[Key, State], None]) -> None:
    """Change what is recorded, through env.py and under the lock; no step is run.

    change: called once for each database, after ledger and version table were brought together;
    what it raises undoes that database's transaction.
    """
    seen: list[str] = []

    def no_steps(heads: Any, context: MigrationContext) -> list[Any]:
        state = STATE.get()
        if state is None:
            raise RollbackError("Without a ledger nothing can be repaired.")
        key = _key(context, state.ledger, len(seen))
        seen.append(key[1])
        change(key, state)
        return []

    with _quiet(), _connection_errors():
        _run_env(config, script_directory(config), fn=no_steps, **{OPTION: order})


def stored_downs(
    connection: Connection, ledger: Ledger, history: History, plan: Plan, *, always: bool
) -> dict[str, StoredDown]:
    """The downs of a plan that are taken from the log: those without a file, or all.

    Raises PairError where all are asked for and one isn't stored.
    """
    versions = [step.version for step in plan.steps]
    if not always:
        versions = [v for v in versions if v not in history.directory.revision_map._revision_map]
    found = ledger.stored_downs(connection, versions)
    for version in versions:
        if version not in found:
            raise PairError(
                f"No down script of {version} is stored in the log.",
                state="Nothing was changed.",
                next_step="Run it without --stored." if always else None,
            )
    return found


def guard_of_downgrade(guard: Guard) -> DowngradeGuard:
    """The guard, for `alembic downgrade`: told which of env.py's databases it looks at."""
    numbers: dict[int, int] = {}

    def look_again(state: State, steps: tuple[Revision, ...]) -> None:
        number = numbers.setdefault(id(state), len(numbers))
        key = _key(state.context, state.ledger, number)
        scripts = {one.version: state.scripts.get((one.version, "down")) for one in steps}
        guard(key, state, steps, scripts)

    return look_again


def render(config: Config, snapshot: Snapshot, plan: Plan, order: Order) -> None:
    """Write the SQL of a plan to the output that env.py's offline mode writes to."""
    from alembic_rollback.host.steps import prepare

    def steps(heads: Any, context: MigrationContext) -> list[Any]:
        state = STATE.get()
        assert state is not None
        return prepare(state, _steps(context, plan, {}))

    with _quiet():
        _run_env(
            config,
            script_directory(config),
            fn=steps,
            as_sql=True,
            starting_rev=snapshot.heads or None,
            **{OPTION: order},
        )


def has_project(config: Config) -> bool:
    """Whether there is a configuration that names a script location."""
    from alembic.util import CommandError

    try:
        return bool(config.get_alembic_option("script_location"))
    except CommandError:  # there is no configuration file
        return False


def script_directory(config: Config) -> ScriptDirectory:
    """Alembic's script directory of a project. Raises CommandError as Alembic does."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config)


def _run_env(config: Config, directory: ScriptDirectory, **options: Any) -> None:
    from alembic.runtime.environment import EnvironmentContext

    if not Path(directory.env_py_location).is_file():
        raise RollbackError("there is no env.py.", where=Path(directory.dir))
    with EnvironmentContext(config, directory, **options):
        directory.run_env()


def _steps(context: MigrationContext, plan: Plan, stored: Mapping[str, StoredDown]) -> list[Any]:
    from alembic.runtime.migration import MigrationStep

    assert context.script is not None
    map_: Any = context.script.revision_map

    def script(version: str) -> Any:
        known = map_._revision_map.get(version)
        return known if known is not None else script_of(stored[version])

    return [MigrationStep.downgrade_from_script(map_, script(one.version)) for one in plan.steps]


def _read_snapshot(context: MigrationContext, number: int) -> Snapshot:
    assert context.script is not None
    assert context.connection is not None
    connection, settings = context.connection, settings_of(context.config)
    history, ledger = history_of(context.script, downs=True), find_ledger(context, settings)
    shape = ledger.shape(connection)
    ours, has_log = shape is Shape.OURS, ledger.has_log(connection)
    rows = ledger.rows(connection) if ours else {}
    if has_log:
        history = with_ghosts(history, ledger, rows, connection)
    heads = tuple(context.get_current_heads())
    gone = ledger.collateral(connection) if has_log else []
    adopting = not has_log or ledger.is_adopting(connection)
    after = reconcile(history.graph, frozenset(rows), frozenset(heads), adopting=adopting)
    return Snapshot(
        key=_key(context, ledger, number),
        settings=settings,
        history=history,
        ledger=ledger,
        shape=shape,
        rows=rows,
        applied=after.applied,
        starting=Starting(
            after.applied,
            tuple(history.graph.order(after.added)),
            tuple(sorted(after.removed)),
            None if after.heads is None else tuple(sorted(after.heads)),
        ),
        heads=heads if after.heads is None else tuple(sorted(after.heads)),
        failures=ledger.failures(connection) if has_log else {},
        now=server_now(connection),
        collateral=_still_gone(connection, gone, after.applied) if gone else (),
        has_log=has_log,
        partials=_still_partial(connection, ledger) if has_log else {},
        archived=archived_versions(connection, settings, ledger) if has_log else (),
        arguments=ARGUMENTS.get(),
    )


def _still_gone(
    connection: Connection, gone: list[Collateral], applied: frozenset[str]
) -> tuple[Collateral, ...]:
    from alembic_rollback.host.collateral import still_gone

    return still_gone(connection, gone, applied)


def _still_partial(connection: Connection, ledger: Ledger) -> dict[str, Partial]:
    found = ledger.partials(connection)
    if not found:
        return found
    from alembic_rollback.recovery.remains import still_partial

    return still_partial(connection, found)


def _key(context: MigrationContext, ledger: Ledger, number: int) -> Key:
    assert context.connection is not None
    name = context.connection.exec_driver_sql("SELECT current_database()").scalar_one()
    return number, str(name), ledger.schema, ledger.table


@contextmanager
def _read_only(context: MigrationContext) -> Iterator[None]:
    """A caller's transaction cannot be made read only without staying so; it is only looked at."""
    connection = context.connection
    assert connection is not None
    if context._in_external_transaction:
        yield
        return
    leave_autocommit(context)
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    with interruptible(connection):
        yield
    connection.rollback()
    context._transaction = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Alembic from announcing what has not happened yet ("Running downgrade …")."""
    logger = logging.getLogger("alembic.runtime.migration")

    def warnings_only(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger.addFilter(warnings_only)
    try:
        yield
    finally:
        logger.removeFilter(warnings_only)


@contextmanager
def _connection_errors() -> Iterator[None]:
    """Turn what env.py raises for want of a database into one line, without the URL."""
    from sqlalchemy import exc

    unreadable = DatabaseError(
        "The database URL cannot be read.", next_step="See sqlalchemy.url and env.py."
    )
    try:
        yield
    except exc.NoSuchModuleError as error:
        raise DatabaseError(f"{error}.", next_step="Install the driver.") from None
    except exc.ArgumentError:
        raise unreadable from None
    except ModuleNotFoundError as error:
        raise DatabaseError(f"env.py cannot be run: {error}.") from None
    except ValueError as error:
        if _raised_in(error, "sqlalchemy/engine/url.py"):
            raise unreadable from None
        raise
    except (exc.DBAPIError, exc.PendingRollbackError) as error:
        from alembic_rollback.host.failures import told

        found = told(error)
        if found is None or found is error:
            raise
        raise found from found.__cause__


def _raised_in(error: BaseException, file: str) -> bool:
    """Whether an error was raised by that file: it has no class of its own to know it by."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and Path(place.tb_frame.f_code.co_filename).as_posix().endswith(file)
