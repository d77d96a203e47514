"""Rows for every table: types, constraints, foreign keys, partitions, triggers."""

from __future__ import annotations

import os
import random
import time

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from alembic_rollback.seeding import Seeded, seed
from alembic_rollback.seeding.conditions import conditions
from alembic_rollback.seeding.order import together
from alembic_rollback.seeding.patterns import samples
from tests.random_schema import RandomSchema

SCHEMAS = int(os.environ.get("ALEMBIC_ROLLBACK_SEEDED_SCHEMAS", "60"))

TYPES = """
smallint, int, bigint, numeric, numeric(5,2), numeric(2,2), numeric(3,-2), real, float8, money, oid,
text, varchar(2), char(4), varchar, name, "char", char, bool, date, time, timetz, timestamp,
timestamptz(0), interval, uuid, json, jsonb, bytea, jsonpath, inet, cidr, macaddr, macaddr8, bit(3),
varbit, varbit(4), bit, int[], text[][], mood[], positive[], pair[], int4range, int8range, numrange,
tsrange, tstzrange, daterange, floats, int4multirange, datemultirange, tstzmultirange, point, line,
lseg, box, path, polygon, circle, tsvector, tsquery, mood, pair, positive, address, regclass,
regtype, regproc, regprocedure, regoper, regoperator, regrole, regconfig, regdictionary,
regnamespace, regcollation, pg_lsn, pg_snapshot, txid_snapshot, xid, xid8, cid, tid, refcursor,
int2vector, oidvector
"""
OWN_TYPES = r"""
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN address AS text CHECK (VALUE ~ '^[^@]+@[^@]+\.[^@]+$');
"""


@pytest.fixture
def db(engine: Engine):
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def run(db: Connection, sql: str) -> None:
    db.exec_driver_sql(sql, execution_options={"no_parameters": True})


def rows(db: Connection, sql: str) -> list[tuple]:
    found = db.exec_driver_sql(sql, execution_options={"no_parameters": True})
    return [tuple(row) for row in found]


def seeded(db: Connection, sql: str, count: int = 3, **more) -> Seeded:
    run(db, sql)
    return seed(db, count, **more)


def full(found: Seeded, *tables: str, count: int = 3) -> None:
    assert {one: found.rows["public", one] for one in tables} == dict.fromkeys(tables, count)
    assert not {one for one in found.unseeded if one[0][1] in tables}


def types() -> list[str]:
    joined = TYPES.replace("\n", " ").replace("(5,2)", "(5;2)").replace("(2,2)", "(2;2)")
    joined = joined.replace("(3,-2)", "(3;-2)")
    return [one.strip().replace(";", ",") for one in joined.split(",")]


def test_every_type_has_different_values_and_a_null(db):
    listed = types()
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(listed))
    found = seeded(db, f"{OWN_TYPES} CREATE TABLE t (id serial PRIMARY KEY, {columns})")
    full(found, "t")
    few = {"bool", "bit", "mood[]", "mood"} | {one for one in listed if one.startswith("reg")}
    for number, kind in enumerate(listed):
        sql = f"SELECT count(DISTINCT c{number}::text), count(c{number}) FROM t"
        assert rows(db, sql) == [(2, 2)], kind
    assert few  # with more rows these repeat
    found = seed(db, 12)
    full(found, "t", count=12)


@pytest.mark.parametrize("extension", ["citext", "hstore", "ltree", "cube", "seg", "vector(3)"])
def test_types_of_extensions(db, extension):
    name = extension.partition("(")[0]
    if not rows(db, f"SELECT 1 FROM pg_available_extensions WHERE name = '{name}'"):
        pytest.skip("not on this server")
    found = seeded(db, f"CREATE EXTENSION {name}; CREATE TABLE t (id serial, v {extension})")
    full(found, "t")
    assert rows(db, "SELECT count(DISTINCT v::text) FROM t") == [(2,)]


def test_a_type_that_the_server_does_not_read_is_left_null(db):
    found = seeded(db, "CREATE TABLE t (id int NOT NULL, v xml)")
    full(found, "t")
    assert rows(db, "SELECT count(DISTINCT id) FROM t") == [(3,)]


