"""The user that a server runs as."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic_rollback.embedded.errors import EmbeddedError


@dataclass(frozen=True)
class Account:
    """The user that runs the server because root can't."""

    uid: int
    gid: int

    def may_enter(self, path: Path) -> bool:
        """Return whether the account may enter (a directory) or run (a file) `path`."""
        path = path.resolve()
        for step in (path, *path.parents):
            status = step.stat()
            shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
            if not status.st_mode >> shift & 1:
                return False
        return True


def find_account() -> Account | None:
    """Return the account to run a server as, None for ourselves; EmbeddedError without one."""
    if os.name != "posix":
        raise EmbeddedError("the embedded server needs Unix: use it on Linux, macOS or in WSL")
    if os.geteuid() != 0:
        return None
    import pwd  # missing on Windows, where this module is imported too

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        message = "PostgreSQL can't run as root and there is no user `nobody`: run as another user"
        raise EmbeddedError(message) from None
    return Account(entry.pw_uid, entry.pw_gid)


def identity(account: Account | None) -> dict[str, Any]:
    """Return the arguments of Popen that run a program as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}
