"""New pairs from templates; which up file is meant."""

from __future__ import annotations

import getpass
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from alembic_rollback.errors import UsageError, shown_path
from alembic_rollback.pairs import DOWN, MAX_VERSION, UP, split_file_name
from alembic_rollback.planning import suggest
from alembic_rollback.sql.names import quote_identifier

_BUILT_IN = Path(__file__).parent / "templates"
_VERBS = ("create", "add", "new", "make")


@dataclass(frozen=True)
class NewPair:
    """What the templates of a new pair are filled with."""

    message: str
    version: str
    revises: tuple[str, ...]
    created: date
    author: str = ""

    @property
    def name(self) -> str:
        """`create_purchase_orders`."""
        return "_".join(re.findall(r"\w+", self.message.lower()))[:100].strip("_")

    @property
    def title(self) -> str:
        """`20260112_001_create_purchase_orders`."""
        return f"{self.version}_{self.name}"

    @property
    def table(self) -> str:
        """The table that the message speaks of: `purchase_orders`."""
        words = self.name.split("_")
        if len(words) > 1 and words[0] in _VERBS:
            words = words[1:]
        if len(words) > 1 and words[0] == "table":
            words = words[1:]
        return "_".join(words)[:40].strip("_")


def fill_templates(pair: NewPair, template: str, folder: Path) -> tuple[str, str]:
    """Both texts of a new pair. Raises UsageError for an unknown template.

    folder: the project's script location. A file there named as the built-in template
    (`up.sql.mako`, `table.down.sql.mako`) takes its place, as with Alembic's script.py.mako.
    """
    prefix = "" if template == "empty" else f"{template}."
    return _fill(pair, f"{prefix}up.sql.mako", folder), _fill(
        pair, f"{prefix}down.sql.mako", folder
    )


def template_names(folder: Path) -> list[str]:
    """The templates that --template takes: the built-in ones and the project's."""
    ending = ".up.sql.mako"
    files = [*_BUILT_IN.glob(f"*{ending}"), *folder.glob(f"*{ending}")]
    return ["empty", *sorted({file.name.removesuffix(ending) for file in files})]


def find_ups(names: Sequence[str], locations: Iterable[Path]) -> list[Path]:
    """Up files by path, by name, or by version, looked for in the version locations.

    Raises UsageError where there is none, or several.
    """
    known = _known(locations)
    return [path if (path := Path(name)).is_file() else _find_up(name, known) for name in names]


def _known(locations: Iterable[Path]) -> dict[str, list[Path]]:
    """The up files by everything that they may be called."""
    found: dict[str, list[Path]] = {}
    for location in locations:
        for file in sorted(location.rglob(f"*{UP}")) if location.is_dir() else ():
            for name in dict.fromkeys(_names(file)):
                found.setdefault(name, []).append(file)
    return found


def _find_up(name: str, known: Mapping[str, Sequence[Path]]) -> Path:
    if name.endswith(DOWN):
        raise UsageError(f"{name} is a down file; name the up file.")
    found = known.get(name, ())
    if len(found) != 1:
        number = f"{len(found)} files match" if found else "no such file"
        meant = {one: _names(files[0])[-1] for one, files in known.items() if one}
        raise UsageError(
            f"{name}: {number}.{'' if found else suggest(Path(name).name, meant)}",
            next_step="Give the path of one .up.sql file.",
        )
    return found[0]


def _names(up: Path) -> tuple[str, ...]:
    """What an up file may be called: file name, title, version where it has one."""
    parts = split_file_name(up.name)
    return (up.name, up.name.removesuffix(UP), *((parts[0],) if parts else ()))


def author() -> str:
    """Who is writing: git's user.name, else the login name."""
    with suppress(OSError, subprocess.SubprocessError):
        told = subprocess.run(
            ["git", "config", "user.name"], capture_output=True, text=True, timeout=5, check=True
        )
        if told.stdout.strip():
            return told.stdout.strip()
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""


def check_title(pair: NewPair) -> None:
    """Raise UsageError for a message without a word or a version that is too long."""
    if not pair.name:
        raise UsageError("The message holds no word to name the files by.")
    if len(pair.version) > MAX_VERSION:
        raise UsageError(f"Version {pair.version} is longer than {MAX_VERSION} characters.")


def _fill(pair: NewPair, file_name: str, folder: Path) -> str:
    from mako.template import Template

    own, built_in = folder / file_name, _BUILT_IN / file_name
    path = own if own.is_file() else built_in
    if not path.is_file():
        raise UsageError(
            f"No template {file_name}.",
            next_step=f"Known: {', '.join(template_names(folder))}; or write {shown_path(own)}.",
        )
    try:
        text: str = Template(path.read_text(encoding="utf-8")).render(
            message=" ".join(pair.message.split()),
            version=pair.version,
            name=pair.name,
            title=pair.title,
            table=pair.table,
            revises=", ".join(pair.revises),
            author=pair.author,
            created=pair.created.isoformat(),
            q=quote_identifier,
        )
    except Exception as error:  # a template is a program: anything can be wrong with it
        raise UsageError(f"{shown_path(path)}: {type(error).__name__}: {error}") from None
    return text
