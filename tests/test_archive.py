"""rollback-db --archive and restore-db: every row comes back as it was, or nothing is touched."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy.exc import DBAPIError

from alembic_rollback import commands
from alembic_rollback.embedded import find_binaries
from alembic_rollback.errors import Blocked, NotApplied, RollbackError
from alembic_rollback.planning import Request
from tests.project import ENV, Project

WIDE = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'a b');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN more AS positive;
CREATE TYPE pair AS (x int, y text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE COLLATION other (provider = libc, locale = 'C');
CREATE TABLE "Wide Table" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number serial,
    "Quoted Name" text COLLATE other NOT NULL DEFAULT 'it''s',
    flag boolean, small smallint, big bigint, exact numeric(20, 6), single real, double float8,
    cash money, fixed char(5), limited varchar(20), internal "char", label name,
    raw bytea, day date, at time, at_zone timetz, moment timestamp, moment_zone timestamptz,
    duration interval, answer mood, answers mood[], positive positive, more more,
    together pair, all_together pair[], reach span, reaches int4range, many nummultirange,
    doc json, docb jsonb, path jsonpath, markup xml, id_of uuid, address inet, net cidr,
    mac macaddr, mac8 macaddr8, bits bit(5), more_bits bit varying, point point, line line,
    segment lseg, box box, way path, shape polygon, circle circle, words tsvector,
    question tsquery, lsn pg_lsn, snapshot pg_snapshot, relation regclass, numbers int[][],
    "when" timestamptz DEFAULT now(), doubled numeric GENERATED ALWAYS AS (exact * 2) STORED
);
CREATE INDEX ON "Wide Table" (lower("Quoted Name"));
CREATE VIEW wide_view AS SELECT id, answer FROM "Wide Table";
"""
ROW = """
INSERT INTO "Wide Table" VALUES (DEFAULT, DEFAULT, E'tab\\tnew\\nline\\\\', true, -32768,
    9223372036854775807, 12345678901234.567891, 1.1e-30, 'NaN', '12.34', 'ab', 'x', 'c', 'n',
    '\\x00ff', 'infinity', '24:00', '12:00:00.000001+14', '4713-01-01 BC',
    '2025-02-28 23:59:59.999999+00', '1 mon -2 days 00:00:00.5', 'a b', '{sad,NULL,"a b"}', 7, 8,
    '(1,"a,""b")', '{"(1,)"}', '[0.1,0.2)', 'empty', '{[1,2),(3,)}', '{"b": 1,  "a":1}',
    '{"a": [1, null]}', '$.a[*]', NULL, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64',
    '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'10101', B'1', '(0.1,1e300)',
    '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),1>',
    '''a'':1A', '''a'' & !''b''', '16/B374D848', '10:20:10,14', 'pg_class',
    '[0:1][1:2]={{1,2},{3,NULL}}', DEFAULT, DEFAULT);
INSERT INTO "Wide Table" ("Quoted Name") SELECT 'row ' || n FROM generate_series(1, 30) n;
"""
DOWN = """
DROP TABLE "Wide Table" CASCADE;
DROP TYPE span; DROP TYPE pair CASCADE; DROP DOMAIN more; DROP DOMAIN positive; DROP TYPE mood;
DROP COLLATION other;
"""


def archive(project: Project, *versions: str) -> Any:
    return commands.rollback(project.config, Request(versions=versions), archive=True)


def again(project: Project, *versions: str) -> Any:
    """Rolled back with the archive, applied again, put back."""
    archive(project, *versions)
    command.upgrade(project.config, "head")
    return commands.restore(project.config, *versions)


def rows(project: Project, table: str) -> list[Any]:
    return project.query(f"SELECT CAST(t AS text) FROM {table} t ORDER BY 1")


def test_every_type_comes_back_as_it_was(project: Project) -> None:
    project.pair("1_wide", WIDE, DOWN)
    command.upgrade(project.config, "head")
    project.execute(*(one for one in ROW.split(";\n") if one.strip()))
    before = rows(project, '"Wide Table"')
    (restored,) = again(project, "1")
    assert [one.rows for one in restored.restored] == [31]
    assert rows(project, '"Wide Table"') == before
    project.execute('INSERT INTO "Wide Table" DEFAULT VALUES')
    assert project.query('SELECT max(id), max(number) FROM "Wide Table"') == [(32, 32)]