CHECKS = {
    "in": "v varchar(9) NOT NULL CHECK (v IN ('new', 'paid', 'done'))",
    "any": "v text NOT NULL CHECK (v = ANY ('{a,b}'::text[]) OR v = 'c')",
    "greater": "v numeric(9,2) NOT NULL CHECK (v > 1000.5)",
    "negative": "v int NOT NULL CHECK (v < -5)",
    "between": "v numeric NOT NULL CHECK (v BETWEEN 0 AND 1)",
    "modulo": "v int NOT NULL CHECK (v % 7 = 3)",
    "length": "v text NOT NULL UNIQUE CHECK (length(v) = 5)",
    "char_length": "v varchar(40) NOT NULL CHECK (char_length(v) >= 30)",
    "pattern": "v text NOT NULL UNIQUE CHECK (v ~ '^[A-Z]{2}-[[:digit:]]{3,5}$')",
    "mail": r"v text NOT NULL CHECK (v ~* '^[A-Z0-9._%+-]+@[A-Z0-9.-]+\.[A-Z]{2,}$')",
    "like": "v text NOT NULL UNIQUE CHECK (v LIKE 'SKU-%')",
    "lower": "v text NOT NULL CHECK (v = lower(v) AND v <> '' AND v NOT LIKE '% %')",
    "date": "v date NOT NULL CHECK (v >= '2026-02-28' AND v < '2026-03-05')",
    "time": "v time NOT NULL CHECK (v >= '09:00' AND v < '17:30'), w timetz CHECK (w > '08:00Z')",
    "hour range": "v timestamp NOT NULL CHECK (v > '2026-01-01 10:00' AND v < '2026-01-01 11:00')",
    "future": "v timestamptz NOT NULL CHECK (v > now())",
    "two dates": "v date NOT NULL, w date NOT NULL, CHECK (w > v)",
    "one of two": "v int, w int, CHECK (num_nonnulls(v, w) = 1)",
    "dependent": "v text NOT NULL, w int, CHECK ((v = 'a' AND w > 90) OR (v = 'b' AND w IS NULL))",
    "array": "v text[] NOT NULL CHECK (cardinality(v) >= 2)",
    "object": "v jsonb NOT NULL CHECK (jsonb_typeof(v) = 'object' AND v ? 'kind')",
    "generated": "v int NOT NULL, w int GENERATED ALWAYS AS (v * 2) STORED CHECK (w > 100)",
    "always true": "v bool NOT NULL CHECK (v)",
    "function": "v text NOT NULL CHECK (my_check(v))",
    "null only": "v int CHECK (v IS NULL)",
    "odd names": '"V x%:y" int NOT NULL CHECK ("V x%:y" > 50), "a""b" text UNIQUE',
    "of a domain": "v positive NOT NULL CHECK (v > 1000)",
    "raises": "v int NOT NULL, w int NOT NULL, CHECK (10 / (v - 2) > 0)",
}


