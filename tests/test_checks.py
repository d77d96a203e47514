"""Every case under cases/checks: what a check says about a plan on a real database.

A case is a `.sql` file in the directory of the check that it is about. Its sections:

    -- setup        is run and committed first
    -- session      is run in another session, whose transaction stays open; may come again
    -- waiting      the same for a session whose last statement waits for a lock
    -- up           the up of a step, where what it made matters: as many as downs, or none
    -- down         the down of a step; one for each step of the plan, in the order they run
    -- python       instead of a down: a `.py` revision whose effect is not known
    -- later        the up of a revision that is applied above the steps and stays; may come again
    -- later python instead of that: a revision whose up is not known
    -- revisions    what else the steps are, and then the later ones: for each a line of JSON with
                    fields of Revision, and `ledger`, the checksum in its row of the ledger
    -- command      what the user has typed: `downgrade`
    -- expect       `-- ` and a message on each line; below one, `--   ` and its next step, if that
                    is to be compared; nothing where the check has nothing to say

In what is expected, `<pid>` or any other word in angle brackets stands for any text. Step n's down
is `migrations/versions/n.down.sql`; its lines count from the line after `-- down`.
"""

from __future__ import annotations

import importlib
import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import LogicalReplicationConnection, PhysicalReplicationConnection
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback import embedded
from alembic_rollback.catalog.counting import Budget
from alembic_rollback.checks.impact import Known, assess
from alembic_rollback.checks.locking import NamedLocks
from alembic_rollback.checks.registry import findings
from alembic_rollback.checks.rules import blocking_sessions
from alembic_rollback.checks.rules.later_revisions import users
from alembic_rollback.checks.rules.lock_level import planned_locks
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.model import LedgerRow, Plan, Revision
from alembic_rollback.settings import DEFAULT_LEVELS, Settings
from alembic_rollback.sql.locks import MODES, strongest
from alembic_rollback.sql.script import Script, read_script

CASES = Path(__file__).parent / "cases" / "checks"
FILES = sorted(CASES.glob("*/*.sql"))
SECTIONS = (
    *("setup", "session", "waiting", "up", "down", "python", "later", "later python"),
    *("revisions", "command", "expect"),
)


@dataclass
class Case:
    """One file, read."""

    setup: str = ""
    sessions: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    downs: list[str | None] = field(default_factory=list)
    later: list[str | None] = field(default_factory=list)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    """Of the steps and then of the later ones, or fewer: see `-- revisions`."""
    command: str = "rollback-db"
    expected: list[list[str]] = field(default_factory=list)
    """Each message, with its next step where that is given."""


def read_case(path: Path) -> Case:
    case = Case()
    for name, text in sections(path.read_text(encoding="utf-8")):
        if name == "setup":
            case.setup += text
        elif name == "expect":
            for line in text.splitlines():
                if line.startswith("--   "):
                    case.expected[-1].append(line.removeprefix("--   "))
                elif line:
                    case.expected.append([line.removeprefix("-- ")])
        elif name == "revisions":
            case.revisions = [json.loads(line) for line in text.splitlines() if line]
        elif name == "command":
            case.command = text.strip()
        else:
            kept: dict[str, list[Any]] = {"session": case.sessions, "waiting": case.waiting}
            kept |= {"up": case.ups, "later": case.later, "later python": case.later}
            kept.get(name, case.downs).append(None if name.endswith("python") else text)
    return case


def sections(text: str) -> Iterator[tuple[str, str]]:
    name, lines = "", list[str]()
    for line in [*text.splitlines(), "-- setup"]:
        if line.removeprefix("-- ") in SECTIONS and line.startswith("-- "):
            if name:
                yield name, "\n".join(lines)
            name, lines = line.removeprefix("-- "), []
        else:
            lines.append(line)


