"""Whether the downs of revisions restore the schema: each is tried, with rows in the tables.

The history is replayed once on a scratch database. Before a revision becomes part of it, it is
applied, taken back and applied again: the catalog must be what it was before, then what it was
after. A pair is tried in one transaction that is rolled back. What cannot be tried so, what fails
there and what differs there is tried on a copy of the database, with commits as in a real run: only
what shows there, too, is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.catalog.facts.model import Snapshot
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.errors import (
    DatabaseError,
    Location,
    PairError,
    RollbackError,
    StatementError,
)
from alembic_rollback.host.scripts import load_script, pair_of
from alembic_rollback.model import Revision
from alembic_rollback.replay import ReplayError, downgrade, replay
from alembic_rollback.runner import describe, run_script
from alembic_rollback.scratch import NotOnScratch, ScratchDatabase, ScratchServer
from alembic_rollback.scratch.connecting import open_engine
from alembic_rollback.scratch.statements import cluster_wide, named_databases, named_roles
from alembic_rollback.seeding import seed
from alembic_rollback.sql.names import quote_always, quote_literal, quote_name
from alembic_rollback.survival import Loss, Rows, lost, remember

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.history import History
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script as SqlScript

VERIFIED = "verified"
REORDERED = "verified but for column order"
DIFFERS = "differs"
DOWN_FAILS = "down fails"
UP_FAILS = "up fails"
UP_FAILS_AGAIN = "up fails after down"
NO_DOWN = "no down"
IRREVERSIBLE = "irreversible"
NOT_VERIFIED = "not verified"
OUTCOMES = (
    VERIFIED, REORDERED, DIFFERS, DOWN_FAILS, UP_FAILS, UP_FAILS_AGAIN, NO_DOWN, IRREVERSIBLE,
    NOT_VERIFIED,
)  # fmt: skip

_IN_USE_ELSEWHERE = "2BP01"
"""Of DROP ROLE: something in another database needs it."""


@dataclass(frozen=True)
class Trouble:
    """Why a script could not be run."""

    message: str
    """One sentence, without the place and the code."""
    where: Location | None = None
    sqlstate: str | None = None
    advice: str = ""
    """The server's detail and hint, or what to do about it."""


@dataclass(frozen=True)
class Judged:
    """What became of one revision."""

    revision: Revision
    outcome: str
    """One of OUTCOMES."""
    trouble: Trouble | None = None
    """Where something fails or could not be tried."""
    differences: tuple[Difference, ...] = ()
    """What is not what it was, columns in another order included."""
    again: bool = False
    """They are between the first up and the second one; else between before and after the down."""
    lost: tuple[Loss, ...] = ()
    """Of the rows that were there before the up."""
    unseeded: Mapping[str, str] = field(default_factory=dict)
    """Tables that took no row, with the reason."""
    notes: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether the down restores the schema, but perhaps for the order of columns."""
        return self.outcome in (VERIFIED, REORDERED)

    def passes(self, *, strict: bool) -> bool:
        """Whether nothing has to be done. strict: the order of columns and rows count, too."""
        if self.outcome == IRREVERSIBLE:
            return True
        if strict:
            return self.outcome == VERIFIED and not self.lost and not self.notes
        return self.verified


@dataclass(frozen=True)
class Verification:
    """What became of all that were asked for, in the history's order."""

    server: str
    """PostgreSQL's version: `18.6`."""
    revisions: tuple[Judged, ...]

    @property
    def verified(self) -> int:
        """How many downs restore the schema."""
        return sum(one.verified for one in self.revisions)

    def passes(self, *, strict: bool = False) -> bool:
        """Whether every revision does; see `Judged.passes`."""
        return all(one.passes(strict=strict) for one in self.revisions)


