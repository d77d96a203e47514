"""`generate-down`, `generate-up` and `verify-down`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback.errors import (
    FAILED,
)
from alembic_rollback.pairs import read_text
from alembic_rollback.reporting import text
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.model import GeneratedDown

from alembic_rollback.cli.completion import versions as complete_versions
from alembic_rollback.cli.output import ask, command, say


@command("generate-down", short_help=SUMMARIES["generate-down"])
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    shell_complete=complete_versions(or_file=True),
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here (one FILE).")
@click.option("--stdout", is_flag=True, help="Print instead of writing.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a down would do otherwise.")
@click.option("--force", is_flag=True, help="Overwrite a down that exists.")
@click.option("--strict", is_flag=True, help="Write only what is complete and proven.")
@click.option(
    "--state",
    type=click.Choice(["auto", "live", "replay", "none"]),
    default="auto",
    show_default=True,
    help="The schema before the up: from the connected database, from the revisions below run on "
    "a scratch database, or from nowhere: the text alone.",
)
@click.option("--before-url", default="", metavar="URL", help="A throw-away database before FILE.")
@click.option("--scratch-url", default="", metavar="URL", help="Where to make scratch databases.")
@click.option("--no-prove", is_flag=True, help="Don't run up, down and up to compare.")
@click.option("--schema-only", is_flag=True, help="Lost rows are named, but don't count.")
@click.option(
    "--keep-data",
    is_flag=True,
    help="Rewrite the up, too: it keeps the rows that it changes, the down puts them back. Shows "
    "the difference and asks first.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask before --keep-data writes.")
@click.pass_obj
def generate_down(
    config: Config, /, files: tuple[str, ...], output: Path | None, stdout: bool, **options: Any
) -> None:
    """Write the .down.sql of each FILE, and prove that it restores the schema.

    FILE is a path, or a name or version in the version locations. Each statement is undone in
    reverse order; then up, down and up again are run on a scratch database, and the catalogs
    compared. What cannot be undone is named with its line and the missing fact, here and in the
    file; then the exit code is 1, and rollback-db refuses the file until a person has completed
    it.

    \b
    alembic generate-down migrations/versions/20260112_001_create_purchase_orders.up.sql
    alembic generate-down 20260112_001 --stdout
    alembic generate-down migrations/versions/*.up.sql --check
    alembic generate-down 20260112_004 --keep-data
    """
    from alembic_rollback import commands
    from alembic_rollback.generation import Wish

    wish = Wish(
        state=options["state"],
        before_url=options["before_url"],
        scratch_url=options["scratch_url"],
        prove=not options["no_prove"],
        schema_only=options["schema_only"],
        check=options["check"],
    )
    force, strict = options["force"], options["strict"]
    keep_data = options["keep_data"]
    results = commands.generate_down(
        config,
        files,
        output=output,
        write=not stdout,
        force=force,
        strict=strict,
        wish=wish,
        keep_data=keep_data,
        agree=partial(_agree, yes=options["yes"]),
    )
    if stdout and keep_data:
        _show_rewritten(results, err=False)
    elif stdout:
        click.echo("\n".join(result.text for result in results), nl=False)
    say(text.generated_lines(results, style_for(sys.stderr)), err=True)
    if not all(result.sound for result in results) or any(one.outdated for one in results):
        sys.exit(FAILED)


def _agree(results: Sequence[GeneratedDown], *, yes: bool) -> None:
    _show_rewritten(results, err=True)
    if not yes:
        ask("WRITE", "This rewrites up files", "--stdout")


def _show_rewritten(results: Sequence[GeneratedDown], *, err: bool) -> None:
    style = style_for(sys.stderr if err else sys.stdout)
    for one in results:
        for path, new in ((one.up, one.up_text), (one.down, one.text)) if one.kept else ():
            old = read_text(path) if path.exists() else ""
            say(text.diff_lines(path, old, new, style), err=err)


@command("generate-up", short_help=SUMMARIES["generate-up"])
@click.argument("message")
@click.option("--template", default="empty", show_default=True, help="`empty`, `table`, or own.")
@click.option(
    "--head",
    metavar="VERSION",
    help="Follow this revision; `base` for none.",
    shell_complete=complete_versions("base", "head"),
)
@click.option("--version-path", metavar="DIR", help="Write there, of several version locations.")
@click.pass_obj
def generate_up(
    config: Config, message: str, template: str, head: str | None, version_path: str | None
) -> None:
    """Write a new pair, VERSION_name.up.sql and .down.sql, on top of the current head.

    A template is up.sql.mako and down.sql.mako, or NAME.up.sql.mako and NAME.down.sql.mako; one
    in the script location takes the place of the built-in one.

    \b
    alembic generate-up "create purchase orders" --template table
    """
    from alembic_rollback import commands

    paths = commands.generate_up(
        config, message, template=template, head=head, version_path=version_path
    )
    say(str(path) for path in paths)


@command("verify-down", short_help=SUMMARIES["verify-down"])
@click.argument("versions", nargs=-1, metavar="[VERSION]...", shell_complete=complete_versions())
@click.option("--all", "everything", is_flag=True, help="Every revision.")
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    metavar="N",
    help="Put N rows into each table before the up.",
)
@click.option("--no-rows", is_flag=True, help="Leave the tables empty.")
@click.option("--strict", is_flag=True, help="Columns in another order and lost rows fail, too.")
@click.option("--scratch-url", default="", metavar="URL", help="Where to make scratch databases.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def verify_down(config: Config, /, versions: tuple[str, ...], **options: Any) -> None:
    """Try the downs of revisions, pairs and .py: do they bring the schema back?

    The history is replayed on a scratch database; at each revision, its up, its down and its up
    again are run with rows in the tables, and the catalogs compared. env.py is not run and no
    database of the project is touched. Exit code 1 unless each is verified, or declared
    irreversible.

    \b
    alembic verify-down 20260112_001
    alembic verify-down --all --strict          in a pipeline
    """
    from alembic_rollback import commands
    from alembic_rollback.reporting.verification import verification_data, verification_lines

    strict, rows = options["strict"], 0 if options["no_rows"] else options["rows"]
    everything, url = options["everything"], options["scratch_url"]
    found = commands.verify_down(
        config, versions, everything=everything, rows=rows, scratch_url=url
    )
    if options["as_json"]:
        click.echo(json.dumps(verification_data(found, strict=strict), indent=2))
    else:
        say(verification_lines(found, style_for(sys.stdout), strict=strict))
    if not found.passes(strict=strict):
        sys.exit(FAILED)
