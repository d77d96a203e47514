"""The public functions, in the style of `alembic.command`: an Alembic Config in, values out.

Nothing is printed and nobody is asked: what would destroy rows is refused unless the caller says
`confirm=`. Options are given by keyword. Results are frozen dataclasses; lists have one item for
each database of env.py. What goes wrong is an `alembic_rollback.errors.RollbackError`, except for
what a migration itself raises: that goes through as it was, and `failure_of` says which step it
ended.

What `__all__` names is stable: names, keywords, fields and defaults change only with a new major
version; before 1.0 with a minor one, and CHANGELOG.md says how. Everything else may change at any
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback import commands
from alembic_rollback.archive.restoring import Restoration
from alembic_rollback.errors import NotConfirmed, RollbackError, UsageError
from alembic_rollback.escalation import Application, Escalated, escalated_of
from alembic_rollback.generation import Wish
from alembic_rollback.host import environment, failures
from alembic_rollback.host.state import guarding
from alembic_rollback.model import GeneratedDown, Repair, Rollback, Status, StepFailure
from alembic_rollback.planning import Request
from alembic_rollback.preflight import hash_of, refuse_other
from alembic_rollback.repairs import RepairRequest
from alembic_rollback.verification import Verification

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "Application",
    "Escalated",
    "GeneratedDown",
    "Repair",
    "Restoration",
    "Rollback",
    "Status",
    "StepFailure",
    "Verification",
    "apply",
    "archived",
    "downgrade",
    "drop_archived",
    "failure_of",
    "generate_down",
    "generate_up",
    "plan_hash",
    "repair",
    "report_of",
    "restore",
    "rollback",
    "rollback_sql",
    "status",
    "verify_down",
]

Answer = Callable[[Sequence[Rollback]], bool] | str | bool | None
"""Whether a rollback may run that loses something.

