"""A project as the tests see it: its configuration, its revisions, its models."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import RollbackError, UsageError, shown_path
from alembic_rollback.host.command_line import make_config
from alembic_rollback.host.configuration import settings_of
from alembic_rollback.host.environment import has_project, script_directory
from alembic_rollback.host.history import History, history_of
from alembic_rollback.testing.models import Models
from alembic_rollback.testing.quiet import quiet

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.model import Revision

PLACES = ("alembic.ini", "pyproject.toml", "migrations/alembic.ini")
"""Where a configuration is looked for; the last one is Flask-Migrate's."""


@dataclass(frozen=True)
class MigrationProject:
    """The revisions of a project. env.py is never run."""

    config: Config
    history: History
    models: Models | None = None
    opts: Mapping[str, Any] = field(default_factory=dict)
    """What env.py would give to configure()."""

    @property
    def revisions(self) -> Mapping[str, Revision]:
        """Every revision by its version."""
        return self.history.revisions

    @property
    def heads(self) -> tuple[str, ...]:
        """The versions that nothing follows."""
        return tuple(self.history.directory.get_heads())

    @property
    def scratch_url(self) -> str:
        """The setting of that name."""
        return settings_of(self.config).scratch_url

    def resolve(self, identifier: str) -> str:
        """A full version, from a shortened one, a label or `head`. Raises UsageError."""
        return self.history.resolve(identifier)


def read_project(
    given: Path | None,
    name: str,
    places: Sequence[Path],
    *,
    metadata: Sequence[str] = (),
    models: str = "",
    options: str = "",
) -> MigrationProject:
    """Read a project's configuration and files.

    given: the configuration file, else it is looked for in `places`. name: its section. metadata,
    models, options: see `Models` and the plugin's options. Raises UsageError with one line for
    whatever is wrong.
    """
    path = given or _found(places)
    with _said():
        config = make_config([str(path)], name, ())
        if not has_project(config):
            if not (path.parent / "env.py").is_file():
                raise UsageError(f"{shown_path(path)} has no script_location in [{name}].")
            config.set_main_option("script_location", str(path.parent).replace("%", "%%"))
        settings_of(config)
        history = history_of(script_directory(config), downs=True)
    found = Models.named(metadata, models) if metadata else None
    opts = dict(_options(options)) if options else {}
    if found:
        opts["target_metadata"] = found.metadata
    return MigrationProject(config, history, found, opts)


def _found(places: Sequence[Path]) -> Path:
    environment = os.environ.get("ALEMBIC_CONFIG")
    if environment:
        return Path(environment).absolute()
    for place in places:
        for name in PLACES:
            path = place / name
            if path.is_file() and (path.suffix != ".toml" or _is_configured(path)):
                return path
    raise UsageError(
        "There is no alembic.ini here.", next_step="Name it with --alembic-rollback-config FILE."
    )


def _is_configured(path: Path) -> bool:
    from alembic.util import compat

    try:
        return "alembic" in compat.tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False


@contextmanager
def _said() -> Iterator[None]:
    """Whatever goes wrong while files are read, as a UsageError that names the file."""
    from alembic.util import CommandError

    try:
        with quiet():
            yield
    except RollbackError as error:
        raise UsageError(str(error)) from error
    except CommandError as error:
        raise UsageError(
            str(error),
            next_step="Paths are relative to where pytest is started: start it where you start "
            "alembic, or write %(here)s/ before script_location."
            if "Path doesn't exist" in str(error)
            else None,
        ) from error
    except Exception as error:
        raise UsageError(f"{_place(error)}: {type(error).__name__}: {error}") from error


def _place(error: BaseException) -> str:
    """The last line of the project's own that an error passed through."""
    frames = extract_tb(error.__traceback__)
    theirs = [one for one in frames if not _is_library(one.filename)] or [frames[-1]]
    return f"{shown_path(Path(theirs[-1].filename))}:{theirs[-1].lineno}"


def _is_library(file: str) -> bool:
    parts: Collection[str] = Path(file).parts
    ours = str(Path(__file__).parent.parent)
    return "site-packages" in parts or file.startswith(("<", ours)) or file == os.__file__


def _options(spec: str) -> Mapping[str, Any]:
    from alembic_rollback.testing.models import load

    found = load(spec)
    if not isinstance(found, Mapping):
        raise UsageError(f"{spec} is no mapping of options, but {type(found).__name__}.")
    return found
