"""What a server is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alembic_rollback.embedded.account import Account, find_account
from alembic_rollback.embedded.binaries import checked, find_binaries, find_version, must_copy


@dataclass(frozen=True)
class Kit:
    """What a server is started with; `copied` if `account` needs a copy of the binaries."""

    bindir: Path
    version: str
    account: Account | None
    copied: bool
    settings: Mapping[str, str]


def assemble(bindir: Path | None, settings: Mapping[str, str] | None) -> Kit:
    """Return the kit for a server; EmbeddedError when something of it is missing."""
    account = find_account()
    bindir = find_binaries() if bindir is None else checked(bindir)
    return Kit(bindir, find_version(bindir), account, must_copy(bindir, account), settings or {})