def test_xml_comes_back_too(project: Project) -> None:
    try:
        project.query("SELECT xmlparse(CONTENT 'a')")
    except DBAPIError as error:
        pytest.skip(f"this server is built without libxml: {error.orig}")
    up = "CREATE TABLE pages (id int PRIMARY KEY, page xml, pages xml[]);"
    project.pair("1_pages", up, "DROP TABLE pages;")
    command.upgrade(project.config, "head")
    page = "<a b=''1''>&amp; <!-- c --></a>"
    project.execute(f"INSERT INTO pages VALUES (1, '{page}', ARRAY[NULL, '<x/>'::xml])")
    before = rows(project, "pages")
    again(project, "1")
    assert rows(project, "pages") == before


def test_what_hangs_on_a_table_goes_and_what_the_down_drops_afterwards_can(
    project: Project,
) -> None:
    project.pair(
        "1_orders",
        "CREATE TABLE customers (id int PRIMARY KEY);\n"
        "CREATE SEQUENCE numbers;\n"
        "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN new.touched := 'now'; RETURN new; END $$;\n"
        "CREATE FUNCTION fine(int) RETURNS bool IMMUTABLE LANGUAGE sql RETURN $1 > 0;\n"
        "CREATE TABLE orders (id int PRIMARY KEY DEFAULT nextval('numbers') CHECK (fine(id)), "
        "customer int REFERENCES customers, parent int REFERENCES orders, touched timestamptz);\n"
        "CREATE TRIGGER touching BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touched();\n"
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;\n"
        "CREATE POLICY few ON orders USING (fine(id));\n"
        "CREATE STATISTICS both_of ON id, customer FROM orders;\n"
        "CREATE TABLE lines (id int PRIMARY KEY, of_order int REFERENCES orders);\n"
        "CREATE VIEW totals AS SELECT count(*) FROM orders;\n",
        "DROP POLICY few ON orders;\n"
        "DROP TABLE orders CASCADE;\n"
        "ALTER TABLE IF EXISTS orders DISABLE ROW LEVEL SECURITY;\n"
        "DROP INDEX IF EXISTS orders_pkey;\n"
        "DROP FUNCTION touched();\nDROP FUNCTION fine(int);\nDROP SEQUENCE numbers;\n"
        "DROP TABLE lines, customers;\n",
    )
    command.upgrade(project.config, "head")
    project.execute(
        "INSERT INTO customers VALUES (1)",
        "INSERT INTO orders (customer) SELECT 1 FROM generate_series(1, 3)",
        "UPDATE orders SET parent = 3 WHERE id = 1",
        "INSERT INTO lines VALUES (1, 1)",
    )
    tables = ("customers", "orders", "lines")
    before = [rows(project, table) for table in tables]
    again(project, "1")
    assert [rows(project, table) for table in tables] == before
    assert project.query("SELECT tgenabled FROM pg_trigger WHERE tgname = 'touching'") == [("O",)]
    assert project.query(
        "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'orders'::regclass"
    ) == [(True,)]
    assert project.query("SELECT bool_or(condeferrable) FROM pg_constraint") == [(False,)]


