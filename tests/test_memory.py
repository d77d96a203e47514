"""Reading again what has changed says the same as reading everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback.catalog.facts.asking import Asking
from alembic_rollback.catalog.facts.memory import Memory
from alembic_rollback.catalog.facts.model import Id, Snapshot
from alembic_rollback.catalog.facts.reading import comparable, read
from alembic_rollback.catalog.facts.stamps import STAMPED, stamps, with_rows


@dataclass(frozen=True)
class Case:
    """What there is, and what is done to it, with search_path = one, two, public."""

    make: str
    do: str


BASE = "CREATE SCHEMA one; CREATE SCHEMA two; CREATE SCHEMA apart;"
# Between any two statements there are as many oids as share a bucket.
SPREAD = """
CREATE FUNCTION apart.spread() RETURNS event_trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM lo_creat(-1) FROM generate_series(1, 64); END';
CREATE EVENT TRIGGER spread ON ddl_command_end EXECUTE FUNCTION apart.spread();
"""
TABLE = "CREATE TABLE two.t (id integer PRIMARY KEY, a integer, b text);"
ODD = """CREATE TABLE two."ö,'\\"" {}" (id integer);"""
# It has a name from PostgreSQL 18 on.
NOT_NULL = """DO $$ BEGIN IF current_setting('server_version_num')::integer >= 180000 THEN
    COMMENT ON CONSTRAINT t_a_not_null ON two.t IS {}; END IF; END $$"""
VIEW = TABLE + "CREATE VIEW two.v AS SELECT id, a FROM two.t;"
FUNCTION = """
CREATE FUNCTION two.f(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE TABLE two.t (id integer DEFAULT two.f(1), CHECK (two.f(id) > 0));
CREATE VIEW two.v AS SELECT two.f(id), lower('A'::text) FROM two.t;
CREATE AGGREGATE two.total(integer) (SFUNC = int4pl, STYPE = integer, FINALFUNC = two.f);
"""
MOOD = """
CREATE TYPE two.mood AS ENUM ('sad', 'glad'); CREATE TYPE two.pair AS (m two.mood, n integer);
CREATE DOMAIN two.mine AS two.mood CHECK (VALUE <> 'sad');
CREATE TABLE two.t (p two.pair DEFAULT '(sad,1)', m two.mood DEFAULT 'sad', d two.mine,
    l two.mood[] DEFAULT '{sad,glad}');
CREATE VIEW two.v AS SELECT '(glad,2)'::two.pair AS p FROM two.t WHERE m = 'sad';
"""
JOINED = """
CREATE TABLE two.a (id integer PRIMARY KEY, x integer);
CREATE TABLE two.b (id integer PRIMARY KEY, y integer);
CREATE VIEW two.v AS SELECT * FROM two.a JOIN two.b USING (id);
CREATE FUNCTION two.rows() RETURNS SETOF two.a LANGUAGE sql AS 'SELECT * FROM two.a';
CREATE VIEW two.w AS SELECT r.*, b.y FROM two.rows() r JOIN two.b USING (id);
CREATE VIEW two.u AS SELECT id, x FROM two.v FULL JOIN two.w USING (id, x);
CREATE FUNCTION two.body() RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM two.a LEFT JOIN two.b USING (id); END;
ALTER TABLE two.b ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON two.b USING (EXISTS (SELECT FROM two.a x JOIN two.b y USING (id)));
CREATE MATERIALIZED VIEW two.m AS SELECT count(*) FROM two.v;
"""
PARTS = """
CREATE FUNCTION two.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE two.e (id bigint GENERATED ALWAYS AS IDENTITY, day date, note text)
    PARTITION BY LIST (day);
CREATE TABLE two.e1 PARTITION OF two.e DEFAULT;
CREATE INDEX i ON two.e (note); CREATE UNIQUE INDEX u ON two.e (day, id);
CREATE TRIGGER t BEFORE INSERT ON two.e FOR EACH ROW EXECUTE FUNCTION two.touch();
CREATE TABLE two.parent (a integer CHECK (a > 0)); CREATE TABLE two.child () INHERITS (two.parent);
"""
CASES = {
    "a table before another of its name": Case(VIEW, "CREATE TABLE one.t (x integer)"),
    "a table before another of its odd name": Case(
        ODD + """CREATE VIEW two.v AS SELECT 1 AS x FROM two."ö,'\\"" {}";""",
        """CREATE TABLE one."ö,'\\"" {}" ()""",
    ),
    "no table before another of its odd name": Case(
        ODD + """CREATE TABLE one."ö,'\\"" {}" ()""", """DROP TABLE one."ö,'\\"" {}" """
    ),
    "a view before a table": Case(VIEW, "CREATE VIEW one.t AS SELECT 1 AS x"),
    "an index before a table": Case(
        VIEW + "CREATE TABLE one.s (x integer)", "CREATE INDEX t ON one.s (x)"
    ),
    "no table before another": Case(VIEW + "CREATE TABLE one.t (x integer)", "DROP TABLE one.t"),
    "a temporary table before another": Case(VIEW, "CREATE TEMPORARY TABLE t (x integer)"),
    "no temporary table": Case(
        VIEW + "CREATE TEMPORARY TABLE t (x integer)", "DROP TABLE pg_temp.t"
    ),
    "a table moved away": Case(VIEW, "ALTER TABLE two.t SET SCHEMA apart"),
    "a table of a name that nobody looks for": Case(VIEW, "CREATE TABLE apart.t (x integer)"),
    "a table in the place of another": Case(TABLE, "DROP TABLE two.t; CREATE TABLE one.t (x text)"),
    "a sequence before another": Case(
        "CREATE TABLE two.t (id serial)", "CREATE SEQUENCE one.t_id_seq"
    ),
    "a function of the same name": Case(
        FUNCTION, "CREATE FUNCTION two.f(text) RETURNS text LANGUAGE sql AS 'SELECT $1'"
    ),
    "a function before another": Case(
        FUNCTION, "CREATE FUNCTION one.f(integer) RETURNS text LANGUAGE sql AS 'SELECT NULL'"
    ),
    "a function that fits better": Case(
        FUNCTION.replace("(a integer)", "(a bigint)").split("CREATE AGGREGATE")[0],
        "CREATE FUNCTION one.f(integer) RETURNS text LANGUAGE sql AS 'SELECT NULL'",
    ),
    "a function named as one that is built in": Case(
        FUNCTION, "CREATE FUNCTION two.lower(text) RETURNS text LANGUAGE sql AS 'SELECT NULL'"
    ),
    "a function less": Case(
        FUNCTION + "CREATE FUNCTION one.f(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "DROP FUNCTION one.f",
    ),
    "a function that is built in": Case(FUNCTION, "ALTER FUNCTION lower(text) RENAME TO lowered"),
    "another body": Case(
        FUNCTION,
        "CREATE OR REPLACE FUNCTION two.f(a integer) RETURNS integer LANGUAGE sql IMMUTABLE "
        "AS 'SELECT 2'",
    ),
    "a type before another": Case(MOOD, "CREATE TYPE one.mood AS ENUM ()"),
    "a table whose type comes before another": Case(MOOD, "CREATE TABLE one.mood (x integer)"),
    "a type named as one that is built in": Case(TABLE, "CREATE DOMAIN two.text AS integer"),
    "a label renamed": Case(MOOD, "ALTER TYPE two.mood RENAME VALUE 'sad' TO 'blue'"),
    "a label more": Case(MOOD, "ALTER TYPE two.mood ADD VALUE 'mad' BEFORE 'sad'"),
    "an attribute renamed": Case(MOOD, "ALTER TYPE two.pair RENAME ATTRIBUTE n TO o"),
    "a domain's check": Case(MOOD, "ALTER DOMAIN two.mine ADD CHECK (VALUE IS NOT NULL)"),
    "an operator before another": Case(
        """CREATE OPERATOR two.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
        CREATE VIEW two.v AS SELECT 1 OPERATOR(two.===) 2 AS x;""",
        "CREATE OPERATOR one.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)",
    ),
    "a collation before another": Case(
        'CREATE COLLATION two.c FROM "C"; CREATE TABLE two.t (a text COLLATE two.c)',
        'CREATE COLLATION one.c FROM "C"',
    ),
    "statistics before others": Case(
        TABLE + "CREATE STATISTICS two.s ON a, b FROM two.t",
        "CREATE TABLE one.s (a integer, b integer); CREATE STATISTICS one.s ON a, b FROM one.s",
    ),
    "a column more, which a join has twice": Case(JOINED, "ALTER TABLE two.b ADD COLUMN x integer"),
    "a column more, which a function returns": Case(
        JOINED, "ALTER TABLE two.a ADD COLUMN y integer"
    ),
    "a column less": Case(JOINED + "ALTER TABLE two.a ADD z text", "ALTER TABLE two.a DROP z"),
    "a column renamed": Case(JOINED, "ALTER TABLE two.a RENAME x TO y"),
    "a column that foreign keys refer to renamed": Case(
        TABLE + "CREATE TABLE one.r (t integer REFERENCES two.t)",
        "ALTER TABLE two.t RENAME id TO k",
    ),
    "a column that a join is by renamed": Case(JOINED, "ALTER TABLE two.b RENAME id TO x"),
    "a view's column more": Case(
        JOINED,
        "CREATE OR REPLACE VIEW two.w AS SELECT r.*, b.y, 1 AS z "
        "FROM two.rows() r JOIN two.b USING (id)",
    ),
    "a view's column renamed": Case(JOINED, "ALTER VIEW two.v RENAME x TO q"),
    "no key of a view's group": Case(
        TABLE + "CREATE VIEW two.v AS SELECT id, b FROM two.t GROUP BY id",
        "DROP VIEW two.v; ALTER TABLE two.t DROP CONSTRAINT t_pkey",
    ),
    "a parent's trigger disabled": Case(PARTS, "ALTER TABLE ONLY two.e DISABLE TRIGGER t"),
    "a partition's trigger disabled": Case(PARTS, "ALTER TABLE two.e1 DISABLE TRIGGER t"),
    "an identity's sequence": Case(PARTS, "ALTER TABLE two.e ALTER id SET INCREMENT 5"),
    "an identity's sequence renamed": Case(PARTS, "ALTER SEQUENCE two.e_id_seq RENAME TO s"),
    "an index of partitions less": Case(PARTS, "DROP INDEX two.i"),
    "an index's parameters": Case(PARTS, "ALTER INDEX two.e1_day_id_idx SET (fillfactor = 50)"),
    "a partition's index": Case(PARTS, "ALTER INDEX two.e1_note_idx SET (fillfactor = 50)"),
    "TOAST's parameters after a rewrite": Case(
        TABLE + "ALTER TABLE two.t ALTER a TYPE bigint",
        "ALTER TABLE two.t SET (toast.autovacuum_enabled = off)",
    ),
    "TOAST's parameters": Case(TABLE, "ALTER TABLE two.t SET (toast.autovacuum_enabled = off)"),
    "a partition detached": Case(PARTS, "ALTER TABLE two.e DETACH PARTITION two.e1"),
    "a child no more": Case(PARTS, "ALTER TABLE two.child NO INHERIT two.parent"),
    "a parent's column more": Case(PARTS, "ALTER TABLE two.parent ADD b integer DEFAULT 1"),
    "a constraint's comment": Case(
        TABLE, "COMMENT ON CONSTRAINT t_pkey ON two.t IS 'x'; COMMENT ON INDEX two.t_pkey IS 'y'"
    ),
    "a comment on a constraint's index": Case(
        TABLE + "COMMENT ON CONSTRAINT t_pkey ON two.t IS 'x'", "COMMENT ON INDEX two.t_pkey IS 'y'"
    ),
    "no comment on a constraint's index": Case(
        TABLE + "COMMENT ON TABLE two.t IS 'x'; COMMENT ON INDEX two.t_pkey IS 'y'",
        "COMMENT ON INDEX two.t_pkey IS NULL",
    ),
    "no comment on NOT NULL": Case(
        TABLE
        + "ALTER TABLE two.t ALTER a SET NOT NULL; COMMENT ON COLUMN two.t.a IS 'x';"
        + NOT_NULL.format("'y'"),
        NOT_NULL.format("NULL"),
    ),
    "a comment on NOT NULL": Case(
        TABLE + "ALTER TABLE two.t ALTER a SET NOT NULL; COMMENT ON COLUMN two.t.a IS 'x'",
        NOT_NULL.format("'y'"),
    ),
    "no comment on an identity's sequence": Case(
        PARTS + "COMMENT ON COLUMN two.e.day IS 'x'; COMMENT ON SEQUENCE two.e_id_seq IS 'y'",
        "COMMENT ON SEQUENCE two.e_id_seq IS NULL",
    ),
    "a constraint from an index": Case(
        TABLE + "CREATE UNIQUE INDEX u ON two.t (a); COMMENT ON INDEX two.u IS 'u';",
        "ALTER TABLE two.t ADD CONSTRAINT u UNIQUE USING INDEX u",
    ),
    "a sequence owned": Case(
        TABLE
        + "CREATE SEQUENCE two.s; COMMENT ON SEQUENCE two.s IS 's'; GRANT USAGE ON two.s TO PUBLIC",
        "ALTER SEQUENCE two.s OWNED BY two.t.a",
    ),
    "a role renamed": Case(
        TABLE + "CREATE ROLE memo; ALTER TABLE two.t OWNER TO memo; "
        "CREATE POLICY p ON two.t TO memo; GRANT SELECT ON two.t TO memo",
        "ALTER ROLE memo RENAME TO memory",
    ),
    "a column's statistics": Case(TABLE, "ALTER TABLE two.t ALTER a SET STATISTICS 5"),
    "a column's comment": Case(TABLE, "COMMENT ON COLUMN two.t.a IS 'x'"),
    "a column's default": Case(
        TABLE + "CREATE SEQUENCE two.s", "ALTER TABLE two.t ALTER a SET DEFAULT nextval('two.s')"
    ),
    "another query of a view": Case(
        VIEW + "CREATE TABLE two.u (id integer, a integer)",
        "CREATE OR REPLACE VIEW two.v AS SELECT id, a FROM two.u",
    ),
    "a constraint less": Case(
        TABLE + "ALTER TABLE two.t ADD CHECK (a > 0); CREATE TABLE two.u (id integer)",
        "ALTER TABLE two.t DROP CONSTRAINT t_a_check",
    ),
    "much at once": Case(
        TABLE + "".join(f"CREATE TABLE two.t{n} (a integer);" for n in range(20)),
        "".join(f"ALTER TABLE two.t{n} ADD b integer;" for n in range(20)),
    ),
    "another owner": Case(TABLE + "CREATE ROLE memo", "ALTER TABLE two.t OWNER TO memo"),
    "a schema renamed": Case(VIEW, "ALTER SCHEMA two RENAME TO three"),
    "a schema that comes first": Case(
        VIEW + "CREATE SCHEMA three; CREATE TABLE three.t ()",
        "ALTER SCHEMA one RENAME TO four; ALTER SCHEMA three RENAME TO one",
    ),
    "another role": Case(
        VIEW + "CREATE ROLE memo; GRANT USAGE ON SCHEMA one TO memo", "SET ROLE memo"
    ),
    "a schema that may be used": Case(
        VIEW + "CREATE ROLE memo; SET ROLE memo",
        "RESET ROLE; GRANT USAGE ON SCHEMA two TO memo; SET ROLE memo",
    ),
    "an extension": Case(TABLE, "CREATE EXTENSION citext SCHEMA one"),
    "an extension's table": Case(
        TABLE + "CREATE EXTENSION citext; CREATE VIEW two.v AS SELECT id FROM two.t",
        "ALTER EXTENSION citext ADD TABLE two.t",
    ),
    "an extension's table no more": Case(
        TABLE + "COMMENT ON CONSTRAINT t_pkey ON two.t IS 'x'; CREATE EXTENSION citext; "
        "ALTER EXTENSION citext ADD TABLE two.t",
        "ALTER EXTENSION citext DROP TABLE two.t",
    ),
    "a column of an extension's table": Case(
        TABLE + "CREATE EXTENSION citext; ALTER EXTENSION citext ADD TABLE two.t; "
        "CREATE VIEW one.v AS SELECT a FROM two.t",
        "ALTER TABLE two.t RENAME a TO c",
    ),
    "what needs an extension": Case(
        TABLE + "CREATE EXTENSION citext; CREATE FUNCTION two.f() RETURNS integer LANGUAGE sql "
        "AS 'SELECT 1'",
        "ALTER FUNCTION two.f() DEPENDS ON EXTENSION citext",
    ),
    "a server's options": Case(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; "
        "CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (a 'b')",
        "ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET a 'c')",
    ),
    "a publication's column less": Case(
        TABLE + "CREATE PUBLICATION p FOR TABLE two.t", "ALTER TABLE two.t RENAME b TO c"
    ),
    "how constants are printed": Case(
        r"CREATE TABLE two.t (a text DEFAULT 'a\b')", "SET standard_conforming_strings = off"
    ),
    "rows": Case(TABLE, "INSERT INTO two.t VALUES (1); TRUNCATE two.t"),
    "nothing": Case(VIEW, "ANALYZE two.t"),
}


def run(connection: Connection, sql: str) -> Any:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


@pytest.fixture(scope="module")
def shared(server_url: URL) -> Iterator[Engine]:
    """A database in which nothing is committed, for sessions that start with a search_path."""
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        run(connection, "CREATE DATABASE memory TEMPLATE template0")
    options = {"options": "-c search_path=one,two,public"}
    url = server_url.set(database="memory")
    yield create_engine(url, poolclass=NullPool, connect_args=options)
    with admin.connect() as connection:
        run(connection, "DROP DATABASE memory WITH (FORCE)")


@pytest.fixture(scope="module")
def session(shared: Engine) -> Iterator[Connection]:
    """One for all, which keeps its prepared queries."""
    with shared.connect() as connection:
        yield connection


def assert_same(one: Snapshot, other: Snapshot) -> None:
    """They say the same, in the same order."""
    assert one == other
    assert [*one.facts] == [*other.facts]


@pytest.mark.parametrize("name", CASES)
def test_the_same_with_and_without(name: str, session: Connection) -> None:
    case, memory = CASES[name], Memory()
    try:
        run(session, BASE + SPREAD + case.make)
        before = read(session, prepared=True, memory=memory)
        unchanged = session.begin_nested()
        run(session, case.do)
        assert_same(read(session, prepared=True, memory=memory), read(session, prepared=True))
        unchanged.rollback()
        assert read(session, prepared=True, memory=memory) is before
        # Once more: the slots of what was rolled back are free for other rows.
        run(session, case.do)
        assert_same(read(session, prepared=True, memory=memory), read(session, prepared=True))
    finally:
        session.rollback()


@pytest.mark.parametrize("prepared", [True, False])
def test_step_by_step(prepared: bool, shared: Engine) -> None:
    steps = [
        JOINED,
        "ALTER TABLE two.b ADD z integer; COMMENT ON COLUMN two.b.z IS 'z'",
        "CREATE TABLE two.c (id integer REFERENCES two.a, n serial)",
        "ALTER TABLE two.c ADD CHECK (id > 0); DROP VIEW two.u",
        "DROP TABLE two.c; CREATE TABLE two.c (a integer)",
        "CREATE INDEX ON two.c (a); GRANT SELECT ON two.c TO PUBLIC",
    ]
    memory = Memory()
    with shared.connect() as connection:
        run(connection, BASE)
        for step in steps:
            run(connection, step)
            edges = bool(len(step) % 2)
            now = read(connection, edges=edges, prepared=prepared, memory=memory)
            assert_same(now, read(connection, edges=edges, prepared=prepared))
            assert read(connection, edges=edges, prepared=prepared, memory=memory) is now


def test_what_another_session_commits(engine: Engine) -> None:
    memory = Memory()
    with engine.connect() as one, engine.connect() as other:
        run(one, "CREATE TABLE t (a integer)")
        one.commit()
        before = read(one, memory=memory)
        one.commit()
        run(other, "ALTER TABLE t ADD b integer")
        assert read(one, memory=memory) is before
        one.commit()
        other.commit()
        assert read(one, memory=memory) == read(one) != before
        one.commit()
        assert read(other, memory=memory) == read(other)


def test_another_database_has_nothing_in_common(shared: Engine, engine: Engine) -> None:
    memory = Memory()
    with shared.connect() as one, engine.connect() as other:
        found = read(one, memory=memory)
        assert read(other, memory=memory) is not found
        assert read(one, memory=memory) is found


def test_vacuum_moves_nothing(engine: Engine) -> None:
    memory = Memory()
    alone = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, alone:
        run(alone, "CREATE TABLE t (a integer); CREATE TABLE u (a integer)")
        before = read(connection, memory=memory)
        connection.rollback()
        run(alone, "VACUUM (FREEZE)")
        assert read(connection, memory=memory) is before
        connection.rollback()
        run(alone, "DROP TABLE t")
        run(alone, "VACUUM FULL pg_class")
        assert read(connection, memory=memory) == read(connection)


def test_xids_go_on(engine: Engine) -> None:
    memory = Memory()
    with engine.connect() as connection:
        run(connection, "CREATE TABLE t (a integer)")
        before = read(connection, memory=memory)
        connection.commit()
        for _ in range(3):
            run(connection, "SELECT pg_current_xact_id()")
            assert read(connection, memory=memory) is before
            connection.commit()
            assert read(connection, memory=memory) is before
            connection.commit()


def asked(connection: Connection, memory: Memory) -> list[str]:
    """The queries of one reading."""
    found: list[str] = []

    def note(conn: Any, cursor: Any, sql: str, *rest: Any) -> None:
        found.extend(re.findall(r'^EXECUTE "alembic_rollback ([^"]+)"', sql))

    event.listen(connection, "before_cursor_execute", note)
    try:
        read(connection, edges=False, prepared=True, memory=memory)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    return found


def test_what_is_asked(shared: Engine) -> None:
    memory = Memory()
    with shared.connect() as connection:
        run(connection, BASE + JOINED)
        assert "columns" in " ".join(asked(connection, memory))
        assert asked(connection, memory) == ["stamps"]
        changed = connection.begin_nested()
        run(connection, "ALTER TABLE two.b ADD z integer DEFAULT 1")
        queries = asked(connection, memory)
        assert "again" in queries
        assert not {"tables", "indexes", "constraints", "views", "routines"} & {*queries}
        changed.rollback()
        assert asked(connection, memory) == ["stamps"]


def assert_known(connection: Connection, memory: Memory) -> None:
    """What was just read with a memory is what there is, and so are the rows to compare with."""
    now = read(connection, edges=False, prepared=True, memory=memory)
    assert_same(now, read(connection, edges=False, prepared=True))
    with comparable(connection):
        asking = Asking(connection, prepared=False)
        found = stamps(asking)
        moment = memory.same(found)
        assert moment
        assert moment.stamps.rows == with_rows(asking, found).rows


def test_where_it_is_looked(shared: Engine) -> None:
    memory = Memory()
    with shared.connect() as connection:
        # Nothing at first, then one bucket after the other, of which the first is empty again.
        run(connection, BASE + SPREAD)
        read(connection, edges=False, prepared=True, memory=memory)
        for sql, elsewhere in (
            ("CREATE TABLE two.a (id integer)", False),
            ("CREATE TABLE two.b (id integer); CREATE TABLE two.c (id integer)", False),
            ("ALTER TABLE two.b ADD x integer", False),
            ("ALTER TABLE two.b ALTER x SET STATISTICS 5", True),
            ("DROP TABLE two.a", False),
            ("ALTER TABLE two.c ADD x integer; COMMENT ON COLUMN two.b.x IS 'x'", True),
        ):
            run(connection, sql)
            queries = asked(connection, memory)
            assert "again" in queries
            assert any(query.startswith("rows of") for query in queries) is elsewhere
            assert_known(connection, memory)


def test_two_objects_in_one_bucket(shared: Engine) -> None:
    memory = Memory()
    with shared.connect() as connection:
        run(connection, BASE + "CREATE SEQUENCE two.a; CREATE SEQUENCE two.b")
        read(connection, edges=False, prepared=True, memory=memory)
        run(connection, "DROP SEQUENCE two.a; ALTER SEQUENCE two.b INCREMENT 5")
        assert_known(connection, memory)


def test_the_first_object(engine: Engine) -> None:
    memory = Memory()
    with engine.connect() as connection:
        read(connection, edges=False, prepared=True, memory=memory)
        run(connection, "CREATE TABLE t (id integer)")
        assert asked(connection, memory)[-1] == "again"
        assert_known(connection, memory)


def test_oids_have_32_bits(engine: Engine) -> None:
    memory = Memory()
    with engine.connect() as connection:
        run(connection, "CREATE TABLE t ()")
        connection.commit()
        run(connection, "SET LOCAL allow_system_table_mods = on")
        for oid in (2**31 - 1, 2**31, 2**32 - 1):
            run(connection, f"UPDATE pg_class SET oid = {oid} WHERE relname = 't'")
            read(connection, edges=False, prepared=True, memory=memory)
            run(connection, f"COMMENT ON TABLE t IS '{oid}'")
            assert asked(connection, memory) == ["stamps", "rows again", "reached", "again"]
            assert_known(connection, memory)
            assert Id(1259, oid, 0, "comment") in read(connection, memory=memory).facts
            run(connection, "COMMENT ON TABLE t IS NULL")


def test_every_catalog_with_facts_is_stamped() -> None:
    page = (Path(__file__).parents[1] / "docs" / "coverage.md").read_text()
    read_ones = re.findall(r"^\| `(pg_\w+)` \| (?:restored|seen) \|", page, flags=re.MULTILINE)
    assert {*read_ones} <= STAMPED


def test_a_query_may_be_asked_twice(engine: Engine) -> None:
    with engine.connect() as connection:
        asking = Asking(connection, prepared=True)
        found = [asking.rows("one", "SELECT 1 = ANY ($1)", [[1]], ["int[]"]) for _ in range(2)]
        assert [list(rows[0]) for rows in found] == [[True], [True]]
        assert Asking(connection, prepared=True).rows("one", "", [[2]], ["int[]"])[0][0] is False
