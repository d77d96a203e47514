"""Pairs as Alembic's Scripts: found, placed in the graph, run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from alembic_rollback.errors import NotPostgreSQL, PairError, shown_path
from alembic_rollback.model import Revision, StoredDown
from alembic_rollback.pairs import (
    Pair,
    find_files,
    find_pairs,
    is_pair_file,
    read_header,
    read_text,
    refuse_large,
)
from alembic_rollback.planning import suggest

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

    from alembic_rollback.sql.script import Script as SqlScript


class _Location(NamedTuple):
    """One of Alembic's version locations."""

    pairs: list[Pair]
    only_pairs: bool
    """Nothing else is in it."""


_LOCATIONS: WeakKeyDictionary[ScriptDirectory, dict[Path, _Location]] = WeakKeyDictionary()


class PairModule(ModuleType):
    """What Alembic expects of a revision's Python module, for a pair of SQL files."""

    def __init__(self, pair: Pair, before: Pair | None) -> None:
        super().__init__(f"{pair.title}_sql", pair.description)
        header = pair.header
        self.pair = pair
        self.implied = header.revises is None
        below = (
            header.revises if header.revises is not None else (before.version,) if before else ()
        )
        self.down_revision = below[0] if len(below) == 1 else below or None

    # There may be thousands: what the pair says isn't written down once more.

    @property
    def revision(self) -> str:
        """Alembic's name for the version."""
        return self.pair.version

    @property
    def branch_labels(self) -> tuple[str, ...] | None:
        """As the header names them."""
        return self.pair.header.branch_labels or None

    @property
    def depends_on(self) -> tuple[str, ...] | None:
        """As the header names them."""
        return self.pair.header.depends_on or None

    def upgrade(self, **_: Any) -> None:
        """Run the up script. Alembic logs the function by its name."""
        _run(self.pair.version, "up", lambda: load_script(self.pair, "up"))

    def downgrade(self, **_: Any) -> None:
        """Run the down script."""
        _run(self.pair.version, "down", lambda: load_script(self.pair, "down"))


class StoredModule(ModuleType):
    """The same for a pair whose files are gone, and whose down the log keeps."""

    def __init__(self, stored: StoredDown) -> None:
        super().__init__(f"{stored.title}_stored", stored.name.replace("_", " "))
        self.revision = stored.version
        below = stored.down_revisions
        self.down_revision = below[0] if len(below) == 1 else below or None
        self.branch_labels = None
        self.depends_on = stored.depends_on or None

        def downgrade(**_: Any) -> None:
            _run(stored.version, "down", lambda: load_stored(stored))

        self.downgrade = self.upgrade = downgrade


def script_of(stored: StoredDown) -> Script:
    """Alembic's object of a revision without a file."""
    from alembic.script import Script

    return Script(StoredModule(stored), stored.version, str(stored.path))


def load_stored(stored: StoredDown, most: int | None = None) -> SqlScript:
    """Parse and check a stored down; as `load_script`."""
    if most is not None:
        refuse_large(stored.path, len(stored.text.encode()), most)
    from alembic_rollback.sql.script import read_script

    header = read_header(stored.text)
    return read_script(stored.text, stored.path, no_transaction=header.no_transaction)


def revision_of(stored: StoredDown) -> Revision:
    """A stored down as a revision of the plan."""
    return Revision(
        stored.version,
        stored.name,
        str(stored.path),
        parents=(*stored.down_revisions, *stored.depends_on),
        checksum=stored.checksum,
        is_pair=True,
        irreversible=read_header(stored.text).irreversible,
        down_revisions=stored.down_revisions,
        depends_on=stored.depends_on,
    )


def pair_of(script: Script) -> Pair | None:
    """The pair behind a Script; None for a `.py` revision."""
    module = script.module
    return module.pair if isinstance(module, PairModule) else None


def list_files(wrapped: Any, _: Any, args: Any, kwargs: Any) -> list[Path]:
    """Seam `Script._list_py_dir`: what Alembic finds in a version location, without pairs."""
    directory, location = _directory_and_location(*args, **kwargs)
    if _read_location(directory, location).only_pairs:
        return []  # Alembic need not list and resolve each of their files again
    return [path for path in wrapped(*args, **kwargs) if not is_pair_file(path.name)]


def load_revisions(wrapped: Any, directory: Any, args: Any, kwargs: Any) -> Iterator[Script]:
    """Seam `ScriptDirectory._load_revisions`: pairs, read afresh, and what Alembic finds.

    Parents first where that makes no difference but in time; unintended heads are looked for.
    """
    _LOCATIONS.pop(directory, None)
    scripts = [*_pair_scripts(directory), *wrapped(*args, **kwargs)]
    _refuse_doubles(scripts)
    _refuse_unknown_parents(scripts)
    _refuse_unintended_heads(scripts)
    return iter(_parents_first(scripts))


def load_script(pair: Pair, direction: str, most: int | None = None) -> SqlScript:
    """Read, parse and check one side of a pair (`up` or `down`).

    most: as many bytes as `max_script_size` allows. Raises PairError where the down isn't there or
    a script is larger, ScriptSyntaxError with the place.
    """
    from alembic_rollback.sql.script import read_script

    path = pair.up if direction == "up" else pair.down
    if path is None:
        raise PairError(
            f"{pair.title} has no down script.",
            where=pair.expected_down,
            next_step=f"`alembic generate-down {pair.up.name}` writes what can be derived.",
        )
    if most is not None:
        refuse_large(path, path.stat().st_size, most)
    text = read_text(path)
    header = pair.header if direction == "up" else read_header(text)
    if header.transaction and not header.no_transaction:
        raise PairError(
            f"`-- Transaction: {header.transaction}` has no meaning; `none` has.", where=path
        )
    return read_script(text, path, no_transaction=header.no_transaction)