def subject_of(connection: Connection, case: Case) -> Subject:
    """A plan with one step for each down, weighed on the database: the only place that does it."""
    every = [revision(n, case) for n in range(1, len(case.downs) + len(case.later) + 1)]
    steps, later = every[: len(case.downs)], every[len(case.downs) :]
    plan = Plan(tuple(steps), tuple(later))
    scripts = parsed(steps, case.downs, "down")
    known = Known(ups=parsed(steps, case.ups, "up") if case.ups else {})
    locks = NamedLocks()
    impact = assess(connection, plan, scripts, Budget(), known, locks.note)
    ups = {**known.ups, **parsed(later, case.later, "up")}
    rows = ledger(every, case)
    return Subject(
        connection,
        Settings(),
        plan,
        impact,
        scripts,
        ups,
        rows,
        command=case.command,
        named_locks=locks.found,
    )


def revision(n: int, case: Case) -> Revision:
    """The nth one of a case: a step, or after them a later one."""
    given = {"version": str(n), "name": "", "path": path("down", n)}
    if n <= len(case.revisions):
        more = {key: value for key, value in case.revisions[n - 1].items() if key != "ledger"}
        given |= {key: tuple(v) if isinstance(v, list) else v for key, v in more.items()}
    return Revision(file=str(given.pop("path")), **given)  # type: ignore[arg-type]


def ledger(every: Sequence[Revision], case: Case) -> dict[str, LedgerRow]:
    """The rows of those that a checksum is given for."""
    now = datetime.now(timezone.utc)
    return {
        one.version: LedgerRow(one.version, one.name, now, more["ledger"], None)
        for one, more in zip(every, case.revisions, strict=False)
        if "ledger" in more
    }


def parsed(
    steps: Sequence[Revision], texts: Sequence[str | None], direction: str
) -> dict[str, Script | None]:
    return {
        step.version: None if text is None else read_script(text, path(direction, step.version))
        for step, text in zip(steps, texts, strict=True)
    }


def path(direction: str, version: object) -> Path:
    return Path(f"migrations/versions/{version}.{direction}.sql")


@contextmanager
def read_only(engine: Engine) -> Iterator[Connection]:
    """As the checks are run."""
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        with connection.begin_nested():
            yield connection


def run(engine: Engine, check: str, case: Case) -> list[Said]:
    with read_only(engine) as connection:
        module = importlib.import_module(f"alembic_rollback.checks.rules.{check}")
        return list(module.check(subject_of(connection, case)))


@contextmanager
def sessions(url: URL, case: Case) -> Iterator[None]:
    """The other sessions of a case, with their transactions open."""
    opened: list[Any] = []
    threads: list[threading.Thread] = []
    try:
        for sql in (*case.sessions, *case.waiting):
            opened.append(connect(url))
            if sql in case.waiting:
                threads.append(threading.Thread(target=try_to, args=(opened[-1], sql)))
                threads[-1].start()
                await_waiting(url, opened[-1].info.backend_pid)
            else:
                opened[-1].cursor().execute(sql)
        yield
    finally:
        for one in opened:
            one.cancel()
        for thread in threads:
            thread.join()
        for one in opened:
            one.close()


def try_to(connection: Any, sql: str) -> None:
    with pytest.raises(psycopg2.errors.QueryCanceled):
        connection.cursor().execute(sql)


def await_waiting(url: URL, pid: int) -> None:
    end = time.monotonic() + 20
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    watcher = connect(url, autocommit=True)
    cursor = watcher.cursor()
    cursor.execute(waits, (pid,))
    while cursor.fetchone() != (True,):
        assert time.monotonic() < end
        time.sleep(0.01)
        cursor.execute(waits, (pid,))
    watcher.close()


def connect(url: URL, *, autocommit: bool = False, **more: Any) -> Any:
    keywords = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    keywords |= {key: url.query.get(key, keywords[key]) for key in ("host", "port")}
    keywords |= more
    found = psycopg2.connect(
        dbname=url.database, **{key: value for key, value in keywords.items() if value}
    )
    if autocommit:
        found.autocommit = True
    return found


