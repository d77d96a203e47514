"""`apply-db`."""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback.cli.completion import versions as complete_versions
from alembic_rollback.cli.output import command, say
from alembic_rollback.errors import DONE, RollbackError, shown_path
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.escalation import Escalated


@command("apply-db", short_help=SUMMARIES["apply-db"])
@click.argument(
    "version",
    default="head",
    metavar="[VERSION]",
    shell_complete=complete_versions("head", "heads"),
)
@click.option("--generate", is_flag=True, help="Write missing downs first.")
@click.option("--no-verify", is_flag=True, help="Don't try the downs on a scratch database.")
@click.option(
    "--retries", metavar="N", type=click.IntRange(0), help="After lock timeouts, deadlocks."
)
@click.option("--scratch-url", default="", metavar="URL", help="Where to make scratch databases.")
@click.option("--tag", metavar="TAG", help="Name what is applied then; rollback-db --to-tag.")
@click.option("--lock-wait", metavar="TIME", default="", help="Wait so long for another runner.")
@click.option("--dry-run", is_flag=True, help="Validate only; apply and write nothing.")
@click.option("-v", "--verbose", is_flag=True, help="Also each down's outcome, and times.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def apply_db(config: Config, /, version: str, **options: Any) -> None:
    """Apply what is pending up to VERSION: head, heads, a version, +N.

    Both files of each pair are read and the downs tried on a scratch database; nothing is applied
    unless they bring the schema back. Then `alembic upgrade` runs. If it fails, what a step outside
    a transaction has left is undone by its down, and lock timeouts, deadlocks and lost connections
    are tried again; else a report is written to failure_directory and on_failure is run.

    \b
    alembic apply-db
    alembic apply-db 20260112_003 --generate
    alembic apply-db --tag v1.4 --json          in a pipeline
    """
    from alembic_rollback import commands
    from alembic_rollback.reporting.applying import application_data, detail_lines

    as_json, code = options["as_json"], DONE
    try:
        found = commands.apply(
            config,
            version,
            generate=options["generate"],
            verify=not options["no_verify"],
            retries=options["retries"],
            scratch_url=options["scratch_url"],
            tag=options["tag"],
            lock_wait=options["lock_wait"],
            dry_run=options["dry_run"],
            tell=None if as_json else click.echo,
        )
    except Exception as error:
        code = _explain(config, error, as_json=as_json)
        if not code:
            raise
    if code:  # not where the error is at hand: Alembic's command line would print it again
        sys.exit(code)
    if as_json:
        click.echo(json.dumps(application_data(found), indent=2))
    elif options["verbose"]:
        say(detail_lines(found, style_for(sys.stdout)))


def _explain(config: Config, error: Exception, *, as_json: bool) -> int:
    """Say what came of it. Returns the exit code where that was all; 0 where the error goes on."""
    from alembic_rollback.commands.applying import Unverified
    from alembic_rollback.escalation import escalated_of
    from alembic_rollback.reporting.applying import blocked_data, failed_data
    from alembic_rollback.reporting.verification import verification_lines

    escalated = escalated_of(error)
    if escalated is None:
        if isinstance(error, Unverified) and not as_json:
            say(verification_lines(error.verification, style_for(sys.stdout), strict=False))
        elif as_json and isinstance(error, RollbackError):
            found = getattr(error, "verification", None)
            click.echo(json.dumps(blocked_data(error, found), indent=2))
        return DONE
    if as_json:
        click.echo(json.dumps(failed_data(escalated), indent=2, default=str))
    _say_failure(error, escalated)
    return DONE if getattr(config.cmd_opts, "raiseerr", False) else escalated.exit_code


def _say_failure(error: Exception, escalated: Escalated) -> None:
    if not escalated.expected:
        # A bug in a migration: its developer needs the traceback.
        traceback.print_exception(error)
    sys.stdout.flush()
    style, (first, *rest) = style_for(sys.stderr), escalated.report.lines
    say([style.paint(first, "red"), *rest], err=True)
    if escalated.path:
        say([f"Report: {shown_path(escalated.path)}"], err=True)
