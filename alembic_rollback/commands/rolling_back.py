"""What rollback-db and the guard of `alembic downgrade` do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from alembic_rollback.backup import take_backup
from alembic_rollback.catalog.moments import Moment, read_moment
from alembic_rollback.catalog.qualified import partitioned_tables, tables_with_data
from alembic_rollback.checks.impact import assess
from alembic_rollback.checks.registry import RECHECKED, findings
from alembic_rollback.errors import (
    LedgerError,
    NotApplied,
    NotConfirmed,
    PairError,
    RollbackError,
    UsageError,
)
from alembic_rollback.guard import Guard
from alembic_rollback.host import environment, failures
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.ledgers import archive_of
from alembic_rollback.host.retrying import pauses, wait_or_raise
from alembic_rollback.host.runs import backend_of, refuse_read_only
from alembic_rollback.host.state import DowngradeGuard, Order, State, new_run
from alembic_rollback.ledger import Ledger, Shape
from alembic_rollback.model import (
    Impact,
    Plan,
    Revision,
    Rollback,
)
from alembic_rollback.planning import Request, later_than, plan_rollback, suggest
from alembic_rollback.preflight import (
    Options,
    Planner,
    budget_of,
    directory_of,
    look,
    refuse,
    subject_of,
)
from alembic_rollback.settings import Settings, check_duration

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import URL, Connection

    from alembic_rollback.host.environment import Key, Snapshot


log = logging.getLogger("alembic.rollback")

Confirm = Callable[[Sequence[Rollback]], bool]
"""Called with what a rollback would do, before anything runs.

