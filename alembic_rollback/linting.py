"""What is wrong with pairs, by their files alone: no project is read, and no database is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from alembic_rollback.errors import Location, PairError, UsageError, shown_path
from alembic_rollback.host.listing import version_of
from alembic_rollback.pairs import (
    DOWN,
    UP,
    Header,
    is_pair_file,
    read_header,
    read_text,
    split_file_name,
    version_key,
)
from alembic_rollback.sql.script import read_script


def check_pairs(paths: Iterable[Path], only: Collection[str] = ()) -> list[PairError]:
    """What is wrong with the pairs that some files belong to, with the place and what to do.

    paths: files of pairs, or folders of them; other files are none of ours. only: names of CHECKS.
    A version must be unique in its folder. Raises UsageError for what is not there.
    """
    files = sorted({file for path in paths for file in _files(path)})
    checks = [check for name, check in CHECKS.items() if not only or name in only]
    found = [error for check in checks for error in check(files)]
    return sorted(found, key=lambda error: str(error.where))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (one for one in path.rglob("*.sql") if is_pair_file(one.name))
    elif not path.exists():
        raise UsageError(f"There is no file {path}.")
    elif is_pair_file(path.name):
        yield path


def _complete(files: list[Path]) -> Iterator[PairError]:
    """Every up has a down and every down its up; their names begin with a version."""
    for path in files:
        if not split_file_name(path.name):
            yield _error(
                path,
                "the name doesn't begin with a version.",
                "Write YYYYMMDD_NNN_name.up.sql, or digits as in 001_name.up.sql.",
            )
        elif path.name.endswith(DOWN):
            up = _other(path, DOWN, UP)
            if not up.exists():
                yield _error(path, f"a down without its up: {up.name} is not beside it.", "")
        elif not _other(path, UP, DOWN).exists() and not _header(path).irreversible:
            yield _error(
                path,
                f"there is no down: {_other(path, UP, DOWN).name} is not beside it.",
                f"`alembic generate-down {shown_path(path)}` writes what can be derived; where "
                "there is no way back, add the line `-- Irreversible: REASON`.",
            )


def _parse(files: list[Path]) -> Iterator[PairError]:
    """Every script can be read, and run as a migration."""
    for path in files:
        try:
            text = read_text(path)
            header = read_header(text)
            if header.transaction and not header.no_transaction:
                given = f"`-- Transaction: {header.transaction}`"
                raise PairError(f"{given} has no meaning; `none` has.", where=path)
            read_script(text, path, no_transaction=header.no_transaction)
        except PairError as error:
            place = error.where or Location(path)
            place = place if place.line else Location(place.path, 1, 1)
            again = f"Correct it, then `git add {shown_path(path)}`."
            yield PairError(error.what, where=place, next_step=error.next_step or again)


def _unique(files: list[Path]) -> Iterator[PairError]:
    """No version is there twice, also among `.py` revisions."""
    ups = [path for path in files if path.name.endswith(UP) and split_file_name(path.name)]
    for folder in sorted({path.parent for path in ups}):
        mine = [path for path in ups if path.parent == folder]
        first = _by_version(folder, last=set(mine))
        for path in mine:
            version = _version(path)
            other = first[_key(version)]
            if other != path:
                new = _free(version, first)
                rest = path.name.removeprefix(version)
                yield _error(
                    path,
                    f"has the same version as {shown_path(other)}.",
                    f"`git mv {shown_path(path)} {shown_path(folder / (new + rest))}`, and its "
                    "down likewise; or give it a version by hand.",
                )


CHECKS: Mapping[str, Callable[[list[Path]], Iterator[PairError]]] = {
    "complete": _complete,
    "parse": _parse,
    "unique": _unique,
}


def _error(path: Path, what: str, next_step: str) -> PairError:
    return PairError(what, where=Location(path, 1, 1), next_step=next_step or None)


def _other(path: Path, ending: str, wanted: str) -> Path:
    return path.with_name(path.name.removesuffix(ending) + wanted)


def _header(path: Path) -> Header:
    try:
        return read_header(read_text(path))
    except PairError:
        return Header()  # `parse` tells


def _version(path: Path) -> str:
    parts = split_file_name(path.name)
    assert parts is not None
    return parts[0]


def _key(version: str) -> tuple[int, ...] | str:
    """Numbers for a pair's, so that 1 and 001 are the same; the text for a `.py` revision's."""
    parts = version.split("_")
    return tuple(map(int, parts)) if all(map(str.isdecimal, parts)) else version


def _by_version(folder: Path, last: set[Path]) -> dict[tuple[int, ...] | str, Path]:
    """The first file of each version: one that isn't being committed, if there is one."""
    found: dict[tuple[int, ...] | str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda one: (one in last, one.name)):
        if path.name.endswith(UP) or path.suffix == ".py":
            for version, _ in version_of(path):
                found.setdefault(_key(version), path)
    return found


def _free(version: str, taken: Collection[object]) -> str:
    """The next version of the same form that nothing has."""
    *day, number = version.split("_")
    while version_key(version) in taken:
        number = str(int(number) + 1).zfill(len(number))
        version = "_".join((*day, number))
    return version
