"""The directories of a server, apart from its data: where they may be and what they are called."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from alembic_rollback.embedded.account import Account
    from alembic_rollback.embedded.kit import Kit

_PREFIX = "alembic-rollback-"
_SHM_BYTES = 1 << 30
_SOCKET_PATH_BYTES = 100  # the systems' limits begin at 104


def find_base(kit: Kit, *, memory: bool) -> Path:
    """Return an existing directory for a server's directories: in `memory` if there is room.

    Raises EmbeddedError when no directory will do.
    """
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    shm = Path("/dev/shm")
    if memory and shm.is_dir() and shutil.disk_usage(shm).free > _SHM_BYTES:
        places.insert(0, shm)
    for place in map(Path.resolve, places):
        if _suits(place, kit):
            return place
    raise EmbeddedError(
        f"none of {', '.join(map(str, places))} can hold a server: it must be writable, have a "
        "short path of plain characters, and be open to `nobody` when you are root; set TMPDIR"
    )


def _suits(place: Path, kit: Kit) -> bool:
    longest = len(f"{place}/{home_name('')}/.s.PGSQL.65535")
    return (
        place.is_dir()
        and os.access(place, os.W_OK | os.X_OK)
        and longest < _SOCKET_PATH_BYTES
        and re.fullmatch(r"[A-Za-z0-9_./-]+", str(place)) is not None  # it goes into a URL
        and (kit.account is None or kit.account.may_enter(place))
        # A container's /dev/shm often refuses to run programs.
        and not (kit.copied and os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0))
    )


def home_name(derived_from: str) -> str:
    """Return a new name for a server's own directory, its beginning derived from the text.

    The rest is random: whoever cleans up behind an earlier server must not hit a later one's.
    """
    return f"{_PREFIX}{_digest(derived_from)}-{secrets.token_hex(4)}"


def homes(base: Path, derived_from: str) -> Iterable[Path]:
    """Return the directories in `base` that have such a name."""
    return base.glob(f"{_PREFIX}{_digest(derived_from)}-*")


def substitute_name(data: Path) -> str:
    """Return the name of the directory used where `data` can't be reached."""
    return f"{_PREFIX}data-{_digest(str(data))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


def make_dir(path: Path, account: Account | None) -> None:
    """Make a directory that only `account` can enter."""
    os.mkdir(path, 0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)
