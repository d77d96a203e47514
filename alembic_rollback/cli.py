"""The command line: arguments, prompts, exit codes. What the commands do is in `commands`."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback import __version__
from alembic_rollback.errors import (
    BLOCKED,
    DONE,
    FAILED,
    Blocked,
    NotConfirmed,
    NotPostgreSQL,
    RollbackError,
    UsageError,
)
from alembic_rollback.planning import Request
from alembic_rollback.reporting import data, text
from alembic_rollback.reporting.errors import error_lines, exit_code
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.model import Rollback

_command = partial(click.command, context_settings={"help_option_names": ["-h", "--help"]})


def _say(lines: Iterable[str], *, err: bool = False) -> None:
    for line in lines:
        click.echo(line, err=err)


@_command("rollback-db", short_help=SUMMARIES["rollback-db"])
@click.argument("versions", nargs=-1, metavar="[VERSION]...")
@click.option("--to", metavar="VERSION", help="Go back to VERSION, which stays applied; or `base`.")
@click.option("--last", type=int, metavar="N", help="The last N applied revisions.")
@click.option("--all", "everything", is_flag=True, help="Everything that is applied.")
@click.option("--last-run", is_flag=True, help="What the last upgrade applied.")
@click.option("--to-tag", metavar="TAG", help="Back to the end of `alembic upgrade … --tag TAG`.")
@click.option("--stored", is_flag=True, help="Run the downs stored when they were applied.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@click.option("--sql", is_flag=True, help="Print the SQL instead of running it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--confirm", metavar="HASH", help="Run only what --dry-run showed with this hash.")
@click.option("--with-dependants", is_flag=True, help="Also later revisions that use what goes.")
@click.option("--backup", is_flag=True, help="Save the tables that lose rows with pg_dump first.")
@click.option("-v", "--verbose", is_flag=True, help="Show every object and every finding.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--transaction",
    type=click.Choice(["one", "each"]),
    default="one",
    show_default=True,
    help="One for everything, or one for each revision.",
)
@click.option("--lock-timeout", metavar="TIME", help="Wait so long for a lock (default 5s).")
@click.option("--statement-timeout", metavar="TIME", help="Stop a statement after that time.")
@click.option("--lock-wait", metavar="TIME", default="", help="Wait so long for another runner.")
@click.option(
    "--retries", metavar="N", type=click.IntRange(0), help="After lock timeouts, deadlocks."
)
@click.pass_obj
def rollback_db(config: Config, /, versions: tuple[str, ...], **options: Any) -> None:
    """Roll back revisions: run their downs, newest first, in one transaction.

    Shows first which tables and rows would be lost and asks for the word ROLLBACK. A revision may
    be taken from the middle: it becomes pending, and `alembic upgrade head` applies it again.

    \b
    alembic rollback-db 20260112_001            this one only
    alembic rollback-db --to 20260112_001       everything above it
    alembic rollback-db --last 2 --dry-run      look first
    alembic rollback-db --last-run              what the last upgrade applied
    alembic rollback-db --to-tag v1.4           back to that release
    alembic rollback-db 20260112_001 --confirm HASH     run what was looked at
    """
    from alembic_rollback import commands

    kinds = ("to", "last", "everything", "last_run", "to_tag")
    request = Request(versions, *(options[kind] for kind in kinds))
    shown: list[Rollback] = []
    timeouts = {name: options[name] for name in ("lock_timeout", "statement_timeout")}
    if options["sql"]:
        other = [name for name in ("as_json", "dry_run", "stored") if options[name]]
        if other or options["transaction"] == "each":
            raise UsageError(
                "--sql goes with neither --json, --dry-run, --stored nor --transaction each."
            )
        commands.rollback_sql(config, request, **timeouts)
        return
    results = commands.rollback(
        config,
        request,
        dry_run=options["dry_run"],
        confirm=partial(_confirm, shown=shown, **_answers(options)),
        each=options["transaction"] == "each",
        with_dependants=options["with_dependants"],
        backup=options["backup"],
        stored=options["stored"],
        lock_wait=options["lock_wait"],
        retries=options["retries"],
        **timeouts,
    )
    if options["dry_run"]:
        _show_plan(results, as_json=options["as_json"], verbose=options["verbose"])
    elif options["as_json"]:
        click.echo(json.dumps(data.rollback_data(results), indent=2))
    else:
        _say(text.done_lines(results, shown, style_for(sys.stdout)))


def guard_downgrade(config: Config, options: Any, run: Callable[[], None]) -> None:
    """Run Alembic's own downgrade after the same look and the same question as rollback-db."""
    from alembic.util import CommandError

    from alembic_rollback import commands
    from alembic_rollback.host.configuration import settings_of
    from alembic_rollback.host.state import guarding

    if settings_of(config).downgrade_guard == "off" and not options.dry_run:
        run()
        return
    answers = _answers(vars(options))
    try:
        shown, guard = commands.downgrade(
            config,
            options.revision,
            dry_run=options.dry_run,
            confirm=partial(_confirm, shown=[], **answers),
        )
    except NotPostgreSQL:
        run()
        return
    except CommandError:
        # What Alembic has to say about the request, its own command says in its own way.
        with guarding(_refuse_unseen):
            run()
        return
    if options.dry_run:
        _show_plan(shown, as_json=options.json, verbose=options.verbose)
        return
    with guarding(guard):
        run()


