"""The history on a scratch database, revision by revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.facts.memory import Memory
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.errors import (
    DatabaseError,
    PairError,
    RollbackError,
    ScriptTooLarge,
    StatementError,
)
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.scripts import load_script, pair_of
from alembic_rollback.replay import ReplayError, downgrade, replay
from alembic_rollback.runner import describe
from alembic_rollback.scratch import NotOnScratch, ScratchDatabase, ScratchServer
from alembic_rollback.scratch.connecting import open_engine
from alembic_rollback.scratch.sharing import make_shared_schemas
from alembic_rollback.survival import Rows, remember

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.model import Revision
    from alembic_rollback.sql.script import Script as SqlScript
from alembic_rollback.verification.filling import Filled, fill
from alembic_rollback.verification.outcomes import (
    DOWN_FAILS,
    IRREVERSIBLE,
    NO_DOWN,
    NOT_VERIFIED,
    UP_FAILS,
    UP_FAILS_AGAIN,
    Judged,
    Trouble,
    trouble,
)
from alembic_rollback.verification.trial import (
    Sides,
    Trial,
    rolled_back,
    run_inside,
    touched,
    undone,
)

_IN_USE_ELSEWHERE = "2BP01"
"""Of DROP ROLE: something in another database needs it."""


class Sessions:
    """The connections to a scratch database."""

    def __init__(self, database: ScratchDatabase) -> None:
        self.database = database
        self.memory = Memory()
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
        """Close those that were opened."""
        while self._open:
            self._open.popitem()[1].close()


class Walk:
    """The history on a scratch database, revision by revision.

    opts: what env.py would give to configure(). blame: tell what the up itself takes of the rows.
    """

    def __init__(
        self,
        config: Config,
        directory: ScriptDirectory,
        server: ScratchServer,
        rows: int,
        *,
        opts: Mapping[str, Any] | None = None,
        blame: bool = False,
    ) -> None:
        self.config, self.directory, self.server, self.rows = config, directory, server, rows
        self.opts, self.blame = opts, blame
        self.most = settings_of(config).max_script_bytes
        self.sessions = Sessions(server.create())
        self.applied: list[Script] = []
        self.broken: dict[str, str] = {}
        """Revisions that are not applied, by the title of the one that cannot be."""
        self.failures: list[Judged] = []
        """Those that cannot be, and why."""
        self.known: Snapshot | None = None
        """The catalog as it is now, where that has been read already."""
        self.ahead: Snapshot | None = None
        """The catalog as it will be after the next revision, likewise."""
        self.doubtful = False
        """Whether something may be left of a revision that failed."""

    def close(self) -> None:
        """Remove the database."""
        self.sessions.close()
        self.server.drop(self.sessions.database)

    def step(self, revision: Revision, script: Script, wanted: bool) -> Judged | None:
        """Try a revision if it is wanted, and apply it."""
        below = next((v for v in revision.parents if v in self.broken), None)
        if below:
            self.broken[revision.version] = self.broken[below]
            broken = self.broken[below]
            stands = Trouble(f"stands on {broken}, which cannot be applied")
            return Judged(revision, NOT_VERIFIED, stands, stands_on=broken) if wanted else None
        self.settle()
        found = self._judge(revision, script) if wanted else None
        failed = found if found and found.outcome == UP_FAILS else self._apply(revision, script)
        if failed:
            self.broken[revision.version] = revision.title
            self.failures.append(failed)
            if found and failed.outcome == UP_FAILS and found.outcome != NOT_VERIFIED:
                return replace(found, outcome=UP_FAILS, trouble=failed.trouble)
        return found

    def settle(self) -> None:
        """Make the database as the history says, where something else may be left in it."""
        if self.doubtful:
            self._start_again()

    def look(self) -> Snapshot:
        """The catalog as it is now."""
        with rolled_back(self.sessions.plain):
            return self._read(self.sessions.plain, self.sessions.memory)

    def replay(self, scripts: Iterable[Script]) -> None:
        """Apply revisions, past the history. Raises what a replay raises."""
        self._replay(self.sessions, scripts)

    def take_back(self, script: Script) -> None:
        """Run a revision's down, past the history. Raises what a replay raises."""
        self._downgrade(self.sessions, script)

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
            return Judged(revision, outcome, trouble(error))
        finally:
            self.known, self.ahead = self.ahead, None
        self.applied.append(script)
        return None

    def _start_again(self) -> None:
        """Make the database as the history says, where it may have become another."""
        self.close()
        self.known, self.ahead, self.doubtful = None, None, False
        self.sessions = Sessions(self.server.create())
        self._replay(self.sessions, self.applied)

    def _replay(self, sessions: Sessions, scripts: Iterable[Script]) -> None:
        replay(
            sessions.watched,
            scripts,
            config=self.config,
            directory=self.directory,
            prepare=self.server.require,
            opts=self.opts,
        )

    def _downgrade(self, sessions: Sessions, script: Script) -> None:
        downgrade(
            sessions.watched,
            script,
            config=self.config,
            directory=self.directory,
            prepare=self.server.require,
            opts=self.opts,
        )

    def _read(self, connection: Connection, memory: Memory) -> Snapshot:
        # A server of others may stand behind a pooler, whose sessions are to stay as they are.
        return read(connection, edges=False, prepared=not self.server.shared, memory=memory)

    # One revision

    def _judge(self, revision: Revision, script: Script) -> Judged:
        if revision.irreversible:
            return Judged(revision, IRREVERSIBLE, Trouble("; ".join(revision.irreversible)))
        if not revision.has_down:
            return Judged(revision, NO_DOWN)
        sides: Sides | None = None
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

    def _sides(self, revision: Revision, script: Script) -> Sides | Judged:
        """Both scripts, if this server can run them."""
        pair = pair_of(script)
        assert pair is not None
        found: dict[str, SqlScript] = {}
        for direction, outcome in (("up", UP_FAILS), ("down", DOWN_FAILS)):
            try:
                found[direction] = load_script(pair, direction, self.most)
                self.server.require(found[direction])
            except (NotOnScratch, ScriptTooLarge) as error:
                return Judged(revision, NOT_VERIFIED, trouble(error))
            except PairError as error:
                return Judged(revision, outcome, trouble(error))
        return Sides(**found)

    def _quickly(self, revision: Revision, sides: Sides) -> Judged | None:
        """Try a pair in a transaction that leaves nothing; None where it doesn't pass there."""
        from sqlalchemy.exc import DBAPIError

        connection = self.sessions.watched if sides.watched else self.sessions.plain
        memory = self.sessions.memory
        try:
            with undone(connection):
                shares = make_shared_schemas(connection, sides.up)
                known = None if shares else self.known
                before = known or self._read(connection, memory)
                trial = Trial(
                    revision,
                    before,
                    lambda: run_inside(connection, sides.up),
                    lambda: run_inside(connection, sides.down),
                    lambda: self._read(connection, memory),
                )
                if self.rows:
                    trial.fill = lambda: fill(connection, self.rows, touched(connection, sides))
                    trial.blame = self.blame
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

    def _carefully(self, revision: Revision, script: Script, sides: Sides | None) -> Judged:
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
        found = replace(found, on_empty=bare.outcome)
        if bare.outcome not in (UP_FAILS, DOWN_FAILS, UP_FAILS_AGAIN):
            return replace(found, notes=("it runs on empty tables, but not with rows in them",))
        return found

    def _outside(
        self, revision: Revision, script: Script, sides: Sides | None, rows: int
    ) -> Judged:
        """Try a revision on a copy, or where that would hold on to its roles, in place."""
        self.sessions.close()
        if not (sides and sides.wide):
            with self.server.clone(self.sessions.database) as copy:
                found = self._committing(revision, script, sides, Sessions(copy), rows)
            code = found.trouble.sqlstate if found.trouble else None
            # What a `.py` says to the server isn't known beforehand.
            if sides or self.server.shared or code != _IN_USE_ELSEWHERE:
                return found
        try:
            return self._committing(revision, script, sides, self.sessions, rows)
        finally:
            self._start_again()

    def _committing(
        self, revision: Revision, script: Script, sides: Sides | None, sessions: Sessions, rows: int
    ) -> Judged:
        def look() -> Snapshot:
            with rolled_back(sessions.plain):
                return self._read(sessions.plain, sessions.memory)

        def filled() -> Filled:
            with sessions.plain.begin():
                return fill(sessions.plain, rows, None)

        def rows_left(known: Rows, without: Sequence[tuple[str, str]]) -> Rows:
            with rolled_back(sessions.plain):
                return remember(sessions.plain, known=known, without=without)

        try:
            if sides:
                with sessions.plain.begin():
                    make_shared_schemas(sessions.plain, sides.up)
            trial = Trial(
                revision,
                look(),
                lambda: self._replay(sessions, [script]),
                lambda: self._downgrade(sessions, script),
                look,
            )
            if rows:
                trial.fill, trial.rows_left, trial.blame = filled, rows_left, self.blame
            return trial.run()
        except ReplayError as error:
            return Judged(revision, trial.stage, trouble(error))
        except NotOnScratch as error:
            return Judged(revision, NOT_VERIFIED, trouble(error))
        finally:
            sessions.close()