def test_partitions_and_children_come_back_where_they_were(project: Project) -> None:
    project.pair(
        "1_events",
        "CREATE TABLE events (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);\n"
        "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO "
        "('2026-01-01') PARTITION BY LIST (id);\n"
        "CREATE TABLE events_1_1 PARTITION OF events_1 FOR VALUES IN (1);\n"
        "CREATE TABLE events_2 PARTITION OF events DEFAULT;\n"
        "CREATE TABLE parents (id int);\nCREATE TABLE children (more text) INHERITS (parents);\n",
        "DROP TABLE events;\nDROP TABLE parents CASCADE;\n",
    )
    command.upgrade(project.config, "head")
    project.execute(
        "INSERT INTO events VALUES (1, '2025-05-05'), (2, '2026-05-05')",
        "INSERT INTO parents VALUES (1)",
        "INSERT INTO children VALUES (2, 'two')",
    )
    before = project.query("SELECT tableoid::regclass::text, id FROM events ORDER BY id")
    again(project, "1")
    assert project.query("SELECT tableoid::regclass::text, id FROM events ORDER BY id") == before
    assert project.query("SELECT id FROM ONLY parents") == [(1,)]
    assert project.query("SELECT id, more FROM children") == [(2, "two")]


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ("ALTER TABLE t DROP COLUMN c", "ALTER TABLE t ADD COLUMN c text DEFAULT 'none'"),
        ("DROP TYPE kind CASCADE", "CREATE TYPE kind AS ENUM ('a', 'b');\n"
         "ALTER TABLE t ADD COLUMN c kind"),
        ("ALTER TABLE t ALTER COLUMN c TYPE varchar(1) USING left(c, 1)",
         "ALTER TABLE t ADD COLUMN IF NOT EXISTS c text;\nALTER TABLE t ALTER COLUMN c TYPE text"),
        ("UPDATE t SET c = NULL WHERE id < 3", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c text"),
        ("DELETE FROM t WHERE id = 2", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c text"),
        ("TRUNCATE t CASCADE", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c text"),
    ],
)  # fmt: skip
def test_values_and_rows_of_tables_that_stay(project: Project, down: str, up: str) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE t (id int PRIMARY KEY, d int GENERATED ALWAYS AS (id * 2) STORED);\n"
        "CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE);\n"
        "CREATE TABLE v (id int PRIMARY KEY, t int REFERENCES t ON DELETE SET NULL);\n",
        "DROP TABLE v, u, t;\n",
    )
    project.pair("2_c", f"{up};\n", f"{down};\n")
    command.upgrade(project.config, "head")
    values = "'b', 'a', NULL" if "ENUM" in up else "'bcd', 'a', NULL"
    project.execute(
        f"INSERT INTO t (id, c) SELECT n, (ARRAY[{values}])[n]{'::kind' if 'ENUM' in up else ''} "
        "FROM generate_series(1, 3) n",
        "INSERT INTO u VALUES (1, 2), (2, 3)",
        "INSERT INTO v VALUES (1, 2)",
    )
    tables = ("t", "u", "v")
    before = [project.query(f"SELECT * FROM {table} ORDER BY id") for table in tables]
    again(project, "2")
    assert [project.query(f"SELECT * FROM {table} ORDER BY id") for table in tables] == before


def test_a_script_s_statements_are_kept_too(project: Project) -> None:
    project.script(
        "b1",
        None,
        "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))",
        "op.drop_table('t')",
    )
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1), (2)")
    again(project, "b1")
    assert project.query("SELECT id FROM t ORDER BY 1") == [(1,), (2,)]


def test_rows_that_came_meanwhile_are_never_overwritten(project: Project) -> None:
    project.pair("1_t", "CREATE TABLE t (id int PRIMARY KEY, c text);\n", "DROP TABLE t;\n")
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    archive(project, "1")
    with pytest.raises(NotApplied, match="1 is not applied"):
        commands.restore(project.config, "1")
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (2, 'new')")
    with pytest.raises(Blocked, match="duplicate key"):
        commands.restore(project.config, "1")
    assert project.query("SELECT * FROM t") == [(2, "new")]
    (found,) = commands.restore(project.config, "1", keep=True)
    assert [(one.rows, one.kept) for one in found.restored] == [(1, 1)]
    assert project.query("SELECT * FROM t ORDER BY id") == [(1, "old"), (2, "new")]
    with pytest.raises(RollbackError, match="Nothing of 1 is in the archive"):
        commands.restore(project.config, "1")


SAMPLE = Path(__file__).parent.parent / "sample_project" / "migrations" / "versions"