@pytest.fixture
def database(database_url: URL, engine: Engine) -> Iterator[Engine]:
    """The fresh database; no database can be dropped with a subscription in it."""
    yield engine
    keeper = connect(database_url, autocommit=True)
    cursor = keeper.cursor()
    cursor.execute(
        "SELECT format('%I', subname) FROM pg_subscription "
        "WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
        cursor.execute(f"DROP SUBSCRIPTION {name}")
    keeper.close()


def commit(url: URL, sql: str) -> None:
    setup = connect(url)
    if sql.strip():
        setup.cursor().execute(sql)
    setup.commit()
    setup.close()


def matches(expected: str, said: str) -> bool:
    parts = re.split(r"<\w+>", expected)
    return re.fullmatch(".+?".join(map(re.escape, parts)), said) is not None


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_case(file: Path, database: Engine, database_url: URL) -> None:
    case = read_case(file)
    commit(database_url, case.setup)
    with sessions(database_url, case):
        said = run(database, file.parent.name, case)
    found = [[one.message, one.next_step] for one in said]
    shown = "\n".join(f"-- {message}\n--   {step}" for message, step in found)
    assert len(found) == len(case.expected), f"It says:\n{shown}"
    for expected, actual in zip(case.expected, found, strict=True):
        for one, other in zip(expected, actual, strict=False):
            assert matches(one, other), f"It says:\n{shown}"


def test_there_are_cases() -> None:
    checks = {path.parent.name for path in FILES}
    assert checks == DEFAULT_LEVELS.keys()


# lock_level: what is planned is what the server takes

RELATIONS = """
CREATE TABLE a (id int PRIMARY KEY, x int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE c (id serial PRIMARY KEY, b int REFERENCES b);
CREATE INDEX c_b ON c (b);
CREATE VIEW v AS SELECT id, x FROM a;
CREATE MATERIALIZED VIEW m AS SELECT id FROM v;
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER t AFTER INSERT ON c FOR EACH ROW EXECUTE FUNCTION f();
CREATE DOMAIN d AS int;
CREATE TABLE e (id int, d d);
CREATE SCHEMA app;
CREATE TABLE app.g (id int PRIMARY KEY);
CREATE TABLE h (g int REFERENCES app.g);
"""
HELD = """
SELECT CAST(l.relation AS int), l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE l.pid = %s AND l.granted
AND n.nspname IN ('public', 'app') AND c.relkind NOT IN ('i', 'I')
"""
PLANS = (
    "DROP TABLE c",
    "DROP TABLE b, c",
    "DROP TABLE b CASCADE",
    "DROP TABLE a CASCADE",
    "DROP TABLE p",
    "DROP VIEW v CASCADE",
    "DROP INDEX c_b",
    "DROP FUNCTION f CASCADE",
    "DROP DOMAIN d CASCADE",
    "DROP SCHEMA app CASCADE",
    "ALTER TABLE b DROP CONSTRAINT b_a_fkey",
    "ALTER TABLE b DROP COLUMN a",
    "ALTER TABLE a DROP CONSTRAINT a_pkey CASCADE",
    "ALTER TABLE a DROP COLUMN x CASCADE",
    "ALTER TABLE c RENAME TO old; DROP TABLE old",
    "ALTER TABLE a RENAME COLUMN x TO y; CREATE INDEX n ON a (y)",
    "SET LOCAL search_path = app; DROP TABLE g CASCADE",
    "ALTER TABLE e ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES b",
    "CREATE TABLE new (id int REFERENCES a)",
    "REINDEX INDEX c_b",
)


@pytest.mark.parametrize("down", PLANS)
def test_the_server_takes_the_locks_that_are_planned(
    down: str, database: Engine, database_url: URL
) -> None:
    commit(database_url, RELATIONS)
    with read_only(database) as connection:
        planned = planned_locks(subject_of(connection, Case(downs=[down])))
    runner, watcher = connect(database_url), connect(database_url).cursor()
    runner.cursor().execute(down)
    watcher.execute(HELD, (runner.info.backend_pid,))
    held: dict[int, list[str]] = {}
    for oid, mode in watcher.fetchall():
        held.setdefault(oid, []).append(blocking_sessions.mode_called(mode))
    runner.close()
    watcher.connection.close()
    noticed = {oid: one for oid, m in held.items() if weighs(one := strongest(m))}
    assert {oid: one.mode for oid, one in planned.items() if weighs(one.mode)} == noticed


def weighs(mode: str) -> bool:
    return MODES.index(mode) >= MODES.index("SHARE UPDATE EXCLUSIVE")


def test_planned_locks_are_found_once(database: Engine, database_url: URL) -> None:
    commit(database_url, "CREATE TABLE t (id int)")
    with read_only(database) as connection:
        subject = subject_of(connection, Case(downs=["DROP TABLE t;"]))
        assert planned_locks(subject) is planned_locks(subject)


def test_locks_that_nobody_looked_for_are_not_taken_for_none(
    database: Engine, database_url: URL
) -> None:
    commit(database_url, "CREATE TABLE t (id int)")
    with read_only(database) as connection:
        subject = replace(
            subject_of(connection, Case(downs=["DROP TABLE t;"])), named_locks=None, memory={}
        )
        (found,) = findings(subject, only=("lock_level",))
    assert (found.level, "were not looked for" in found.message) == ("block", True)


def test_an_index_is_locked_with_its_table_under_any_name(
    database: Engine, database_url: URL
) -> None:
    commit(database_url, "CREATE TABLE t (id int); CREATE INDEX i ON t (id);")
    down = "ALTER INDEX i RENAME TO j; DROP INDEX j; CREATE INDEX i ON t (id); DROP INDEX i;"
    with read_only(database) as connection:
        planned = planned_locks(subject_of(connection, Case(downs=[down])))
        (table,) = connection.exec_driver_sql("SELECT CAST('t'::regclass AS oid)").one()
    assert planned[table].mode == "ACCESS EXCLUSIVE"


# later_revisions


def test_users_are_taken_one_by_one_until_nobody_is_left(
    database: Engine, database_url: URL
) -> None:
    ups = [
        f"CREATE TABLE {new} (id int PRIMARY KEY REFERENCES {old});" for new, old in ("ba", "cb")
    ]
    commit(database_url, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE other (id int);")
    commit(database_url, " ".join(ups))
    first = Case(downs=["DROP TABLE a;"], later=[*ups, "CREATE TABLE other (id int);"])
    second = Case(downs=["DROP TABLE b;", "DROP TABLE a;"], later=[ups[1], *first.later[2:]])
    third = Case(downs=["DROP TABLE c;", *second.downs], later=second.later[1:])
    found = []
    for case in (first, second, third):
        with read_only(database) as connection:
            found.append([one.version for one in users(subject_of(connection, case))])
    assert found == [["2"], ["3"], []]


# blocking_sessions


def test_no_more_than_five_sessions_are_named(database: Engine, database_url: URL) -> None:
    commit(database_url, "CREATE TABLE t (id int)")
    case = Case(sessions=["SELECT * FROM t"] * 7, downs=["DROP TABLE t;"])
    with sessions(database_url, case):
        said = run(database, "blocking_sessions", case)
    assert len(said) == 6
    assert said[-1].message == "And 2 more."


def test_other_roles_sessions_are_named_by_pid(database: Engine, database_url: URL) -> None:
    commit(
        database_url,
        "CREATE ROLE plain_user LOGIN; CREATE TABLE t (id int); ALTER TABLE t OWNER TO plain_user",
    )
    try:
        holder = connect(database_url, application_name="web")
        holder.cursor().execute("SELECT * FROM t")
        plain = create_engine(database_url.set(username="plain_user"), poolclass=NullPool)
        (said,) = run(plain, "blocking_sessions", Case(downs=["DROP TABLE t;"]))
        user, pid = database_url.username or "postgres", holder.info.backend_pid
        holder.close()
        shown = f"Session {pid} (user {user}, application web) holds ACCESS SHARE on t."
        assert said.message == shown
    finally:
        commit(database_url, "DROP TABLE t; DROP ROLE plain_user")


# What needs a server of its own


@pytest.fixture(scope="module")
def own_server() -> Iterator[URL]:
    settings = {"max_prepared_transactions": "5", "autovacuum": "off", "wal_level": "logical"}
    with embedded.start(settings=settings) as server:
        yield make_url(server.url("postgres"))


def test_a_prepared_transaction_is_named_with_its_way_out(own_server: URL) -> None:
    commit(own_server, "CREATE TABLE prepared (id int)")
    holder = connect(own_server)
    holder.cursor().execute("INSERT INTO prepared VALUES (1)")
    holder.cursor().execute("PREPARE TRANSACTION 'it''s'")
    holder.close()
    engine = create_engine(own_server, poolclass=NullPool)
    case = Case(downs=["DROP TABLE prepared;"])
    (said,) = run(engine, "blocking_sessions", case)
    keeper = connect(own_server, autocommit=True)
    keeper.cursor().execute("ROLLBACK PREPARED 'it''s'")
    keeper.close()
    assert matches(
        "Prepared transaction 'it''s' (user postgres, prepared for <time>) "
        "holds ROW EXCLUSIVE on prepared.",
        said.message,
    )
    assert said.next_step.startswith("Its owner ends it with COMMIT PREPARED 'it''s' or ROLLBACK")
    assert run(engine, "blocking_sessions", case) == []


def test_standbys_are_counted(own_server: URL) -> None:
    commit(own_server, "CREATE TABLE streamed (id int)")
    standby = connect(own_server, connection_factory=PhysicalReplicationConnection)
    cursor = standby.cursor()
    cursor.execute("IDENTIFY_SYSTEM")
    cursor.start_replication(start_lsn=cursor.fetchone()[2])
    engine = create_engine(own_server, poolclass=NullPool)
    try:
        (said,) = run(engine, "replication", Case(downs=["DROP TABLE streamed;"]))
        assert said.message.startswith("1 standby replays the rollback: queries there")
        assert run(engine, "replication", Case(downs=["COMMENT ON TABLE streamed IS 'x';"])) == []
    finally:
        standby.close()


def test_a_subscriber_is_an_active_slot_and_no_standby(own_server: URL) -> None:
    commit(own_server, "CREATE TABLE sold (id int); CREATE PUBLICATION sales FOR TABLE sold")
    subscriber = connect(own_server, connection_factory=LogicalReplicationConnection)
    cursor = subscriber.cursor()
    cursor.create_replication_slot("theirs", output_plugin="pgoutput")
    options = {"proto_version": "1", "publication_names": "sales"}
    cursor.start_replication(slot_name="theirs", options=options)
    engine = create_engine(own_server, poolclass=NullPool)
    try:
        (said,) = run(engine, "replication", Case(downs=["DROP TABLE sold;"]))
        assert said.message.startswith("Publication sales (1 active replication slot) publishes")
    finally:
        subscriber.close()


def test_replication_is_told_to_whoever_may_not_read_all_of_it(own_server: URL) -> None:
    commit(
        own_server,
        "CREATE ROLE plain LOGIN; CREATE TABLE bought (id int); ALTER TABLE bought OWNER TO plain; "
        "CREATE PUBLICATION bought_again FOR TABLE bought; CREATE SUBSCRIPTION buys CONNECTION "
        "'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE); "
        "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) "
        "SELECT oid, CAST('bought' AS regclass), 'r' FROM pg_subscription",
    )
    plain = create_engine(own_server.set(username="plain"), poolclass=NullPool)
    said = run(plain, "replication", Case(downs=["DROP TABLE bought;"]))
    assert [one.message.split(" writes")[0].split(" (")[0] for one in said] == [
        "Publication bought_again",
        "Subscription buys",
    ]


def test_on_a_standby_nothing_else_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with embedded.start_persistent(data) as server:
        data = server.data
    (data / "standby.signal").touch()
    with embedded.start_persistent(data) as server:
        engine = create_engine(server.url("postgres"), poolclass=NullPool)
        (said,) = run(engine, "replication", Case(downs=["DROP TABLE x;"]))
    assert said == Said(
        "This server is a standby: it is read only, and nothing can be rolled back here.",
        "Connect to the primary.",
    )
