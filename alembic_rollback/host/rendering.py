"""A `.py` revision as SQL: its upgrade() or downgrade() called in Alembic's offline mode.

Neither a database nor env.py takes part. Alembic's operations are written down instead of sent;
whatever would need an answer from the server, or would differ online, makes the outcome unknown
instead of wrong. What the function does besides (files, HTTP, os.system, threads, a driver called
past SQLAlchemy) happens and cannot be prevented: it is Python, and it is called.
"""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ObjectNotExecutableError
from sqlalchemy.pool import Pool
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.elements import TextClause

from alembic_rollback import direct
from alembic_rollback.errors import Location, ScriptSyntaxError, shown_path
from alembic_rollback.host.muting import muted
from alembic_rollback.sql.outside import why_outside_transaction
from alembic_rollback.sql.parser import Statement, parse
from alembic_rollback.sql.script import Script as SqlScript
from alembic_rollback.sql.script import read_script

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory
    from alembic.util.langhelpers import ModuleClsProxy

_FUNCTIONS = {"up": "upgrade", "down": "downgrade"}
_LIBRARIES = ("alembic", "sqlalchemy", __name__.partition(".")[0])


@dataclass(frozen=True)
class Rendered:
    """One side of a `.py` revision, as far as it can be known without running it."""

    script: SqlScript | None
    """What it would run; None where that can't be known without running it. What it asks to look
    for first (`checkfirst=True`) counts as found. Every statement's place is the function's."""
    why: str = ""
    """Why not: `downgrade() reads the database (line 12 of versions/x.py)`."""


def render(
    script: Script,
    direction: str,
    *,
    config: Config,
    opts: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    schemas: Mapping[str | None, str | None] | None = None,
) -> Rendered:
    """Write down what upgrade() (`up`) or downgrade() (`down`) of a `.py` revision would run.

    opts: options for the migration context, as env.py would give them to configure(). arguments:
    what it gives to run_migrations(), None where nobody has asked it; only plain values are handed
    on, for anything else could lead to a database. schemas: its schema_translate_map. Nothing is
    raised on behalf of the migration but KeyboardInterrupt.
    """
    name = _FUNCTIONS[direction]
    function = getattr(script.module, name, None)
    watch = _Watch(name, Path(script.path), str(script.module.__file__))
    if not callable(function):
        return Rendered(None, f"{shown_path(watch.path)} has no {name}()")
    if _takes(function, arguments):
        _call(partial(function, **(arguments or {})), watch, config, opts or {}, schemas or {})
    else:
        watch.note("takes arguments, which only env.py knows", _first_line(function, watch))
    parsed = None if watch.why else _parsed(watch, _first_line(function, watch))
    return Rendered(parsed, watch.why)


def _takes(function: Callable[..., Any], given: Mapping[str, Any] | None) -> bool:
    if given is None:
        return not inspect.signature(function).parameters
    if not all(isinstance(value, str | int | float | bool | None) for value in given.values()):
        return False
    try:
        inspect.signature(function).bind(**given)
    except TypeError:
        return False
    return True


class _Unknown(BaseException):
    """Ends a migration whose SQL cannot be known.

    Not an Exception: `except Exception` around a query, or a loop that tries again to connect,
    would go on with something that never happens.
    """


class _Refused(RuntimeError):
    """Refuses a statement: for a BaseException, SQLAlchemy would give up the connection."""


