"""The use cases, as functions: an Alembic Config in, results out; nothing is printed or asked.

They mirror `alembic.command`. Errors are those of `alembic_rollback.errors`, and what a migration
itself raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_rollback import writing
from alembic_rollback.checks.impact import assess
from alembic_rollback.errors import (
    Blocked,
    LedgerError,
    NotApplied,
    PairError,
    RollbackError,
    UsageError,
)
from alembic_rollback.guard import Guard
from alembic_rollback.host import environment, failures
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.environment import Key, Snapshot
from alembic_rollback.host.history import history_of
from alembic_rollback.host.scripts import load_script, pair_of
from alembic_rollback.host.state import Order, new_run
from alembic_rollback.ledger import Shape
from alembic_rollback.model import (
    GeneratedDown,
    Impact,
    Plan,
    Revision,
    Rollback,
    Status,
)
from alembic_rollback.pairs import next_version, write_new, write_pair
from alembic_rollback.planning import Request, plan_rollback
from alembic_rollback.settings import Settings, check_duration
from alembic_rollback.sql.script import Script
from alembic_rollback.statuses import status_of

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

Confirm = Callable[[Sequence[Rollback]], bool]
"""Called with what a rollback would do, before anything runs.

Raises NotConfirmed to stop it. Returns whether a person has agreed to exactly this; it is then
looked at again under the lock."""


def status(config: Config) -> list[Status]:
    """Which revisions are applied, pending or not as they should be, for each database of env.py.

    Writes nothing, also where none of our tables exists yet.
    """
    return environment.inspect(config, lambda snapshot, connection: status_of(snapshot))


def rollback(
    config: Config,
    request: Request,
    *,
    dry_run: bool = False,
    confirm: Confirm | None = None,
    each: bool = False,
    lock_timeout: str | None = None,
    statement_timeout: str | None = None,
) -> list[Rollback]:
    """Roll back what is asked for, in each database of env.py.

    dry_run: only say what would happen. confirm: see Confirm. each: commit after each step
    instead of once at the end. The timeouts are PostgreSQL durations; they default to the
    settings. Raises RollbackError before anything runs where the request cannot be met.
    """
    settings = settings_of(config)
    timeouts = _timeouts(settings, lock_timeout, statement_timeout)
    prepared = _prepare(config, request, each=each)
    shown = list(prepared.values())
    if dry_run or not any(one.plan.steps for one in shown):
        return shown
    agreed = confirm(shown) if confirm else False
    guard = Guard(prepared, settings.count_limit, agreed=agreed, each=each)
    order = Order(new_run(), each, timeouts)
    plans = {key: one.plan for key, one in prepared.items()}
    try:
        environment.execute(config, plans, order, guard)
    except Exception as error:
        _tell_what_was_committed(config, error, prepared, order.run.run_id)
        raise
    return _confirmed_by_log(config, guard.found, order)


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
        config, lambda snapshot, connection: (snapshot, _plan(snapshot, request))
    )
    if len(plans) != 1:
        raise UsageError("--sql needs an env.py with one database.")
    snapshot, plan = plans[0]
    unknown = [head for head in snapshot.heads if head not in snapshot.history.revisions]
    if unknown:
        raise PairError(
            f"The version table says {unknown[0]}, and no file of this release has it: Alembic "
            "cannot print SQL from there.",
            next_step="Run it without --sql, or from the release that has the file.",
        )
    order = Order(new_run(), timeouts=timeouts, starting=snapshot.starting)
    environment.render(config, snapshot, plan, order)


def generate_down(
    config: Config,
    files: Sequence[str],
    *,
    output: Path | None = None,
    write: bool = True,
    force: bool = False,
) -> list[GeneratedDown]:
    """Derive the downs of some up files from their text.

    files: paths, or names or versions in the version locations. output: where to write the only
    one. All of them are derived before the first is written. Raises PairError where a down exists
    and `force` is false.
    """
    locations = _locations(config) if any(not Path(file).is_file() for file in files) else []
    if output and len(files) != 1:
        raise UsageError("-o takes one FILE.")
    derived = [writing.invert_file(writing.find_up(file, locations), output) for file in files]
    if not write:
        return derived
    for one in derived:
        if one.down.exists() and not force:
            raise PairError("exists already; --force overwrites it.", where=one.down)
    for one in derived:
        write_new(one.down, one.text, replace=force)
    return [replace(one, written=True) for one in derived]


def generate_up(
    config: Config,
    message: str,
    *,
    template: str = "empty",
    head: str | None = None,
    version_path: str | None = None,
) -> tuple[Path, Path]:
    """Write a new pair on top of the current head; return both paths.

    head: the revision to follow where there are several heads. version_path: the version location
    where there are several.
    """
    directory = environment.script_directory(config)
    history = history_of(directory, downs=False)
    heads = directory.get_heads()
    if head:
        revises: tuple[str, ...] = () if head == "base" else (history.resolve(head),)
    elif len(heads) > 1:
        raise UsageError(
            f"There are {len(heads)} heads: {', '.join(heads)}.",
            next_step="Name the one to follow with --head, or merge them with `alembic merge`.",
        )
    else:
        revises = tuple(heads)
    location = _location_for(history, directory, revises, version_path)
    created = directory._generate_create_date().date()
    taken = [version for version, one in history.revisions.items() if one.is_pair]
    new = writing.NewPair(message, next_version(taken, created), revises, created, writing.author())
    writing.check_title(new)
    up_text, down_text = writing.fill_templates(new, template, Path(directory.dir))
    return write_pair(location, new.title, up_text, down_text)


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


def _prepare(config: Config, request: Request, *, each: bool) -> dict[Key, Rollback]:
    """Plan, parse and weigh, for each database; nothing is written."""

    def look(snapshot: Snapshot, connection: Connection) -> tuple[Key, Rollback | NotApplied]:
        try:
            plan = _plan(snapshot, request)
        except NotApplied as error:
            return snapshot.key, error
        scripts = {step.version: _down_script(snapshot, step) for step in plan.steps}
        impact = assess(connection, plan, scripts, snapshot.settings.count_limit)
        if not each and impact.locks > impact.lock_capacity:
            raise Blocked(
                f"In one transaction this needs about {impact.locks} locks; the server's lock "
                f"table holds {impact.lock_capacity}.",
                state="Nothing was changed.",
                next_step="Add --transaction each, or raise max_locks_per_transaction.",
            )
        return snapshot.key, Rollback(snapshot.database, plan, impact, scripts)

    found = dict(environment.inspect(config, look))
    # Of several databases, those where it is not applied have nothing to do.
    refused = [one for one in found.values() if isinstance(one, NotApplied)]
    if len(refused) == len(found):
        raise refused[0]
    return {
        key: Rollback(key[1], Plan(()), Impact()) if isinstance(one, NotApplied) else one
        for key, one in found.items()
    }


def _plan(snapshot: Snapshot, request: Request) -> Plan:
    if snapshot.shape is Shape.FOREIGN:
        problem, advice = snapshot.ledger.foreign
        raise LedgerError(problem, state="Nothing was changed.", next_step=advice)
    history = snapshot.history

    def resolve(identifier: str) -> str:
        return history.resolve(identifier, snapshot.applied_without_file)

    target = request.to if request.to in (None, "base") else resolve(request.to)
    versions = tuple(resolve(version) for version in request.versions)
    resolved = replace(request, versions=versions, to=target)
    return plan_rollback(history.graph, history.revisions, snapshot.ranked, resolved)


def _down_script(snapshot: Snapshot, step: Revision) -> Script | None:
    pair = pair_of(snapshot.history.script(step.version))
    return load_script(pair, "down") if pair else None


def _tell_what_was_committed(
    config: Config, error: BaseException, prepared: Mapping[Key, Rollback], run_id: str
) -> None:
    """With several databases, the failure in one says nothing about the others: ask their logs."""
    failure = failures.failure_of(error)
    if failure is None or len(prepared) < 2:
        return
    committed = [
        f"{prepared[key].plan.titles[version]} in {prepared[key].database}"
        for key, versions in _logged(config, run_id).items()
        for version in versions
    ]
    failures.attach(error, replace(failure, committed=tuple(committed), earlier=False))


def _logged(config: Config, run_id: str) -> dict[Key, tuple[str, ...]]:
    return dict(
        environment.inspect(
            config,
            lambda snapshot, connection: (
                snapshot.key,
                snapshot.ledger.logged(connection, run_id, "rolled_back"),
            ),
        )
    )


def _confirmed_by_log(
    config: Config, prepared: Mapping[Key, Rollback], order: Order
) -> list[Rollback]:
    """Report a rollback as done only if its log rows are there for another connection to see."""
    logged = _logged(config, order.run.run_id)
    for key, one in prepared.items():
        if logged.get(key, ()) != one.versions:
            raise RollbackError(
                f"The rollback of {', '.join(one.versions)} ran, but was not committed.",
                next_step="env.py must run context.run_migrations() inside "
                "`with context.begin_transaction():`; `alembic migration-status` shows the state.",
            )
    return [
        replace(one, executed=bool(one.plan.steps), run_id=order.run.run_id)
        for one in prepared.values()
    ]


def _locations(config: Config) -> list[Path]:
    return [Path(path) for path in environment.script_directory(config)._version_locations]


def _location_for(
    history: Any, directory: Any, revises: tuple[str, ...], version_path: str | None
) -> Path:
    locations = [Path(location) for location in directory._version_locations]
    if version_path:
        wanted = Path(version_path).absolute()
        if wanted not in [location.absolute() for location in locations]:
            raise UsageError(f"{version_path} is not one of Alembic's version_locations.")
        return wanted
    if len(locations) == 1:
        return locations[0]
    for version in revises:
        parent: Path = history.revisions[version].path.parent
        return parent
    raise UsageError(
        "There are several version locations.", next_step="Name one with --version-path."
    )
