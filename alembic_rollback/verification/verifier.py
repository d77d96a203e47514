"""Revisions judged when they are asked for, along one walk over the history."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alembic_rollback.verification.returning import Returned, down_and_up
from alembic_rollback.verification.trial import rolled_back
from alembic_rollback.verification.walk import Walk

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.host.history import History
    from alembic_rollback.scratch import ScratchServer
    from alembic_rollback.verification.outcomes import Judged


class Verifier:
    """Walks as far as the question needs; whoever asks in the history's order walks once.

    wanted: what will be asked for. Those are tried as the walk comes by, so that they may be asked
    for in any order; others cost another walk once it has passed them. Raises DatabaseError for a
    scratch server that refuses.
    """

    def __init__(
        self,
        config: Config,
        history: History,
        server: ScratchServer,
        *,
        rows: int = 3,
        opts: Mapping[str, Any] | None = None,
        wanted: Collection[str] = (),
    ) -> None:
        self.history, self.server = history, server
        self._config, self._rows, self._opts = config, rows, opts
        self._wanted = frozenset(wanted)
        self._found: dict[str, Judged] = {}
        self._walk: Walk | None = None
        self._ahead: deque[str] = deque()

    def judged(self, version: str) -> Judged:
        """What trying a revision shows."""
        if version not in self._found:
            if version not in self._ahead:
                self._start(version)
            while version not in self._found:
                self._step(version)
        return self._found[version]

    @property
    def known(self) -> Mapping[str, Judged]:
        """What has been tried so far."""
        return self._found

    def finish(self) -> tuple[Judged, ...]:
        """Apply all that can be; return what cannot, and why."""
        walk = self._finished()
        return tuple(walk.failures)

    def down_and_up(self, kept: Collection[str]) -> Returned:
        """Take everything back in one go but `kept` and what it stands on, and apply it again."""
        return down_and_up(self._finished(), self.history, kept)

    @contextmanager
    def at_heads(self) -> Iterator[Connection]:
        """A connection to the database with everything applied, in a transaction undone."""
        walk = self._finished()
        walk.settle()
        with rolled_back(walk.sessions.plain):
            yield walk.sessions.plain

    def close(self) -> None:
        """Remove the database."""
        if self._walk is not None:
            walk, self._walk = self._walk, None
            walk.close()

    def _start(self, version: str = "") -> None:
        """Begin at base; what a version stands on comes first, then all the others."""
        self.close()
        graph, everything = self.history.graph, self.history.revisions
        first = graph.order(graph.cov(self._wanted | ({version} & everything.keys())))
        rest = [one for one in graph.order(everything) if one not in set(first)]
        self._walk = Walk(
            self._config,
            self.history.directory,
            self.server,
            self._rows,
            opts=self._opts,
            blame=True,
        )
        self._ahead = deque([*first, *rest])

    def _finished(self) -> Walk:
        if self._walk is None:
            self._start()
        while self._ahead:
            self._step()
        assert self._walk is not None
        return self._walk

    def _step(self, asked: str = "") -> None:
        assert self._walk is not None
        version = self._ahead.popleft()
        wanted = version == asked or version in self._wanted - self._found.keys()
        revision, script = self.history.revisions[version], self.history.script(version)
        found = self._walk.step(revision, script, wanted)
        if found:
            self._found[version] = found