def _refuse_unseen(state: Any, steps: Any) -> None:
    raise Blocked("What it would take away could not be looked at.", state="Nothing was changed.")


def weigh_in_code(state: Any, steps: Any) -> None:
    """With `downgrade_guard = always`: look at a downgrade that code asks for."""
    from alembic_rollback import commands

    commands.weigh_in_code(state, steps)


def _answers(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("yes", "confirm", "verbose")}


def _show_plan(results: Sequence[Rollback], *, as_json: bool, verbose: bool) -> None:
    from alembic_rollback.preflight import hash_of, is_refused

    hashed = hash_of(results)
    if as_json:
        click.echo(json.dumps(data.rollback_data(results, hashed), indent=2))
    else:
        _say(text.plan_lines(results, style_for(sys.stdout), confirm=hashed, verbose=verbose))
    if is_refused(results):
        sys.exit(BLOCKED)


@_command("migration-status", short_help=SUMMARIES["migration-status"])
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
        _say(text.status_lines(results, style_for(sys.stdout), verbose=verbose))
    if check and not all(result.clean for result in results):
        sys.exit(FAILED)


@_command("generate-down", short_help=SUMMARIES["generate-down"])
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
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
    results = commands.generate_down(
        config, files, output=output, write=not stdout, force=force, strict=strict, wish=wish
    )
    if stdout:
        click.echo("\n".join(result.text for result in results), nl=False)
    _say(text.generated_lines(results, style_for(sys.stderr)), err=True)
    if not all(result.sound for result in results) or any(one.outdated for one in results):
        sys.exit(FAILED)


@_command("generate-up", short_help=SUMMARIES["generate-up"])
@click.argument("message")
@click.option("--template", default="empty", show_default=True, help="`empty`, `table`, or own.")
@click.option("--head", metavar="VERSION", help="Follow this revision; `base` for none.")
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
    _say(str(path) for path in paths)


@_command("verify-down", short_help=SUMMARIES["verify-down"])
@click.argument("versions", nargs=-1, metavar="[VERSION]...")
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
        _say(verification_lines(found, style_for(sys.stdout), strict=strict))
    if not found.passes(strict=strict):
        sys.exit(FAILED)


COMMANDS: dict[str, click.Command] = {
    command.name or "": command
    for command in (rollback_db, migration_status, generate_down, generate_up, verify_down)
}


def run(name: str, config: Config, argv: Sequence[str]) -> None:
    """Run one subcommand as `alembic NAME …`; ends the process unless the exit code is 0."""
    code = _guarded(
        lambda: COMMANDS[name].main(
            list(argv), prog_name=f"alembic {name}", obj=config, standalone_mode=False
        ),
        raise_errors=bool(getattr(config.cmd_opts, "raiseerr", False)),
    )
    if code:
        sys.exit(code)


