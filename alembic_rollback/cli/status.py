"""`migration-status`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from alembic_rollback.errors import (
    FAILED,
)
from alembic_rollback.reporting import data, text
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

from alembic_rollback.cli.output import command, say


@command("migration-status", short_help=SUMMARIES["migration-status"])
@click.option("-v", "--verbose", is_flag=True, help="With times, checksums and paths.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--check", is_flag=True, help="Exit 1 if anything is pending or wrong, for CI.")
@click.pass_obj
def migration_status(config: Config, verbose: bool, as_json: bool, check: bool) -> None:
    """Show every revision, oldest first: applied, pending, modified, missing, out of order.

    Writes nothing, also in a database that has never seen a migration.

    \b
    alembic migration-status
    alembic migration-status --check            in a pipeline
    """
    from alembic_rollback import commands

    results = commands.status(config)
    if as_json:
        click.echo(json.dumps(data.status_data(results), indent=2))
    else:
        say(text.status_lines(results, style_for(sys.stdout), verbose=verbose))
    if check and not all(result.clean for result in results):
        sys.exit(FAILED)
