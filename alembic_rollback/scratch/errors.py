"""Why something cannot be tried on a scratch server.

RollbackError (1)
└── NotOnScratch (1)          it would reach beyond every server: another server, a program, a file
    ├── SharedServer (1)      it would reach beyond the database, on a server that is not ours
    ├── MissingRole (1)       it names roles that a server that is not ours doesn't have
    └── MissingExtension (1)  it needs extensions that the server doesn't have
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic_rollback.errors import Location, RollbackError

UNTOUCHED = "Nothing of it was run."


class NotOnScratch(RollbackError):
    """A statement reaches further than a scratch database may."""


class SharedServer(NotOnScratch):
    """A statement changes what all databases of a server share, and the server is not ours."""


class MissingRole(NotOnScratch):
    """`roles` are named and don't exist, on a server where we make none."""

    def __init__(self, roles: Sequence[str], where: Location | None) -> None:
        self.roles = tuple(roles)
        super().__init__(
            f"the scratch server has no {_listed('role', roles)}.",
            where=where,
            state=UNTOUCHED,
            next_step="Create it there, or leave the scratch URL out: an embedded server makes "
            "the roles that it needs.",
        )


class MissingExtension(NotOnScratch):
    """`extensions` are asked for and the server cannot make them."""

    def __init__(self, extensions: Sequence[str], where: Location | None) -> None:
        self.extensions = tuple(extensions)
        super().__init__(
            f"the scratch server has no {_listed('extension', extensions)}.",
            where=where,
            state=UNTOUCHED,
            next_step="Name a server that has it with --scratch-url.",
        )


def _listed(noun: str, names: Sequence[str]) -> str:
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names)}"
