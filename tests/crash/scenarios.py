"""What is killed: a project, a state to begin from, a command, and the order of its steps.

To add a command, add a Scenario to SCENARIOS; nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.project import Project

Argv = tuple[str, ...]


@dataclass(frozen=True)
class Crash:
    """A preparation: a command that was killed right before a statement with this text."""

    argv: Argv
    before: str


@dataclass(frozen=True)
class Block:
    """How to kill a statement in its middle: what somebody else holds, for it to wait for."""

    statement: str
    """A part of the statement that will wait."""
    holding: str
    """SQL of a transaction that stays open meanwhile."""


@dataclass(frozen=True)
class Scenario:
    """A command and all that is needed to kill it and to judge what is left.

    steps: the versions that it takes up or down, in its order. Each prefix of them is a state that
    may be left; `reach` says by which command an undisturbed database gets there.
    """

    name: str
    write: Callable[[Project], None]
    argv: Argv
    steps: tuple[str, ...]
    direction: Literal["up", "down"] = "up"
    prepare: tuple[Argv | Crash, ...] = ()
    sql: tuple[str, ...] = ()
    """Run after `prepare`."""
    options: str = "{}"
    """For context.configure."""
    engine: str = "{}"
    """For create_engine."""
    blocks: tuple[Block, ...] = ()
    observe: tuple[str, ...] = ()
    """Queries whose answers belong to the state, beside schema and rows of the database."""
    cleanup: tuple[str, ...] = ()
    """Run on the server between cases: what a script makes outside its database."""
    reach: Callable[[int], Argv] | None = None
    needs: str = field(default="")
    """A command that the package must have; without its options it is skipped, visibly."""

    def reached_by(self, count: int) -> Argv:
        """The command that takes the first `count` steps and no more."""
        if self.reach:
            return self.reach(count)
        if self.direction == "up":
            return ("upgrade", self.steps[count - 1])
        return ("rollback-db", *self.steps[:count], "--yes")


PER_MIGRATION = "{'transaction_per_migration': True}"
NONE = "-- Transaction: none\n"
HEAD: Argv = ("upgrade", "head")


# --- projects -----------------------------------------------------------------------------------


def shop(project: Project) -> None:
    """Three pairs with tables, rows, a view, a function and a trigger."""
    project.pair(
        "1_accounts",
        "CREATE TABLE accounts (id int PRIMARY KEY, email text NOT NULL);\n"
        "CREATE INDEX accounts_email ON accounts (email);\n"
        "INSERT INTO accounts SELECT n, 'user' || n FROM generate_series(1, 20) n;\n",
        "DROP TABLE accounts;\n",
    )
    project.pair(
        "2_orders",
        "CREATE TABLE orders (id int PRIMARY KEY, account int REFERENCES accounts);\n"
        "CREATE VIEW order_emails AS SELECT o.id, a.email FROM orders o JOIN accounts a "
        "ON a.id = o.account;\n"
        "INSERT INTO orders SELECT n, n FROM generate_series(1, 10) n;\n",
        "DROP VIEW order_emails;\nDROP TABLE orders;\n",
    )
    project.pair(
        "3_touched",
        "ALTER TABLE accounts ADD COLUMN touched timestamptz;\n"
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN new.touched := now(); RETURN new; END $$;\n"
        "CREATE TRIGGER touching BEFORE UPDATE ON accounts FOR EACH ROW "
        "EXECUTE FUNCTION touch();\n",
        "DROP TRIGGER touching ON accounts;\nDROP FUNCTION touch();\n"
        "ALTER TABLE accounts DROP COLUMN touched;\n",
    )


def kept(project: Project) -> None:
    """Rows that only the first upgrade brings; of the later ones they come from the archive."""
    first = "WHERE to_regclass('rollback_archive.archived') IS NULL"
    project.pair(
        "1_accounts",
        "CREATE TABLE accounts (id int PRIMARY KEY, email text);\n"
        f"INSERT INTO accounts SELECT n, 'user' || n FROM generate_series(1, 20) n {first};\n",
        "DROP TABLE accounts;\n",
    )
    project.pair(
        "2_orders",
        "CREATE TABLE orders (id int PRIMARY KEY, account int REFERENCES accounts);\n"
        "ALTER TABLE accounts ADD COLUMN note text;\n"
        f"UPDATE accounts SET note = 'of ' || email {first};\n"
        f"INSERT INTO orders SELECT n, n FROM generate_series(1, 10) n {first};\n"
        "CREATE VIEW order_emails AS SELECT o.id, a.email FROM orders o JOIN accounts a "
        "ON a.id = o.account;\n",
        "DELETE FROM orders WHERE id > 5;\nDROP TABLE orders CASCADE;\n"
        "ALTER TABLE accounts DROP COLUMN note;\n",
    )


def mixed(project: Project) -> None:
    """A `.py` revision between pairs."""
    project.pair("1_a", "CREATE TABLE a (id int PRIMARY KEY);\n", "DROP TABLE a;\n")
    project.script(
        "b2",
        "1",
        "op.create_table('b', sa.Column('id', sa.Integer, primary_key=True))\n"
        "    op.create_index('b_id', 'b', ['id'])",
        "op.drop_table('b')",
    )
    project.pair(
        "3_c", "-- Revises: b2\nCREATE TABLE c (id int REFERENCES b);\n", "DROP TABLE c;\n"
    )


def cascading(project: Project) -> None:
    """A down whose CASCADE takes a view and a foreign key of later revisions."""
    project.pair(
        "1_parents",
        "CREATE TABLE parents (id int PRIMARY KEY, name text);\n"
        "INSERT INTO parents VALUES (1, 'one'), (2, 'two');\n",
        "DROP TABLE parents CASCADE;\n",
    )
    project.pair(
        "2_children",
        "CREATE TABLE children (id int PRIMARY KEY, parent int "
        "CONSTRAINT of_parent REFERENCES parents);\n",
        "DROP TABLE IF EXISTS children CASCADE;\n",
    )
    project.pair(
        "3_names",
        "CREATE VIEW names AS SELECT name FROM parents;\n",
        "DROP VIEW IF EXISTS names;\n",
    )


def _base(project: Project, more: str = "") -> None:
    """Three tables: what is blocked on one leaves statements on the others alone."""
    project.pair(
        "1_things",
        "CREATE TABLE things (id int PRIMARY KEY, label text, size int);\n"
        "INSERT INTO things SELECT n, 'thing' || n, n FROM generate_series(1, 50) n;\n"
        "CREATE TABLE people (id int PRIMARY KEY, name text);\n"
        "INSERT INTO people VALUES (1, 'one'), (2, 'two');\n"
        "CREATE TABLE others (id int PRIMARY KEY, note text);\n" + more,
        "DROP TABLE others;\nDROP TABLE people;\nDROP TABLE things;\n",
    )


def _after(project: Project) -> None:
    project.pair("3_later", "CREATE TABLE later (id int PRIMARY KEY);\n", "DROP TABLE later;\n")


def indexes(project: Project) -> None:
    """Two indexes made concurrently, with plain statements around them."""
    _base(project)
    project.pair(
        "2_indexes",
        f"{NONE}ALTER TABLE others ADD COLUMN colour text;\n"
        "CREATE INDEX CONCURRENTLY things_size ON things (size);\n"
        "CREATE UNIQUE INDEX CONCURRENTLY people_name ON people (name);\n"
        "COMMENT ON TABLE things IS 'with indexes';\n"
        "INSERT INTO others VALUES (51, 'made by 2');\n",
        f"{NONE}DELETE FROM others WHERE id = 51;\n"
        "COMMENT ON TABLE things IS NULL;\n"
        "DROP INDEX CONCURRENTLY people_name;\n"
        "DROP INDEX CONCURRENTLY things_size;\n"
        "ALTER TABLE others DROP COLUMN colour;\n",
    )
    _after(project)


def dropping(project: Project) -> None:
    """Indexes dropped and made anew concurrently, on the way up."""
    _base(project, "CREATE INDEX things_size ON things (size);\n")
    project.pair(
        "2_dropping",
        "DROP INDEX CONCURRENTLY things_size;\nDELETE FROM things WHERE id > 40;\n"
        "CREATE INDEX CONCURRENTLY people_both ON people (name, id);\n",
        "DROP INDEX CONCURRENTLY people_both;\n"
        "CREATE INDEX CONCURRENTLY things_size ON things (size);\n",
    )
    _after(project)


def reindexing(project: Project) -> None:
    """REINDEX CONCURRENTLY of an index and of a table."""
    _base(project, "CREATE INDEX things_size ON things (size);\n")
    project.pair(
        "2_reindex",
        "UPDATE things SET size = size + 1;\nREINDEX INDEX CONCURRENTLY things_size;\n"
        "REINDEX TABLE CONCURRENTLY people;\nCOMMENT ON TABLE things IS 'reindexed';\n",
        "COMMENT ON TABLE things IS NULL;\nUPDATE things SET size = size - 1;\n",
    )
    _after(project)


def partitions(project: Project) -> None:
    """A partition detached concurrently."""
    project.pair(
        "1_events",
        "CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);\n"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO "
        "('2026-01-01');\n"
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO "
        "('2027-01-01');\n"
        "INSERT INTO events VALUES (1, '2025-05-05'), (2, '2026-05-05');\n",
        "DROP TABLE events;\nDROP TABLE IF EXISTS events_1;\n",
    )
    project.pair(
        "2_detach",
        f"{NONE}COMMENT ON TABLE events IS 'detaching';\n"
        "ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;\n"
        "ALTER TABLE events_1 ADD COLUMN note text;\n",
        "ALTER TABLE events_1 DROP COLUMN note;\n"
        "ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES FROM ('2025-01-01') TO "
        "('2026-01-01');\nCOMMENT ON TABLE events IS NULL;\n",
    )
    _after(project)


def vacuuming(project: Project) -> None:
    """VACUUM between statements that cannot be run twice."""
    _base(project)
    project.pair(
        "2_vacuum",
        "UPDATE things SET size = size * 2;\nVACUUM ANALYZE things;\n"
        "ALTER TABLE things ADD COLUMN weight int;\n",
        "ALTER TABLE things DROP COLUMN weight;\nUPDATE things SET size = size / 2;\n",
    )
    _after(project)


def enums(project: Project) -> None:
    """An enum value that is used by the script that adds it."""
    project.pair(
        "1_moods",
        "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE moods (id int PRIMARY KEY, mood mood);\n",
        "DROP TABLE moods;\nDROP TYPE mood;\n",
    )
    project.pair(
        "2_ok",
        f"{NONE}ALTER TYPE mood ADD VALUE 'ok';\nINSERT INTO moods VALUES (1, 'ok');\n"
        "ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok';\nINSERT INTO moods VALUES (2, 'happy');\n",
        "-- Irreversible: enum values cannot be removed\n",
    )
    _after(project)


def databases(project: Project) -> None:
    """CREATE DATABASE, which no transaction can undo."""
    _base(project)
    project.pair(
        "2_database",
        "INSERT INTO things (id) VALUES (100);\nCREATE DATABASE crash_made;\n"
        "COMMENT ON DATABASE crash_made IS 'made';\n",
        "DELETE FROM things WHERE id = 100;\nDROP DATABASE crash_made;\n",
    )
    _after(project)


def autocommit_block(project: Project) -> None:
    """A `.py` revision that leaves its transaction for a statement."""
    _base(project)
    project.script(
        "b2",
        "1",
        # Fit to be run again from its beginning, which is all that can be done with Python.
        "op.execute('ALTER TABLE others ADD COLUMN IF NOT EXISTS colour text')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.create_index('things_size', 'things', ['size'], "
        "postgresql_concurrently=True, if_not_exists=True)\n"
        "    op.create_table('extra', sa.Column('id', sa.Integer, primary_key=True))",
        "op.execute('DROP TABLE IF EXISTS extra')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.drop_index('things_size', postgresql_concurrently=True, if_exists=True)\n"
        "    op.execute('ALTER TABLE others DROP COLUMN IF EXISTS colour')",
    )
    project.pair(
        "3_later",
        "-- Revises: b2\nCREATE TABLE later (id int PRIMARY KEY);\n",
        "DROP TABLE later;\n",
    )


# --- scenarios ----------------------------------------------------------------------------------

_WRITERS = "BEGIN; LOCK TABLE {} IN ROW EXCLUSIVE MODE"
"""Whoever builds an index concurrently waits for those who may be writing."""
_THINGS, _PEOPLE = _WRITERS.format("things"), _WRITERS.format("people")
_MAINTAINERS = "BEGIN; LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE"
"""Only VACUUM and its like wait for these."""


def _upgrade(name: str, write: Callable[[Project], None], *steps: str, **more: Any) -> Scenario:
    return Scenario(name, write, steps=steps or ("1", "2", "3"), **{"argv": HEAD, **more})


def _rollback(name: str, write: Callable[[Project], None], *steps: str, **more: Any) -> Scenario:
    argv = ("rollback-db", "--all", "--yes")
    given = {"argv": argv, "prepare": (HEAD,), "direction": "down", **more}
    return Scenario(name, write, steps=steps or ("3", "2", "1"), **given)


def _downgrade(name: str, write: Callable[[Project], None], *steps: str, **more: Any) -> Scenario:
    return _rollback(name, write, *steps, argv=("downgrade", "base", "--yes"), **more)


def _repair(name: str, write: Callable[[Project], None], *args: str, **more: Any) -> Scenario:
    argv = ("repair-db", *args, "--yes")
    return Scenario(name, write, argv, (), needs="repair-db", **{"prepare": (HEAD,), **more})


def _archived(count: int) -> Argv:
    return ("rollback-db", *("2", "1")[:count], "--archive", "--yes")


_APPLY = ("apply-db", "--no-verify")
_EACH = ("rollback-db", "--all", "--yes", "--transaction", "each")
_TO_ONE = ("rollback-db", "--to", "1", "--yes")
_AUTOCOMMIT = "{'isolation_level': 'AUTOCOMMIT'}"
_MADE = ("SELECT count(*) FROM pg_database WHERE datname = 'crash_made'",)
_UNMADE = ("DROP DATABASE IF EXISTS crash_made",)
_ONE = (HEAD[0], "1")
_HALF = (_ONE, Crash(HEAD, "CREATE UNIQUE INDEX CONCURRENTLY"))
_INDEX_BLOCKS = (
    Block("CONCURRENTLY things_size", _THINGS),
    Block("CONCURRENTLY people_name", _PEOPLE),
)

_ARCHIVE = ("rollback-db", "--all", "--archive", "--yes")
_KEPT = (
    "SELECT count(*) FROM pg_class WHERE relkind = 'r' "
    "AND relnamespace = to_regnamespace('rollback_archive')",
)

QUICK = frozenset(
    {
        "apply-indexes",
        "archive-each",
        "autocommit-block",
        "databases",
        "dropping",
        "enums",
        "indexes",
        "indexes-rollback",
        "partitions",
        "reindexing",
        "repair-clear",
        "restore",
        "rollback-collateral",
        "rollback-each",
        "upgrade-each",
        "upgrade-repairing",
    }
)
"""Those of which some cases are run each time: one of each way to be left half-way."""

SCENARIOS: tuple[Scenario, ...] = (
    # Transactional
    _upgrade("upgrade", shop),
    _upgrade("upgrade-each", shop, options=PER_MIGRATION),
    _upgrade("upgrade-mixed", mixed, "1", "b2", "3"),
    _upgrade("upgrade-mixed-each", mixed, "1", "b2", "3", options=PER_MIGRATION),
    _rollback("rollback", shop),
    _rollback("rollback-each", shop, argv=_EACH),
    _rollback("rollback-mixed", mixed, "3", "b2", "1"),
    _rollback("rollback-collateral", cascading, "1", argv=("rollback-db", "1", "--yes")),
    Scenario(
        "upgrade-repairing",
        cascading,
        HEAD,
        ("1",),
        prepare=(HEAD, ("rollback-db", "1", "--yes")),
    ),
    _downgrade("downgrade", shop),
    _downgrade("downgrade-each", shop, options=PER_MIGRATION),
    # Not transactional
    _upgrade("indexes", indexes, prepare=(_ONE,), blocks=_INDEX_BLOCKS),
    _upgrade("indexes-whole", indexes),
    _upgrade("indexes-each", indexes, options=PER_MIGRATION),
    _rollback("indexes-rollback", indexes, "3", "2", argv=_TO_ONE, blocks=_INDEX_BLOCKS),
    _rollback("indexes-rollback-each", indexes, argv=_EACH),
    _rollback(
        "indexes-downgrade",
        indexes,
        "3",
        "2",
        argv=("downgrade", "1", "--yes"),
        blocks=_INDEX_BLOCKS,
    ),
    _upgrade(
        "dropping",
        dropping,
        prepare=(_ONE,),
        blocks=(
            Block("CONCURRENTLY things_size", _THINGS),
            Block("CONCURRENTLY people_both", _PEOPLE),
        ),
    ),
    _upgrade(
        "reindexing",
        reindexing,
        prepare=(_ONE,),
        blocks=(
            Block("REINDEX INDEX CONCURRENTLY", _THINGS),
            Block("REINDEX TABLE CONCURRENTLY", _PEOPLE),
        ),
    ),
    _upgrade(
        "partitions",
        partitions,
        prepare=(_ONE,),
        blocks=(Block("DETACH PARTITION", "BEGIN; LOCK TABLE events IN ACCESS SHARE MODE"),),
    ),
    _upgrade(
        "vacuuming",
        vacuuming,
        prepare=(_ONE,),
        blocks=(Block("VACUUM ANALYZE", _MAINTAINERS.format("things")),),
    ),
    _upgrade("enums", enums, prepare=(_ONE,)),
    _upgrade("databases", databases, prepare=(_ONE,), observe=_MADE, cleanup=_UNMADE),
    _upgrade(
        "autocommit-block",
        autocommit_block,
        "1",
        "b2",
        "3",
        prepare=(_ONE,),
        blocks=(Block("things_size", _THINGS),),
    ),
    # apply-db and repair-db
    _upgrade("apply", shop, argv=_APPLY, needs="apply-db"),
    _upgrade(
        "apply-each", mixed, "1", "b2", "3", argv=_APPLY, options=PER_MIGRATION, needs="apply-db"
    ),
    _upgrade(
        "apply-indexes",
        indexes,
        argv=_APPLY,
        prepare=(_ONE,),
        blocks=_INDEX_BLOCKS,
        needs="apply-db",
    ),
    _repair("repair-forget", shop, "3", "--forget"),
    _repair("repair-mark", shop, "3", "--mark-applied", prepare=((HEAD[0], "2"),)),
    _repair(
        "repair-checksum",
        shop,
        "2",
        "--accept-checksum",
        sql=("UPDATE schema_migrations SET checksum = 'other' WHERE version = '2'",),
        observe=("SELECT checksum FROM schema_migrations WHERE version = '2'",),
    ),
    _repair("repair-clear", indexes, "2", "--clear-partial", prepare=_HALF),
    _repair("repair-resume", indexes, "2", "--resume-at", "3", prepare=_HALF),
    # The archive
    _rollback("archive", kept, "2", "1", argv=_ARCHIVE, reach=_archived, observe=_KEPT),
    _rollback(
        "archive-each",
        kept,
        "2",
        "1",
        argv=(*_ARCHIVE, "--transaction", "each"),
        reach=_archived,
        observe=_KEPT,
    ),
    Scenario(
        "restore",
        kept,
        ("restore-db", "2", "1"),
        (),
        prepare=(HEAD, _ARCHIVE, HEAD),
        observe=_KEPT,
    ),
    # Outside of transactions without saying so
    _rollback("autocommit-block-rollback", autocommit_block, "3", "b2", "1"),
    _upgrade("autocommit-engine", shop, engine=_AUTOCOMMIT),
    _downgrade("autocommit-engine-downgrade", shop, engine=_AUTOCOMMIT),
)
