"""`repair-db`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alembic_rollback.cli.output import command
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config


@command("repair-db", short_help=SUMMARIES["repair-db"])
@click.pass_obj
def repair_db(config: Config) -> None:
    """Mend the ledger."""
