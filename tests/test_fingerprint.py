"""Small changes of every kind of thing: seen by facts as pg_dump sees them, and led back.

The cases are in cases/facts: one schema `app`, what is made in it, what is done to it.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.catalog.facts.memory import Memory
from alembic_rollback.catalog.facts.model import Snapshot
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.catalog.facts.restoring import restore
from alembic_rollback.embedded.binaries import environment, find_binaries

DIRECTORY = Path(__file__).parent / "cases" / "facts"
ROLES = ("fp_owner", "fp_reader")
BASE = """
CREATE SCHEMA app;
CREATE TABLE app.customers (id integer PRIMARY KEY, name text NOT NULL, region text);
CREATE TABLE app.orders (id integer PRIMARY KEY, customer integer, total numeric(10, 2),
    made timestamptz DEFAULT now(), note text);
CREATE FUNCTION app.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""


@dataclass(frozen=True)
class Case:
    """What there is beside BASE, what is done to it, and what has a reason not to see that."""

    make: str
    do: str
    options: dict[str, str]
    word: str
    """Its own one in place of `app`, where all cases share a database."""

    def sql(self, text: str) -> str:
        """With its own names."""
        return re.sub(r"\bapp(?=\b|_)", self.word, text)

    def fits(self, version: int) -> bool:
        """Whether the server knows what it needs."""
        return int(self.options.get("since", 14)) <= version < int(self.options.get("before", 99))


def load() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for path in sorted(DIRECTORY.glob("*.sql")):
        for section in re.split(r"^-- case: ", path.read_text(), flags=re.MULTILINE)[1:]:
            title, text = section.split("\n", 1)
            options = dict(re.findall(r"^-- (\w+): (.*)$", text, flags=re.MULTILINE))
            make, do = re.sub(r"^-- \w+: .*\n", "", text, flags=re.MULTILINE).split("-- do\n")
            name = f"{path.stem}: {title}"
            assert name not in found, name
            found[name] = Case(make, do, options, f"k{len(found):03}")
    return found


CASES = load()


def run(connection: Connection, sql: str) -> Any:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def version(engine: Engine) -> int:
    with engine.connect():
        return int(engine.dialect.server_version_info[0])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def roles(server_url: URL) -> Iterator[int]:
    """Roles and a tablespace, which are the whole server's; its major version."""
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    major = version(admin)
    with admin.connect() as connection:
        for role in ROLES:
            run(connection, f"CREATE ROLE {role}")
        if major >= 15:
            run(connection, "SET allow_in_place_tablespaces = on")
            run(connection, "CREATE TABLESPACE fp_space LOCATION ''")
    yield major
    with admin.connect() as connection:
        for role in ROLES:
            run(connection, f"DROP ROLE {role}")
        if major >= 15:
            run(connection, "DROP TABLESPACE fp_space")


@pytest.fixture(scope="module")
def shared(server_url: URL, roles: int) -> Iterator[Engine]:
    """A database in which nothing is committed."""
    yield from database(server_url, "fp_shared")


