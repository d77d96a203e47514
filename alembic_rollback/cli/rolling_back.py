"""`rollback-db`, and the guard of `alembic downgrade`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback.errors import (
    BLOCKED,
    Blocked,
    NotPostgreSQL,
    UsageError,
)
from alembic_rollback.planning import Request
from alembic_rollback.reporting import data, text
from alembic_rollback.reporting.style import style_for
from alembic_rollback.summaries import SUMMARIES

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.model import Rollback
from alembic_rollback.cli.completion import versions as complete_versions
from alembic_rollback.cli.output import ask, command, say


@command("rollback-db", short_help=SUMMARIES["rollback-db"])
@click.argument("versions", nargs=-1, metavar="[VERSION]...", shell_complete=complete_versions())
@click.option(
    "--to",
    metavar="VERSION",
    help="Go back to VERSION, which stays applied; or `base`.",
    shell_complete=complete_versions("base"),
)
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
@click.option("--archive/--no-archive", default=None, help="Keep what would be lost.")
@click.option("-v", "--verbose", is_flag=True, help="Show every object and every finding.")
@click.option("--html", metavar="FILE", help="With --dry-run: write a page for a change ticket.")
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
    alembic rollback-db 20260112_001 --archive  restore-db can put the rows back
    alembic rollback-db 20260112_001 --confirm HASH     run what was looked at
    alembic rollback-db 20260112_001 --dry-run --html page.html
    """
    from alembic_rollback import commands

    kinds = ("to", "last", "everything", "last_run", "to_tag")
    request = Request(versions, *(options[kind] for kind in kinds))
    shown: list[Rollback] = []
    timeouts = {name: options[name] for name in ("lock_timeout", "statement_timeout")}
    if options["sql"]:
        other = [n for n in ("as_json", "dry_run", "stored", "archive") if options[n]]
        if other or options["transaction"] == "each":
            raise UsageError(
                "--sql goes with neither --json, --dry-run, --stored, --archive nor --transaction "
                "each."
            )
        commands.rollback_sql(config, request, **timeouts)
        return
    if options["html"] and not options["dry_run"]:
        raise UsageError("--html goes with --dry-run: it shows what would happen.")
    results = commands.rollback(
        config,
        request,
        dry_run=options["dry_run"],
        confirm=partial(_confirm, shown=shown, **_answers(options)),
        each=options["transaction"] == "each",
        with_dependants=options["with_dependants"],
        backup=options["backup"],
        stored=options["stored"],
        archive=options["archive"],
        lock_wait=options["lock_wait"],
        retries=options["retries"],
        **timeouts,
    )
    if options["html"]:
        _write_page(results, options["html"], [*versions, *_asked(options)])
    if options["dry_run"]:
        _show_plan(results, as_json=options["as_json"], verbose=options["verbose"])
    elif options["as_json"]:
        click.echo(json.dumps(data.rollback_data(results), indent=2))
    else:
        say(text.done_lines(results, shown, style_for(sys.stdout)))


def _asked(options: Mapping[str, Any]) -> list[str]:
    """The options that say what is rolled back, and how, as they are typed."""
    words = [
        f"--{n.replace('_', '-')}={options[n]}" for n in ("to", "last", "to_tag") if options[n]
    ]
    flags = ("last_run", "stored", "with_dependants", "archive")
    words += [f"--{name.replace('_', '-')}" for name in flags if options[name]]
    words += ["--all"] if options["everything"] else []
    return [*words, "--transaction=each"] if options["transaction"] == "each" else words


def _write_page(results: Sequence[Rollback], file: str, words: Sequence[str]) -> None:
    """Write the page beside its place first: a page that is there stays whole."""
    from alembic_rollback.preflight import hash_of, is_refused
    from alembic_rollback.reporting.page import page

    path = Path(file)
    command = ["alembic", "rollback-db", *words, "--confirm", hash_of(results)]
    runs = any(one.plan.steps for one in results) and not is_refused(results)
    text = page(results, datetime.now().astimezone(), shlex.join(command) if runs else "")
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from None


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
        try:
            with guarding(_refuse_unseen):
                run()
        except SystemExit:
            _name_the_way_back(config, options.revision)
            raise
        return
    if options.dry_run:
        _show_plan(shown, as_json=options.json, verbose=options.verbose)
        return
    with guarding(guard):
        run()


def _name_the_way_back(config: Config, target: str) -> None:
    """An old release and a newer database: Alembic cannot go back from what it has no file of."""
    from alembic_rollback import commands

    missing = [
        revision.version
        for status in commands.status(config)
        for revision in status.revisions
        if revision.kind == "missing"
    ]
    if not missing:
        return
    way = "--all" if target == "base" else f"--to {target}"
    if target.removeprefix("-").isdigit() and target.startswith("-"):
        way = f"--last {target[1:]}"
    one = len(missing) == 1
    say(
        [
            f"{', '.join(missing)}: applied, and {'its file is' if one else 'their files are'}n't "
            f"here; {'its down is' if one else 'their downs are'} stored.",
            f"Next: `alembic rollback-db {way}`, which runs what was stored.",
        ],
        err=True,
    )


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
        say(text.plan_lines(results, style_for(sys.stdout), confirm=hashed, verbose=verbose))
    if is_refused(results):
        sys.exit(BLOCKED)


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
        say(text.warning_lines(rollbacks, style_for(sys.stderr), verbose=verbose), err=True)
    if confirm:
        from alembic_rollback.preflight import refuse_other

        refuse_other(rollbacks, confirm)
        return True
    if yes or not asking:
        return False
    ask(text.WORD, "This destroys data", "--dry-run")
    return True
