"""What can go wrong, one class for each answer a user needs; the class carries the exit code.

RollbackError (1)
├── UsageError (2)            the command line asks for something impossible or unclear
│   └── SettingsError (2)     [alembic_rollback] / [tool.alembic_rollback] cannot be read
├── PairError (1)             a file of a pair cannot be used
│   ├── ScriptSyntaxError (1) its SQL does not parse, or cannot be run as a migration
│   └── ScriptTooLarge (1)    it has more bytes than max_script_size
├── LedgerError (1)           schema_migrations is not ours, or cannot be used
├── DatabaseError (1)         no connection
│   ├── ConnectionLost (1)    the connection has ended in the middle of something
│   ├── NotPostgreSQL (1)     another kind of database
│   └── LockNotAvailable (1)  somebody else holds what would have to be locked
├── StatementError (1)        a statement of a script failed
├── NotApplied (1)            there is nothing to roll back
├── Blocked (3)               a check forbids the plan
└── NotConfirmed (4)          the typed word was not given
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

DONE, FAILED, USAGE, BLOCKED, NOT_CONFIRMED, STOPPED_PART_WAY = range(6)
"""Exit codes. The last one belongs to no class: any error can stop a run part-way."""


class Location(NamedTuple):
    """A place in a file. Lines and columns count from 1, columns in characters."""

    path: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return shown_path(self.path)
        return f"{shown_path(self.path)}:{self.line}:{self.column}"


def shown_path(path: Path) -> str:
    """Name a path as the user would: relative to the working directory where it lies below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


class RollbackError(RuntimeError):
    """Base of every error raised on purpose.

    A RuntimeError, because hosts that wrap Alembic's commands (Flask-Migrate among them) print
    CommandError and RuntimeError as one line and let everything else be a traceback.

    what: one sentence: what happened. where: the file and place. state: what state the database
    is in. next_step: the next thing to type or do.
    """

    exit_code = FAILED

    def __init__(
        self,
        what: str,
        *,
        where: Location | Path | None = None,
        state: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.where = Location(where) if isinstance(where, Path) else where
        self.state = state
        self.next_step = next_step
        super().__init__(what)

    @property
    def placed(self) -> str:
        """What happened, after the place where that is known."""
        return f"{self.where}: {self.what}" if self.where else self.what

    def __str__(self) -> str:
        return " ".join(part for part in (self.placed, self.state, self.next_step) if part)


class UsageError(RollbackError):
    """The request cannot be understood or cannot be meant."""

    exit_code = USAGE


class SettingsError(UsageError):
    """A setting is unknown or has an impossible value."""


class PairError(RollbackError):
    """A file of a pair is missing, misnamed or unreadable."""


class ScriptSyntaxError(PairError):
    """The SQL of a script does not parse, or holds what no migration can run."""


class ScriptTooLarge(PairError):
    """A script has more bytes than `max_script_size`: parsing it takes too much memory."""


class LedgerError(RollbackError):
    """The ledger table cannot be used."""


class DatabaseError(RollbackError):
    """The database cannot be reached, or refuses."""


class ConnectionLost(DatabaseError):
    """The server has gone away, or whatever lies between. `message`: what the driver says."""

    def __init__(self, message: str) -> None:
        super().__init__(
            f"The connection to the database was lost: {message}.",
            state="What had not been committed is undone; `alembic migration-status` shows what is "
            "there.",
            next_step="Run the command again.",
        )


class NotPostgreSQL(DatabaseError):
    """The database is of another kind."""


class LockNotAvailable(DatabaseError):
    """What would have to be locked is held by somebody else."""


class Blocked(RollbackError):
    """A check forbids what was asked for; nothing was changed."""

    exit_code = BLOCKED


class NotApplied(RollbackError):
    """What should be rolled back is not applied."""


class NotConfirmed(RollbackError):
    """Confirmation was asked for and not given; nothing was changed."""

    exit_code = NOT_CONFIRMED


class StatementError(RollbackError):
    """A statement failed. What the server said is kept apart from where it happened."""

    def __init__(
        self,
        what: str,
        *,
        where: Location,
        statement: str,
        ordinal: int,
        total: int,
        sqlstate: str | None = None,
        detail: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where)
        self.statement, self.ordinal, self.total = statement, ordinal, total
        self.sqlstate, self.detail, self.hint = sqlstate, detail, hint
