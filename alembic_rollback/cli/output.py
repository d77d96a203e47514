"""What every subcommand uses: its declaration, and printing."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial

import click

from alembic_rollback.errors import NotConfirmed

command = partial(click.command, context_settings={"help_option_names": ["-h", "--help"]})


def say(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines."""
    text = "".join(f"{line}\n" for line in lines)
    click.echo(text, nl=False, err=err)


def ask(word: str, harm: str, look: str) -> None:
    """Ask for a word on the terminal. Raises NotConfirmed for anything else, or without one.

    harm, look: what it would do, and where to look first, for a pipeline that cannot be asked.
    """
    if not sys.stdin.isatty():
        raise NotConfirmed(
            f"{harm}, and there is no terminal to ask on.",
            state="Nothing was changed.",
            next_step=f"Look with {look}, then run it with --yes.",
        )
    click.echo(f"Type '{word}' to confirm: ", nl=False, err=True)
    if sys.stdin.readline().rstrip("\r\n") != word:
        raise NotConfirmed("Not confirmed.", state="Nothing was changed.")