def dump(project: Project) -> list[str]:
    """Everything that pg_dump writes, but for the ledger, the archive, and what is random."""
    options = ["--exclude-schema=rollback_archive", "--exclude-table=schema_migrations*"]
    url = project.url.set(drivername="postgresql").render_as_string(hide_password=False)
    said = subprocess.run(
        [str(find_binaries() / "pg_dump"), "--inserts", *options, url],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(line for line in said.stdout.splitlines() if not line.startswith("\\"))


@pytest.mark.skipif(not (find_binaries() / "pg_dump").exists(), reason="there is no pg_dump")
def test_the_sample_is_as_it_was_by_pg_dump(project: Project) -> None:
    for path in SAMPLE.iterdir():
        if path.is_file():
            shutil.copy(path, project.versions)
    command.upgrade(project.config, "head")
    project.execute(
        "INSERT INTO purchase_orders (tenant_id, order_number, supplier) SELECT "
        "gen_random_uuid(), 'PO ' || n, 'one' FROM generate_series(1, 150) n",
        "INSERT INTO po_items (tenant_id, purchase_order_id, sku, quantity, unit_price) "
        "SELECT tenant_id, id, 'sku', 1, 2 FROM purchase_orders LIMIT 40",
    )
    before = dump(project)
    again(project, "20260112_001")
    after = dump(project)
    assert [set(before) - set(after), set(after) - set(before)] == [set(), set()]
    assert after == before


def test_all_of_it_at_the_command_line(project: Project) -> None:
    project.pair("1_t", "CREATE TABLE t (id int PRIMARY KEY, c text);\n", "DROP TABLE t;\n")
    project.pair("2_u", "CREATE TABLE u (t int REFERENCES t);\n", "DROP TABLE u;\n")
    project.alembic("upgrade", "head")
    project.execute("INSERT INTO t VALUES (1, 'one')", "INSERT INTO u VALUES (1)")
    shown = project.alembic("rollback-db", "--all", "--archive", "--dry-run").out
    assert "kept in the schema rollback_archive" in shown
    assert "DESTRUCTIVE" not in shown
    said = project.alembic("rollback-db", "--all", "--archive", "--yes", "--json")
    found = json.loads(said.out)["databases"][0]
    assert found["archive"] == "rollback_archive"
    assert [one["version"] for one in found["kept"]] == ["2", "1"]
    status = project.alembic("migration-status").out
    assert "`alembic restore-db 1` puts it back, once it is applied again." in status
    listed = project.alembic("restore-db", "--list").out.splitlines()
    assert [line.partition(",")[0] for line in listed] == [
        "2: table public.u",
        "1: table public.t",
    ]
    refused = project.alembic("restore-db", "1", code=1).err
    assert "`alembic upgrade 1`" in refused
    project.alembic("upgrade", "head")
    refused = project.alembic("restore-db", "2", code=3).err
    assert "Key (t)=(1) is not present in table" in refused
    assert "Would put back" in project.alembic("restore-db", "2", "1", "--dry-run").out
    assert "Restored 1 row of public.u" in project.alembic("restore-db", "2", "1").out
    assert project.query("SELECT * FROM t, u") == [(1, "one", 1)]
    assert "archived" not in project.alembic("migration-status").out
    project.alembic("restore-db", "--drop-older-than", "0s", code=4)
    assert "nothing that old" in project.alembic("restore-db", "--drop-older-than", "1d", "-y").out
    project.alembic("restore-db", "--drop-older-than", "0s", "--yes")
    assert (
        json.loads(project.alembic("restore-db", "--list", "--json").out)["databases"][0]["items"]
        == []
    )
    assert project.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'rollback_archive'::regnamespace "
        "AND relkind = 'r'"
    ) == [("archived",)]
    for wrong in ([], ["1", "--list"], ["--drop-older-than", "soon"], ["9"]):
        project.alembic("restore-db", *wrong, code=2)


def test_into_another_table(project: Project) -> None:
    project.pair("1_t", "CREATE TABLE t (id int PRIMARY KEY, c text);\n", "DROP TABLE t;\n")
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1, 'one')")
    archive(project, "1")
    project.execute('CREATE TABLE "Rescued T" (c text, id bigint, more int)')
    for wrong, why in (("nowhere", "there is no table nowhere"), ("a.b.c.d", "no table a.b.c.d")):
        with pytest.raises(Blocked, match=why):
            commands.restore(project.config, "1", into=wrong)
    commands.restore(project.config, "1", into='public."Rescued T"')
    assert project.query('SELECT id, c, more FROM "Rescued T"') == [(1, "one", None)]


@pytest.mark.parametrize(
    ("up", "why"),
    [
        ("CREATE TABLE t (id int PRIMARY KEY)", "public.t has no column c"),
        (
            "CREATE TABLE t (id int PRIMARY KEY, c text, d int NOT NULL)",
            "public.t.d must not be null, and there are no values for it",
        ),
        ("CREATE TABLE t (id int PRIMARY KEY, c int)", "invalid input syntax for type integer"),
        ("CREATE TABLE t (id int PRIMARY KEY, c text CHECK (c <> 'one'))", "violates check"),
        ("CREATE VIEW t AS SELECT 1 AS id", "there is no table public.t"),
    ],
)
def test_what_does_not_fit_is_refused_whole(project: Project, up: str, why: str) -> None:
    first = "CREATE TABLE t (id int PRIMARY KEY, c text);\n"
    path = project.pair("1_t", first, "DROP TABLE t;\n")
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
    archive(project, "1")
    path.write_text(f"{up};\n")
    command.upgrade(project.config, "head")
    with pytest.raises(Blocked, match=why):
        commands.restore(project.config, "1")
    assert ("2", "two") not in project.query("SELECT * FROM t")
    assert len(commands.archived(project.config)[0].items) == 1


