"""Backups: found, read and made with the real programs on a real server."""

from __future__ import annotations

import itertools
import os
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.pool import NullPool

from alembic_rollback import backup
from alembic_rollback.catalog import qualified
from alembic_rollback.checks.rules import backup_exists
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.errors import DatabaseError, SettingsError
from alembic_rollback.model import Impact, Plan, Revision, StepImpact, TableLoss
from alembic_rollback.settings import Settings, age_in_seconds
from alembic_rollback.sql.names import quote_always, quote_literal

ORDERS = ("public", "purchase_orders")
ITEMS = ("public", "po_items")
ODD = (
    ("public", "Upper Case"),
    ("public", 'say "hi"'),
    ("public", "a:b"),
    ("public", "100%s"),
    ("public", "a*b?"),
    ("public", "a.b"),
    ("public", "$1|(x)"),
    ("public", "größe"),
    ("public", "two\nlines"),
    ("public", "-minus"),
    ("my schema", "purchase_orders"),
    ("my", "schema t"),
    ("my schema", "t"),
    ('q"', "x,y"),
)


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def create(engine: Engine, *tables: tuple[str, str], rows: int = 3) -> None:
    for table in tables:
        schema, name = map(quote_always, table)
        run(
            engine,
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"CREATE TABLE {schema}.{name} (id serial PRIMARY KEY, note text)",
            f"INSERT INTO {schema}.{name} (note) SELECT {quote_literal(name)} || i "
            f"FROM generate_series(1, {rows}) i",
        )


def contents(engine: Engine, table: tuple[str, str]) -> list[tuple[Any, ...]]:
    name = ".".join(map(quote_always, table))
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            f"SELECT t.* FROM {name} t ORDER BY 1", execution_options={"no_parameters": True}
        )
        return [tuple(row) for row in found]


def oids(connection: Connection, *names: str) -> list[int]:
    return [
        int(connection.exec_driver_sql(f"SELECT {quote_literal(name)}::regclass::oid").scalar_one())
        for name in names
    ]


def take(url: URL, directory: Path, *tables: tuple[str, str], **more: Any) -> Path:
    path = backup.take_backup(url, tables, directory, **more)
    assert path is not None
    return path


def written(path: Path, hours_ago: float) -> Path:
    os.utime(path, times=(time.time() - hours_ago * 3600,) * 2)
    return path


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
    return path


def only(monkeypatch: pytest.MonkeyPatch, *programs: Path) -> None:
    monkeypatch.setattr(backup, "_programs", lambda name: iter(map(str, programs)))


def dumped(url: URL, path: Path, *arguments: str) -> Path:
    answer = backup._run(
        "pg_dump", [*arguments, f"--file={path}"], environment=backup._environment(url)
    )
    assert answer is not None
    assert answer.returncode == 0, answer.stderr
    return path


