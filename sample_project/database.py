"""Where the sample lives: DATABASE_URL, or an embedded server whose data is kept in `.pgdata/`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

ROOT = Path(__file__).resolve().parent.parent
NAME = "purchasing"


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine on the sample's database, which is created on first use."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield create_engine(given, poolclass=NullPool)
        return
    from alembic_rollback.embedded import start_persistent

    with start_persistent(ROOT / ".pgdata") as server:
        _create(server.url("postgres"))
        yield create_engine(server.url(NAME), poolclass=NullPool)


def _create(admin_url: str) -> None:
    admin = create_engine(admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        query = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.execute(query, {"name": NAME}).scalar() is None:
            connection.execute(text(f"CREATE DATABASE {NAME}"))