def verify(
    config: Config,
    history: History,
    server: ScratchServer,
    versions: Iterable[str],
    *,
    rows: int = 3,
) -> Verification:
    """Try the downs of some revisions, on what they stand on. env.py is never run.

    history: with the headers of the downs. rows: how many each table gets before the up; 0 for
    empty tables. Raises DatabaseError for a scratch server that refuses; what is wrong with a
    revision is no error but its outcome.
    """
    wanted = frozenset(versions)
    walk = _Walk(config, history.directory, server, rows)
    judged = []
    try:
        for version in history.graph.order(history.graph.cov(wanted)):
            found = walk.step(
                history.revisions[version], history.script(version), version in wanted
            )
            judged += [found] if found else []
    finally:
        walk.close()
    return Verification(server.version, tuple(judged))


class _Sessions:
    """The connections to a scratch database."""

    def __init__(self, database: ScratchDatabase) -> None:
        self.database = database
        self._open: dict[str, Connection] = {}

    @property
    def watched(self) -> Connection:
        """For what may need roles to be made, or must be refused: each statement is looked at."""
        return self._opened("watched", self.database.connect)

    @property
    def plain(self) -> Connection:
        """For our own queries; looking at each would take several times as long as they do."""
        return self._opened("plain", open_engine(self.database.url).connect)

    def _opened(self, name: str, connect: Callable[[], Connection]) -> Connection:
        if name not in self._open:
            self._open[name] = connect()
        return self._open[name]

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


@dataclass(frozen=True)
class _Sides:
    """A pair's scripts."""

    up: SqlScript
    down: SqlScript

    @property
    def transactional(self) -> bool:
        return self.up.transactional and self.down.transactional

    @property
    def wide(self) -> bool:
        """Whether something in them is seen by the server's other databases."""
        return any(map(cluster_wide, self._statements))

    @property
    def watched(self) -> bool:
        """Whether something may have to be made before they run."""
        return any(named_roles(one) or named_databases(one) for one in self._statements)

    @property
    def _statements(self) -> tuple[Statement, ...]:
        return (*self.up.statements, *self.down.statements)