def report(error: BaseException) -> int:
    """Print an error that came out of a run of Alembic's own; return the exit code."""
    from alembic_rollback.host.failures import failure_of

    failure = failure_of(error)
    expected = (RollbackError, KeyboardInterrupt)
    if not isinstance(error, expected) and not _is_database_error(error):
        # A bug in a migration: its developer needs the traceback.
        traceback.print_exception(error)
    sys.stdout.flush()
    _say(error_lines(error, failure, style_for(sys.stderr)), err=True)
    return exit_code(error, failure)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="alembic-rollback")
@click.option("-c", "--config", "files", multiple=True, metavar="FILE", help="As alembic -c.")
@click.option("-n", "--name", "section", default="alembic", help="As alembic -n.")
@click.option("-x", "x", multiple=True, metavar="ARG", help="As alembic -x.")
@click.pass_context
def group(context: click.Context, files: tuple[str, ...], section: str, x: tuple[str, ...]) -> None:
    """The subcommands of alembic-rollback, for hosts that wrap Alembic's command line."""
    from alembic_rollback.host.command_line import make_config

    context.obj = make_config(files, section, x)


for _each in COMMANDS.values():
    group.add_command(_each)


def main() -> None:
    """The console script `alembic-rollback` and `python -m alembic_rollback`."""
    sys.exit(_guarded(lambda: group.main(prog_name="alembic-rollback", standalone_mode=False)))


def _guarded(action: Callable[[], Any], *, raise_errors: bool = False) -> int:
    """Run an action; turn every expected error into one line and its exit code."""
    from alembic.util import CommandError

    from alembic_rollback.host.failures import failure_of

    try:
        result = action()
        return result if isinstance(result, int) else DONE
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        origin = error.__cause__ or error
        return report(origin if failure_of(origin) else _interrupted())
    except CommandError as error:
        if raise_errors:
            raise
        return report(error if failure_of(error) else RollbackError(f"{error}"))
    except Exception as error:
        if raise_errors or not (isinstance(error, RollbackError) or failure_of(error)):
            raise
        return report(error)


def _interrupted() -> NotConfirmed:
    return NotConfirmed(
        "Interrupted.",
        state="Nothing was changed, unless it had said otherwise before.",
        next_step="`alembic migration-status` shows the state.",
    )


def _is_database_error(error: BaseException) -> bool:
    return hasattr(error, "orig")


def _confirm(
    rollbacks: Sequence[Rollback],
    *,
    yes: bool,
    confirm: str | None,
    verbose: bool,
    shown: list[Rollback],
) -> bool:
    """Show what will happen; where something is destroyed, ask for the word on the terminal.

    Returns whether exactly this was agreed to, by the word or by its hash; `shown` gets what was
    shown. Raises NotConfirmed for anything but the word, Blocked for another hash.
    """
    shown += rollbacks
    asking = any(one.must_ask for one in rollbacks)
    if asking or confirm or any(one.command == "rollback-db" for one in rollbacks):
        _say(text.warning_lines(rollbacks, style_for(sys.stderr), verbose=verbose), err=True)
    if confirm:
        _compare(rollbacks, confirm)
        return True
    if yes or not asking:
        return False
    if not sys.stdin.isatty():
        raise NotConfirmed(
            "This destroys data, and there is no terminal to ask on.",
            state="Nothing was changed.",
            next_step="Look with --dry-run, then run it with --yes.",
        )
    click.echo(f"Type '{text.WORD}' to confirm: ", nl=False, err=True)
    if sys.stdin.readline().rstrip("\r\n") != text.WORD:
        raise NotConfirmed("Not confirmed.", state="Nothing was changed.")
    return True


def _compare(rollbacks: Sequence[Rollback], confirm: str) -> None:
    from alembic_rollback.preflight import hash_of

    if hash_of(rollbacks) != confirm:
        raise Blocked(
            "What would happen is not what was confirmed: a count, an object, a file or the plan "
            "has changed since, or it is another database.",
            state="Nothing was changed.",
            next_step="Look again with --dry-run, and confirm the new hash.",
        )
