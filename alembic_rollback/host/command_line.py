"""The `alembic` command: our subcommands beside Alembic's, our errors as one line and a code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from alembic_rollback.host.seams import EDGE, edge

if TYPE_CHECKING:
    from alembic.config import CommandLine, Config


class _Parser:
    """Stands where argparse keeps a subcommand's parser; leaves the arguments to click."""

    def __init__(self, name: str) -> None:
        self.name = name

    def parse_known_args(
        self, args: Sequence[str], namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        """Called by argparse with everything after the subcommand's name."""
        found = namespace or Namespace()
        found.cmd, found.argv = (_command(self.name), ["argv"], []), list(args)
        return found, []

    parse_known_intermixed_args = parse_known_args


def generate(wrapped: Any, command_line: CommandLine, args: Any, kwargs: Any) -> None:
    """Seam `CommandLine._generate_args`: add the subcommands."""
    wrapped(*args, **kwargs)
    subparsers: Any = command_line.subparsers
    for name, summary in EDGE.commands.items():
        subparsers.add_parser(name, help=summary)
        subparsers._name_parser_map[name] = _Parser(name)
    _extend_downgrade(subparsers._name_parser_map.get("downgrade"))


def _extend_downgrade(parser: Any) -> None:
    """The options of the guard; Alembic passes those that it doesn't know to nobody."""
    if parser is None:
        return
    group = parser.add_argument_group("guard (alembic-rollback)")
    group.add_argument("-y", "--yes", action="store_true", help="Do not ask.")
    group.add_argument(
        "--dry-run", action="store_true", help="Show what would be lost; change nothing."
    )
    group.add_argument("--json", action="store_true", help="With --dry-run: print it as JSON.")
    group.add_argument(
        "--confirm", metavar="HASH", help="Run only what --dry-run has shown under this hash."
    )
    group.add_argument("-v", "--verbose", action="store_true", help="Show everything affected.")


def _is_guarded(options: Any) -> bool:
    command = getattr(options, "cmd", None)
    name = getattr(command[0], "__name__", "") if command else ""
    # A host that builds the options itself has not been through _extend_downgrade.
    return name == "downgrade" and hasattr(options, "dry_run") and not options.sql


def _is_watched(options: Any) -> bool:
    """Whether it may take long where somebody is watching: asked before anything is imported."""
    name = getattr((getattr(options, "cmd", None) or [None])[0], "__name__", "")
    return name in ("upgrade", "downgrade") and sys.stderr is not None and sys.stderr.isatty()


def run_command(wrapped: Any, _: CommandLine, args: Any, kwargs: Any) -> None:
    """Seam `CommandLine.run_cmd`: an error of a run ends with where the database is now."""
    config = kwargs["config"] if "config" in kwargs else args[0]
    options = kwargs["options"] if "options" in kwargs else args[-1]

    def run() -> None:
        if _is_guarded(options):
            edge().guard_downgrade(config, options, lambda: wrapped(*args, **kwargs))
        else:
            wrapped(*args, **kwargs)

    try:
        with edge().display.shown(config) if _is_watched(options) else nullcontext():
            run()
    except SystemExit as ended:
        # Alembic has printed a CommandError; a step may have failed with it.
        from alembic_rollback.host.failures import failure_of

        error = ended.__context__
        if error is not None and failure_of(error):
            edge().report(error)
        else:
            _suggest(config, options, error)
        raise
    except KeyboardInterrupt as error:
        from alembic_rollback.host.failures import failure_of

        if options.raiseerr or not failure_of(error):
            raise
        sys.exit(edge().report(error))
    except Exception as error:
        from alembic_rollback.host.failures import told

        found = told(error)
        if options.raiseerr or found is None:
            raise
        sys.exit(edge().report(found))


def _suggest(config: Config, options: Namespace, error: BaseException | None) -> None:
    """After Alembic's "Can't locate revision identified by": which may have been meant."""
    argument = getattr(error and error.__cause__, "argument", None)
    typed = [str(value) for value in vars(options).values()]
    # What the version table says is not typed, and nothing else is meant by it.
    if not isinstance(argument, str) or not any(argument in value for value in typed):
        return
    from alembic_rollback.host.environment import script_directory
    from alembic_rollback.host.history import history_of
    from alembic_rollback.planning import suggest

    meant = suggest(argument, history_of(script_directory(config), downs=False).names).strip()
    if meant:
        print(meant, file=sys.stderr)


def make_config(files: Sequence[str], section: str, x: Sequence[str]) -> Config:
    """The Config that `alembic -c FILE -n SECTION -x ARG` would make."""
    from alembic.config import CommandLine, Config

    options = Namespace(
        config=list(files) or None, name=section, x=list(x) or None, raiseerr=False, quiet=False
    )
    toml, ini = CommandLine()._inis_from_config(options)
    return Config(file_=ini, toml_file=toml, ini_section=section, cmd_opts=options)


def _command(name: str) -> Any:
    def command(config: Config, argv: list[str]) -> None:
        edge().run(name, config, argv)

    return command
