"""The command line: arguments, prompts, exit codes. What the commands do is in `commands`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from alembic_rollback import __version__
from alembic_rollback.cli import collecting, display
from alembic_rollback.cli.output import say
from alembic_rollback.errors import DONE, NotConfirmed, RollbackError
from alembic_rollback.reporting.errors import error_lines, exit_code
from alembic_rollback.reporting.style import style_for

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "MODULES",
    "find",
    "group",
    "guard_downgrade",
    "guarded",
    "main",
    "report",
    "run",
    "weigh_in_code",
]


MODULES = {
    "rollback-db": "rolling_back",
    "apply-db": "applying",
    "repair-db": "repairing",
    "restore-db": "restoring",
    "migration-status": "status",
    "generate-down": "pairs",
    "generate-up": "pairs",
    "verify-down": "pairs",
    "check-pairs": "checking",
}
"""The module of each subcommand; imported when it is asked for."""
_WITHOUT_PROJECT = ("check-pairs",)
"""Subcommands that need no configuration, nor Alembic to read one."""


def find(name: str) -> click.Command:
    """A subcommand by its name; its function is called like it, with `_`."""
    module = import_module(f"{__name__}.{MODULES[name]}")
    command: click.Command = getattr(module, name.replace("-", "_"))
    return command


def guard_downgrade(config: Config, options: Any, run: Callable[[], None]) -> None:
    """See `rolling_back.guard_downgrade`."""
    from alembic_rollback.cli import rolling_back

    with collecting.rarely():
        rolling_back.guard_downgrade(config, options, run)


def weigh_in_code(state: Any, steps: Any) -> None:
    """See `rolling_back.weigh_in_code`."""
    from alembic_rollback.cli import rolling_back

    rolling_back.weigh_in_code(state, steps)


class _Group(click.Group):
    """Imports a subcommand's module when it is run, completed or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return find(cmd_name) if cmd_name in MODULES else None


def run(name: str, config: Config, argv: Sequence[str]) -> None:
    """Run one subcommand as `alembic NAME …`; ends the process unless the exit code is 0."""

    def command() -> Any:
        with display.shown(config):
            return find(name).main(
                list(argv), prog_name=f"alembic {name}", obj=config, standalone_mode=False
            )

    code = guarded(command, raise_errors=bool(getattr(config.cmd_opts, "raiseerr", False)))
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
    say(error_lines(error, failure, style_for(sys.stderr)), err=True)
    return exit_code(error, failure)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="alembic-rollback")
@click.option("-c", "--config", "files", multiple=True, metavar="FILE", help="As alembic -c.")
@click.option("-n", "--name", "section", default="alembic", help="As alembic -n.")
@click.option("-x", "x", multiple=True, metavar="ARG", help="As alembic -x.")
@click.pass_context
def group(context: click.Context, files: tuple[str, ...], section: str, x: tuple[str, ...]) -> None:
    """The subcommands of alembic-rollback, for hosts that wrap Alembic's command line."""
    if context.invoked_subcommand in _WITHOUT_PROJECT:
        return
    from alembic_rollback.host.command_line import make_config

    context.obj = make_config(files, section, x)


def main() -> None:
    """The console script `alembic-rollback` and `python -m alembic_rollback`."""

    def command() -> Any:
        with display.shown():
            return group.main(prog_name="alembic-rollback", standalone_mode=False)

    sys.exit(guarded(command))


def guarded(action: Callable[[], Any], *, raise_errors: bool = False) -> int:
    """Run an action; turn every expected error into one line and its exit code."""
    try:
        with collecting.rarely():
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
        from alembic_rollback.host.failures import failure_of

        origin = error.__cause__ or error
        return report(origin if failure_of(origin) else _interrupted())
    except Exception as error:
        from alembic_rollback.host.failures import failure_of, told

        if _is_command_error(error):
            if raise_errors:
                raise
            return report(error if failure_of(error) else RollbackError(f"{error}"))
        found = told(error)
        if raise_errors or found is None:
            raise
        return report(found)


def _interrupted() -> NotConfirmed:
    return NotConfirmed(
        "Interrupted.",
        state="Nothing was changed, unless it had said otherwise before.",
        next_step="`alembic migration-status` shows the state.",
    )


def _is_command_error(error: BaseException) -> bool:
    """Whether Alembic has raised it: then it has been imported."""
    module = sys.modules.get("alembic.util")
    return module is not None and isinstance(error, module.CommandError)


def _is_database_error(error: BaseException) -> bool:
    return hasattr(error, "orig")
