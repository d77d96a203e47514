"""The fixture `scratch_database`: a database on which a test moves through the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic_rollback.replay import downgrade, replay
from alembic_rollback.testing.quiet import quiet

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

    from alembic_rollback.scratch import ScratchDatabase, ScratchServer
    from alembic_rollback.testing.project import MigrationProject


class ScratchProject:
    """An empty database, and the project's revisions to be run on it.

    engine: SQLAlchemy's, without a pool; its connections are the test's own to close.
    """

    def __init__(
        self,
        project: MigrationProject,
        server: ScratchServer,
        database: ScratchDatabase,
        engine: Engine,
    ) -> None:
        self.project, self.engine = project, engine
        self._server, self._database = server, database
        self._applied: list[str] = []

    @property
    def url(self) -> URL:
        """Its URL, for whatever connects by itself."""
        return self._database.url

    @property
    def applied(self) -> tuple[str, ...]:
        """What has been applied, in that order."""
        return tuple(self._applied)

    def connect(self) -> Connection:
        """Open a connection, to be closed before the next upgrade or downgrade needs its locks."""
        return self.engine.connect()

    def upgrade(self, version: str = "heads") -> None:
        """Apply a revision with all that it stands on, or everything.

        Raises UsageError for an unknown version, ReplayError for one that fails: what came before
        it is applied then.
        """
        history = self.project.history
        every = version == "heads"
        wanted = history.revisions if every else history.graph.cov([history.resolve(version)])
        for one in history.graph.order(set(wanted) - set(self._applied)):
            self._run(one, "up")
            self._applied.append(one)

    def downgrade(self, version: str = "base") -> None:
        """Take back everything that stands on a revision, or everything. Raises as `upgrade`."""
        history = self.project.history
        going = set(self._applied)
        if version != "base":
            below = history.resolve(version)
            going &= history.graph.descendants([below]) - {below}
        for one in [one for one in reversed(self._applied) if one in going]:
            self._run(one, "down")
            self._applied.remove(one)

    def _run(self, version: str, direction: str) -> None:
        project = self.project
        script = project.history.script(version)
        known: dict[str, Any] = {
            "config": project.config,
            "directory": project.history.directory,
            "prepare": self._server.require,
            "opts": project.opts,
        }
        with quiet(), self._database.connect() as connection:
            if direction == "up":
                replay(connection, [script], **known)
            else:
                downgrade(connection, script, **known)
