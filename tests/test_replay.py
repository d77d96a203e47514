"""Revisions replayed on a scratch connection, against a real server and without env.py."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection
from sqlalchemy.pool import NullPool

from alembic_rollback import replay as replaying
from alembic_rollback.errors import NotPostgreSQL, RollbackError, ScriptSyntaxError, UsageError
from alembic_rollback.replay import Replayed, ReplayError, history_before
from tests.project import Project

CATALOG = (
    "SELECT oid::text, relname FROM pg_class UNION ALL SELECT oid::text, typname FROM pg_type "
    "UNION ALL SELECT oid::text, nspname FROM pg_namespace ORDER BY 1, 2"
)


@pytest.fixture
def scratch(server_url: URL) -> Iterator[Connection]:
    """A connection to a second database; the project's is never to be touched."""
    name = f"scratch_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    with create_engine(server_url.set(database=name), poolclass=NullPool).connect() as found:
        yield found
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def load(project: Project) -> tuple[ScriptDirectory, list[Script]]:
    """All revisions, the base first."""
    directory = ScriptDirectory.from_config(project.config)
    return directory, list(directory.walk_revisions())[::-1]


def replay(project: Project, connection: Connection, **more: Any) -> tuple[Replayed, ...]:
    directory, scripts = load(project)
    options = {"config": project.config, "directory": directory, **more}
    return replaying.replay(connection, scripts, **options)


def downgrade(project: Project, connection: Connection, version: str) -> Replayed:
    directory, _ = load(project)
    script = directory.get_revision(version)
    return replaying.downgrade(connection, script, config=project.config, directory=directory)


def failure(project: Project, connection: Connection) -> ReplayError:
    with pytest.raises(ReplayError) as caught:
        replay(project, connection)
    return caught.value


def scalar(connection: Connection, query: str) -> Any:
    found = connection.exec_driver_sql(query).scalar()
    connection.commit()
    return found


def tables(connection: Connection) -> set[str]:
    query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"
    found = {row[0] for row in connection.exec_driver_sql(query)}
    connection.commit()
    return found


# --- what is run ------------------------------------------------------------------------------


def test_pairs_and_scripts_are_applied_and_taken_back(project: Project, scratch: Connection):
    project.table("001_orders", "orders")
    project.script("s1", "001", "op.add_column('orders', sa.Column('n', sa.Integer))", "1 / 0")
    project.pair(
        "002_rows",
        "-- Revises: s1\nINSERT INTO orders (id, n) SELECT i, i FROM generate_series(1, 9) i;",
        "DELETE FROM orders;",
    )
    assert replay(project, scratch) == (Replayed("001"), Replayed("s1"), Replayed("002"))
    assert scalar(scratch, "SELECT sum(n) FROM orders") == 45
    assert downgrade(project, scratch, "002") == Replayed("002")
    assert scalar(scratch, "SELECT count(*) FROM orders") == 0
    assert tables(scratch) == {"orders"}  # neither a version table nor a ledger


def test_env_py_is_not_run_and_its_database_stays_untouched(
    project: Project, scratch: Connection, tmp_path: Path
):
    marker = tmp_path / "env_was_run"
    env = (project.root / "migrations" / "env.py").read_text()
    project.write_env(f"open({str(marker)!r}, 'w').close()\n{env}")
    project.table("001_orders", "orders")
    project.script("s1", "001", "op.create_table('more', sa.Column('id', sa.Integer))")
    before = project.query(CATALOG)
    replay(project, scratch)
    assert project.query(CATALOG) == before
    assert not marker.exists()
    assert tables(scratch) == {"orders", "more"}
    project.alembic("upgrade", "head")
    assert marker.exists()
    assert project.query(CATALOG) != before


