"""`check-pairs`: for pre-commit, which waits; so neither Alembic nor a database is there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from alembic_rollback.cli.output import command, say
from alembic_rollback.errors import FAILED
from alembic_rollback.reporting.errors import error_lines
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES


@command("check-pairs", short_help=SUMMARIES["check-pairs"])
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["complete", "parse", "unique"]),
    help="Check this alone; may be given more than once.",
)
def check_pairs(files: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Check pairs by their files alone: complete, readable, versions unique.

    FILE is a file of a pair, or a folder of them. An up needs its down, unless it says
    `-- Irreversible: REASON`; both must parse and hold nothing that no migration can run; no two
    revisions of a folder may have one version. Made for pre-commit: no database is connected to,
    and no revision is imported. Exit code 1 if something is wrong.

    \b
    alembic check-pairs migrations/versions
    alembic check-pairs --only parse migrations/versions/20260112_001_*.sql
    """
    from alembic_rollback.linting import check_pairs as check

    errors = check([Path(file) for file in files], only)
    style = style_for(sys.stderr)
    for error in errors:
        say(error_lines(error, None, style), err=True)
    if errors:
        sys.exit(FAILED)
