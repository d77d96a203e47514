"""`repair-db`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback.cli.completion import versions as complete_versions
from alembic_rollback.cli.output import ask, command, say
from alembic_rollback.errors import UsageError
from alembic_rollback.reporting import repairs as report
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.model import Repair
    from alembic_rollback.repairs import RepairRequest

_ACTIONS = ("accept_checksum", "forget", "mark_applied", "clear_partial", "resume_at", "adopt")


@command("repair-db", short_help=SUMMARIES["repair-db"])
@click.argument("version", required=False, metavar="[VERSION]", shell_complete=complete_versions())
@click.option("--accept-checksum", is_flag=True, help="Take the changed file for what was applied.")
@click.option("--all", "everything", is_flag=True, help="With that: every modified revision.")
@click.option("--forget", is_flag=True, help="Take it for not applied; the down isn't run.")
@click.option("--mark-applied", is_flag=True, help="Take it for applied; the up isn't run.")
@click.option("--clear-partial", is_flag=True, help="Forget that it was begun.")
@click.option("--resume-at", type=int, metavar="N", help="Partial: go on at its statement N.")
@click.option(
    "--adopt",
    type=click.Choice(["golang-migrate", "dbmate"]),
    help="Take over what that tool has applied.",
)
@click.option("--from-table", metavar="NAME", help="Its table (default schema_migrations).")
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--lock-wait", metavar="TIME", default="", help="Wait so long for another runner.")
@click.pass_obj
def repair_db(config: Config, /, **options: Any) -> None:
    """Mend what is recorded: ledger, log and version table. No script is run.

    Shows what will change, from what to what, and asks for the word REPAIR. Exactly one action.

    \b
    alembic repair-db 20260112_001 --accept-checksum
    alembic repair-db 20260112_001 --forget           it is pending then
    alembic repair-db 20260112_001 --resume-at 3      1 and 2 were executed
    alembic repair-db --adopt dbmate --from-table old.schema_migrations
    """
    from alembic_rollback import commands

    results = commands.repair(
        config,
        _request(options),
        dry_run=options["dry_run"],
        confirm=partial(_confirm, yes=options["yes"]),
        lock_wait=options["lock_wait"],
    )
    if options["as_json"]:
        click.echo(json.dumps(report.repair_data(results), indent=2))
    elif options["dry_run"]:
        say(report.plan_lines(results, style_for(sys.stdout)))
    else:
        say(report.done_lines(results, style_for(sys.stdout)))


def _request(options: Mapping[str, Any]) -> RepairRequest:
    from alembic_rollback.repairs import RepairRequest

    given = [n for n in _ACTIONS if options[n] is not None and options[n] is not False]
    if len(given) != 1:
        problem = "several were given" if given else "none was given"
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in _ACTIONS)
        raise UsageError(
            f"Say what to do, in one of {flags}; {problem}.",
            next_step="`alembic repair-db --help` explains them.",
        )
    return RepairRequest(
        given[0].replace("_", "-"),
        options["version"],
        everything=options["everything"],
        resume_at=options["resume_at"],
        tool=options["adopt"],
        table=options["from_table"],
    )


def _confirm(repairs: Sequence[Repair], *, yes: bool) -> None:
    """Show what will change and ask for the word on the terminal. Raises NotConfirmed."""
    say(report.warning_lines(repairs, style_for(sys.stderr)), err=True)
    if not yes:
        ask(report.WORD, "This changes what is recorded", "--dry-run")
