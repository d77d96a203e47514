"""What belongs to the cluster: databases and tablespaces. None of it runs inside a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Missing, Part, Step, inverts
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.names import quote_identifier


@inverts("CreatedbStmt")
def create_database(step: Step) -> Iterator[Part]:
    """CREATE DATABASE → DROP DATABASE."""
    yield made(step, named(step.world, "OBJECT_DATABASE", (step.node.dbname,)))


@inverts("CreateTableSpaceStmt")
def create_tablespace(step: Step) -> Iterator[Part]:
    """CREATE TABLESPACE → DROP TABLESPACE."""
    yield made(step, named(step.world, "OBJECT_TABLESPACE", (step.node.tablespacename,)))


@inverts("AlterDatabaseStmt", "AlterDatabaseSetStmt", "AlterDatabaseRefreshCollStmt")
def alter_database(step: Step) -> Iterator[Part]:
    """ALTER DATABASE: its settings before are not in the text."""
    found = named(step.world, "OBJECT_DATABASE", (step.node.dbname,))
    yield from step.lost(found.thing, f"the settings of {found.shown} before")


@inverts("AlterTableSpaceOptionsStmt")
def alter_tablespace(step: Step) -> Iterator[Part]:
    """ALTER TABLESPACE: its options before are not in the text."""
    found = named(step.world, "OBJECT_TABLESPACE", (step.node.tablespacename,))
    yield from step.lost(found.thing, f"the options of {found.shown} before")


@inverts("AlterTableMoveAllStmt")
def move_all(step: Step) -> Iterator[Part]:
    """ALTER TABLE ALL IN TABLESPACE: which objects moved is not in the text."""
    name = quote_identifier(step.node.orig_tablespacename)
    yield Missing(f"which objects were in tablespace {name} before")