@pytest.fixture
def second(server_url: URL) -> Iterator[Engine]:
    """Another database, to restore into."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    yield create_engine(server_url.set(database=name), poolclass=NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def restore(path: Path, engine: Engine) -> None:
    arguments = ["--exit-on-error", f"--dbname={engine.url.database}", str(path)]
    answer = backup._run("pg_restore", arguments, environment=backup._environment(engine.url))
    assert answer is not None
    assert answer.returncode == 0, answer.stderr


# Ages and files


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30min", 1800), ("24h", 86_400), ("7d", 604_800)]
)
def test_age(text: str, seconds: int) -> None:
    assert age_in_seconds("backup_max_age", text) == seconds


@pytest.mark.parametrize("text", ["24x", "h", "", "24", "5hd", "-1h", "1.5h", "²h", "24 h"])
def test_an_age_that_cannot_be_read(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        age_in_seconds("backup_max_age", text)
    assert str(raised.value) == (
        f"backup_max_age = {text!r} is not an age; write 30min, 24h or 7d."
    )


def test_the_newest_of_several(tmp_path: Path) -> None:
    for name, hours in (("a.dump", 3), ("b.dump", 1), ("c.dump", 2), ("d.txt", 0)):
        (tmp_path / name).touch()
        written(tmp_path / name, hours)
    assert backup.newest_archive("*.dump", tmp_path) == tmp_path / "b.dump"
    assert backup.newest_archive(f"{tmp_path}/*.dump", Path("/")) == tmp_path / "b.dump"
    assert backup.newest_archive("*.tar", tmp_path) is None
    assert backup.newest_archive("*.dump", tmp_path / "nowhere") is None


def test_the_newest_in_directories_below(tmp_path: Path) -> None:
    (tmp_path / "2026" / "01").mkdir(parents=True)
    written_last = tmp_path / "2026" / "01" / "x.dump"
    written_last.touch()
    (tmp_path / "old.dump").touch()
    written(tmp_path / "old.dump", 5)
    (tmp_path / "gone.dump").symlink_to(tmp_path / "nowhere")
    assert backup.newest_archive("**/*.dump", tmp_path) == written_last


def test_a_directory_archive_is_one_archive(
    engine: Engine, database_url: URL, tmp_path: Path
) -> None:
    create(engine, ORDERS)
    path = dumped(database_url, tmp_path / "nightly", "--format=directory")
    (tmp_path / "empty directory").mkdir()
    assert backup.newest_archive("**", tmp_path) == path
    archive = backup.verify(path, [ORDERS, ITEMS])
    assert archive.missing == (ITEMS,)
    assert not archive.problem


# Reading archives


def test_an_archive_that_holds_everything(
    engine: Engine, database_url: URL, tmp_path: Path
) -> None:
    create(engine, ORDERS, ITEMS, *ODD)
    for form in ("custom", "tar"):
        path = dumped(database_url, tmp_path / form, f"--format={form}")
        archive = backup.verify(path, [ORDERS, ITEMS, *ODD])
        assert archive == backup.Archive(path, archive.age)


@pytest.mark.parametrize("absent", ODD)
def test_an_odd_table_that_is_missing(
    engine: Engine, database_url: URL, tmp_path: Path, absent: tuple[str, str]
) -> None:
    create(engine, *(table for table in ODD if table != absent))
    run(engine, f"CREATE SCHEMA IF NOT EXISTS {quote_always(absent[0])}")
    path = dumped(database_url, tmp_path / "x.dump", "--format=custom")
    archive = backup.verify(path, ODD)
    assert (archive.missing, archive.problem) == ((absent,), "")


def test_a_name_that_begins_another(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ("public", "a b"))
    path = dumped(database_url, tmp_path / "x.dump", "--format=custom")
    assert backup.verify(path, [("public", "a")]).missing == (("public", "a"),)
    assert backup.verify(path, [("public", "a"), ("public", "a b")]).missing == (("public", "a"),)


def test_rows_that_were_left_out(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ORDERS)
    path = dumped(database_url, tmp_path / "x.dump", "--format=custom", "--schema-only")
    assert backup.verify(path, [ORDERS]).missing == (ORDERS,)


def test_what_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.dump"
    path.touch()
    archive = backup.verify(path, [ORDERS])
    assert archive.problem == "input file is too short (read 0, expected 5)"
    path.write_text("something else " * 100)
    assert "does not appear to be a valid archive" in backup.verify(path, [ORDERS]).problem


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert "No such file" in backup.verify(tmp_path / "x.dump", [ORDERS]).problem


def test_plain_sql(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ORDERS)
    for name in ("x.sql", "x.dump"):
        path = dumped(database_url, tmp_path / name, "--format=plain")
        archive = backup.verify(path, [ORDERS])
        assert archive.problem == "it is plain SQL, which cannot be verified; use pg_dump -Fc"


def test_an_archive_that_was_cut_off(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ORDERS, rows=10_000)
    path = take(database_url, tmp_path, ORDERS)
    whole = path.read_bytes()
    # Cut in the rows, where pg_restore --list still lists them, and in the list.
    for length in (len(whole) - 100, 300):
        path.write_bytes(whole[:length])
        archive = backup.verify(path, [ORDERS])
        assert "end of file" in archive.problem or "could not read" in archive.problem


def test_no_pg_restore(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch)
    assert backup.verify(tmp_path, [ORDERS]).problem == "pg_restore was not found"
    only(monkeypatch, tmp_path / "nowhere")
    assert backup.verify(tmp_path, [ORDERS]).problem == "pg_restore was not found"


def test_pg_restore_that_is_too_old_gives_way_to_another(
    engine: Engine, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(engine, ORDERS)
    path = take(database_url, tmp_path, ORDERS)
    complaint = "pg_restore: error: unsupported version (1.99) in file header"
    old = script(tmp_path / "pg_restore", f"echo '{complaint}' >&2", "exit 1")
    others = list(backup._programs("pg_restore"))
    only(monkeypatch, old, *map(Path, others))
    assert not backup.verify(path, [ORDERS]).problem
    only(monkeypatch, old)
    assert backup.verify(path, [ORDERS]).problem == "unsupported version (1.99) in file header"


def test_pg_restore_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, script(tmp_path / "pg_restore", "exec sleep 60"))
    monkeypatch.setattr(backup, "TIMEOUT", 0.2)
    assert backup.verify(tmp_path, [ORDERS]).problem == "pg_restore took longer than 0.2 s"


# A command instead of files


def test_command_that_agrees(tmp_path: Path) -> None:
    script(
        tmp_path / "check.sh",
        'echo "$ALEMBIC_ROLLBACK_DATABASE/$ALEMBIC_ROLLBACK_TABLES/$1" > seen',
    )
    tables = [ORDERS, ("app", "My Table")]
    assert backup.run_command("./check.sh 'a b;$HOME'", "shop", tables, tmp_path) is None
    assert (tmp_path / "seen").read_text() == (
        'shop/public.purchase_orders,app."My Table"/a b;$HOME\n'
    )


def test_command_that_refuses(tmp_path: Path) -> None:
    script(tmp_path / "check.sh", "echo looking", "echo 'the last one failed' >&2", "exit 3")
    reason = backup.run_command("./check.sh", "shop", [ORDERS], tmp_path)
    assert reason == "the last one failed"
    script(tmp_path / "check.sh", "exit 3")
    reason = backup.run_command("./check.sh --password=secret", "shop", [ORDERS], tmp_path)
    assert reason == "./check.sh ended with exit code 3"


def test_command_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = backup.run_command("./nowhere secret", "shop", [ORDERS], tmp_path)
    assert reason == "./nowhere cannot be run (No such file or directory)"
    with pytest.raises(SettingsError, match="backup_command cannot be read: No closing quotation"):
        backup.run_command("check 'it", "shop", [ORDERS], tmp_path)
    monkeypatch.setattr(backup, "TIMEOUT", 0.2)
    assert backup.run_command("sleep 60", "shop", [ORDERS], tmp_path) == (
        "sleep took longer than 0.2 s"
    )


# Making a backup


def test_backup_can_be_restored(
    engine: Engine, database_url: URL, second: Engine, tmp_path: Path
) -> None:
    tables = (ORDERS, ITEMS, *ODD)
    create(engine, *tables, ("public", "aXb1"), ("public", "other"))
    directory = tmp_path / "deep" / "backups"
    path = take(database_url, directory, *tables, versions=["20260112_002", "20260112_001"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list(directory.iterdir()) == [path]
    assert path.name.startswith(f"{database_url.database}-2")
    assert path.name.endswith("Z-20260112_002-20260112_001.dump")
    run(second, *(f"CREATE SCHEMA IF NOT EXISTS {quote_always(schema)}" for schema, _ in tables))
    restore(path, second)
    for table in tables:
        assert contents(second, table) == contents(engine, table) != []
    with second.connect() as connection:
        count = "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
        assert connection.exec_driver_sql(count).scalar_one() == len(tables)


def test_backup_of_partitions(
    engine: Engine, database_url: URL, second: Engine, tmp_path: Path
) -> None:
    run(
        engine,
        "CREATE TABLE log (id int, y int) PARTITION BY LIST (y)",
        "CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1)",
        "CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2) PARTITION BY HASH (id)",
        "CREATE TABLE log_2a PARTITION OF log_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "INSERT INTO log VALUES (1, 1), (2, 2)",
    )
    with engine.connect() as connection:
        found = oids(connection, "log")
        tables = qualified.tables_with_data(connection, found)
        partitioned = qualified.partitioned_tables(connection, found)
    assert tables == (("public", "log_1"), ("public", "log_2a"))
    assert partitioned == (("public", "log"), ("public", "log_2"))
    path = take(database_url, tmp_path, *tables, partitioned=partitioned)
    restore(path, second)
    assert contents(second, ("public", "log")) == [(1, 1), (2, 2)]


def test_backup_in_another_encoding(server_url: URL, tmp_path: Path) -> None:
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        )
    try:
        url = server_url.set(database=name)
        create(create_engine(url, poolclass=NullPool), ("public", "größe"))
        assert not backup.verify(take(url, tmp_path, ("public", "größe")), []).problem
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_two_backups_in_one_second(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ORDERS)
    paths = {take(database_url, tmp_path, ORDERS) for _ in range(3)}
    assert paths == set(tmp_path.iterdir())
    assert len(paths) == 3


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg", "asyncpg", "pg8000"])
def test_backup_whatever_the_driver(
    engine: Engine, database_url: URL, tmp_path: Path, driver: str
) -> None:
    create(engine, ORDERS)
    assert take(database_url.set(drivername=f"postgresql+{driver}"), tmp_path, ORDERS).exists()


def test_nothing_to_save(database_url: URL, tmp_path: Path) -> None:
    assert backup.take_backup(database_url, [], tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()


def refused(url: URL, directory: Path, *tables: tuple[str, str], **more: Any) -> DatabaseError:
    """The error, after which no file is left."""
    with pytest.raises(DatabaseError) as raised:
        backup.take_backup(url, tables, directory, **more)
    assert not directory.exists() or not list(directory.iterdir())
    assert raised.value.state == "Nothing was changed."
    assert raised.value.next_step
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_table_that_is_gone(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ORDERS)
    error = refused(database_url, tmp_path / "backups", ORDERS, ITEMS)
    assert error.what == (
        'No backup was made: no matching tables were found for pattern ""public"."po_items"".'
    )


def test_a_view_in_place_of_a_table(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    run(engine, "CREATE VIEW purchase_orders AS SELECT 1 AS id")
    error = refused(database_url, tmp_path / "backups", ORDERS)
    assert error.what == (
        "No backup was made: pg_dump left out the rows of public.purchase_orders."
    )


def test_a_table_that_is_locked(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    create(engine, ORDERS)
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE purchase_orders")
        error = refused(database_url, tmp_path / "backups", ORDERS, lock_timeout="100ms")
    assert "canceling statement due to statement timeout" in error.what
    assert error.next_step is not None
    assert "Another session locks a table" in error.next_step


def test_no_server(tmp_path: Path) -> None:
    url = make_url(f"postgresql://u:sEcret@/shop?host={tmp_path}")
    error = refused(url, tmp_path / "backups", ORDERS)
    assert error.what.startswith("No backup was made: connection to server on socket")
    assert "sEcret" not in str(error)


def test_row_level_security(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    role = f"owner_{uuid.uuid4().hex[:12]}"
    create(engine, ORDERS)
    run(
        engine,
        f"CREATE ROLE {role} LOGIN PASSWORD 'sEcret'",
        f"ALTER TABLE purchase_orders OWNER TO {role}",
        "ALTER TABLE purchase_orders ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE purchase_orders FORCE ROW LEVEL SECURITY",
    )
    try:
        url = database_url.set(username=role, password="sEcret")
        error = refused(url, tmp_path / "backups", ORDERS)
    finally:
        run(engine, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert error.what == (
        "No backup was made: query would be affected by row-level security policy "
        'for table "purchase_orders".'
    )
    assert error.next_step is not None
    assert "BYPASSRLS" in error.next_step


VERSIONS = (
    "echo 'pg_dump: error: aborting because of server version mismatch' >&2",
    "echo 'pg_dump: detail: server version: 18.6; pg_dump version: 9.6.24' >&2",
    "exit 1",
)


def test_pg_dump_that_is_too_old(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, script(tmp_path / "pg_dump", *VERSIONS))
    error = refused(database_url, tmp_path / "backups", ORDERS)
    assert error.what == (
        "No backup was made: aborting because of server version mismatch: "
        "server version: 18.6; pg_dump version: 9.6.24."
    )
    assert error.next_step == "Install the pg_dump of the server's version, or a newer one."


def test_pg_dump_that_is_too_old_gives_way_to_another(
    engine: Engine, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(engine, ORDERS)
    script(tmp_path / "pg_dump", *VERSIONS)
    others = list(backup._programs("pg_dump"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    programs = backup._programs
    assert next(programs("pg_dump")) == str(tmp_path / "pg_dump")
    # PATH's own pg_dump may be the only other one: it is hidden now.
    monkeypatch.setattr(
        backup,
        "_programs",
        lambda name: itertools.chain(programs(name), others * (name == "pg_dump")),
    )
    assert take(database_url, tmp_path / "backups", ORDERS).exists()


def test_no_pg_dump(database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    error = refused(database_url, tmp_path / "backups", ORDERS)
    assert error.what == "No backup was made: pg_dump was not found."


def test_pg_dump_that_writes_rubbish(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = backup._programs
    fake = script(
        tmp_path / "pg_dump", 'for last; do :; done; echo "not an archive" > "${last#--file=}"'
    )
    monkeypatch.setattr(
        backup, "_programs", lambda name: iter([str(fake)]) if name == "pg_dump" else programs(name)
    )
    error = refused(database_url, tmp_path / "backups", ORDERS)
    assert "cannot be read: input file does not appear to be a valid archive" in error.what


def test_a_directory_that_cannot_be_written(database_url: URL, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match=r"cannot be written \((File exists|Not a directory)\)"):
        backup.take_backup(database_url, [ORDERS], tmp_path / "file")


def test_ctrl_c_leaves_no_file(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup.take_backup(database_url, [ORDERS], tmp_path)
    assert not list(tmp_path.iterdir())


# The connection


def test_password_is_in_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    fake = script(tmp_path / "pg_dump", f'echo "$@" > {seen}; env >> {seen}', "exit 1")
    only(monkeypatch, fake)
    url = make_url("postgresql+asyncpg://ann:s%40crEt@db.example:6543/shop?ssl=require")
    with pytest.raises(DatabaseError) as raised:
        backup.take_backup(url, [ORDERS], tmp_path / "backups")
    assert "s@crEt" not in str(raised.value)
    arguments, *environment = seen.read_text().splitlines()
    assert "s@crEt" not in arguments
    assert '--table="public"."purchase_orders"' in arguments
    assert {
        "PGHOST=db.example",
        "PGPORT=6543",
        "PGUSER=ann",
        "PGPASSWORD=s@crEt",
        "PGDATABASE=shop",
        "PGSSLMODE=require",
    } <= set(environment)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://", {}),
        ("postgresql+psycopg://u@/d?host=/run/pg&port=5433", {"host": "/run/pg", "port": "5433"}),
        ("postgresql+psycopg2://u@/d?host=a:1&host=b:2", {"host": "a,b", "port": "1,2"}),
        ("postgresql+psycopg2://u@/d?host=a,b&port=1,2", {"host": "a,b", "port": "1,2"}),
        ("postgresql+psycopg2://u@/d?host=a:1&host=b", {"host": "a,b", "port": "1,"}),
        (
            "postgresql+pg8000://u@/d?unix_sock=/run/pg/.s.PGSQL.5433",
            {"host": "/run/pg", "port": "5433"},
        ),
        ("postgresql+psycopg2://u@[::1]:5433/d", {"host": "::1", "port": "5433"}),
        (
            "postgresql+psycopg://u@h/d?sslmode=verify-full&sslrootcert=/ca&prepare_threshold=0",
            {"host": "h", "sslmode": "verify-full", "sslrootcert": "/ca"},
        ),
    ],
)
def test_parameters(url: str, expected: dict[str, str]) -> None:
    more = {"user": "u", "dbname": "d"} if "u@" in url else {}
    assert backup._parameters(make_url(url)) == {**more, **expected}


def test_environment_that_would_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGCLIENTENCODING", "PGPASSFILE"):
        monkeypatch.setenv(name, "inherited")
    found = backup._environment(make_url("postgresql://u@h/d"))
    assert (found["PGHOST"], found["PGPASSFILE"]) == ("h", "inherited")
    assert not {"PGHOSTADDR", "PGSERVICE", "PGCLIENTENCODING"} & set(found)
    # A driver would use these, too, where the URL leaves them open.
    found = backup._environment(make_url("postgresql://u@/d"))
    assert (found["PGHOST"], found["PGSERVICE"]) == ("inherited", "inherited")


# Names by oid


def test_names(engine: Engine) -> None:
    create(engine, ORDERS, ("my schema", "T"))
    run(
        engine,
        "CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM purchase_orders",
        "CREATE VIEW shown AS SELECT * FROM purchase_orders",
        "CREATE TABLE log (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE old_orders () INHERITS (purchase_orders)",
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE passing ()")
        names = ("purchase_orders", '"my schema"."T"', "sums", "shown", "log", "passing")
        found = oids(connection, *names)
        expected = (ORDERS, ("my schema", "T"), ("public", "log"))
        by_oid = dict(zip((found[0], found[1], found[4]), expected, strict=True))
        assert qualified.qualified_names(connection, [*found, 1]) == by_oid
        assert qualified.tables_with_data(connection, found) == (
            ("my schema", "T"),
            ("public", "old_orders"),
            ORDERS,
        )
        assert qualified.partitioned_tables(connection, found) == (("public", "log"),)
        assert qualified.tables_with_data(connection, []) == ()


# The check


def said(
    engine: Engine,
    directory: Path,
    *losses: tuple[str, int | None],
    command: str = "rollback-db",
    **settings: Any,
) -> list[Said]:
    step = Revision("20260112_001", "create_purchase_orders", "x")
    with engine.connect() as connection:
        tables = tuple(
            TableLoss(name, rows, oid=oids(connection, name)[0]) for name, rows in losses
        )
        subject = Subject(
            connection=connection,
            settings=Settings(**settings),
            plan=Plan((step,)),
            impact=Impact((StepImpact(step, tables=tables),)),
            scripts={},
            ups={},
            rows={},
            directory=directory,
            command=command,
        )
        return list(backup_exists.check(subject))


def test_check_without_losses(engine: Engine, tmp_path: Path) -> None:
    create(engine, ORDERS)
    run(engine, "CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM purchase_orders")
    assert said(engine, tmp_path) == []
    assert said(engine, tmp_path, ("purchase_orders", 0), ("sums", 1)) == []


def test_check_without_a_backup(engine: Engine, tmp_path: Path) -> None:
    create(engine, ORDERS, ITEMS)
    assert said(engine, tmp_path, ("purchase_orders", 150)) == [
        Said(
            "No backup is configured: 150 rows of purchase_orders would be gone for good.",
            "Run it with --backup, or set backup_files or backup_command.",
        )
    ]
    (one,) = said(
        engine, tmp_path, ("purchase_orders", 150), ("po_items", None), command="downgrade"
    )
    assert one == Said(
        "No backup is configured: an unknown number of rows of purchase_orders and po_items "
        "would be gone for good.",
        "Make a backup first, or set backup_files or backup_command.",
    )


def test_check_of_files(
    engine: Engine, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    create(engine, ORDERS, ITEMS)
    loss = ("purchase_orders", 150)
    files = {"backup_files": "backups/*.dump"}
    harm = "150 rows of purchase_orders would be gone for good."

    def message() -> str:
        (one,) = said(engine, tmp_path, loss, **files)
        assert one.next_step == "Run it with --backup."
        return one.message

    assert message() == f"No file matches backup_files = backups/*.dump: {harm}"
    path = take(database_url, tmp_path / "backups", ORDERS).rename(tmp_path / "backups" / "x.dump")
    assert said(engine, tmp_path, loss, **files) == []
    assert (
        "does not hold po_items:"
        in said(engine, tmp_path, loss, ("po_items", 1), **files)[0].message
    )
    written(path, 73)
    assert message() == (
        f"The newest backup, backups/x.dump, is 3 days old (backup_max_age = 24h): {harm}"
    )
    assert said(engine, tmp_path, loss, backup_max_age="7d", **files) == []
    written(path, 26.5)
    assert "is 26 hours old" in message()
    path.write_text("")
    assert message() == (
        "The newest backup, backups/x.dump, cannot be read "
        f"(input file is too short (read 0, expected 5)): {harm}"
    )
    with pytest.raises(SettingsError, match="backup_max_age = '24x' is not an age"):
        said(engine, tmp_path, loss, backup_max_age="24x", **files)


def test_check_of_partitions(engine: Engine, database_url: URL, tmp_path: Path) -> None:
    run(
        engine,
        "CREATE TABLE log (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (1) TO (10)",
    )
    path = take(database_url, tmp_path, ("public", "log_1"))
    assert said(engine, tmp_path, ("log", 5), backup_files=path.name) == []
    run(engine, "CREATE TABLE log_2 PARTITION OF log DEFAULT")
    (one,) = said(engine, tmp_path, ("log", 5), backup_files=path.name)
    assert "does not hold public.log_2:" in one.message


def test_check_by_command(engine: Engine, tmp_path: Path) -> None:
    create(engine, ORDERS)
    script(tmp_path / "yes", f'test "$ALEMBIC_ROLLBACK_DATABASE" = {engine.url.database}')
    script(tmp_path / "no", "echo 'none since Monday'", "exit 1")
    loss = ("purchase_orders", 1)
    assert said(engine, tmp_path, loss, backup_command="./yes") == []
    assert said(engine, tmp_path, loss, backup_command="./no") == [
        Said(
            "backup_command says that there is no backup (none since Monday): "
            "1 row of purchase_orders would be gone for good.",
            "Run it with --backup.",
        )
    ]
