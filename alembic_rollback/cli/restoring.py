"""`restore-db`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback.cli.completion import versions as complete_versions
from alembic_rollback.cli.output import ask, command, say
from alembic_rollback.errors import UsageError
from alembic_rollback.reporting import archive as report
from alembic_rollback.reporting.style import style_for
from alembic_rollback.settings import age_in_seconds
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.archive.restoring import Restoration


@command("restore-db", short_help=SUMMARIES["restore-db"])
@click.argument("versions", nargs=-1, metavar="[VERSION]...", shell_complete=complete_versions())
@click.option("--list", "listing", is_flag=True, help="Show what is archived, and how large it is.")
@click.option("--into", metavar="TABLE", help="Put it into that table instead of its own.")
@click.option(
    "--on-conflict",
    type=click.Choice(["error", "keep"]),
    default="error",
    show_default=True,
    help="Rows that are there already: refuse, or keep them and put back the rest.",
)
@click.option("--drop-older-than", metavar="AGE", help="Drop what is older for good: 30d, 12h.")
@click.option("--dry-run", is_flag=True, help="Look whether it would fit; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before dropping.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--lock-wait", metavar="TIME", default="", help="Wait so long for another runner.")
@click.pass_obj
def restore_db(config: Config, /, versions: tuple[str, ...], **options: Any) -> None:
    """Put back what `rollback-db --archive` has kept, once the revision is applied again.

    Every row or none. What is there already is never overwritten, every constraint is checked, and
    triggers do not fire.

    \b
    alembic restore-db --list
    alembic restore-db 20260112_001 --dry-run
    alembic restore-db 20260112_001 20260112_002
    alembic restore-db 20260112_001 --into rescued_orders
    alembic restore-db --drop-older-than 30d
    """
    from alembic_rollback import commands

    _check(versions, options)
    if options["listing"]:
        found = commands.archived(config)
        lines = report.list_lines(found, style_for(sys.stdout))
    elif options["drop_older_than"]:
        age = age_in_seconds("--drop-older-than", options["drop_older_than"])
        asking = partial(_confirm, yes=options["yes"])
        wait = options["lock_wait"]
        found = commands.drop_archived(config, age, confirm=asking, lock_wait=wait)
        lines = report.dropped_lines(found, style_for(sys.stdout))
    else:
        found = commands.restore(
            config,
            *versions,
            into=options["into"] or "",
            keep=options["on_conflict"] == "keep",
            dry_run=options["dry_run"],
            lock_wait=options["lock_wait"],
        )
        show = report.plan_lines if options["dry_run"] else report.done_lines
        lines = show(found, style_for(sys.stdout))
    if options["as_json"]:
        click.echo(json.dumps(report.restoration_data(found), indent=2))
    else:
        say(lines)


def _check(versions: tuple[str, ...], options: dict[str, Any]) -> None:
    ways = [bool(versions), options["listing"], bool(options["drop_older_than"])]
    if sum(ways) != 1:
        raise UsageError(
            "Say one of VERSION…, --list and --drop-older-than.",
            next_step="`alembic restore-db --list` shows what there is.",
        )


def _confirm(found: Sequence[Restoration], *, yes: bool) -> None:
    say(report.warning_lines(found, style_for(sys.stderr)), err=True)
    if not yes:
        ask(report.WORD, "This drops rows for good", "--list")
