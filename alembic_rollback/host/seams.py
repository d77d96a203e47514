"""Where the package takes hold of Alembic, in one table.

This module is imported inside `import alembic`, on behalf of every application that has Alembic
installed: it imports nothing but wrapt, and each handler's module only when the seam is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import wrapt


class Seam(NamedTuple):
    """A function of Alembic and what stands in front of it."""

    after: str
    """The module whose import completes the target's. The plugin is loaded while alembic.runtime
    and alembic.autogenerate are half imported; `alembic.op` comes after both."""
    module: str
    target: str
    handler: str
    """`module:function` in this room; called as wrapt calls a wrapper."""


SEAMS = (
    Seam("alembic.config", "alembic.config", "CommandLine._generate_args", "command_line:generate"),
    Seam("alembic.config", "alembic.config", "CommandLine.run_cmd", "command_line:run_command"),
    Seam("alembic.script.base", "alembic.script.base", "Script._list_py_dir", "scripts:list_files"),
    Seam(
        "alembic.script.base",
        "alembic.script.base",
        "ScriptDirectory._load_revisions",
        "scripts:load_revisions",
    ),
    Seam(
        "alembic.script.base",
        "alembic.script.revision",
        "RevisionMap._filter_into_branch_heads",
        "heads:branch_heads",
    ),
    Seam(
        "alembic.script.base",
        "alembic.script.base",
        "ScriptDirectory._upgrade_revs",
        "steps:upgrade_steps",
    ),
    Seam(
        "alembic.script.base",
        "alembic.script.base",
        "ScriptDirectory._downgrade_revs",
        "steps:downgrade_steps",
    ),
    Seam(
        "alembic.op",
        "alembic.runtime.migration",
        "MigrationContext.run_migrations",
        "migrations:run_migrations",
    ),
    Seam(
        "alembic.op",
        "alembic.runtime.migration",
        "MigrationContext.autocommit_block",
        "runs:autocommit_block",
    ),
    Seam(
        "alembic.op",
        "alembic.runtime.migration",
        "HeadMaintainer.update_to_step",
        "steps:update_to_step",
    ),
    Seam(
        "alembic.op",
        "alembic.autogenerate.api",
        "AutogenContext.run_name_filters",
        "autogenerate:hide_our_tables",
    ),
)


@dataclass
class Edge:
    """What the command line seam reaches for, told by the plugin: this room knows nothing above."""

    module: str = ""
    """Module with `run(name, config, argv)`, `report(error)`, `guard_downgrade(config, options,
    run)`, `weigh_in_code(state, revisions)` and `display.shown(config)`; imported when needed."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Name and summary of each subcommand."""


EDGE = Edge()


def install(edge: str, commands: Mapping[str, str]) -> None:
    """Register a post-import hook for each seam. Imports nothing of Alembic."""
    EDGE.module, EDGE.commands = edge, commands
    for seam in SEAMS:
        wrapt.register_post_import_hook(_patcher(seam), seam.after)


def edge() -> Any:
    """The module of the command line."""
    return import_module(EDGE.module)


def _patcher(seam: Seam) -> Callable[[Any], None]:
    def patch(_: Any) -> None:
        wrapt.wrap_function_wrapper(import_module(seam.module), seam.target, _lazy(seam.handler))

    return patch


def _lazy(handler: str) -> Callable[..., Any]:
    module, function = handler.split(":")
    found: Callable[..., Any] | None = None

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        nonlocal found
        if found is None:
            found = getattr(import_module(f"alembic_rollback.host.{module}"), function)
        return found(wrapped, instance, args, kwargs)

    return wrapper
