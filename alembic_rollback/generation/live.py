"""The connected database's schema, for the revisions that it stands right before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.host import environment

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.facts.model import Snapshot as Schema
    from alembic_rollback.host.environment import Snapshot
    from alembic_rollback.host.history import History


def live_schemas(config: Config, history: History, paths: frozenset[Path]) -> Mapping[Path, Schema]:
    """By resolved path of an up file, the schema: where it is pending and all below it applied.

    Read only, through env.py. Raises what connecting raises.
    """
    wanted = {
        version: one.path.resolve()
        for version, one in history.revisions.items()
        if one.path.resolve() in paths
    }
    found: dict[Path, Schema] = {}

    def look(snapshot: Snapshot, connection: Connection) -> None:
        ready = [
            path
            for version, path in wanted.items()
            if version not in snapshot.applied
            and snapshot.applied.issuperset(history.graph.cov([version]) - {version})
        ]
        if ready:
            found.update(dict.fromkeys(ready, read(connection)))

    environment.inspect(config, look)
    return found


def applied_in(config: Config) -> Mapping[str, Sequence[str]]:
    """By version, the databases of env.py in which it is applied; none that cannot be asked."""
    found: dict[str, list[str]] = {}

    def look(snapshot: Snapshot, connection: Connection) -> None:
        for version in snapshot.applied:
            found.setdefault(version, []).append(snapshot.database)

    if environment.has_project(config):
        with suppress(Exception):  # env.py is a program: it may want anything, or not connect
            environment.inspect(config, look)
    return found
