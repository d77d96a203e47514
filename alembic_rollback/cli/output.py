"""What every subcommand uses: its declaration, and printing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    pass


command = partial(click.command, context_settings={"help_option_names": ["-h", "--help"]})


def say(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line, err=err)