def test_what_a_script_may_ask_alembic_for(project: Project, scratch: Connection):
    project.script(
        "s1",
        None,
        "from alembic import context\n"
        "    assert context.config.get_main_option('script_location')\n"
        "    assert context.get_x_argument(as_dictionary=True) == {}\n"
        "    assert context.script.get_revision('s1').revision == 's1'\n"
        "    assert not context.is_offline_mode()\n"
        "    assert context.get_bind() is op.get_bind() is op.get_context().connection\n"
        "    assert context.get_revision_argument() == 's1'\n"
        "    assert op.get_bind().execute(sa.text('SELECT :n'), {'n': 7}).scalar() == 7\n"
        "    assert sa.inspect(op.get_bind()).get_table_names() == []\n"
        "    op.create_table('t', sa.Column('id', sa.Integer), sa.Column('gone', sa.Text))\n"
        "    with op.batch_alter_table('t') as batch:\n"
        "        batch.drop_column('gone')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY i ON t (id)')\n"
        "    op.bulk_insert(sa.table('t', sa.column('id')), [{'id': 1}, {'id': 2}])\n"
        "    with op.get_bind().engine.connect() as other:\n"
        "        assert other.scalar(sa.text('SELECT count(*) FROM t')) == 0",
    )
    options = {"transaction_per_migration": True, "as_sql": True, "compare_type": False}
    replay(project, scratch, opts=options)
    assert scalar(scratch, "SELECT count(*) FROM t") == 2
    assert scalar(scratch, "SELECT to_regclass('i') IS NOT NULL")


def test_what_cannot_run_in_a_transaction(project: Project, scratch: Connection):
    project.pair(
        "001_a", "CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY i ON t (id);", "VACUUM;"
    )
    project.pair("002_b", "-- Transaction: none\nCREATE TYPE e AS ENUM ('a');", "DROP TYPE e;")
    project.pair(
        "003_c",
        "CREATE TABLE u AS SELECT 1 AS id;\nALTER TYPE e ADD VALUE 'b';\n"
        "ALTER TABLE t ADD COLUMN v e DEFAULT 'b';",
        None,
    )
    assert replay(project, scratch) == (
        Replayed("001", "line 2: CREATE INDEX CONCURRENTLY"),
        Replayed("002", "-- Transaction: none"),
        Replayed("003", "it uses an enum value that it adds"),
    )
    assert tables(scratch) == {"t", "u"}
    assert downgrade(project, scratch, "001").outside == "line 1: VACUUM"


def test_each_revision_finds_a_fresh_session(
    project: Project, scratch: Connection, capsys: pytest.CaptureFixture[str]
):
    project.pair(
        "001_a",
        "CREATE SCHEMA app; SET search_path = app; CREATE TEMP TABLE t (id int); "
        "SET ROLE pg_monitor;",
        "",
    )
    project.script(
        "s1", "001", "print('loud')\n    op.execute(\"SET search_path = app; SET my.own = 'x'\")"
    )
    project.pair("002_b", "-- Revises: s1\nCREATE TABLE t (id int);", "")
    project.script("s2", "002", "op.execute('SET search_path = app')\n    1 / 0")
    with pytest.raises(ReplayError):
        replay(project, scratch)
    assert tables(scratch) == {"t"}
    assert scalar(scratch, "SHOW search_path") == '"$user", public'
    assert scalar(scratch, "SELECT coalesce(current_setting('my.own', true), '')") == ""
    assert capsys.readouterr().out == ""


def test_prepare_sees_each_script_before_it_runs(project: Project, scratch: Connection):
    project.table("001_a", "a")
    project.table("002_b", "b")
    seen = []

    def prepare(script: Any) -> None:
        seen.append((script.path.name, tables(scratch)))
        if len(seen) == 2:
            raise RollbackError("no")

    with pytest.raises(RollbackError, match="no"):
        replay(project, scratch, prepare=prepare)
    assert seen == [("001_a.up.sql", set()), ("002_b.up.sql", {"a"})]
    assert tables(scratch) == {"a"}


