"""Revisions of a project run on a scratch connection, without env.py ever being run.

env.py may connect to any database it likes, so it has no part in this: Alembic's operations get a
migration context on the connection that is given, each revision one of its own. Nothing is written
to a version table or a ledger. A `.py` revision is Python, and it is called: what it does through
SQLAlchemy to another database is refused, what it does past SQLAlchemy cannot be prevented.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, NoReturn

from alembic_rollback import direct
from alembic_rollback.errors import Location, RollbackError, StatementError
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.history import history_of
from alembic_rollback.host.muting import muted
from alembic_rollback.host.scripts import load_script, needs_postgresql, pair_of
from alembic_rollback.runner import autocommit, describe, run_and_commit

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory
    from sqlalchemy.engine import URL, Connection

    from alembic_rollback.sql.script import Script as SqlScript

Prepare = Callable[["SqlScript"], None]

_FUNCTIONS = {"up": "upgrade", "down": "downgrade"}
_OURS = ("as_sql", "connection", "dialect", "dialect_name", "fn", "script", "url")
"""Options of a migration context that say what to run where: here that is known."""
# DISCARD ALL without DEALLOCATE ALL, which takes away what some drivers have prepared.
_RESET = (
    "CLOSE ALL",
    "SET SESSION AUTHORIZATION DEFAULT",
    "RESET ALL",
    "UNLISTEN *",
    "SELECT pg_advisory_unlock_all()",
    "DISCARD SEQUENCES",
    "DISCARD TEMP",
)


@dataclass(frozen=True)
class Replayed:
    """A revision that was run."""

    version: str
    outside: str | None = None
    """Why it was run outside a transaction, statement by statement; None for one transaction."""


class ReplayError(RollbackError):
    """A revision cannot be run on a scratch database; what the server said is kept apart.

    revision: its version. direction: `up` or `down`. sqlstate, detail, hint: the server's; None
    where something else went wrong. statement: the text that failed, where it is known.
    """

    def __init__(
        self,
        what: str,
        *,
        revision: str,
        direction: str,
        where: Location,
        statement: str | None = None,
        sqlstate: str | None = None,
        detail: str | None = None,
        hint: str | None = None,
    ) -> None:
        advice = " ".join(_sentence(part) for part in (detail, hint) if part)
        state = "This was a scratch database."
        super().__init__(what, where=where, state=state, next_step=advice or None)
        self.revision, self.direction, self.statement = revision, direction, statement
        self.sqlstate, self.detail, self.hint = sqlstate, detail, hint


def history_before(directory: ScriptDirectory, revision: str) -> list[Script]:
    """All that a revision stands on, dependencies included, in the order to apply it in.

    Raises UsageError for an unknown revision, PairError for a bad file.
    """
    history = history_of(directory, downs=False)
    version = history.resolve(revision)
    below = history.graph.cov([version]) - {version}
    return [history.script(one) for one in history.graph.order(below)]


def replay(
    connection: Connection,
    scripts: Iterable[Script],
    *,
    config: Config,
    directory: ScriptDirectory,
    prepare: Prepare | None = None,
    opts: Mapping[str, Any] | None = None,
) -> tuple[Replayed, ...]:
    """Upgrade to each of the revisions in the order given, each in a transaction of its own.

    A pair that cannot be run in a transaction is run statement by statement, as is one that uses
    an enum value which it adds. Each revision finds the session as it was when the connection was
    opened: without settings, temporary tables or session locks of the one before. A transaction
    that the connection is in is committed first.

    prepare: called with each pair's script before anything of it runs; raises to stop it. opts:
    options that env.py would give to configure(). Raises ReplayError for the first revision that
    fails (its transaction is rolled back), NotPostgreSQL, ScriptSyntaxError or PairError for a
    file that cannot be read, and what `prepare` or the connection raises of ours, with its place.
    Not to be called while env.py is running: Alembic has one `op` for both.
    """
    player = _Player(connection, config, directory, prepare, opts or {})
    return tuple(player.run(script, "up") for script in scripts)


def downgrade(
    connection: Connection,
    script: Script,
    *,
    config: Config,
    directory: ScriptDirectory,
    prepare: Prepare | None = None,
    opts: Mapping[str, Any] | None = None,
) -> Replayed:
    """Take one revision back, by its down file or its Python function; all else as in `replay`."""
    return _Player(connection, config, directory, prepare, opts or {}).run(script, "down")


@dataclass(frozen=True)
class _Player:
    """Runs revisions on one connection."""

    connection: Connection
    config: Config
    directory: ScriptDirectory
    prepare: Prepare | None
    opts: Mapping[str, Any] = field(default_factory=dict)

    def run(self, script: Script, direction: str) -> Replayed:
        dialect = self.connection.dialect.name
        if dialect != "postgresql":
            raise needs_postgresql(dialect)
        if self.connection.in_transaction():
            self.connection.commit()
        try:
            if pair_of(script):
                return Replayed(script.revision, self._run_pair(script, direction))
            self._run_python(script, direction)
            return Replayed(script.revision)
        finally:
            _reset(self.connection)

    def _run_pair(self, script: Script, direction: str) -> str | None:
        pair = pair_of(script)
        assert pair is not None
        sql = load_script(pair, direction, settings_of(self.config).max_script_bytes)
        with _explained(script, direction, sql.path):
            if self.prepare:
                self.prepare(sql)
            return run_and_commit(self.connection, sql)

    def _run_python(self, script: Script, direction: str) -> None:
        from alembic.operations import Operations
        from alembic.runtime.environment import EnvironmentContext

        function = _function(script, direction)
        options = {name: value for name, value in self.opts.items() if name not in _OURS}
        # In one transaction, whatever env.py says: autocommit_block() needs it to be begun.
        options |= {"transaction_per_migration": False, "transactional_ddl": True}
        environment = EnvironmentContext(
            self.config, self.directory, destination_rev=script.revision
        )
        path = Path(script.path)
        with _explained(script, direction, path), muted(), environment:
            environment.configure(connection=self.connection, **options)
            context = environment.get_context()
            alone = _alone(self.connection.engine.url)
            with Operations.context(context), alone, context.begin_transaction():
                function()


def _function(script: Script, direction: str) -> Callable[[], Any]:
    name, path = _FUNCTIONS[direction], Path(script.path)
    function: Callable[[], Any] | None = getattr(script.module, name, None)
    if function is None:
        raise _failure(script, direction, Location(path), f"there is no {name}()")
    parameters = inspect.signature(function).parameters.values()
    if any(one.default is one.empty and one.kind not in _REST for one in parameters):
        problem = f"{name}() takes arguments, which only env.py knows"
        raise _failure(script, direction, Location(path), problem)
    return function


_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


# The session


def _reset(connection: Connection) -> None:
    """Make the session as it was when it was opened."""
    with suppress(Exception):  # the connection is lost, and the error that says so is on its way
        if connection.in_transaction():
            connection.rollback()
        known = connection.dialect.driver == "psycopg2"  # it prepares nothing
        with autocommit(connection):
            for statement in ("DISCARD ALL",) if known else _RESET:
                connection.exec_driver_sql(statement)


# Other databases

_ALONE: ContextVar[URL | None] = ContextVar("replaying", default=None)
"""While a `.py` revision runs: the only database that it may connect to."""


@contextmanager
def _alone(url: URL) -> Iterator[None]:
    _guard_connections()
    token = _ALONE.set(url)
    try:
        yield
    finally:
        _ALONE.reset(token)


class _Elsewhere(RuntimeError):
    """A migration would use another database than the scratch one."""


@cache
def _guard_connections() -> None:
    """Refuse other databases: for good and for all engines, without effect outside of a replay."""

    def do_connect(dialect: Any, _: Any, arguments: Any, keywords: Any) -> None:
        url = _ALONE.get()
        if url is None:
            return
        expected = dialect.create_connect_args(url)
        if (list(arguments), dict(keywords)) != (list(expected[0]), dict(expected[1])):
            _refuse()

    def engine_connect(connection: Connection) -> None:
        url = _ALONE.get()
        if url is not None and connection.engine.url != url:  # one that its pool had open
            _refuse()

    direct.listen("do_connect", do_connect)
    direct.listen("engine_connect", engine_connect)


def _refuse() -> NoReturn:
    raise _Elsewhere("it connects to a database of its own, which a replay must not touch")


# What went wrong


@contextmanager
def _explained(script: Script, direction: str, path: Path) -> Iterator[None]:
    """Turn whatever a revision raises into an error of ours that names the revision and place."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except StatementError as error:
        raise _failure(
            script,
            direction,
            error.where or Location(path),
            error.what,
            statement=error.statement,
            sqlstate=error.sqlstate,
            detail=error.detail,
            hint=error.hint,
        ) from error
    except RollbackError as error:  # from `prepare`, or from who looks at the connection
        error.where = error.where or _place(error, script, path)
        raise
    except DBAPIError as error:
        told = describe(error)
        del told["position"]
        message, where = str(told.pop("message")), _place(error, script, path)
        raise _failure(
            script, direction, where, message, statement=error.statement, **told
        ) from error
    except (Exception, SystemExit) as error:
        where = _place(error, script, path)
        raise _failure(script, direction, where, _in_one_line(error)) from error


def _failure(
    script: Script, direction: str, where: Location, message: str, **told: Any
) -> ReplayError:
    pair, code = pair_of(script), told.get("sqlstate")
    title = pair.title if pair else script.revision
    problem = message.rstrip(".") + (f" ({code})" if code else "")
    return ReplayError(
        f"{_FUNCTIONS[direction]} of {title} failed: {problem}.",
        revision=script.revision,
        direction=direction,
        where=where,
        **told,
    )


def _place(error: BaseException, script: Script, path: Path) -> Location:
    """The innermost line of the revision's file that an error passed through."""
    file = getattr(script.module, "__file__", None)
    for frame in reversed(extract_tb(error.__traceback__)):
        if frame.filename == file and frame.lineno:
            column = getattr(frame, "colno", None)  # from Python 3.11 on
            return Location(path, frame.lineno, (column or 0) + 1)
    return Location(path)


def _in_one_line(error: BaseException) -> str:
    first = next(iter(str(error).strip().splitlines()), "")
    if isinstance(error, _Elsewhere):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
