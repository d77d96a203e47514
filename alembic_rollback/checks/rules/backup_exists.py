"""Rows that would be lost without a usable backup of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alembic_rollback import backup
from alembic_rollback.catalog import qualified
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.errors import shown_path
from alembic_rollback.settings import age_in_seconds
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.model import TableLoss

_MOST_NAMES = 3


def check(subject: Subject) -> Iterator[Said]:
    """Say why what the plan loses could not be brought back.

    Raises SettingsError where backup_max_age or backup_command cannot be read.
    """
    losses = _losses(subject)
    names = qualified.qualified_names(subject.connection, losses)
    losses = {oid: loss for oid, loss in losses.items() if oid in names}
    if not losses:
        return
    tables = qualified.tables_with_data(subject.connection, losses)
    shown = {name: losses[oid].name for oid, name in names.items()}
    if problem := _problem(subject, tables, shown):
        message = f"{problem}: {_harm(tuple(losses.values()))} would be gone for good."
        yield Said(message, _next_step(subject))


def _losses(subject: Subject) -> dict[int, TableLoss]:
    """By table, the greatest loss of any step."""
    losses: dict[int, TableLoss] = {}
    for loss in (loss for step in subject.impact.steps for loss in step.tables):
        before = losses.get(loss.oid)
        if loss.rows != 0 and (before is None or _size(loss) > _size(before)):
            losses[loss.oid] = loss
    return losses


def _size(loss: TableLoss) -> float:
    return float("inf") if loss.rows is None else loss.rows


def _problem(
    subject: Subject, tables: Sequence[tuple[str, str]], shown: dict[tuple[str, str], str]
) -> str | None:
    """What is wrong with the backup; None if there is a usable one."""
    settings = subject.settings
    if settings.backup_command:
        reason = backup.run_command(
            settings.backup_command, _database(subject), tables, subject.directory
        )
        return (
            reason and f"backup_command says that there is no backup ({_hidden(subject, reason)})"
        )
    if not settings.backup_files:
        return "No backup is configured"
    oldest = age_in_seconds("backup_max_age", settings.backup_max_age)
    path = backup.newest_archive(settings.backup_files, subject.directory)
    if path is None:
        return f"No file matches backup_files = {settings.backup_files}"
    archive = backup.verify(path, tables)
    newest = f"The newest backup, {shown_path(path)},"
    if archive.problem:
        return f"{newest} cannot be read ({archive.problem})"
    if archive.missing:
        missing = [shown.get(table) or quote_name(table) for table in archive.missing]
        return f"{newest} does not hold {_listed(missing)}"
    if archive.age > oldest:
        age = _shown_age(archive.age)
        return f"{newest} is {age} old (backup_max_age = {settings.backup_max_age})"
    return None


def _database(subject: Subject) -> str:
    return str(subject.connection.exec_driver_sql("SELECT current_database()").scalar_one())


def _hidden(subject: Subject, text: str) -> str:
    password = subject.connection.engine.url.password
    return text.replace(password, "***") if password else text


def _next_step(subject: Subject) -> str:
    first = "Run it with --backup" if subject.command == "rollback-db" else "Make a backup first"
    if subject.settings.backup_command or subject.settings.backup_files:
        return f"{first}."
    return f"{first}, or set backup_files or backup_command."


def _harm(losses: Sequence[TableLoss]) -> str:
    """`150 rows of purchase_orders`."""
    tables = _listed([loss.name for loss in losses])
    counts = [loss.rows for loss in losses if loss.rows is not None]
    if len(counts) < len(losses):
        return f"an unknown number of rows of {tables}"
    about = "" if all(loss.exact for loss in losses) else "~"
    return f"{about}{sum(counts)} row{'' if sum(counts) == 1 else 's'} of {tables}"


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b, c and 4 more tables`."""
    rest = len(names) - _MOST_NAMES
    if rest > 0:
        more = f"{rest} more table{'' if rest == 1 else 's'}"
        names = [*names[:_MOST_NAMES], more]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _shown_age(seconds: float) -> str:
    """`3 days`, `26 hours`, `50 minutes`: the largest unit that there are two of."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}s"
    return f"{int(seconds)} s"
