"""From a URL to a connection, and what the driver says when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import DatabaseError, NotPostgreSQL
from alembic_rollback.runner import describe

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

# What libpq takes of the options that an asynchronous driver's URL may have.
_LIBPQ = {
    "application_name",
    "host",
    "passfile",
    "port",
    "service",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
}


def open_engine(url: URL, **options: Any) -> Engine:
    """An engine that keeps no connection. Raises DatabaseError without the driver."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    try:
        return create_engine(url, poolclass=NullPool, **options)
    except ModuleNotFoundError as error:
        raise DatabaseError(f"{error}.", next_step="Install the driver.") from None


def usable(text: str) -> URL:
    """Read a URL and give it a driver that needs no event loop.

    Raises DatabaseError where it cannot be read, NotPostgreSQL for another kind.
    """
    from sqlalchemy import exc, make_url

    try:
        url = make_url(text)
        dialect = url.get_dialect()
    except exc.NoSuchModuleError as error:
        raise DatabaseError(f"{error}.", next_step="Install the driver.") from None
    except (exc.ArgumentError, ValueError):
        raise DatabaseError(
            "The scratch URL cannot be read.",
            next_step="Write postgresql://user:password@host:port/database.",
        ) from None
    if dialect.name != "postgresql":
        raise NotPostgreSQL(f"Scratch databases need PostgreSQL; the URL is for {dialect.name}.")
    if dialect.is_async:
        query = dict(url.query)
        if "ssl" in query:
            query["sslmode"] = query["ssl"]  # asyncpg's word for it
        kept = {name: value for name, value in query.items() if name in _LIBPQ}
        return url.set(drivername="postgresql+psycopg2", query=kept)
    if "+" not in url.drivername:
        return url.set(drivername="postgresql+psycopg2")
    return url


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the driver's errors into DatabaseError, without the URL."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        told = describe(error)
        advice = _NEXT_STEPS.get(str(told["sqlstate"]), told["hint"])
        message = str(told["message"]).rstrip(".")
        raise DatabaseError(f"{what}: {message}.", next_step=advice) from error


_NEXT_STEPS = {
    "42501": "The role of the scratch URL must be allowed to create databases: "
    "ALTER ROLE … CREATEDB.",
}