@dataclass
class _Watch:
    """What a migration did while it was rendered."""

    function: str
    path: Path
    file: str
    """The path as Python's frames name it."""
    pieces: list[_Piece] = field(default_factory=list)
    what: str = ""
    """The first thing that makes the outcome unknown; it stays, whatever the migration catches."""
    at: int | None = None
    outside: str | None = None

    @property
    def why(self) -> str:
        """The reason with its place, as one line; empty where the outcome is known."""
        place = (f"line {self.at} of " if self.at else "") + shown_path(self.path)
        return self.what and f"{self.function}() {self.what} ({place})"

    def note(self, what: str, line: int | None) -> None:
        """Keep the first reason."""
        if not self.what:
            self.what, self.at = what, line

    def refuse(self, what: str, error: type[BaseException] = _Unknown) -> NoReturn:
        """Note why the outcome is unknown, and end the migration."""
        self.note(what, self.line)
        raise error(self.why)

    @property
    def line(self) -> int | None:
        """The line of the migration that is being executed."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        return frame.f_lineno if frame else None

    def line_of(self, error: BaseException) -> int | None:
        """The innermost line of the migration that an error passed through."""
        line, step = None, error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == self.file:
                line = step.tb_lineno
            step = step.tb_next
        return line


@dataclass(frozen=True)
class _Piece:
    """What one operation wrote."""

    text: str
    line: int | None


_WATCH: ContextVar[_Watch | None] = ContextVar("rendering", default=None)


def _call(
    function: Callable[[], Any],
    watch: _Watch,
    config: Config,
    opts: Mapping[str, Any],
    schemas: Mapping[str | None, str | None],
) -> None:
    from alembic.script import ScriptDirectory

    _guard_connections()
    directory = ScriptDirectory.from_config(config)
    with ExitStack() as stack:
        stack.enter_context(muted())
        environment, context = _contexts(watch, config, directory, opts)
        if schemas:
            preparer: Any = context.dialect.identifier_preparer
            preparer.schema_for_object = lambda item: schemas.get(item.schema, item.schema)
        stack.enter_context(_installed(environment))
        stack.enter_context(_installed(Operations(context)))
        token = _WATCH.set(watch)
        try:
            function()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            line = watch.line_of(error)
            watch.note(f"raises {_in_one_line(error)}", line)
            if isinstance(error, _Unknown):
                watch.at = watch.at or line  # inside a greenlet, no frame leads to the migration
        finally:
            _WATCH.reset(token)


def _in_one_line(error: BaseException) -> str:
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _first_line(function: Callable[..., Any], watch: _Watch) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code and code.co_filename == watch.file else 1


def _parsed(watch: _Watch, line: int) -> SqlScript | None:
    """Parse each piece by itself, so that none can swallow the next (`-- …`, `/* …`)."""
    where, outside = Location(watch.path, line, 1), watch.outside
    statements: list[Statement] = []
    for piece in watch.pieces:
        try:
            found = read_script(piece.text, watch.path).statements
        except ScriptSyntaxError as error:
            what = " ".join(error.what.split()).rstrip(".")
            watch.note(f"sends what cannot be weighed: {what}", piece.line)
            return None
        if len(found) < len(parse(piece.text, watch.path)):  # in a file, BEGIN … COMMIT is dropped
            watch.note("begins and commits a transaction of its own", piece.line)
            return None
        for statement in found:
            reason = why_outside_transaction(statement.node)
            outside = outside or (f"line {piece.line or line}: {reason}" if reason else None)
            statements.append(replace(statement, where=where))
    return SqlScript(watch.path, tuple(statements), outside)


# What the migration sees of Alembic


def _contexts(
    watch: _Watch, config: Config, directory: ScriptDirectory, opts: Mapping[str, Any]
) -> tuple[EnvironmentContext, MigrationContext]:
    """An environment as after env.py has called configure(): offline, and not telling so."""

    def is_offline_mode() -> NoReturn:
        watch.refuse("asks whether it runs offline")

    environment = EnvironmentContext(config, directory, **{**opts, "as_sql": False})
    # A subclass would not be installed as `alembic.context`: Alembic looks its class up.
    vars(environment)["is_offline_mode"] = is_offline_mode
    context = _Context(watch, environment, directory, opts)
    environment._migration_context = context
    return environment, context


@contextmanager
def _installed(facade: ModuleClsProxy) -> Iterator[None]:
    """Put an object behind `alembic.op` or `alembic.context`, then what was there before.

    Alembic's own way out leaves nothing behind them, also where an outer run still goes on.
    """
    attributes, modules = facade._setups[type(facade)]
    names = ("_proxy", *attributes)
    before = [{name: space[name] for name in names if name in space} for space, _ in modules]
    try:
        facade._install_proxy()
        yield
    finally:
        for (space, _), kept in zip(modules, before, strict=True):
            for name in names:
                space.pop(name, None)
            space.update(kept)


class _Asked:
    """An attribute that answers the libraries; a migration that asks depends on the answer."""

    def __init__(self, answer: Any, what: str) -> None:
        self.answer, self.what = answer, what

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        watch = _WATCH.get()
        asker = str(sys._getframe(1).f_globals.get("__name__"))
        if watch and asker.partition(".")[0] not in _LIBRARIES:
            watch.refuse(self.what)
        return self.answer

    def __set__(self, instance: Any, value: Any) -> None:
        """Alembic sets what it was configured with; the answer stays."""


class _Context(MigrationContext):
    """A migration context that writes into a watch."""

    as_sql: Any = _Asked(True, "asks whether it runs offline")

    def __init__(
        self,
        watch: _Watch,
        environment: EnvironmentContext,
        directory: ScriptDirectory,
        opts: Mapping[str, Any],
    ) -> None:
        self._watch = watch
        mine = {"as_sql": True, "literal_binds": True, "script": directory}
        options = {**opts, **mine, "output_buffer": _Output(watch)}
        options.pop("output_encoding", None)
        super().__init__(_dialect(), None, options, environment)
        self.opts["as_sql"] = False  # as online; Alembic has read it
        self.impl.__class__ = _watched(type(self.impl))

    def _stdout_connection(self, connection: Connection | None) -> Any:
        return _Offline(self._watch, self)

    def get_current_heads(self) -> NoReturn:
        self._watch.refuse("asks for the current revision")

    @contextmanager
    def autocommit_block(self) -> Generator[None]:
        """Note it; Alembic would write COMMIT and BEGIN."""
        line = self._watch.line
        self._watch.outside = self._watch.outside or f"line {line}: autocommit_block()"
        yield


def _watched(impl: type[Any]) -> type[Any]:
    """The dialect's implementation, which may be a plugin's."""

    def _exec(self: Any, construct: Any, execution_options: Any = None, *args: Any) -> Any:
        watch = _WATCH.get()
        if watch and "schema_translate_map" in (execution_options or ()):
            watch.refuse("translates schema names")  # which offline mode doesn't
        return impl._exec(self, construct, execution_options, *args)

    as_sql = _Asked(True, "asks whether it runs offline")
    return type(impl.__name__, (impl,), {"as_sql": as_sql, "_exec": _exec})


class _Output(io.StringIO):
    """Offline mode's output: Alembic writes each statement with one call."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def write(self, text: str) -> int:
        self._watch.pieces.append(_Piece(text, self._watch.line))
        return len(text)