Raises NotConfirmed to stop it. Returns whether a person has agreed to exactly this; it is then
looked at again under the lock."""


def rollback(
    config: Config,
    request: Request,
    *,
    dry_run: bool = False,
    confirm: Confirm | None = None,
    each: bool = False,
    with_dependants: bool = False,
    backup: bool = False,
    stored: bool = False,
    archive: bool | None = None,
    lock_timeout: str | None = None,
    statement_timeout: str | None = None,
    lock_wait: str = "",
    retries: int | None = None,
) -> list[Rollback]:
    """Roll back what is asked for, in each database of env.py.

    dry_run: only say what would happen. confirm: see Confirm. each: commit after each step
    instead of once at the end. with_dependants: take the later revisions that use what goes, too.
    backup: save the tables that lose rows with pg_dump first. stored: run the downs that the log
    keeps, also where there are files. archive: keep what would be lost, as the setting says if it
    is not given. The timeouts, and lock_wait for other runners, are PostgreSQL
    durations; they and retries default to the settings. Raises RollbackError before anything runs
    where the request cannot be met, Blocked where a check forbids it.
    """
    settings = settings_of(config)
    timeouts = _timeouts(settings, lock_timeout, statement_timeout)
    archive = settings.archive == "always" if archive is None else archive
    options = Options("rollback-db", each, with_dependants, backup, stored, archive)
    sources: dict[Key, Source] = {}
    moments: dict[Key, Moment] = {}
    planner = partial(_plan, request=request, stored=stored)
    prepared = _prepare(config, planner, options, sources, moments, writes=not dry_run)
    shown = list(prepared.values())
    if dry_run or not any(one.plan.steps for one in shown):
        return shown
    refuse(tuple(finding for one in shown for finding in one.findings))
    agreed = confirm(shown) if confirm else False
    if backup:
        prepared = _with_backups(config, settings, prepared, sources)
    guard = Guard(config, prepared, moments, agreed=agreed, each=each)
    if lock_wait:
        check_duration("--lock-wait", lock_wait)
    order = Order(
        new_run(), each, timeouts, stored=stored, lock_wait=lock_wait, archive=options.archive
    )
    plans = {key: one.plan for key, one in prepared.items()}
    try:
        for pause in pauses(settings.retries if retries is None else retries):
            try:
                environment.execute(config, plans, order, guard)
                break
            except Exception as error:
                wait_or_raise(error, pause)
    except Exception as error:
        _tell_what_was_committed(config, error, prepared, order.run.run_id)
        raise
    return _confirmed_by_log(config, guard.found, order)


def downgrade(
    config: Config, revision: str, *, dry_run: bool = False, confirm: Confirm | None = None
) -> tuple[list[Rollback], DowngradeGuard]:
    """What `alembic downgrade REVISION` would take away, asked about as rollback-db does.

    Runs nothing: returns what was shown, and the guard for `host.state.guarding` while Alembic
    runs its own command. Raises as `rollback` does, NotPostgreSQL for other databases.
    """

    def planner(snapshot: Snapshot, connection: Connection, more: tuple[str, ...]) -> Plan:
        directory = snapshot.history.directory
        steps = directory._downgrade_revs(revision, snapshot.heads)  # type: ignore[arg-type]
        versions = [str(step.revision.revision) for step in steps]
        chosen = [version for version in versions if version in snapshot.applied]
        revisions = snapshot.history.revisions
        later = later_than(snapshot.history.graph, revisions, snapshot.ranked, chosen)
        return Plan(tuple(revisions[version] for version in chosen), later)

    # Alembic decides about transactions: whether its locks fit is not looked at.
    archive = settings_of(config).archive == "always"
    options = Options("downgrade", each=True, archive=archive)
    moments: dict[Key, Moment] = {}
    prepared = _prepare(config, planner, options, {}, moments, writes=not dry_run)
    shown = list(prepared.values())
    agreed = False
    if not dry_run and any(one.plan.steps for one in shown):
        refuse(tuple(finding for one in shown for finding in one.findings))
        agreed = confirm(shown) if confirm else False
    guard = Guard(config, prepared, moments, agreed=agreed, each=True)
    return shown, environment.guard_of_downgrade(guard)


def weigh_in_code(state: State, steps: tuple[Revision, ...]) -> None:
    """With `downgrade_guard = always`: what code downgrades must be confirmed, too.

    By `config.attributes["alembic_rollback_confirmed"] = True`. Raises NotConfirmed or Blocked.
    """
    config = state.context.config
    assert config is not None
    plan = Plan(steps)
    scripts = {step.version: state.scripts.get((step.version, "down")) for step in steps}
    impact = assess(state.connection, plan, scripts, budget_of(state.settings))
    weighed = Rollback("", plan, impact, scripts, command="downgrade")
    found = findings(subject_of(config, state.connection, state.settings, weighed), RECHECKED)
    refuse(found)
    if config.attributes.get("alembic_rollback_confirmed") is not True and any(
        finding.level == "confirm" for finding in found
    ):
        raise NotConfirmed(
            f"downgrade_guard = always: {found[0].message}",
            state="Nothing was changed.",
            next_step='Set config.attributes["alembic_rollback_confirmed"] = True.',
        )


def rollback_sql(
    config: Config,
    request: Request,
    *,
    lock_timeout: str | None = None,
    statement_timeout: str | None = None,
) -> None:
    """Write a rollback's SQL, bookkeeping included, to the output of env.py's offline mode.

    The database is read to know what is applied; nothing is run.
    """
    timeouts = _timeouts(settings_of(config), lock_timeout, statement_timeout)
    plans: list[tuple[Snapshot, Plan]] = environment.inspect(
        config,
        lambda snapshot, connection: (
            snapshot,
            _plan(snapshot, connection, (), request=request),
        ),
    )
    if len(plans) != 1:
        raise UsageError("--sql needs an env.py with one database.")
    snapshot, plan = plans[0]
    _refuse_foreign(snapshot)
    unknown = [head for head in snapshot.heads if head not in snapshot.history.revisions]
    if unknown:
        raise PairError(
            f"The version table says {unknown[0]}, and no file of this release has it: Alembic "
            "cannot print SQL from there.",
            next_step="Run it without --sql, or from the release that has the file.",
        )
    order = Order(new_run(), timeouts=timeouts, starting=snapshot.starting)
    environment.render(config, snapshot, plan, order)


def _timeouts(
    settings: Settings, lock: str | None, statement: str | None
) -> tuple[tuple[str, str], ...]:
    return (
        ("lock_timeout", check_duration("--lock-timeout", lock or settings.lock_timeout)),
        (
            "statement_timeout",
            check_duration("--statement-timeout", statement or settings.statement_timeout),
        ),
    )


@dataclass(frozen=True)
class Source:
    """Where a backup is taken from."""

    url: URL
    tables: tuple[tuple[str, str], ...]
    partitioned: tuple[tuple[str, str], ...]


def _prepare(
    config: Config,
    planner: Planner,
    options: Options,
    sources: dict[Key, Source],
    moments: dict[Key, Moment],
    *,
    writes: bool,
) -> dict[Key, Rollback]:
    """Plan, parse, weigh and check, for each database; nothing is written.

    sources, moments: filled for each database: where a backup is taken from, and the moment of the
    look. writes: it will be run later, so a read-only server is refused before anybody is asked.
    """

    def see(snapshot: Snapshot, connection: Connection) -> tuple[Key, Rollback | NotApplied]:
        if writes:
            refuse_read_only(connection, "default_transaction_read_only")
        if options.command == "rollback-db":
            _refuse_foreign(snapshot)
        moments[snapshot.key] = read_moment(connection)
        try:
            found = look(config, snapshot, connection, planner, options)
        except NotApplied as error:
            return snapshot.key, error
        if options.backup:
            sources[snapshot.key] = _source(connection, found)
        return snapshot.key, found

    found = dict(environment.inspect(config, see))
    # Of several databases, those where it is not applied have nothing to do.
    refused = [one for one in found.values() if isinstance(one, NotApplied)]
    if len(refused) == len(found):
        raise refused[0]
    return {
        key: Rollback(key[1], Plan(()), Impact()) if isinstance(one, NotApplied) else one
        for key, one in found.items()
    }


def _refuse_foreign(snapshot: Snapshot) -> None:
    if snapshot.shape is Shape.FOREIGN:
        problem, advice = snapshot.ledger.foreign
        raise LedgerError(problem, state="Nothing was changed.", next_step=advice)


def _source(connection: Connection, rollback: Rollback) -> Source:
    steps = rollback.impact.steps
    oids = [loss.oid for step in steps for loss in step.tables if loss.rows != 0]
    return Source(
        connection.engine.url,
        tables_with_data(connection, oids),
        partitioned_tables(connection, oids),
    )


def _with_backups(
    config: Config,
    settings: Settings,
    prepared: Mapping[Key, Rollback],
    sources: Mapping[Key, Source],
) -> dict[Key, Rollback]:
    """Save the tables that lose rows, before anything is locked."""
    directory = directory_of(config) / settings.backup_directory
    saved = dict(prepared)
    for key, source in sources.items():
        path = take_backup(
            source.url,
            source.tables,
            directory,
            versions=prepared[key].versions,
            partitioned=source.partitioned,
            lock_timeout=settings.lock_timeout,
        )
        saved[key] = replace(prepared[key], backup=path)
    return saved


def _plan(
    snapshot: Snapshot,
    connection: Connection,
    more: tuple[str, ...],
    *,
    request: Request,
    stored: bool = False,
) -> Plan:
    history = snapshot.history
    wanted = Request(versions=more) if more else _named(snapshot, connection, request)
    if wanted is None:
        return Plan(())

    def resolve(identifier: str) -> str:
        return history.resolve(identifier, snapshot.applied_without_file)

    target = wanted.to if wanted.to in (None, "base") else resolve(wanted.to)
    versions = tuple(resolve(version) for version in wanted.versions)
    resolved = replace(wanted, versions=versions, to=target)
    kept = snapshot.ledger.stored_downs(connection, snapshot.applied_without_file)
    lenient = snapshot.settings.level_of("irreversible") != "block"
    return plan_rollback(
        history.graph,
        history.knowing(kept).revisions,
        snapshot.revertible,
        resolved,
        irreversible=lenient,
        stored=stored,
    )


def _named(snapshot: Snapshot, connection: Connection, request: Request) -> Request | None:
    """`--last-run` and `--to-tag` as the versions that they mean here; None where that is none."""
    if not request.last_run and request.to_tag is None:
        return request
    if not snapshot.has_log:
        raise UsageError(
            "There is no log yet, so no run is known.",
            next_step="`alembic migration-status` shows what is applied.",
        )
    if request.last_run:
        found = snapshot.ledger.last_run(connection, snapshot.partials)
    else:
        tags = snapshot.ledger.tags(connection)
        if request.to_tag not in tags:
            listed = f"Known are: {', '.join(tags)}." if tags else "None was recorded."
            meant = suggest(request.to_tag or "", list(tags))
            raise UsageError(f"No run has the tag {request.to_tag!r}.{meant} {listed}")
        tagged, graph = tags[request.to_tag], snapshot.history.graph
        then = graph.cov(tagged.heads) - set(tagged.holes)
        found = tuple(v for v in snapshot.revertible if v not in then)
    return Request(versions=found) if found else None


def _tell_what_was_committed(
    config: Config, error: BaseException, prepared: Mapping[Key, Rollback], run_id: str
) -> None:
    """With several databases, the failure in one says nothing about the others: ask their logs.

    So also where env.py ends the transaction itself: it has done so by now, unless what is seen
    here is still in that transaction, because env.py was given the connection.
    """
    failure = failures.failure_of(error)
    if failure is None or (len(prepared) < 2 and not failure.external):
        return

    def see(key: Key, ledger: Ledger, connection: Connection) -> tuple[Key, tuple[str, ...], int]:
        return key, ledger.logged(connection, run_id, "rolled_back"), backend_of(connection)

    try:
        found = environment.inspect_ledgers(config, see)
    except Exception as second:
        # The first error is what the user needs; a transaction that failed answers nothing.
        log.debug("What was committed could not be asked: %s", second)
        return
    if failure.backend in [backend for _, _, backend in found]:
        return
    several = len(prepared) > 1
    committed = tuple(
        prepared[key].plan.titles[version] + (f" in {prepared[key].database}" if several else "")
        for key, versions, _ in found
        for version in versions
    )
    seen = replace(failure, committed=committed, external=False, earlier=False)
    failures.attach(error, seen)


def _logged(config: Config, run_id: str) -> dict[Key, tuple[str, ...]]:
    return dict(
        environment.inspect_ledgers(
            config,
            lambda key, ledger, connection: (
                key,
                ledger.logged(connection, run_id, "rolled_back"),
            ),
        )
    )


def _confirmed_by_log(
    config: Config, prepared: Mapping[Key, Rollback], order: Order
) -> list[Rollback]:
    """Report a rollback as done only if its log rows are there for another connection to see."""
    logged = _logged(config, order.run.run_id)
    kept = _kept(config, order.run.run_id) if order.archive else {}
    for key, one in prepared.items():
        if logged.get(key, ()) != one.versions:
            raise RollbackError(
                f"The rollback of {', '.join(one.versions)} ran, but was not committed.",
                next_step="env.py must run context.run_migrations() inside "
                "`with context.begin_transaction():`; `alembic migration-status` shows the state.",
            )
    return [
        replace(
            one,
            executed=bool(one.plan.steps),
            run_id=order.run.run_id,
            kept=kept.get(key, ()),
        )
        for key, one in prepared.items()
    ]


def _kept(config: Config, run_id: str) -> dict[Key, tuple[tuple[str, str], ...]]:
    """What is in the archive now of what a run has taken."""

    def see(snapshot: Snapshot, connection: Connection) -> tuple[Key, tuple[tuple[str, str], ...]]:
        archive = archive_of(snapshot.settings, snapshot.ledger)
        found: dict[str, list[str]] = {}
        for item in archive.items(connection):
            if item.run_id == run_id:
                found.setdefault(item.version, []).append(item.shown)
        return snapshot.key, tuple((v, ", ".join(listed)) for v, listed in found.items())

    return dict(environment.inspect(config, see))