def _directory_and_location(scriptdir: ScriptDirectory, path: Any) -> tuple[Any, Path]:
    return scriptdir, Path(path)


def _read_location(directory: ScriptDirectory, location: Path) -> _Location:
    """A version location; listed, and its pairs read, once for each load."""
    known = _LOCATIONS.setdefault(directory, {})
    found = known.get(location)
    if found is None:
        recursive = directory.recursive_version_locations
        files = find_files(location.resolve(), recursive=recursive)
        pairs = find_pairs(files)
        paired = sum(1 + pair.has_down for pair in pairs)
        found = known[location] = _Location(pairs, paired == len(files))
    return found


def _pair_scripts(directory: ScriptDirectory) -> Iterator[Script]:
    """A Script for each pair, which follows the pair before it in its version location."""
    from alembic.script import Script
    from alembic.util import warn

    seen: set[str] = set()
    for location in directory._version_locations:
        if not location.exists():
            continue
        pairs = _read_location(directory, location).pairs
        for before, pair in zip([None, *pairs], pairs, strict=False):
            file = pair.file
            real = os.path.realpath(file) if os.path.islink(file) else file
            if real in seen:
                warn(
                    f"File {real} loaded twice! ignoring. "
                    "Please ensure version_locations is unique."
                )
                continue
            seen.add(real)
            yield Script(PairModule(pair, before), pair.version, real)


def _parents_first(scripts: list[Script]) -> list[Script]:
    """A history without branches from its base upwards; any other as it is.

    Alembic makes its map of 10,000 revisions in a fifth of the time then. Where there are branches,
    the order of files is the order in which it names them.
    """
    above = {script._versioned_down_revisions: script for script in scripts}
    ordered: list[Script] = []
    script = above.get(())
    while script is not None and len(ordered) < len(scripts):
        ordered.append(script)
        script = above.get((script.revision,))
    return ordered if len(ordered) == len(scripts) else scripts


def _run(version: str, direction: str, load: Callable[[], SqlScript]) -> None:
    from alembic import op

    from alembic_rollback.host.runs import run_pair

    run_pair(op.get_context(), version, direction, load)


def needs_postgresql(dialect: str) -> NotPostgreSQL:
    """The answer to every other database."""
    return NotPostgreSQL(f"This needs PostgreSQL; the database is {dialect}.")


def _refuse_doubles(scripts: list[Script]) -> None:
    """Alembic warns about two `.py` with one revision; of a pair, one would silently not run."""
    seen: dict[str, Script] = {}
    for script in scripts:
        other = seen.setdefault(script.revision, script)
        if other is not script and (pair_of(script) or pair_of(other)):
            raise PairError(
                f"has the same version as {shown_path(other._script_path)}; give one of them "
                "another.",
                where=script._script_path,
            )


def _refuse_unknown_parents(scripts: list[Script]) -> None:
    known = {script.revision for script in scripts}
    labels = {label for script in scripts for label in script.branch_labels}
    for script in scripts:
        pair = pair_of(script)
        if not pair:
            continue
        named = [("Revises", v) for v in pair.header.revises or () if v not in known]
        named += [
            ("Depends on", v)
            for v in pair.header.depends_on
            # As in Alembic, a label or the beginning of an id will do here.
            if v not in labels and not any(version.startswith(v) for version in known)
        ]
        for key, version in named:
            raise PairError(
                f"`-- {key}: {version}` names no revision.{suggest(version, known)}",
                where=script._script_path,
            )


def _refuse_unintended_heads(scripts: list[Script]) -> None:
    """A pair that says nothing follows the pair before it; beside a `.py` that makes two heads."""
    implied = [script for script in scripts if getattr(script.module, "implied", False)]
    if not implied or len(implied) == len(scripts):
        return
    children = _children(scripts)
    for script in implied:
        for sibling in children.get(script.module.down_revision, ()):
            if pair_of(sibling) is None and _same_location(script, sibling):
                ours, theirs = _heads(children, script), _heads(children, sibling)
                if not ours & theirs:
                    raise _unintended(script, sibling, sorted(theirs))


def _children(scripts: list[Script]) -> dict[str | None, list[Script]]:
    children: dict[str | None, list[Script]] = {}
    for script in scripts:
        for below in script._versioned_down_revisions or (None,):
            children.setdefault(below, []).append(script)
    return children


def _heads(children: dict[str | None, list[Script]], start: Script) -> set[str]:
    heads, seen, waiting = set(), {start.revision}, [start]
    while waiting:
        script = waiting.pop()
        above = children.get(script.revision, [])
        if not above:
            heads.add(script.revision)
        waiting += [child for child in above if child.revision not in seen]
        seen.update(child.revision for child in above)
    return heads


def _same_location(one: Script, other: Script) -> bool:
    return one._script_path.parent == other._script_path.parent


def _unintended(script: Script, sibling: Script, heads: list[str]) -> PairError:
    below = script.module.down_revision
    both = f"follows {below}, and so does" if below else "is a base, and so is"
    return PairError(
        f"{both} {shown_path(sibling._script_path)}: that makes two heads.",
        where=script._script_path,
        next_step=f"Add the line `-- Revises: {heads[0]}` to its header"
        + (f", or `-- Revises: {below}` if a branch is meant." if below else "."),
    )