None or False: it may not. True: whatever goes by then. A `plan_hash`: exactly that, anything else
is refused. A function: called with what would go, where something would; True agrees to exactly
that."""


@contextmanager
def _errors() -> Iterator[None]:
    """Alembic's CommandError and the driver's errors as ours; those of a step as they are."""
    from alembic.util import CommandError

    try:
        yield
    except CommandError as error:
        if failures.failure_of(error):
            raise
        raise RollbackError(str(error)) from error
    except Exception as error:
        found = failures.told(error)
        if found is None or found is error:
            raise
        raise found from error


@_errors()
def status(config: Config) -> list[Status]:
    """Which revisions are applied, pending, partial, or not as they should be. Writes nothing.

    Raises DatabaseError where there is no connection, PairError for a file that cannot be read.
    """
    return commands.status(config)


@_errors()
def rollback(
    config: Config,
    *versions: str,
    to: str | None = None,
    last: int | None = None,
    last_run: bool = False,
    to_tag: str | None = None,
    everything: bool = False,
    confirm: Answer = None,
    dry_run: bool = False,
    each: bool = False,
    with_dependants: bool = False,
    backup: bool = False,
    stored: bool = False,
    archive: bool | None = None,
    lock_timeout: str | None = None,
    statement_timeout: str | None = None,
    lock_wait: str | None = None,
    retries: int | None = None,
) -> list[Rollback]:
    """Roll back revisions, newest first, in one transaction; say what went.

    What to roll back, in exactly one form: `versions`; everything above `to`, or above `base`; the
    `last` so many; what the `last_run` of upgrade applied; what came after the run
    with `to_tag`; or `everything`. Versions may be shortened.

    confirm: see Answer. dry_run: only say what would go. each: commit after each revision.
    with_dependants: also later revisions that use what goes. backup: save the tables that lose rows
    with pg_dump first. stored: run the downs that the log keeps, also where there are files.
    archive: keep what would be lost, for `restore`; as the setting says if None.
    lock_timeout, statement_timeout, lock_wait (for other runners): PostgreSQL durations, `500ms`,
    `5s`; they and retries (after lock timeouts, deadlocks, serialization failures) default to the
    settings.

    Raises UsageError for an unknown version or form, NotApplied, NotConfirmed, Blocked where a
    check forbids it or it isn't what was confirmed; all of these before anything runs.
    StatementError where a statement fails: the transaction is undone then.
    """
    return commands.rollback(
        config,
        Request(versions, to, last, everything, last_run, to_tag),
        dry_run=dry_run,
        confirm=_asked(confirm),
        each=each,
        with_dependants=with_dependants,
        backup=backup,
        stored=stored,
        archive=archive,
        lock_timeout=lock_timeout,
        statement_timeout=statement_timeout,
        lock_wait=lock_wait or "",
        retries=retries,
    )


@_errors()
def rollback_sql(
    config: Config,
    *versions: str,
    to: str | None = None,
    last: int | None = None,
    last_run: bool = False,
    to_tag: str | None = None,
    everything: bool = False,
    lock_timeout: str | None = None,
    statement_timeout: str | None = None,
) -> str:
    """The SQL of a rollback, bookkeeping included; the arguments are those of `rollback`.

    The database is read to know what is applied; nothing is run. Raises as `rollback`, and
    UsageError for an env.py with several databases.
    """
    request = Request(versions, to, last, everything, last_run, to_tag)
    before, config.output_buffer = config.output_buffer, StringIO()
    try:
        commands.rollback_sql(
            config, request, lock_timeout=lock_timeout, statement_timeout=statement_timeout
        )
        return config.output_buffer.getvalue()
    finally:
        config.output_buffer = before


@_errors()
def downgrade(
    config: Config, revision: str, *, confirm: Answer = None, dry_run: bool = False
) -> list[Rollback]:
    """`alembic.command.downgrade`, with the look and the question that `rollback` begins with.

    revision: as Alembic takes it: a version, `-1`, `base`. confirm is needed where a check asks.
    Raises as `rollback`, NotPostgreSQL for other databases.
    """
    from alembic import command

    shown, guard = commands.downgrade(config, revision, dry_run=dry_run, confirm=_asked(confirm))
    if dry_run or not any(one.plan.steps for one in shown):
        return shown
    with guarding(guard):
        command.downgrade(config, revision)
    applied = environment.inspect(config, lambda snapshot, _: frozenset(snapshot.applied))
    return [
        replace(one, executed=bool(one.plan.steps) and left.isdisjoint(one.versions))
        for one, left in zip(shown, applied, strict=True)
    ]


@_errors()
def apply(
    config: Config,
    version: str = "head",
    *,
    generate: bool = False,
    verify: bool = True,
    retries: int | None = None,
    scratch_url: str = "",
    tag: str | None = None,
    lock_wait: str | None = None,
    dry_run: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Application:
    """Validate what is pending up to a version, try its downs, apply it; say what came of it.

    version: as for `alembic.command.upgrade`. generate: write missing downs first. verify: try the
    downs on a scratch database where one can be had, on the server of scratch_url if given.
    retries: after errors that pass; the setting's if None. tag: a name for the state that it ends
    in. lock_wait: a PostgreSQL duration. dry_run: validate only. tell: called with a line for each
    step as it has happened.

    Raises Blocked or PairError where nothing is applied because something isn't as it should be.
    What fails while applying is raised as it was; `report_of` it is the failure report.
    """
    return commands.apply(
        config,
        version,
        generate=generate,
        verify=verify,
        retries=retries,
        scratch_url=scratch_url,
        tag=tag,
        lock_wait=lock_wait or "",
        dry_run=dry_run,
        tell=tell,
    )


@_errors()
def generate_down(
    config: Config,
    *files: str,
    output: Path | None = None,
    write: bool = True,
    force: bool = False,
    strict: bool = False,
    check: bool = False,
    state: str = "auto",
    before_url: str = "",
    scratch_url: str = "",
    prove: bool = True,
    schema_only: bool = False,
    keep_data: bool = False,
) -> list[GeneratedDown]:
    """Derive the downs of up files and prove them on a scratch database; one result for each file.

    files: paths, or names or versions in the version locations. output: where to write the only
    one. write: False to have the text only. force: overwrite. strict: write only what is complete
    and proven. check: write nothing, compare with the downs on disk (`GeneratedDown.outdated`).
    state: the schema before the up: `auto`, `live`, `replay`, `none`. before_url: a throw-away
    database that stands before the only file. schema_only: lost rows don't count.
    keep_data: rewrite the up so that it keeps the rows that it changes (`GeneratedDown.kept`).

    Raises PairError where a down exists and force is False, UsageError for an unknown file,
    DatabaseError where the state that was asked for cannot be had.
    """
    wish = Wish(state, before_url, scratch_url, prove, schema_only, check)
    return commands.generate_down(
        config,
        files,
        output=output,
        write=write,
        force=force,
        strict=strict,
        wish=wish,
        keep_data=keep_data,
    )


@_errors()
def generate_up(
    config: Config,
    message: str,
    *,
    template: str = "empty",
    head: str | None = None,
    version_path: str | None = None,
) -> tuple[Path, Path]:
    """Write a new pair on top of the head; return the paths of its up and its down.

    template: `empty`, `table` or one of the project's. head: which to follow where there are
    several; `base` for none. version_path: where to write, of several version locations. Raises
    UsageError where one of these has to be said.
    """
    return commands.generate_up(
        config, message, template=template, head=head, version_path=version_path
    )


@_errors()
def verify_down(
    config: Config,
    *versions: str,
    everything: bool = False,
    rows: int = 3,
    scratch_url: str = "",
) -> Verification:
    """Try downs on a scratch database: up, down and up again, with rows in the tables.

    Either versions or everything. rows: how many each table gets; 0 for none. What is wrong with a
    revision is its outcome (`Verification.passes`), no error. Raises UsageError for an unknown
    version, DatabaseError where there is no scratch server.
    """
    return commands.verify_down(
        config, versions, everything=everything, rows=rows, scratch_url=scratch_url
    )


@_errors()
def repair(
    config: Config,
    action: str,
    version: str | None = None,
    *,
    everything: bool = False,
    resume_at: int | None = None,
    tool: str | None = None,
    table: str | None = None,
    confirm: Callable[[Sequence[Repair]], bool] | bool | None = None,
    dry_run: bool = False,
    lock_wait: str | None = None,
) -> list[Repair]:
    """Change what is recorded of a revision; no script is run.

    action: `accept-checksum`, `forget`, `mark-applied`, `clear-partial`, `resume-at` (at
    a statement's number, from 1), or `adopt` (tool: `golang-migrate` or `dbmate`; table: its own).
    everything: of accept-checksum, each modified revision. confirm: True, or a function that is
    called with what would change. dry_run: only say what would change.

    Raises UsageError for an unknown action or version, NotApplied or RollbackError where there is
    nothing to repair, NotConfirmed, Blocked where it has changed since it was confirmed.
    """

    def ask(repairs: Sequence[Repair]) -> None:
        if confirm is not True and not (callable(confirm) and confirm(repairs)):
            raise NotConfirmed(
                "This changes what is recorded, and was not confirmed.",
                state="Nothing was changed.",
                next_step="Look with dry_run=True, then pass confirm=True.",
            )

    return commands.repair(
        config,
        RepairRequest(action, version, everything, resume_at, tool, table),
        dry_run=dry_run,
        confirm=ask,
        lock_wait=lock_wait or "",
    )


@_errors()
def archived(config: Config) -> list[Restoration]:
    """What rollbacks have kept, for each database. Raises DatabaseError without a connection."""
    return commands.archived(config)


@_errors()
def restore(
    config: Config,
    *versions: str,
    into: str = "",
    keep: bool = False,
    dry_run: bool = False,
    lock_wait: str | None = None,
) -> list[Restoration]:
    """Put back what the last rollback of each revision has kept, all of it or nothing.

    into: another table, as one would write it in SQL. keep: what is there already stays, and the
    rest is put back. dry_run: only look whether it fits. lock_wait: a PostgreSQL duration.

    Raises UsageError for an unknown version, NotApplied for one that is not applied again, Blocked
    for what doesn't fit, RollbackError where nothing of it is archived.
    """
    return commands.restore(
        config, *versions, into=into, keep=keep, dry_run=dry_run, lock_wait=lock_wait or ""
    )


@_errors()
def drop_archived(
    config: Config,
    older_than: float,
    *,
    confirm: Callable[[Sequence[Restoration]], bool] | bool | None = None,
    lock_wait: str | None = None,
) -> list[Restoration]:
    """Drop what has been archived for longer than that, in seconds, for good.

    confirm: True, or a function that is called with what would go. Raises NotConfirmed.
    """

    def ask(found: Sequence[Restoration]) -> None:
        if confirm is not True and not (callable(confirm) and confirm(found)):
            raise NotConfirmed(
                "This drops rows for good, and was not confirmed.",
                state="Nothing was changed.",
                next_step="Look with archived(), then pass confirm=True.",
            )

    return commands.drop_archived(config, older_than, confirm=ask, lock_wait=lock_wait or "")


def plan_hash(rollbacks: Sequence[Rollback]) -> str:
    """What a dry run's results were, for `confirm=`: database, files and what would go."""
    return hash_of(rollbacks)


def failure_of(error: BaseException) -> StepFailure | None:
    """Which step an error has ended and where that leaves the database; None for other errors."""
    return failures.failure_of(error)


def report_of(error: BaseException) -> Escalated | None:
    """The failure report of what `apply` has raised; None where nothing had been begun."""
    return escalated_of(error)


def _asked(confirm: Answer) -> commands.Confirm:
    if not (confirm is None or isinstance(confirm, (str, bool)) or callable(confirm)):
        raise UsageError(f"confirm= takes True, a hash or a function, not {confirm!r}.")

    def ask(rollbacks: Sequence[Rollback]) -> bool:
        if isinstance(confirm, str):
            refuse_other(rollbacks, confirm)
            return True
        if confirm is True or not any(one.must_ask for one in rollbacks):
            return False
        if callable(confirm) and confirm(rollbacks) is True:
            return True
        raise NotConfirmed(
            "This destroys data, and was not confirmed.",
            state="Nothing was changed.",
            next_step="Look with dry_run=True, then pass confirm=plan_hash(…) or confirm=True.",
        )

    return ask
