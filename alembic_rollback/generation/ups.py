"""The up files that were asked for, and what each of them stands on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.errors import PairError
from alembic_rollback.pairs import (
    DOWN,
    UP,
    Header,
    read_header,
    read_text,
    refuse_large,
    split_file_name,
    version_key,
)
from alembic_rollback.sql.script import Script, read_script

if TYPE_CHECKING:
    from alembic.script import Script as Revision

    from alembic_rollback.host.history import History
    from alembic_rollback.model import KeptRows


@dataclass(frozen=True)
class Up:
    """One up file, read and parsed."""

    path: Path
    version: str
    name: str
    header: Header
    script: Script
    down: Path
    """Where its down is meant to be."""
    text: str
    kept: tuple[KeptRows, ...] = ()
    """What it was rewritten to keep."""

    @property
    def title(self) -> str:
        """`20260112_001_create_purchase_orders`."""
        return self.path.name.removesuffix(UP)

    @property
    def description(self) -> str:
        """What the header says, else the file's name."""
        return self.header.description or self.name.replace("_", " ") or self.version


def read_ups(paths: Sequence[Path], output: Path | None = None, *, most: int) -> list[Up]:
    """Read and parse up files. Raises PairError for what is none, ScriptSyntaxError.

    output: where the down of the only one is meant to be. most: `max_script_size`, in bytes.
    """
    return [_read(path, output, most) for path in paths]


def _read(path: Path, output: Path | None, most: int) -> Up:
    parts = split_file_name(path.name) if path.name.endswith(UP) else None
    if parts is None:
        raise PairError("is not named VERSION_name.up.sql.", where=path)
    text = read_text(path)
    refuse_large(path, len(text.encode()), most)
    header = read_header(text)
    script = read_script(text, path, no_transaction=header.no_transaction)
    beside = path.with_name(path.name.removesuffix(UP) + DOWN)
    return Up(path, *parts, header, script, output or beside, text)


@dataclass(frozen=True)
class Item:
    """One revision to run on the way: of the project, or a file of a folder."""

    path: Path
    revision: Revision | None = None
    """None for a file outside of the project."""


@dataclass(frozen=True)
class Course:
    """Everything that the wanted ups stand on, and they themselves, in an order to run them in."""

    items: tuple[Item, ...]

    @cached_property
    def places(self) -> dict[Path, int]:
        """By resolved path, how many come before."""
        return {item.path.resolve(): place for place, item in enumerate(self.items)}


def courses(ups: Iterable[Up], history: History | None) -> list[tuple[Course, list[Up]]]:
    """The ups by project or folder, each with the course that passes through all of them."""
    known = _versions(history)
    ours = [up for up in ups if up.path.resolve() in known]
    others: dict[Path, list[Up]] = {}
    for up in ups:
        if up not in ours:
            others.setdefault(up.path.resolve().parent, []).append(up)
    found = [(_of_folder(folder), wanted) for folder, wanted in others.items()]
    if ours and history is not None:
        versions = [known[up.path.resolve()] for up in ours]
        found.insert(0, (_of_project(history, versions), ours))
    return found


def _versions(history: History | None) -> dict[Path, str]:
    if history is None:
        return {}
    return {one.path.resolve(): version for version, one in history.revisions.items()}


def _of_project(history: History, versions: Iterable[str]) -> Course:
    order = history.graph.order(history.graph.cov(versions))
    items = (Item(history.revisions[one].path, history.script(one)) for one in order)
    return Course(tuple(items))


def _of_folder(folder: Path) -> Course:
    """Files of a folder that belongs to no project, by version."""
    found = []
    for path in folder.glob(f"*{UP}"):
        parts = split_file_name(path.name)
        if parts:
            found.append((version_key(parts[0]), path))
    return Course(tuple(Item(path) for _, path in sorted(found)))