def test_a_rollback_that_fails_leaves_table_and_archive_alone(project: Project) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE t (id int PRIMARY KEY);\n",
        "DROP TABLE t;\nSELECT 1 / 0;\n",
    )
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(RollbackError, match="division by zero"):
        archive(project, "1")
    assert project.query("SELECT * FROM t") == [(1,)]
    assert project.query("SELECT to_regnamespace('rollback_archive')") == [(None,)]


def test_the_setting_keeps_what_a_downgrade_takes(project: Project) -> None:
    project.write_ini("archive = always\narchive_schema = our_archive")
    project.pair("1_t", "CREATE TABLE t (id int PRIMARY KEY);\n", "DROP TABLE t;\n")
    project.alembic("upgrade", "head")
    project.execute("INSERT INTO t VALUES (1)")
    project.alembic("downgrade", "base", "--yes")
    assert project.query('SELECT * FROM our_archive."1_t"') == [(1,)]


def test_autogenerate_does_not_see_it(project: Project) -> None:
    project.pair("1_t", "CREATE TABLE t (id serial PRIMARY KEY);\n", "DROP TABLE t;\n")
    text = (project.root / "migrations" / "env.py").read_text()
    given = "target_metadata=METADATA, include_schemas=True, **OPTIONS"
    model = "Table('t', METADATA, Column('id', Integer, primary_key=True))"
    head = f"from sqlalchemy import *\nMETADATA = MetaData()\n{model}\n"
    project.write_env(head + text.replace("**OPTIONS", given))
    project.alembic("upgrade", "head")
    project.execute("INSERT INTO t VALUES (1)")
    project.alembic("rollback-db", "1", "--archive", "--yes")
    project.alembic("upgrade", "head")
    assert "No new upgrade operations" in project.alembic("check").text


def test_a_down_outside_a_transaction_keeps_too(project: Project) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE t (id int PRIMARY KEY, c text);\nCREATE INDEX CONCURRENTLY i ON t (c);\n",
        "DROP INDEX CONCURRENTLY i;\nDELETE FROM t WHERE id = 1;\nDROP TABLE t;\n",
    )
    project.alembic("upgrade", "head")
    project.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
    project.alembic("rollback-db", "1", "--archive", "--yes")
    project.alembic("upgrade", "head")
    project.alembic("restore-db", "1")
    assert project.query("SELECT * FROM t ORDER BY id") == [(1, "one"), (2, "two")]


def test_a_role_that_may_not_make_the_archive(project: Project) -> None:
    role = f"weak_{project.url.database}"
    project.pair("1_t", "CREATE TABLE t (id int PRIMARY KEY);\n", "DROP TABLE t;\n")
    project.alembic("upgrade", "head")
    project.execute(
        "INSERT INTO t VALUES (1)",
        f"CREATE ROLE {role} LOGIN PASSWORD 'x'",
        f"ALTER TABLE t OWNER TO {role}",
        f"GRANT ALL ON alembic_version, schema_migrations, schema_migrations_log TO {role}",
        f"GRANT ALL ON SCHEMA public TO {role}",
    )
    url = project.url.set(username=role, password="x")
    project.write_env(ENV.format(url=url.render_as_string(hide_password=False), options="{}"))
    said = project.alembic("rollback-db", "1", "--archive", "--yes", code=3)
    assert f"GRANT CREATE ON DATABASE {project.url.database} TO {role}" in said.err
    assert "Traceback" not in said.text
    assert project.query("SELECT * FROM t") == [(1,)]
    project.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_tables_that_refer_to_each_other(project: Project) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE a (id int PRIMARY KEY, b int);\n"
        "CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);\n"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;\n",
        "DROP TABLE a, b;\n",
    )
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1, 1)", "UPDATE a SET b = 1")
    again(project, "1")
    assert project.query("SELECT a.id, b, b.id, a FROM a, b") == [(1, 1, 1, 1)]


