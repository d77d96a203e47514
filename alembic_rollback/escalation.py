"""What a run of apply-db has come to; and where it failed: who must know, and what they need.

Values, the failure report's files, and the command that is told. How they are worded is
`reporting.applying`'s.
"""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import Location, RollbackError, StatementError, shown_path
from alembic_rollback.runner import describe
from alembic_rollback.sql.secrets import redacted, without_passwords

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.environment import Key, Snapshot
    from alembic_rollback.model import GeneratedDown, LogRow, Partial, Revision, Status, StepFailure
    from alembic_rollback.verification import Verification

LAST_ROWS = 20
"""Rows of the log in a report."""
PATIENCE = 60.0
"""Seconds that the on_failure command may take."""
_PACKAGES = ("alembic-rollback", "alembic", "SQLAlchemy")
_ATTRIBUTE = "_alembic_rollback_escalated"


@dataclass(frozen=True)
class Place:
    """Where a database is. Never a password."""

    host: str
    port: int
    user: str
    server: str
    """PostgreSQL's version."""


@dataclass(frozen=True)
class Seen:
    """One database of env.py, as it was at one moment."""

    key: Key
    database: str
    place: Place
    status: Status
    applied: frozenset[str]
    partials: Mapping[str, Partial]
    rows: tuple[LogRow, ...] = ()
    """The last ones of the log, the newest first."""
    ours: tuple[LogRow, ...] = ()
    """What this process has written since a certain row, in order."""

    @property
    def last_id(self) -> int:
        """The number of the log's last row."""
        return self.rows[0].id if self.rows else 0

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs of this process."""
        return tuple(dict.fromkeys(row.run_id for row in self.ours))

    @property
    def applied_by_us(self) -> tuple[str, ...]:
        """What this process has applied and is still applied, in order."""
        found = [row.version for row in self.ours if row.outcome == "applied"]
        return tuple(one for one in dict.fromkeys(found) if one in self.applied)


@dataclass(frozen=True)
class Applying:
    """One database: what was pending, and what has become of it."""

    database: str
    pending: tuple[Revision, ...]
    resumed: tuple[str, ...] = ()
    """Those of them that were partial: they go on."""
    applied: tuple[str, ...] = ()
    """What this run has applied, as another connection has seen it committed."""
    by_others: tuple[str, ...] = ()
    """What another runner has applied meanwhile."""
    run_ids: tuple[str, ...] = ()
    durations: Mapping[str, int] | None = None
    """Milliseconds by version."""


@dataclass(frozen=True)
class Application:
    """What apply-db has done, or would do."""

    databases: tuple[Applying, ...]
    generated: tuple[GeneratedDown, ...] = ()
    verification: Verification | None = None
    unverified: str = ""
    """Why the downs were not tried."""
    attempts: int = 0
    executed: bool = False

    @property
    def pending(self) -> tuple[Revision, ...]:
        """The pending revisions of all databases, each once."""
        found = (revision for one in self.databases for revision in one.pending)
        return tuple({revision.version: revision for revision in found}.values())


@dataclass(frozen=True)
class Attempt:
    """One attempt to apply, and why it failed."""

    at: datetime
    seconds: float
    error: str


@dataclass(frozen=True)
class Fault:
    """What failed, where, and what the server said."""

    message: str
    version: str = ""
    title: str = ""
    direction: str = ""
    where: Location | None = None
    statement: str | None = None
    """Without passwords."""
    statement_number: int | None = None
    statement_total: int | None = None
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class FailureReport:
    """Everything that somebody needs who was not there."""

    at: datetime
    command: str
    target: str
    fault: Fault
    attempts: tuple[Attempt, ...]
    lines: tuple[str, ...]
    """What was printed."""
    state: str
    """The state of the databases, in a sentence."""
    next: str
    commands: tuple[str, ...]
    """What can be typed now."""
    databases: tuple[Seen, ...]
    undone: str = ""
    """The revision of which the down was run, for it had left something."""
    not_undone: str = ""
    """Why that could not be."""
    unread: str = ""
    """Why the databases could not be read afterwards; what is told of them is from before."""
    versions: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Escalated:
    """A failure after which nothing was left to try, and where its report is."""

    report: FailureReport
    exit_code: int
    path: Path | None = None
    expected: bool = True
    """Of a statement or raised on purpose; else it is a bug in a migration."""


def attach(error: BaseException, escalated: Escalated) -> None:
    """Put it on the error that it is about, for `escalated_of`."""
    setattr(error, _ATTRIBUTE, escalated)


def escalated_of(error: BaseException) -> Escalated | None:
    """What was made of an error that apply-db could not get over; None if it is none of those."""
    found: Escalated | None = getattr(error, _ATTRIBUTE, None)
    return found


def see(
    snapshot: Snapshot, connection: Connection, status: Status, client: str | None, after: int
) -> Seen:
    """Keep what one database says now.

    client, after: the rows that this client has written after a certain one are `ours`.
    """
    log, kept = snapshot.ledger, snapshot.has_log
    return Seen(
        snapshot.key,
        snapshot.database,
        _place(connection),
        status,
        snapshot.applied,
        snapshot.partials,
        tuple(map(_without_secrets, log.last_rows(connection, LAST_ROWS) if kept else ())),
        tuple(map(_without_secrets, log.rows_of(connection, client, after) if kept else ())),
    )


def _place(connection: Connection) -> Place:
    sql = (
        "SELECT current_setting('port')::int, session_user::text, current_setting('server_version')"
    )
    port, user, server = connection.exec_driver_sql(sql).one()
    url = connection.engine.url
    given = url.host or url.query.get("host") or "local"
    host = given if isinstance(given, str) else ", ".join(given)
    return Place(host, url.port or int(port), str(user), str(server).split()[0])


def _without_secrets(found: LogRow) -> LogRow:
    about_objects = found.outcome in ("collateral", "repaired")
    # Rows of a release that didn't hide passwords yet; what CASCADE took is JSON, not a statement.
    statement = None if about_objects or not found.statement else redacted(found.statement)
    error = without_passwords(found.error) if found.error else None
    return found._replace(statement=statement, error=error)


def fault_of(error: BaseException, failure: StepFailure | None) -> Fault:
    """What is known of an error: of a statement, of a step, or of neither."""
    told = _told(error)
    message, detail, hint = (_clean(told.pop(key)) for key in ("message", "detail", "hint"))
    told.setdefault("where", Location(failure.path) if failure else None)
    of_step: dict[str, Any] = (
        {"version": failure.version, "title": failure.title, "direction": failure.direction}
        if failure
        else {}
    )
    return Fault(message or type(error).__name__, detail=detail, hint=hint, **of_step, **told)


def _told(error: BaseException) -> dict[str, Any]:
    if isinstance(error, StatementError):
        return {
            "message": error.what,
            "detail": error.detail,
            "hint": error.hint,
            "where": error.where,
            "sqlstate": error.sqlstate,
            "statement": redacted(error.statement),
            "statement_number": error.ordinal,
            "statement_total": error.total,
        }
    if hasattr(error, "orig") and error.orig is not None:
        # Its own text has the parameters in it.
        found = describe(error)
        found.pop("position")
        statement = getattr(error, "statement", None)
        return {**found, "statement": redacted(str(statement)) if statement else None}
    if isinstance(error, RollbackError):
        found = {"message": error.what, "detail": None, "hint": None}
        return {**found, "where": error.where} if error.where else found
    first = next(iter(str(error).strip().splitlines()), "")
    return {"message": f"{type(error).__name__}: {first}", "detail": None, "hint": None}


def _clean(text: str | None) -> str | None:
    return without_passwords(text) if text else None


def used_versions() -> dict[str, str]:
    """The versions of what was running."""
    found = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return {**found, "Python": platform.python_version()}


def write(report: FailureReport, directory: Path, text: str, data: str) -> Path:
    """Write both files of a report, for their owner only; return the text's path.

    A file that is there is never written to, nor what a link points at. Raises OSError.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    subject = report.fault.version or report.target
    safe = "".join(c if c.isalnum() or c in "_-" else "_" for c in subject)
    stem = f"{report.at:%Y%m%dT%H%M%SZ}_{safe}"
    for number in range(1, 1000):
        path = directory / (f"{stem}.txt" if number == 1 else f"{stem}-{number}.txt")
        with suppress(FileExistsError):
            _create(path, text)
            _create(path.with_suffix(".json"), data)
            return path
    raise FileExistsError(f"{shown_path(directory)} has 1000 reports of one second")


def _create(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def notify(command: str, data: str, directory: Path) -> str:
    """Run a command, without a shell, with a report on its standard input; its output is stderr's.

    Returns what went wrong with it, or nothing: there is an error already that matters more.
    """
    try:
        done = subprocess.run(
            shlex.split(command),
            input=data.encode(),
            cwd=directory,
            stdout=2,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was still running after {PATIENCE:.0f} s and was ended"
    except (OSError, ValueError, IndexError) as error:
        return str(error)
    return f"it ended with exit code {done.returncode}" if done.returncode else ""
