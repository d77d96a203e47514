"""What is known about a plan before it runs: scripts read, impact assessed, checks asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.catalog.counting import Budget
from alembic_rollback.catalog.tables import database_identity
from alembic_rollback.checks.digest import content, digest
from alembic_rollback.checks.impact import Known, assess
from alembic_rollback.checks.locking import NamedLocks
from alembic_rollback.checks.registry import findings
from alembic_rollback.checks.rules.later_revisions import users
from alembic_rollback.checks.subject import Subject
from alembic_rollback.errors import Blocked, PairError, RollbackError
from alembic_rollback.host.environment import Snapshot, stored_downs
from alembic_rollback.host.ledgers import archive_of
from alembic_rollback.host.scripts import load_script, load_stored, pair_of
from alembic_rollback.host.steps import rest_of
from alembic_rollback.model import Finding, Plan, Revision, Rollback, StoredDown
from alembic_rollback.pairs import read_text
from alembic_rollback.sql.names import quote_identifier
from alembic_rollback.sql.script import Script

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.settings import Settings

Planner = Callable[[Snapshot, "Connection", tuple[str, ...]], Plan]
"""Makes the plan for one database, with some more versions in it."""


@dataclass(frozen=True)
class Options:
    """How a rollback is to be looked at."""

    command: str = "rollback-db"
    each: bool = False
    """One transaction for each step."""
    with_dependants: bool = False
    """Take the later revisions that use what goes, too."""
    backup: bool = False
    """A backup is taken anyway, so none need be there."""
    stored: bool = False
    """Run the downs that the log keeps, also where there are files."""
    archive: bool = False
    """What would be lost is kept."""


class Ups(Mapping[str, Script | None]):
    """Parsed ups by version: read when asked for. A bad one is None: it stands in nobody's way."""

    def __init__(self, readers: Mapping[str, Callable[[], tuple[Script | None, str]]]) -> None:
        self._readers = readers
        self._read: dict[str, Script | None] = {}

    def __getitem__(self, version: str) -> Script | None:
        if version not in self._read:
            read, self._read[version] = self._readers[version], None
            with suppress(RollbackError, OSError):
                self._read[version], _ = read()
        return self._read[version]

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