@pytest.mark.parametrize("name", CHECKS)
def test_checks_are_satisfied(db, name):
    run(
        db,
        "CREATE FUNCTION my_check(text) RETURNS bool LANGUAGE sql IMMUTABLE AS "
        "$$ SELECT length($1) < 100 $$; CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    )
    full(seeded(db, f"CREATE TABLE t (id int PRIMARY KEY, {CHECKS[name]})"), "t")


def test_domains(db):
    found = seeded(
        db,
        """
        CREATE DOMAIN code AS varchar(5) NOT NULL CHECK (VALUE ~ '^[A-Z]+$' AND length(VALUE) > 2);
        CREATE DOMAIN level AS int CHECK (VALUE BETWEEN 40 AND 60);
        CREATE DOMAIN upper_level AS level CHECK (VALUE > 50) CHECK (VALUE IS NOT NULL);
        CREATE TABLE t (id code PRIMARY KEY, l level, u upper_level, many level[]);
        """,
    )
    full(found, "t")
    assert rows(db, "SELECT count(u), count(l) FROM t") == [(3, 2)]


def test_defaults_identities_and_generated_columns_are_left_to_the_server(db):
    found = seeded(
        db,
        """
        CREATE SEQUENCE s START 500;
        CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY (START 100), b serial,
            c int DEFAULT nextval('s'), d int GENERATED ALWAYS AS (b + 1) STORED,
            e int GENERATED BY DEFAULT AS IDENTITY, f int DEFAULT 7);
        CREATE TABLE only_id (id serial);
        CREATE TABLE nothing ();
        """,
    )
    full(found, "t", "only_id", "nothing")
    assert rows(db, "SELECT a, b, c, d, e FROM t ORDER BY a") == [
        (100, 1, 500, 2, 1),
        (101, 2, 501, 3, 2),
        (102, 3, 502, 4, 3),
    ]


def test_foreign_keys(db):
    found = seeded(
        db,
        """
        CREATE TABLE lines (order_id int NOT NULL, product text NOT NULL, note text,
            PRIMARY KEY (order_id, product));
        CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer uuid);
        CREATE TABLE customers (id uuid PRIMARY KEY);
        CREATE TABLE products (code text PRIMARY KEY);
        CREATE TABLE details (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY REFERENCES orders,
            order_id int, product text,
            FOREIGN KEY (order_id, product) REFERENCES lines MATCH FULL);
        ALTER TABLE lines ADD FOREIGN KEY (order_id) REFERENCES orders,
            ADD FOREIGN KEY (product) REFERENCES products;
        ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers;
        """,
    )
    full(found, "lines", "orders", "customers", "products", "details")
    assert rows(db, "SELECT count(customer) FROM orders") == [(2,)]


def test_foreign_keys_that_share_a_column(db):
    found = seeded(
        db,
        """
        CREATE TABLE tenants (id int PRIMARY KEY);
        CREATE TABLE a (tenant int REFERENCES tenants, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE b (tenant int REFERENCES tenants, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE c (tenant int NOT NULL, a int NOT NULL, b int, CHECK (a > 0),
            FOREIGN KEY (tenant, a) REFERENCES a, FOREIGN KEY (tenant, b) REFERENCES b);
        """,
    )
    full(found, "tenants", "a", "b", "c")
    assert rows(db, "SELECT count(b) FROM c") == [(2,)]


@pytest.mark.parametrize(
    "columns",
    [
        "id serial PRIMARY KEY, up int REFERENCES t",
        "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, up int NOT NULL REFERENCES t",
        "id int PRIMARY KEY, up int NOT NULL REFERENCES t CHECK (up <> id)",
        "w int, id int, up int, PRIMARY KEY (w, id), FOREIGN KEY (w, up) REFERENCES t",
        "id uuid DEFAULT gen_random_uuid() PRIMARY KEY, up uuid UNIQUE REFERENCES t",
    ],
)
def test_tables_that_refer_to_themselves(db, columns):
    full(seeded(db, f"CREATE TABLE t ({columns})"), "t")
    looped = "SELECT count(*) FROM t WHERE up = id"
    if "NOT NULL" not in columns:
        assert rows(db, "SELECT count(up) FROM t") == [(2,)]
        if "w int" not in columns:
            assert rows(db, looped) == [(0,)]


@pytest.mark.parametrize("null", ["", "NOT NULL"])
@pytest.mark.parametrize("deferrable", ["", "DEFERRABLE INITIALLY DEFERRED"])
def test_tables_that_refer_to_each_other(db, null, deferrable):
    found = seeded(
        db,
        f"""
        CREATE TABLE a (id serial PRIMARY KEY, other int {null});
        CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, next int {null});
        CREATE TABLE c (id text PRIMARY KEY, a int {null} REFERENCES a {deferrable});
        ALTER TABLE a ADD FOREIGN KEY (other) REFERENCES b {deferrable};
        ALTER TABLE b ADD FOREIGN KEY (next) REFERENCES a {deferrable};
        CREATE TABLE after (b int NOT NULL REFERENCES b);
        """,
    )
    full(found, "a", "b", "c", "after")
    assert rows(db, "SELECT count(other) FROM a") == [(3 if null else 2,)]
    db.commit()


def test_a_cycle_that_cannot_be_closed_at_once_gets_nulls(db):
    found = seeded(
        db,
        """
        CREATE TABLE a (id int GENERATED ALWAYS AS (7) STORED UNIQUE, other int);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a (id));
        ALTER TABLE a ADD FOREIGN KEY (other) REFERENCES b;
        """,
    )
    assert found.rows["public", "a"] == 1
    assert found.rows["public", "b"] == 3


def test_partitions(db):
    found = seeded(
        db,
        """
        CREATE TABLE p (id int, r text, d date, PRIMARY KEY (id, r, d)) PARTITION BY LIST (r);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a', 'b') PARTITION BY RANGE (id, d);
        CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (1, '2020-01-01') TO (10, MAXVALUE);
        CREATE TABLE p2 PARTITION OF p DEFAULT;
        CREATE TABLE of_p (i int NOT NULL, r text, d date, FOREIGN KEY (i, r, d) REFERENCES p);
        CREATE TABLE h (id bigserial PRIMARY KEY) PARTITION BY HASH (id);
        CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE h2 PARTITION OF h FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        CREATE TABLE t (id bigserial, at timestamptz) PARTITION BY RANGE (at);
        CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE t0 PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
        CREATE TABLE e (lower_name text) PARTITION BY LIST (lower(lower_name));
        CREATE TABLE e1 PARTITION OF e FOR VALUES IN ('x', NULL);
        CREATE TABLE none (id int) PARTITION BY RANGE (id);
        """,
    )
    full(found, "p11", "p2", "of_p", "h0", "h2", "t1", "t0", "e1")
    full(found, "p", "h", "t", count=6)
    assert found.unseeded == ((("public", "none"), "it has no partition that holds rows"),)


def test_children_have_rows_of_their_own(db):
    found = seeded(
        db,
        """
        CREATE TABLE base (id int PRIMARY KEY, CHECK (id > 10));
        CREATE TABLE child (extra text NOT NULL) INHERITS (base);
        CREATE TABLE of_base (base int NOT NULL REFERENCES base);
        """,
    )
    full(found, "base", "child", "of_base")
    assert rows(db, "SELECT count(*) FROM base") == [(6,)]


def test_rows_that_are_there_stay_and_count(db):
    found = seeded(
        db,
        """
        CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE);
        INSERT INTO t VALUES (1, 'row 2'), (3, 'x');
        CREATE TABLE enough (id int PRIMARY KEY);
        INSERT INTO enough SELECT generate_series(1, 5);
        CREATE TABLE child (id int PRIMARY KEY REFERENCES enough);
        INSERT INTO child VALUES (1);
        """,
    )
    full(found, "t", "child")
    assert found.rows["public", "enough"] == 5
    assert rows(db, "SELECT * FROM t WHERE id IN (1, 3) ORDER BY 1") == [(1, "row 2"), (3, "x")]


def test_triggers_and_rules_that_refuse_are_disabled_and_as_they_were_again(db):
    run(
        db,
        """
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TABLE a (id int);
        CREATE TRIGGER one BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION no();
        CREATE TRIGGER two BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION no();
        CREATE TRIGGER "Three" BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION no();
        CREATE TRIGGER four BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION no();
        ALTER TABLE a ENABLE ALWAYS TRIGGER two, ENABLE REPLICA TRIGGER "Three",
            DISABLE TRIGGER four;
        CREATE TABLE b (id int);
        CREATE TRIGGER one BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TABLE c (id int);
        CREATE RULE r AS ON INSERT TO c DO INSTEAD NOTHING;
        CREATE TABLE d (id int);
        CREATE TRIGGER one BEFORE INSERT ON d FOR EACH STATEMENT EXECUTE FUNCTION nothing();
        """,
    )
    states = (
        "SELECT tgrelid::text, tgname, tgenabled::text FROM pg_trigger UNION ALL "
        "SELECT ev_class::text, rulename, ev_enabled::text FROM pg_rewrite ORDER BY 1, 2"
    )
    before = rows(db, states)
    found = seed(db)
    full(found, "a", "b", "c", "d")
    assert set(found.quieted) == {("public", "a"), ("public", "b"), ("public", "c")}
    assert rows(db, states) == before


def test_what_cannot_be_seeded_is_reported(db):
    found = seeded(
        db,
        """
        CREATE TABLE never (id int NOT NULL CHECK (id > 5 AND id < 3));
        CREATE TABLE child (id int PRIMARY KEY, never int NOT NULL);
        ALTER TABLE never ADD UNIQUE (id);
        ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (never) REFERENCES never (id);
        CREATE TABLE fine (id int);
        CREATE TABLE flags (flag bool PRIMARY KEY);
        """,
    )
    reasons = {name: reason for (_, name), reason in found.unseeded}
    assert reasons == {
        "never": 'new row for relation "never" violates check constraint "never_id_check"',
        "child": "foreign key k: public.never has no rows",
    }
    full(found, "fine")
    assert found.rows["public", "flags"] == 2


def test_only_some_tables_and_none_of_others(db):
    run(db, "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE SCHEMA s")
    run(db, "CREATE TABLE s.p (id int) PARTITION BY HASH (id); CREATE TEMP TABLE x (id int)")
    run(db, "CREATE TABLE s.q PARTITION OF s.p FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    (oid,) = rows(db, "SELECT CAST('s.p' AS regclass)::oid")[0]
    assert dict(seed(db, 2, [oid]).rows) == {("s", "p"): 2, ("s", "q"): 2}
    found = seed(db, 2, without=[("public", "a")])
    assert set(found.rows) == {("public", "b"), ("s", "p"), ("s", "q")}
    assert rows(db, "SELECT count(*) FROM a") == [(0,)]
    assert not seed(db, 0).unseeded


def test_a_constraint_that_is_violated_already_is_an_error(db):
    run(db, "CREATE TABLE a (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
    run(db, "INSERT INTO a VALUES (1), (1)")
    with pytest.raises(DBAPIError):
        seed(db)


def test_a_hundred_tables_take_well_under_a_second(db):
    for number in range(100):
        parent = f", up int NOT NULL REFERENCES t{number - 1}" if number else ""
        run(
            db,
            f"CREATE TABLE t{number} (id serial PRIMARY KEY, name text NOT NULL UNIQUE, "
            f"at timestamptz DEFAULT now(), n numeric CHECK (n > 0){parent})",
        )
    start = time.perf_counter()
    found = seed(db)
    took = time.perf_counter() - start
    assert set(found.rows.values()) == {3}
    assert took < 3  # a few tenths where nothing else runs


def test_random_schemas_get_rows(engine, record_property):
    tables = empty = 0
    with engine.connect() as connection:
        for number in range(1, SCHEMAS + 1):
            with connection.begin() as transaction:
                for sql in RandomSchema(random.Random(number)).create():
                    connection.execute(text(sql.replace(":", "\\:")))
                found = seed(connection)
                run(connection, "SET CONSTRAINTS ALL IMMEDIATE")
                tables += len(found.rows)
                empty += len(found.unseeded)
                assert len(found.unseeded) == sum(not rows for rows in found.rows.values())
                transaction.rollback()
    record_property("counts", f"{SCHEMAS} random schemas: {tables - empty} of {tables} tables")
    assert empty <= tables / 10


def test_conditions_are_split_at_and():
    first, second = conditions("((a > '-1'::integer) AND ((b)::text = 'x'::text))")
    assert (first.columns, first.constants) == ({"a"}, ("-1",))
    assert (second.columns, second.constants) == ({"b"}, ("x",))
    assert len(conditions("(a > 1) OR (b > 2)")) == 1
    assert conditions("this is (no expression") == ()


def test_order():
    needs = {1: {2}, 2: {3}, 3: {2}, 4: {1, 4}, 5: set()}
    found = together(needs)
    assert sorted(map(tuple, found)) == [(1,), (2, 3), (4,), (5,)]
    assert found.index([2, 3]) < found.index([1]) < found.index([4])
    chain = {number: {number + 1} for number in range(5000)} | {5000: set()}
    assert together(chain)[0] == [5000]


def test_patterns():
    assert samples("^[A-Z]{3}$", 2) == ["AAA", "BAA"]
    assert samples(r"^\d{2,}-(x|y)$", 11)[10].endswith("-y") or len(samples(r"^\d$", 3)) == 3
    assert samples("(?=x)^", 2) == []
    assert samples("no pattern", 2) == []
    assert samples("^[A-", 2) == []