def database(server_url: URL, name: str) -> Iterator[Engine]:
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        run(connection, f"CREATE DATABASE {name} TEMPLATE template0")
    engine = create_engine(server_url.set(database=name), poolclass=NullPool)
    yield engine
    with admin.connect() as connection:
        run(connection, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def session(shared: Engine) -> Iterator[Connection]:
    """One for all cases: what its queries took to prepare is more than most of them take."""
    with shared.connect() as connection:
        yield connection


@pytest.mark.parametrize("name", CASES)
def test_led_back(name: str, session: Connection, roles: int) -> None:
    case = CASES[name]
    if not case.fits(roles):
        pytest.skip("for another version of PostgreSQL")
    connection, memory = session, Memory()
    try:
        run(connection, BASE + case.make)
        before = read(connection, prepared=True, memory=memory)
        unchanged = connection.begin_nested()
        run(connection, case.do)
        after = read(connection, prepared=True, memory=memory)
        # What is remembered changes nothing of what is said.
        everything = read(connection, prepared=True)
        assert after == everything
        assert [*after.facts] == [*everything.facts]
        assert bool(compare(before, after)) is ("facts" not in case.options)
        for same in (True, False):
            changed = connection.begin_nested()
            if "stuck" in case.options:
                found = restore(connection, before, same=same, prepared=True, memory=memory)
                assert found.failure or found.left
            else:
                restored(connection, before, same=same, memory=memory)
            changed.rollback()
        unchanged.rollback()
        assert read(connection, prepared=True, memory=memory) == before
        restored(connection, after, same=False, memory=memory)
        now = read(connection, edges=False, prepared=True, memory=memory)
        assert now == read(connection, edges=False, prepared=True)
    finally:
        connection.rollback()


def restored(
    connection: Connection, wanted: Snapshot, *, same: bool, memory: Memory | None = None
) -> None:
    found = restore(connection, wanted, same=same, prepared=True, memory=memory)
    left = [shown(one) for one in found.left if not one.lasting]
    if found.failure or left:
        said = filter(None, [found.failure, *left, *found.statements])
        pytest.fail("\n".join(said), pytrace=False)


def shown(one: Difference) -> str:
    if one.before is None or one.after is None:
        return str(one)
    return f"{one}: {one.after.name} {one.after.details} for {one.before.name} {one.before.details}"


# Against pg_dump -------------------------------------------------------------------------------

WORDS = re.compile(r"\bk\d{3}(?=\b|_)")
_STORED = re.compile(r"CREATE (UNLOGGED TABLE|TABLE|MATERIALIZED VIEW|(UNIQUE )?INDEX)\b")


def dump(url: URL) -> dict[str, list[str]]:
    """By case, what pg_dump writes about it, in an order that doesn't depend on age."""
    binary = find_binaries() / "pg_dump"
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    variables = {"PGHOST": host, "PGPORT": port, "PGUSER": url.username, "PGPASSWORD": url.password}
    given = {name: str(value) for name, value in variables.items() if value}
    answer = subprocess.run(
        [str(binary), "--no-sync", "--schema-only", str(url.database)],
        env={**environment(), **given},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = defaultdict(list)
    storage: dict[str, str] = {}
    for chunk in answer.stdout.split("\n\n"):
        text = chunk.strip()
        if text.startswith("SET default_"):
            # It holds for what follows.
            storage[text.split("=")[0]] = text
        elif _STORED.match(text):
            settings = [] if "PARTITION BY" in text else list(storage.values())
            if "INDEX" in text.split("\n")[0]:
                settings = [one for one in settings if "tablespace" in one]
            text = "\n".join([*sorted(settings), text])
        for word in set(WORDS.findall(text)):
            found[word].append(text)
    return {word: sorted(chunks) for word, chunks in found.items()}


@dataclass(frozen=True)
class Dumps:
    """Of all cases in one database: before, after, and when facts have led back and forth."""

    before: dict[str, list[str]]
    after: dict[str, list[str]]
    back: dict[str, list[str]]
    forth: dict[str, list[str]]
    reordered: set[str]
    """Cases in which a column has come back at another place."""


@pytest.fixture(scope="module")
def dumps(server_url: URL, roles: int) -> Iterator[Dumps]:
    if not (find_binaries() / "pg_dump").exists():
        pytest.skip("there is no pg_dump beside the server's programs")
    cases = [case for case in CASES.values() if case.fits(roles)]
    making = database(server_url, "fp_dumps")
    engine = next(making)
    try:
        yield taken(engine, cases)
    finally:
        next(making, None)
        admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for (role,) in run(connection, "SELECT rolname FROM pg_roles").fetchall():
                if WORDS.match(role):
                    run(connection, f"DROP ROLE {role}")


def taken(engine: Engine, cases: list[Case]) -> Dumps:
    with engine.connect() as connection:
        for case in cases:
            run(connection, case.sql(BASE + case.make))
        connection.commit()
        first = dump(engine.url)
        before = read(connection)
        connection.rollback()
        for case in cases:
            run(connection, case.sql(case.do))
        connection.commit()
        second = dump(engine.url)
        stuck = {case.word for case in cases if "stuck" in case.options}
        for word in sorted(stuck):
            run(connection, f"DROP SCHEMA {word} CASCADE")
        connection.commit()
        after = read(connection)
        reordered = set(stuck)
        found = []
        for wanted, same in ((without(before, stuck), True), (after, False)):
            restored(connection, wanted, same=same)
            connection.commit()
            differences = compare(wanted, read(connection))
            connection.rollback()
            reordered.update(*(WORDS.findall(one.fact.key) for one in differences))
            found.append(dump(engine.url))
    return Dumps(first, second, *found, reordered)


def without(snapshot: Snapshot, words: set[str]) -> Snapshot:
    facts = {
        one: fact
        for one, fact in snapshot.facts.items()
        if not words & set(WORDS.findall(f"{fact.key} {fact.name} {fact.details}"))
    }
    while True:
        orphans = [one for one, fact in facts.items() if fact.parent and fact.parent not in facts]
        if not orphans:
            break
        for orphan in orphans:
            del facts[orphan]
    needs = {one: others & facts.keys() for one, others in snapshot.needs.items() if one in facts}
    return Snapshot(facts, needs, frozenset(p for p in snapshot.automatic if facts.keys() >= {*p}))


@pytest.mark.parametrize("name", CASES)
def test_as_pg_dump_sees_it(name: str, dumps: Dumps, roles: int) -> None:
    case = CASES[name]
    if not case.fits(roles):
        pytest.skip("for another version of PostgreSQL")
    before, after = dumps.before[case.word], dumps.after[case.word]
    assert (before != after) is ("pg_dump" not in case.options)
    if case.word not in dumps.reordered and "alike" not in case.options:
        assert dumps.back[case.word] == before
        assert dumps.forth[case.word] == after


# Beside the cases ------------------------------------------------------------------------------


def test_neither_oids_nor_order_count(shared: Engine) -> None:
    ordered = """
    CREATE TABLE app.a (id integer PRIMARY KEY); CREATE TABLE app.b (id integer PRIMARY KEY);
    ALTER TABLE app.a ADD COLUMN b integer CONSTRAINT fk REFERENCES app.b;
    CREATE TYPE app.state AS ENUM ('x'); CREATE SEQUENCE app.s;
    CREATE INDEX i ON app.a (b); CREATE VIEW app.v AS SELECT id FROM app.b;
    GRANT SELECT ON app.a TO fp_reader; GRANT SELECT ON app.a TO fp_owner;
    CREATE POLICY p ON app.a TO fp_reader, fp_owner; COMMENT ON TABLE app.a IS 'a';
    CREATE FUNCTION app.g() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    ALTER TABLE app.a SET (fillfactor = 50, parallel_workers = 2);
    """
    parts = [part.strip() for part in ordered.split(";") if part.strip()]
    early = [part for part in parts if part.startswith(("CREATE TABLE", "CREATE FUNCTION"))]
    late = [part for part in parts if part not in early]
    late.remove("ALTER TABLE app.a SET (fillfactor = 50, parallel_workers = 2)")
    late.insert(0, "ALTER TABLE app.a SET (parallel_workers = 2, fillfactor = 50)")
    late.remove("CREATE INDEX i ON app.a (b)")
    other = [*reversed(early), *reversed(late), "CREATE INDEX i ON app.a (b)"]
    snapshots = []
    for statements in (parts, other):
        with shared.connect() as connection:
            run(connection, BASE)
            for statement in statements:
                run(connection, statement)
            snapshots.append(read(connection, prepared=True))
    assert compare(*snapshots) == ()


def test_every_catalog_is_on_the_page(shared: Engine) -> None:
    page = (Path(__file__).parents[1] / "docs" / "coverage.md").read_text()
    named = re.findall(r"^\| `(pg_\w+)` \| (restored|seen|left out) \|", page, flags=re.MULTILINE)
    with shared.connect() as connection:
        found = run(
            connection,
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'pg_catalog'::regnamespace",
        )
        catalogs = {name for (name,) in found}
    assert catalogs <= {name for name, _ in named}
    assert len(named) == len(dict(named))


def test_every_file_of_cases_is_on_the_page() -> None:
    page = (Path(__file__).parents[1] / "docs" / "coverage.md").read_text()
    assert all(f"`{path.stem}`" in page for path in DIRECTORY.glob("*.sql"))