class _Compiler(PGCompiler):
    """Refuses what has no value yet: SQLAlchemy would write NULL for it."""

    def render_literal_bindparam(self, bindparam: Any, *args: Any, **kwargs: Any) -> Any:
        watch, name = _WATCH.get(), bindparam.key
        # SQLAlchemy 2.1 keeps what params() gave apart from the parameter.
        if watch and bindparam.required and name not in getattr(self, "_collected_params", ()):
            watch.refuse(f"gives no value for :{name}")
        compiler: Any = super()
        return compiler.render_literal_bindparam(bindparam, *args, **kwargs)

    def visit_insert(self, insert_stmt: Any, *args: Any, **kwargs: Any) -> Any:
        compiler: Any = super()
        return self._without_defaults(compiler.visit_insert(insert_stmt, *args, **kwargs))

    def visit_update(self, update_stmt: Any, *args: Any, **kwargs: Any) -> Any:
        return self._without_defaults(super().visit_update(update_stmt, *args, **kwargs))

    def _without_defaults(self, text: Any) -> Any:
        watch, computed = _WATCH.get(), [*self.insert_prefetch, *self.update_prefetch]
        if watch and computed:
            watch.refuse(f"has Python compute a default of {computed[0].name}")
        return text


class _Dialect(PGDialect_psycopg2):
    """PostgreSQL without a server."""

    statement_compiler = _Compiler
    supports_statement_cache = True
    server_version_info: Any = _Asked(None, "asks for the server's version")
    default_schema_name: Any = _Asked(None, "asks for the server's default schema")