@dataclass
class Scripts:
    """The parsed scripts of a plan; why a `.py` could not be read."""

    downs: dict[str, Script | None] = field(default_factory=dict)
    ups: Mapping[str, Script | None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """The later ups that are pairs."""
    why: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What is left of partial revisions, and where it goes on."""
    stored: Mapping[str, StoredDown] = field(default_factory=dict)
    """Downs that are taken from the log."""


def look(
    config: Config, snapshot: Snapshot, connection: Connection, planner: Planner, options: Options
) -> Rollback:
    """Plan, parse, weigh and check on one database; nothing is written."""
    subject, scripts = _subject(
        config, snapshot, connection, planner(snapshot, connection, ()), options
    )
    while options.with_dependants:
        more = tuple(revision.version for revision in users(subject))
        if not more:
            break
        taken = tuple(step.version for step in subject.plan.steps)
        plan = planner(snapshot, connection, (*taken, *more))
        subject, scripts = _subject(config, snapshot, connection, plan, options)
    impact = subject.impact
    if not options.each and impact.locks > impact.lock_capacity:
        raise Blocked(
            f"In one transaction this needs about {impact.locks} locks; the server's lock "
            f"table holds {impact.lock_capacity}.",
            state="Nothing was changed.",
            next_step="Add --transaction each, or raise max_locks_per_transaction.",
        )
    if options.archive and impact.destructive:
        _refuse_without_archive(snapshot, connection)
    return Rollback(
        snapshot.database,
        subject.plan,
        impact,
        scripts.downs,
        findings=findings(subject),
        identity=(*snapshot.key, *database_identity(connection)),
        command=options.command,
        notes=scripts.notes,
        archive=snapshot.settings.archive_schema if options.archive else "",
        why=scripts.why,
    )


def _refuse_without_archive(snapshot: Snapshot, connection: Connection) -> None:
    archive = archive_of(snapshot.settings, snapshot.ledger)
    refused = archive.who_may_not(connection)
    if refused:
        role, database = map(quote_identifier, refused)
        raise Blocked(
            f"The role {role} may not write to the archive {archive.schema}.",
            state="Nothing was changed.",
            next_step=f"GRANT CREATE ON DATABASE {database} TO {role}, where it doesn't exist yet, "
            "or rights on the schema and the table `archived`; or leave out --archive.",
        )


def refuse(blocking: tuple[Finding, ...]) -> None:
    """Raise Blocked where a check forbids the plan."""
    refused = [finding for finding in blocking if finding.level == "block"]
    if refused:
        raise Blocked(
            " ".join(finding.message for finding in refused),
            state="Nothing was changed.",
            next_step=refused[0].next_step,
        )


def is_refused(rollbacks: Sequence[Rollback]) -> bool:
    """Whether a check forbids it."""
    return any(finding.level == "block" for one in rollbacks for finding in one.findings)


def hash_of(rollbacks: Sequence[Rollback]) -> str:
    """What `--confirm` takes: the same plans, impact and files in the same databases."""
    return digest(
        (content(r.identity, r.plan, r.impact, r.scripts), r.archive)  # type: ignore[arg-type]
        for r in rollbacks
    )


def refuse_other(rollbacks: Sequence[Rollback], confirmed: str) -> None:
    """Raise Blocked where what would happen is not what was confirmed by its hash."""
    if hash_of(rollbacks) != confirmed:
        raise Blocked(
            "What would happen is not what was confirmed: a count, an object, a file or the plan "
            "has changed since, or it is another database.",
            state="Nothing was changed.",
            next_step="Look again with --dry-run, and confirm the new hash.",
        )


def budget_of(settings: Settings) -> Budget:
    """What one table's count may cost."""
    return Budget(settings.count_limit, settings.count_timeout)


def subject_of(
    config: Config, connection: Connection, snapshot_settings: Settings, rollback: Rollback
) -> Subject:
    """The same plan for the checks that are asked again under the lock."""
    return Subject(
        connection,
        snapshot_settings,
        rollback.plan,
        rollback.impact,
        rollback.scripts,  # type: ignore[arg-type]
        {},
        {},
        directory_of(config),
        rollback.command,
    )


def directory_of(config: Config) -> Path:
    """Where the configuration file is."""
    file = config.config_file_name or config._toml_file_path
    return Path(file).absolute().parent if file else Path.cwd()


def _subject(
    config: Config, snapshot: Snapshot, connection: Connection, plan: Plan, options: Options
) -> tuple[Subject, Scripts]:
    settings = snapshot.settings
    if options.backup or options.archive:
        settings = replace(
            settings, safety_checks={**settings.safety_checks, "backup_exists": "off"}
        )
    scripts = _read(config, snapshot, connection, plan, options)
    known, locks = Known(scripts.ups, scripts.why), NamedLocks()
    budget = budget_of(settings)
    impact = assess(connection, plan, scripts.downs, budget, known, locks.note)
    subject = Subject(
        connection,
        settings,
        plan,
        impact,
        scripts.downs,
        scripts.ups,
        snapshot.rows,
        directory_of(config),
        options.command,
        scripts.texts,
        locks.found,
    )
    return subject, scripts


def _read(
    config: Config, snapshot: Snapshot, connection: Connection, plan: Plan, options: Options
) -> Scripts:
    stored = stored_downs(
        connection, snapshot.ledger, snapshot.history, plan, always=options.stored
    )
    found = Scripts(stored=stored)
    found.notes += tuple(
        f"{one.title}: the down script is the one that was stored when it was applied."
        for one in stored.values()
    )
    read = partial(_script, config, snapshot, connection, found=found)
    for step in plan.steps:
        found.downs[step.version], why = read(step, "down")
        if why:
            found.why[step.version] = why
    found.ups = Ups({one.version: partial(read, one, "up") for one in (*plan.steps, *plan.later)})
    for revision in plan.later:
        known = revision.version in snapshot.history.revisions and revision.is_pair
        with suppress(PairError):
            if known:
                found.texts[revision.version] = read_text(revision.file)
    return found


def _script(
    config: Config,
    snapshot: Snapshot,
    connection: Connection,
    revision: Revision,
    direction: str,
    found: Scripts,
) -> tuple[Script | None, str]:
    version = revision.version
    stored = found.stored.get(version) if direction == "down" else None
    known = version in snapshot.history.revisions
    if not known and not stored:
        return None, "it has no file"
    pair = pair_of(snapshot.history.script(version)) if known else None
    if pair or stored:
        most = snapshot.settings.max_script_bytes
        whole = load_stored(stored, most) if stored else load_script(pair, direction, most)  # type: ignore[arg-type]
        begun = snapshot.partials.get(version) if direction == "down" else None
        if begun is None:
            return whole, ""
        remains = rest_of(connection, begun, revision.title, pair, whole, "down")
        found.notes += remains.notes
        return remains.script, ""
    script = snapshot.history.script(version)
    from alembic_rollback.host.rendering import render

    rendered = render(
        script,
        direction,
        config=config,
        arguments=snapshot.arguments,
        schemas=connection.get_execution_options().get("schema_translate_map"),
    )
    return rendered.script, rendered.why