class _Walk:
    """The history on a scratch database, revision by revision."""

    def __init__(
        self, config: Config, directory: ScriptDirectory, server: ScratchServer, rows: int
    ) -> None:
        self.config, self.directory, self.server, self.rows = config, directory, server, rows
        self.sessions = _Sessions(server.create())
        self.applied: list[Script] = []
        self.broken: dict[str, str] = {}
        """Revisions that are not applied, by the title of the one that cannot be."""
        self.known: Snapshot | None = None
        """The catalog as it is now, where that has been read already."""
        self.ahead: Snapshot | None = None
        """The catalog as it will be after the next revision, likewise."""
        self.doubtful = False
        """Whether something may be left of a revision that failed."""

    def close(self) -> None:
        self.sessions.close()
        self.server.drop(self.sessions.database)

    def step(self, revision: Revision, script: Script, wanted: bool) -> Judged | None:
        """Try a revision if it is wanted, and apply it."""
        below = next((v for v in revision.parents if v in self.broken), None)
        if below:
            self.broken[revision.version] = self.broken[below]
            stands = Trouble(f"stands on {self.broken[below]}, which cannot be applied")
            return Judged(revision, NOT_VERIFIED, stands) if wanted else None
        if self.doubtful:
            self._start_again()
        found = self._judge(revision, script) if wanted else None
        failed = found if found and found.outcome == UP_FAILS else self._apply(revision, script)
        if failed:
            self.broken[revision.version] = revision.title
            if found and failed.outcome == UP_FAILS and found.outcome != NOT_VERIFIED:
                return replace(found, outcome=UP_FAILS, trouble=failed.trouble)
        return found

    # The history

    def _apply(self, revision: Revision, script: Script) -> Judged | None:
        """Make a revision part of the history; why that cannot be, if so."""
        try:
            self._replay(self.sessions, [script])
        except DatabaseError:
            raise
        except RollbackError as error:
            self.doubtful = True
            outcome = NOT_VERIFIED if isinstance(error, NotOnScratch) else UP_FAILS
            return Judged(revision, outcome, _trouble(error))
        finally:
            self.known, self.ahead = self.ahead, None
        self.applied.append(script)
        return None

    def _start_again(self) -> None:
        """Make the database as the history says, where it may have become another."""
        self.close()
        self.known, self.ahead, self.doubtful = None, None, False
        self.sessions = _Sessions(self.server.create())
        self._replay(self.sessions, self.applied)

    def _replay(self, sessions: _Sessions, scripts: Iterable[Script]) -> None:
        replay(
            sessions.watched,
            scripts,
            config=self.config,
            directory=self.directory,
            prepare=self.server.require,
        )

    def _downgrade(self, sessions: _Sessions, script: Script) -> None:
        downgrade(
            sessions.watched,
            script,
            config=self.config,
            directory=self.directory,
            prepare=self.server.require,
        )

    def _read(self, connection: Connection) -> Snapshot:
        # A server of others may stand behind a pooler, whose sessions are to stay as they are.
        return read(connection, edges=False, prepared=not self.server.shared)

    # One revision

    def _judge(self, revision: Revision, script: Script) -> Judged:
        if revision.irreversible:
            return Judged(revision, IRREVERSIBLE, Trouble("; ".join(revision.irreversible)))
        if not revision.has_down:
            return Judged(revision, NO_DOWN)
        sides: _Sides | None = None
        if pair_of(script):
            loaded = self._sides(revision, script)
            if isinstance(loaded, Judged):
                return loaded
            sides = loaded
        if sides and sides.transactional:
            quick = self._quickly(revision, sides)
            if quick:
                return quick
        return self._carefully(revision, script, sides)

    def _sides(self, revision: Revision, script: Script) -> _Sides | Judged:
        """Both scripts, if this server can run them."""
        pair = pair_of(script)
        assert pair is not None
        found: dict[str, SqlScript] = {}
        for direction, outcome in (("up", UP_FAILS), ("down", DOWN_FAILS)):
            try:
                found[direction] = load_script(pair, direction)
                self.server.require(found[direction])
            except NotOnScratch as error:
                return Judged(revision, NOT_VERIFIED, _trouble(error))
            except PairError as error:
                return Judged(revision, outcome, _trouble(error))
        return _Sides(**found)

    def _quickly(self, revision: Revision, sides: _Sides) -> Judged | None:
        """Try a pair in a transaction that leaves nothing; None where it doesn't pass there."""
        from sqlalchemy.exc import DBAPIError

        connection = self.sessions.watched if sides.watched else self.sessions.plain
        try:
            with _undone(connection):
                before = self.known or self._read(connection)
                trial = _Trial(
                    revision,
                    before,
                    lambda: _run_inside(connection, sides.up),
                    lambda: _run_inside(connection, sides.down),
                    lambda: self._read(connection),
                )
                if self.rows:
                    trial.fill = lambda: _fill(connection, self.rows, _touched(connection, sides))
                    trial.rows_left = lambda known, without: remember(
                        connection, known=known, without=without
                    )
                found = trial.run()
        except (StatementError, DBAPIError):
            return None
        if not found.verified:
            return None
        # With rows and without them the same; if not, what follows differs, and is tried with care.
        self.ahead = trial.after
        return found

    def _carefully(self, revision: Revision, script: Script, sides: _Sides | None) -> Judged:
        """Try a revision with commits, with rows; where it fails, on empty tables, too."""
        from sqlalchemy.exc import DBAPIError

        try:
            found = self._outside(revision, script, sides, self.rows)
        except DBAPIError as error:  # of ours: the role of a given server may not see all rows
            if not self.rows:
                raise
            note = f"tried on empty tables: {describe(error)['message']}"
            return replace(self._outside(revision, script, sides, 0), notes=(note,))
        if not self.rows or found.outcome not in (UP_FAILS, DOWN_FAILS, UP_FAILS_AGAIN):
            return found
        bare = self._outside(revision, script, sides, 0)
        if found.outcome == UP_FAILS and bare.outcome != UP_FAILS:
            assert found.trouble is not None
            note = f"tried on empty tables: with rows in them the up fails: {found.trouble.message}"
            return replace(bare, notes=(note,))
        if bare.outcome not in (UP_FAILS, DOWN_FAILS, UP_FAILS_AGAIN):
            return replace(found, notes=("it runs on empty tables, but not with rows in them",))
        return found

    def _outside(
        self, revision: Revision, script: Script, sides: _Sides | None, rows: int
    ) -> Judged:
        """Try a revision on a copy, or where that would hold on to its roles, in place."""
        self.sessions.close()
        if not (sides and sides.wide):
            with self.server.clone(self.sessions.database) as copy:
                found = self._committing(revision, script, _Sessions(copy), rows)
            code = found.trouble.sqlstate if found.trouble else None
            # What a `.py` says to the server isn't known beforehand.
            if sides or self.server.shared or code != _IN_USE_ELSEWHERE:
                return found
        try:
            return self._committing(revision, script, self.sessions, rows)
        finally:
            self._start_again()

    def _committing(
        self, revision: Revision, script: Script, sessions: _Sessions, rows: int
    ) -> Judged:
        def look() -> Snapshot:
            with _rolled_back(sessions.plain):
                return self._read(sessions.plain)

        def fill() -> _Filled:
            with sessions.plain.begin():
                return _fill(sessions.plain, rows, None)

        def rows_left(known: Rows, without: Sequence[tuple[str, str]]) -> Rows:
            with _rolled_back(sessions.plain):
                return remember(sessions.plain, known=known, without=without)

        try:
            trial = _Trial(
                revision,
                look(),
                lambda: self._replay(sessions, [script]),
                lambda: self._downgrade(sessions, script),
                look,
            )
            if rows:
                trial.fill, trial.rows_left = fill, rows_left
            return trial.run()
        except ReplayError as error:
            return Judged(revision, trial.stage, _trouble(error))
        except NotOnScratch as error:
            return Judged(revision, NOT_VERIFIED, _trouble(error))
        finally:
            sessions.close()