def _dialect() -> _Dialect:
    # With `%(name)s`, a `%` in the text is doubled for the driver, and a parameter without a
    # value may parse as an operator and an alias; `:name` never parses.
    dialect = _Dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    dialect._backslash_escapes = False  # what it learns from every server of today
    return dialect


# What the migration sees of the database

_OFFLINE = {
    "_context",
    "_run_ddl_visitor",
    "_watch",
    "dialect",
    "exec_driver_sql",
    "execute",
    "in_transaction",
    "schema_for_object",
}


class _Offline(Connection):
    """What get_bind() gives: it takes statements, and has no answer to anything.

    A Connection, as online, to whoever tests for one; but none of its attributes is reachable
    that would need a server.
    """

    def __init__(self, watch: _Watch, context: MigrationContext) -> None:
        self._watch, self._context = watch, context
        self.dialect = context.dialect

    def __getattribute__(self, name: str) -> Any:
        if name in _OFFLINE or name.startswith("__"):
            return object.__getattribute__(self, name)
        if name in ("scalar", "scalars"):
            self._watch.refuse("reads the database")
        return self._watch.refuse(f"needs a live connection for Connection.{name}")

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        """Write it down; the result may be ignored."""
        execution_options = options.get("execution_options")
        if isinstance(statement, str):
            raise ObjectNotExecutableError(statement)  # offline mode would take it
        filled_in = _filled_in(self._watch, statement, parameters or {})
        for one in filled_in if parameters else [statement]:
            self._context.impl._exec(one, execution_options)
        return _Unread(self._watch)

    def exec_driver_sql(
        self, statement: str, parameters: Any = None, execution_options: Any = None
    ) -> Any:
        """Write it down, where no driver would read anything into it."""
        if parameters or "%" in statement:
            self._watch.refuse("passes parameters to the driver")
        self._context.impl.static_output(statement)
        return _Unread(self._watch)

    def in_transaction(self) -> bool:
        """As in every migration."""
        return True

    def schema_for_object(self, obj: Any) -> Any:
        """No name is translated."""
        return obj.schema

    def _run_ddl_visitor(self, visitorcallable: Any, element: Any, **kwargs: Any) -> None:
        kwargs["checkfirst"] = False  # as Alembic's offline mode does
        visitor = visitorcallable(dialect=self.dialect, connection=self, **kwargs)
        visitor.traverse_single(element)


def _filled_in(watch: _Watch, statement: Any, parameters: Any) -> Iterator[Any]:
    """Write parameters into a statement, once for each row of them."""
    for row in [parameters] if isinstance(parameters, Mapping) else parameters:
        if isinstance(statement, TextClause):
            yield statement.bindparams(**row)
        elif isinstance(statement, Insert):
            yield statement.values(**row)
        else:
            watch.refuse("passes parameters")


class _Unread:
    """The result of a statement that was not run: it may be ignored, not looked at."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch

    def __getattr__(self, name: str) -> NoReturn:
        self._watch.refuse("reads the database")

    def __iter__(self) -> NoReturn:
        self._watch.refuse("reads the database")

    def __bool__(self) -> bool:  # noqa: PLE0304
        self._watch.refuse("reads the database")


@cache
def _guard_connections() -> None:
    """Refuse, while a migration is rendered, what it tries on connections of its own.

    For good, and for all engines: taking a listener away is not safe beside other threads, and
    outside of a rendering it does nothing. A connection that exists may be pinged by its pool.
    """

    def refuse(what: str, error: type[BaseException] = _Unknown) -> Callable[..., None]:
        def listener(*_: Any, **__: Any) -> None:
            watch = _WATCH.get()
            if watch is not None:
                watch.refuse(what, error)

        return listener

    direct.listen("do_connect", refuse("connects to a database"))
    event.listen(Pool, "checkout", refuse("connects to a database"))
    statements = refuse("uses a connection of its own", _Refused)
    direct.listen("before_cursor_execute", statements)
