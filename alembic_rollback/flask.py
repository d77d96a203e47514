"""`flask alembic-rollback COMMAND …`, where Flask-Migrate runs Alembic: the entry point
`flask.commands`. Flask imports it for every `flask …`: nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from alembic_rollback.summaries import SUMMARIES

__all__ = ["commands"]


class _Commands(click.Group):
    """Our subcommands, imported when one is asked for; errors as lines and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of `alembic --help`."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name."""
        from alembic_rollback.cli import MODULES, find

        return find(cmd_name) if cmd_name in MODULES else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand as `alembic …` would, and end with its exit code."""
        from alembic_rollback.cli import display, guarded

        def command() -> Any:
            with display.shown():
                return super(_Commands, self).invoke(ctx)

        ctx.exit(guarded(command))


@click.group(name="alembic-rollback", cls=_Commands)
@click.option("-d", "--directory", help="As flask db --directory.")
@click.option("-x", "--x-arg", "x", multiple=True, help="As flask db --x-arg.")
@click.pass_context
@with_appcontext
def commands(context: click.Context, directory: str | None, x: tuple[str, ...]) -> None:
    """Roll back, check and repair migrations."""
    from alembic_rollback.errors import UsageError

    found = current_app.extensions.get("migrate")
    if found is None:
        raise UsageError(
            f"The application {current_app.name} does not use Flask-Migrate.",
            next_step="Where env.py runs without Flask, it is `alembic …`.",
        )
    context.obj = found.migrate.get_config(directory, x_arg=list(x) or None)