@dataclass(frozen=True)
class _Filled:
    """The rows before the up."""

    rows: Rows
    unseeded: Mapping[str, str]
    without: Sequence[tuple[str, str]] = ()
    """Tables that the revision has nothing to do with."""


@dataclass
class _Trial:
    """Up, down and up again, wherever that is."""

    revision: Revision
    before: Snapshot
    up: Callable[[], None]
    down: Callable[[], None]
    look: Callable[[], Snapshot]
    fill: Callable[[], _Filled] | None = None
    rows_left: Callable[[Rows, Sequence[tuple[str, str]]], Rows] | None = None
    stage: str = UP_FAILS
    """What an error would mean now."""
    after: Snapshot | None = None

    def run(self) -> Judged:
        filled = self.fill() if self.fill else None
        self.up()
        self.after = self.look()
        self.stage = DOWN_FAILS
        self.down()
        found = self._judged(compare(self.before, self.look()))
        if filled and self.rows_left:
            left = self.rows_left(filled.rows, filled.without)
            found = replace(found, lost=lost(filled.rows, left), unseeded=filled.unseeded)
        if found.outcome == DIFFERS:
            return found
        self.stage = UP_FAILS_AGAIN
        self.up()
        again = tuple(one for one in compare(self.after, self.look()) if one.how != "order")
        return replace(found, outcome=DIFFERS, differences=again, again=True) if again else found

    def _judged(self, differences: tuple[Difference, ...]) -> Judged:
        if any(one.how != "order" for one in differences):
            outcome = DIFFERS
        else:
            outcome = REORDERED if differences else VERIFIED
        return Judged(self.revision, outcome, differences=differences)


# Inside a transaction