def test_rolled_back_twice_the_last_one_comes_back(project: Project) -> None:
    project.pair("1_t", "CREATE TABLE t (id int PRIMARY KEY, c text);\n", "DROP TABLE t;\n")
    for word in ("first", "second"):
        command.upgrade(project.config, "head")
        project.execute(f"INSERT INTO t VALUES (1, '{word}')")
        archive(project, "1")
    command.upgrade(project.config, "head")
    commands.restore(project.config, "1")
    assert project.query("SELECT c FROM t") == [("second",)]
    with pytest.raises(Blocked, match="duplicate key"):  # then the one before it
        commands.restore(project.config, "1")


def test_parameters_of_a_driver_are_no_obstacle(project: Project) -> None:
    project.script(
        "b1",
        None,
        "op.execute('CREATE TABLE t (id int PRIMARY KEY, c text)')",
        "op.get_bind().execute(sa.text('DELETE FROM t WHERE id = :one'), {'one': 1})\n"
        "    op.execute(sa.text(\"UPDATE t SET c = NULL WHERE 'a%b' = :x\").bindparams(x='a%b'))\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('DROP TABLE t')",
    )
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1), (2)")
    again(project, "b1")
    assert project.query("SELECT id FROM t ORDER BY 1") == [(1,), (2,)]


def test_inheritance_keeps_each_row_in_its_table(project: Project) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE parents (id int PRIMARY KEY, c text);\n"
        "CREATE TABLE children (PRIMARY KEY (id), more text) INHERITS (parents);\n",
        "DROP TABLE children, parents;\n",
    )
    add = "ALTER TABLE parents ADD COLUMN IF NOT EXISTS c text;\n"
    project.pair("2_c", add, "ALTER TABLE parents DROP COLUMN c;\n")
    project.pair("3_e", "SELECT 1;\n", "TRUNCATE parents;\n")
    command.upgrade(project.config, "head")
    project.execute(
        "INSERT INTO parents VALUES (1, 'one')", "INSERT INTO children VALUES (1, 'other', 'm')"
    )
    before = [project.query(f"SELECT id, c FROM ONLY {t}") for t in ("parents", "children")]
    archive(project, "3")
    assert project.query("SELECT * FROM parents") == []
    command.upgrade(project.config, "head")
    commands.restore(project.config, "3")
    assert [project.query(f"SELECT id, c FROM ONLY {t}") for t in ("parents", "children")] == before
    again(project, "2")
    assert [project.query(f"SELECT id, c FROM ONLY {t}") for t in ("parents", "children")] == before


@pytest.mark.parametrize(
    ("down", "why"),
    [
        ("DELETE FROM parents", "which other tables inherit from"),
        ("UPDATE parents SET id = 2", "which other tables inherit from"),
        ("DELETE FROM v", "goes through a view"),
    ],
)
def test_what_cannot_be_kept_is_refused(project: Project, down: str, why: str) -> None:
    project.pair(
        "1_t",
        "CREATE TABLE parents (id int);\nCREATE TABLE children () INHERITS (parents);\n"
        "CREATE TABLE t (id int);\nCREATE VIEW v AS SELECT id FROM t;\n",
        f"{down};\n",
    )
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO children VALUES (1)", "INSERT INTO t VALUES (1)")
    with pytest.raises(Blocked, match=why):
        archive(project, "1")
    assert project.ledger() == ["1"]


def test_long_and_odd_names(project: Project) -> None:
    long = "c" * 63
    project.pair(
        "1_t",
        f'CREATE TABLE t (id int PRIMARY KEY, {long} text, "a:b %s ""q" text, "a after" text);\n',
        f'UPDATE t SET {long} = NULL, "a:b %s ""q" = \'x\';\n',
    )
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1, 'one', 'two', 'three')")
    archive(project, "1")
    (project.versions / "1_t.up.sql").write_text("SELECT 1;\n")
    command.upgrade(project.config, "head")
    commands.restore(project.config, "1")
    assert project.query("SELECT * FROM t") == [(1, "one", "two", "three")]


def test_the_hash_is_another_with_the_archive(project: Project) -> None:
    project.pair("1_t", "CREATE TABLE t (id int);\n", "DROP TABLE t;\n")
    command.upgrade(project.config, "head")
    project.execute("INSERT INTO t VALUES (1)")
    shown = json.loads(project.alembic("rollback-db", "1", "--archive", "--dry-run", "--json").out)
    project.alembic("rollback-db", "1", "--confirm", shown["hash"], code=3)
    project.alembic("rollback-db", "1", "--archive", "--confirm", shown["hash"])