def test_history_before_is_in_order_and_follows_dependencies(project: Project):
    project.table("001_a", "a", "-- Revises: base\n")
    project.table("002_b", "b")
    project.script("side", None, labels="aside")
    project.script("s3", "002", depends="side")
    project.script("s4", "s3")
    directory, _ = load(project)
    assert [s.revision for s in history_before(directory, "s4")] == ["001", "002", "side", "s3"]
    assert history_before(directory, "001") == []
    with pytest.raises(UsageError, match="No revision 'nope'"):
        history_before(directory, "nope")


# --- what goes wrong --------------------------------------------------------------------------


def test_a_failing_pair_names_place_and_sqlstate(project: Project, scratch: Connection):
    project.pair("001_a", "CREATE TABLE a (id int);\n\nALTER TABLE a ADD n nope;", "")
    error = failure(project, scratch)
    assert str(error).endswith(
        '001_a.up.sql:3:21: upgrade of 001_a failed: type "nope" does not exist (42704). '
        "This was a scratch database."
    )
    assert (error.revision, error.direction, error.sqlstate) == ("001", "up", "42704")
    assert error.statement == "ALTER TABLE a ADD n nope"
    assert tables(scratch) == set()


def test_a_constraint_that_fails_at_the_commit(project: Project, scratch: Connection):
    project.pair(
        "001_a",
        "CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a INITIALLY DEFERRED);\n"
        "INSERT INTO a VALUES (1, 2);",
        "",
    )
    error = failure(project, scratch)
    assert error.sqlstate == "23503"
    assert "001_a.up.sql: upgrade of 001_a failed" in str(error)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("op.execute('SELECT 1 FROM nope')", 'relation "nope" does not exist (42P01)'),
        ("raise ValueError('bad\\nmore')", "ValueError: bad"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("input()", "EOFError: EOF when reading a line"),
        ("op.add_column()", "TypeError: "),
    ],
)
def test_a_failing_script_names_its_line(
    project: Project, scratch: Connection, body: str, problem: str
):
    project.script("s1", None, f"op.execute('CREATE TABLE t ()')\n    {body}")
    error = failure(project, scratch)
    assert "s1_script.py:16:" in str(error)
    assert f"upgrade of s1 failed: {problem}" in str(error)
    assert tables(scratch) == set()


def test_a_script_without_a_downgrade_or_with_arguments(project: Project, scratch: Connection):
    path = project.script("s1", None)
    path.write_text(path.read_text().replace("upgrade()", "upgrade(engine)").split("def down")[0])
    assert "takes arguments, which only env.py knows" in str(failure(project, scratch))
    with pytest.raises(ReplayError, match=r"there is no downgrade\(\)"):
        downgrade(project, scratch, "s1")


def test_a_script_reaches_no_other_database(project: Project, scratch: Connection):
    before = project.query(CATALOG)
    body = "sa.create_engine({}).connect().exec_driver_sql('CREATE TABLE t ()')"
    project.script("s1", None, body.format(repr(project.shown_url)))
    error = failure(project, scratch)
    assert "it connects to a database of its own" in str(error)
    pooled = create_engine(project.url)
    pooled.connect().close()  # its pool has one open
    project.script("s1", None, "from alembic import context\n    context.config.attributes['e']()")
    directory, scripts = load(project)
    config = project.config
    config.attributes["e"] = pooled.connect
    with pytest.raises(ReplayError, match="a database of its own"):
        replaying.replay(scratch, scripts, config=config, directory=directory)
    pooled.dispose()
    assert project.query(CATALOG) == before


def test_files_that_cannot_be_read_and_other_databases(project: Project, scratch: Connection):
    project.pair("001_a", "CREATE TABEL a;", "")
    with pytest.raises(ScriptSyntaxError, match=r"001_a.up.sql:1:8"):
        replay(project, scratch)
    with create_engine("sqlite://").connect() as other, pytest.raises(NotPostgreSQL):
        replay(project, other)


def test_a_lost_connection_is_told_in_one_line(project: Project, scratch: Connection):
    project.pair("001_a", "SELECT pg_terminate_backend(pg_backend_pid());", "")
    assert "upgrade of 001_a failed: " in str(failure(project, scratch))