@contextmanager
def _rolled_back(connection: Connection) -> Iterator[None]:
    """A transaction that leaves nothing."""
    try:
        yield
    finally:
        connection.rollback()


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    """The same, and sequences stay where they stood: a rollback doesn't take them back."""
    positions = _positions(connection)
    try:
        with _rolled_back(connection):
            yield
    finally:
        with suppress(Exception):  # the connection is lost, and the error is on its way
            _set_positions(connection, positions)


def _run_inside(connection: Connection, script: SqlScript) -> None:
    run_script(connection, script)
    # As a commit would: what is deferred is checked, and no event holds up the next ALTER TABLE.
    _query(connection, "SET CONSTRAINTS ALL IMMEDIATE")


_LOCKED = """
WITH RECURSIVE touched (oid) AS (
    SELECT l.relation FROM pg_locks l WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.relation >= 16384
    UNION SELECT k.confrelid FROM pg_constraint k JOIN touched t ON k.conrelid = t.oid
    WHERE k.contype = 'f')
SELECT oid FROM touched
"""


def _touched(connection: Connection, sides: _Sides) -> set[int]:
    """The tables that a pair has to do with, by what it locks, and what their keys point at.

    They alone need rows. What a trigger does only when there is a row is not seen.
    """
    savepoint = connection.begin_nested()
    try:
        _run_inside(connection, sides.up)
        _run_inside(connection, sides.down)
        return {row[0] for row in _query(connection, _LOCKED)}
    finally:
        savepoint.rollback()


_TABLES = """
SELECT c.oid, n.nspname, c.relname, pg_table_is_visible(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def _fill(connection: Connection, rows: int, only: set[int] | None) -> _Filled:
    """Put rows into the tables, or some of them, and remember them."""
    found = _query(connection, _TABLES)
    tables = {oid: (schema, name) for oid, schema, name, _ in found}
    visible = {tables[oid] for oid, *_, seen in found if seen}
    chosen = set(tables) if only is None else {oid for oid in tables if oid in only}
    if not chosen:
        return _Filled(Rows({}), {}, tuple(tables.values()))
    seeded = seed(connection, rows, None if only is None else chosen)
    without = tuple(name for name in tables.values() if name not in seeded.rows)
    unseeded = {
        quote_name(name[1:] if name in visible else name): reason
        for name, reason in seeded.unseeded
    }
    return _Filled(remember(connection, without=without), unseeded, without)


_SEQUENCES = """
SELECT s.seqrelid, n.nspname, c.relname FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence <> 't' ORDER BY 1
"""
_Position = tuple[str, int, bool]


def _positions(connection: Connection) -> dict[int, _Position]:
    """Where the sequences stand, by oid."""
    names = {
        oid: f"{quote_always(schema)}.{quote_always(name)}"
        for oid, schema, name in _query(connection, _SEQUENCES)
    }
    if not names:
        return {}
    sql = " UNION ALL ".join(
        f"SELECT {oid}, last_value, is_called FROM {name}" for oid, name in names.items()
    )
    return {oid: (names[oid], last, called) for oid, last, called in _query(connection, sql)}


def _set_positions(connection: Connection, positions: Mapping[int, _Position]) -> None:
    current = _positions(connection)
    for name, last, called in (one for oid, one in positions.items() if current[oid] != one):
        _query(connection, f"SELECT setval({quote_literal(name)}, {last}, {called})")
    connection.commit()


def _query(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    result = connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
    return [tuple(row) for row in result] if result.returns_rows else []


def _trouble(error: RollbackError) -> Trouble:
    if isinstance(error, ReplayError):
        message = error.what.rstrip(".")
        if error.sqlstate:
            message = message.removesuffix(f" ({error.sqlstate})")
        # Which revision and direction is told beside it.
        message = message.partition(" failed: ")[2] or message
        return Trouble(message, error.where, error.sqlstate, error.next_step or "")
    return Trouble(error.what.rstrip("."), error.where, None, error.next_step or "")
