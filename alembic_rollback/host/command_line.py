"""The `alembic` command: our subcommands beside Alembic's, our errors as one line and a code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import RollbackError
from alembic_rollback.host.failures import failure_of
from alembic_rollback.host.seams import EDGE

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


def run_command(wrapped: Any, _: CommandLine, args: Any, kwargs: Any) -> None:
    """Seam `CommandLine.run_cmd`: an error of a run ends with where the database is now."""
    options = kwargs["options"] if "options" in kwargs else args[1]
    try:
        wrapped(*args, **kwargs)
    except SystemExit as ended:
        # Alembic has printed a CommandError; a step may have failed with it.
        error = ended.__context__
        if error is not None and failure_of(error):
            _edge().report(error)
        raise
    except KeyboardInterrupt as error:
        if options.raiseerr or not failure_of(error):
            raise
        sys.exit(_edge().report(error))
    except Exception as error:
        if options.raiseerr or not (isinstance(error, RollbackError) or failure_of(error)):
            raise
        sys.exit(_edge().report(error))


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
        _edge().run(name, config, argv)

    return command


def _edge() -> Any:
    return import_module(EDGE.module)
