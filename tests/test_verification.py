"""Downs of existing revisions, tried for real: what restores the schema, and what is told."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback import commands
from alembic_rollback.catalog.facts.comparison import Difference
from alembic_rollback.catalog.facts.model import Fact, Id
from alembic_rollback.errors import Location, UsageError
from alembic_rollback.host.environment import script_directory
from alembic_rollback.host.history import history_of
from alembic_rollback.model import Revision
from alembic_rollback.reporting.style import Style
from alembic_rollback.reporting.verification import verification_data, verification_lines
from alembic_rollback.scratch import ScratchServer, scratch_server
from alembic_rollback.survival import Loss
from alembic_rollback.verification import Judged, Trouble, Verification, verify
from tests.project import Project
from tests.transcripts import page

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded server needs Unix")

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);\n"


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    with scratch_server() as found:
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose env.py must never be run."""
    found = Project.create(tmp_path / "project", make_url("postgresql://nowhere.invalid/none"))
    found.write_env("raise SystemExit('env.py was run')\n")
    return found


def tried(project: Project, server: ScratchServer, *versions: str, rows: int = 3) -> Verification:
    history = history_of(script_directory(project.config), downs=True)
    return verify(project.config, history, server, versions or history.revisions, rows=rows)


def outcomes(result: Verification) -> dict[str, str]:
    return {one.revision.version: one.outcome for one in result.revisions}


def last(project: Project, server: ScratchServer, **options: Any) -> Judged:
    return tried(project, server, **options).revisions[-1]


def lines(result: Verification, *, strict: bool = False) -> list[str]:
    return list(verification_lines(result, Style(), strict=strict))


# --- what is verified -------------------------------------------------------------------------


def test_pairs_and_scripts_whose_downs_restore_the_schema(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders;")
    project.script("aaa", "001", "op.execute('CREATE VIEW v AS SELECT id FROM orders')",
                   "op.execute('DROP VIEW v')")  # fmt: skip
    project.pair(
        "002_index",
        "-- Revises: aaa\nCREATE INDEX CONCURRENTLY notes ON orders (note);",
        "DROP INDEX CONCURRENTLY notes;",
    )
    found = tried(project, server)
    assert outcomes(found) == dict.fromkeys(("001", "aaa", "002"), "verified")
    assert found.passes(strict=True)
    assert lines(found)[-1] == f"verified 3 of 3 revisions on PostgreSQL {server.version}"


def test_only_what_is_asked_for_is_tried_on_what_it_stands_on(project, server):
    project.table("001_a", "a")
    project.pair("002_b", "-- Revises: base\nSELECT 1/0;", "")
    project.pair("003_c", "-- Revises: base\n-- Depends on: 001\nCREATE VIEW c AS SELECT id FROM a",
                 "DROP VIEW c")  # fmt: skip
    assert outcomes(tried(project, server, "003")) == {"003": "verified"}


def test_an_empty_down_is_judged_like_any_other(project, server):
    project.pair("001_orders", ORDERS, "-- nothing to undo\n")
    project.pair("002_rows", "UPDATE orders SET note = note", "-- nothing to undo\n")
    found = tried(project, server)
    assert outcomes(found) == {"001": "differs", "002": "verified"}


def test_the_columns_of_a_view_change_places_with_those_of_its_table(project, server):
    view = "CREATE VIEW shown AS SELECT * FROM orders WHERE id > 0"
    project.pair("001_orders", "CREATE TABLE orders (id int, a int, b int)", "DROP TABLE orders")
    project.pair("002_view", view, "DROP VIEW shown")
    project.pair("003_a", "ALTER TABLE orders DROP a CASCADE",
                 f"ALTER TABLE orders ADD a int; {view}")  # fmt: skip
    found = tried(project, server, "003")
    assert outcomes(found) == {"003": "verified but for column order"}
    assert [one.fact.name for one in found.revisions[0].differences] == ["orders", "shown"]


def test_a_view_of_other_columns_under_their_names_differs(project, server):
    project.pair("001_orders", "CREATE TABLE orders (id int, a int)", "DROP TABLE orders")
    project.pair("002_view", "CREATE VIEW shown AS SELECT id, a FROM orders", "DROP VIEW shown")
    project.pair("003_gone", "DROP VIEW shown",
                 "CREATE VIEW shown AS SELECT id AS a, a AS id FROM orders")  # fmt: skip
    assert last(project, server).outcome == "differs"


def test_columns_in_another_order_are_named_and_fail_only_strictly(project, server):
    project.pair("001_orders", "CREATE TABLE orders (id int, a int, b int)", "DROP TABLE orders")
    project.pair("002_a", "ALTER TABLE orders DROP a", "ALTER TABLE orders ADD a int")
    found = tried(project, server, "002", rows=0)
    assert outcomes(found) == {"002": "verified but for column order"}
    assert [line for line in lines(found) if line.endswith("order of orders")]
    assert (found.passes(), found.passes(strict=True), found.verified) == (True, False, 1)


def test_each_step_finds_constraints_deferred_and_checked_as_after_a_commit(project, server):
    project.pair(
        "001_pairs",
        "CREATE TABLE a (id int PRIMARY KEY);\n"
        "CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
        "INSERT INTO b VALUES (1);\nINSERT INTO a VALUES (1);",
        "DROP TABLE b; DROP TABLE a",
    )
    project.pair("002_rows", "INSERT INTO a VALUES (7); INSERT INTO b VALUES (7)",
                 "DELETE FROM a WHERE id = 7; DELETE FROM b WHERE a = 7")  # fmt: skip
    assert outcomes(tried(project, server)) == dict.fromkeys(("001", "002"), "verified")


def test_an_enum_value_that_is_used_by_the_revision_that_adds_it(project, server):
    project.pair("001_type", "CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood")
    project.pair(
        "002_value",
        "ALTER TYPE mood ADD VALUE 'b'; CREATE TABLE m (m mood DEFAULT 'b')",
        "DROP TABLE m; DROP TYPE mood; CREATE TYPE mood AS ENUM ('a')",
    )
    assert outcomes(tried(project, server)) == dict.fromkeys(("001", "002"), "verified")


# --- what isn't -------------------------------------------------------------------------------


def test_what_differs_is_told_object_by_object_and_the_walk_goes_on(project, server):
    project.pair("001_orders", ORDERS + "CREATE INDEX old ON orders (note);", "DROP TABLE orders")
    project.pair(
        "002_bad",
        "DROP INDEX old; ALTER TABLE orders ALTER note DROP NOT NULL; CREATE SEQUENCE extra",
        "-- forgotten\n",
    )
    project.table("003_more", "more")
    found = tried(project, server)
    assert outcomes(found) == {"001": "verified", "002": "differs", "003": "verified"}
    told = [str(one) for one in found.revisions[1].differences]
    assert "missing index public.old" in told
    assert "extra sequence public.extra" in told
    assert "changed column public.orders.note" in told
    shown = lines(found)
    assert "[!] 002_bad: differs after the down" in shown
    assert "   - missing index public.old" in shown
    assert shown[-1].startswith("verified 2 of 3 revisions on")
    assert shown[-1].endswith("; 1 differs")


def test_a_second_up_that_leads_elsewhere_differs(project, server):
    project.pair("001_seq", "CREATE SCHEMA s; CREATE SEQUENCE n", "DROP SCHEMA s; DROP SEQUENCE n")
    project.pair(
        "002_odd",
        "DO $$ BEGIN EXECUTE format('CREATE TABLE t%s ()', nextval('n')); END $$",
        "DO $$ BEGIN EXECUTE format('DROP TABLE t%s', (SELECT last_value FROM n)); END $$",
    )
    found = last(project, server)
    assert (found.outcome, found.again) == ("differs", True)
    assert "[!] 002_odd: differs after the second up" in lines(tried(project, server))


def test_a_down_that_fails_is_told_with_its_place_and_the_servers_message(project, server):
    project.pair("001_orders", ORDERS + "CREATE VIEW v AS TABLE orders;", "\n  DROP TABLE orders")
    project.script("aaa", "001", "op.execute('SELECT 1')", "op.execute('SELECT 1/0')")
    found = tried(project, server)
    assert outcomes(found) == {"001": "down fails", "aaa": "down fails"}
    pair, script = (one.trouble for one in found.revisions)
    assert pair is not None
    assert script is not None
    assert (pair.where.line, pair.where.column, pair.sqlstate) == (2, 3, "2BP01")
    assert pair.message == "cannot drop table orders because other objects depend on it"
    assert (script.sqlstate, script.where.path.name) == ("22012", "aaa_script.py")
    shown = [line for line in lines(found) if "001_orders.down.sql:2:3: cannot drop" in line]
    assert shown[0].endswith("depend on it (2BP01)")


def test_an_up_that_fails_after_its_down(project, server):
    project.pair("001_a", "CREATE SCHEMA IF NOT EXISTS hidden", "DROP SCHEMA hidden")
    project.pair(
        "002_b",
        "SELECT lo_create(77); CREATE TABLE t ()",
        "DROP TABLE t",
    )
    found = last(project, server)
    assert (found.outcome, found.trouble.sqlstate) == ("up fails after down", "23505")


def test_what_stands_on_an_up_that_fails_is_not_verified(project, server):
    project.table("001_a", "a")
    project.pair("002_b", "-- Transaction: none\nCREATE TABLE left_behind ();\nSELECT 1/0;", "")
    project.table("003_c", "c")
    project.table("004_d", "left_behind", "-- Revises: 001\n")
    found = tried(project, server)
    assert outcomes(found) == {
        "001": "verified",
        "002": "up fails",
        "003": "not verified",
        "004": "verified",
    }
    assert found.revisions[2 if found.revisions[2].revision.version == "003" else 3].trouble == (
        Trouble("stands on 002_b, which cannot be applied")
    )
    assert found.revisions[1].trouble.where.line == 3
    # The same where the one that fails isn't asked for itself.
    assert outcomes(tried(project, server, "003", "004")) == {
        "003": "not verified",
        "004": "verified",
    }


def test_what_has_no_down_or_none_on_purpose_is_listed(project, server):
    project.pair("001_a", "CREATE TABLE a ()", None)
    project.pair("002_b", "CREATE TABLE b ()", "-- Irreversible: the rows are gone\n")
    project.pair(
        "003_c", "CREATE TABLE c (); CREATE VIEW v AS TABLE b", "DROP VIEW v; DROP TABLE c"
    )
    path = project.script("aaa", "003")
    path.write_text(path.read_text().partition("def downgrade")[0])
    found = tried(project, server)
    expected = {"001": "no down", "002": "irreversible", "003": "verified", "aaa": "no down"}
    assert outcomes(found) == expected
    assert [one.passes(strict=True) for one in found.revisions] == [False, True, True, False]
    assert "[x] 002_b: irreversible: the rows are gone" in lines(found)
    assert lines(found)[-1].endswith("; 2 have no down, 1 is irreversible")


@pytest.mark.parametrize(
    ("up", "down", "outcome", "where"),
    [
        ("CREATE TABEL a ()", "", "up fails", "001_a.up.sql:1:8"),
        ("CREATE TABLE a ()", "\nDRPO TABLE a", "down fails", "001_a.down.sql:2:1"),
        ("CREATE TABLE a ()", "DROP TABLE a; COMMIT; SELECT 1", "down fails", ".down.sql:1:15"),
    ],
)
def test_a_script_that_cannot_be_read(project, server, up, down, outcome, where):
    project.pair("001_a", up, down)
    found = last(project, server)
    assert found.outcome == outcome
    assert str(found.trouble.where).endswith(where)


@pytest.mark.parametrize(
    ("up", "reason"),
    [
        ("CREATE EXTENSION no_such_thing", "the scratch server has no extension no_such_thing"),
        ("COPY pg_class TO PROGRAM 'cat'", "COPY with a PROGRAM reaches beyond the server"),
    ],
)
def test_what_a_scratch_server_cannot_try_is_not_verified(project, server, up, reason):
    project.pair("001_a", f"-- Revises: base\n{up}", "-- nothing\n")
    project.script("bbb", None, f"op.execute({up!r})")
    project.table("002_b", "b", "-- Revises: 001\n")
    found = tried(project, server)
    assert outcomes(found) == dict.fromkeys(("001", "002", "bbb"), "not verified")
    told = {one.revision.version: one.trouble.message for one in found.revisions}
    assert told["001"].startswith(reason)
    assert told["bbb"].startswith(reason)
    assert told["002"] == "stands on 001_a, which cannot be applied"
    assert not found.passes()


# --- rows -------------------------------------------------------------------------------------


def test_rows_that_did_not_survive_are_noted_and_fail_only_strictly(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.pair("002_note", "ALTER TABLE orders DROP note",
                 "ALTER TABLE orders ADD note text NOT NULL DEFAULT '';"
                 "ALTER TABLE orders ALTER note DROP DEFAULT")  # fmt: skip
    found = tried(project, server)
    assert outcomes(found) == dict.fromkeys(("001", "002"), "verified")
    assert [one.describe() for one in found.revisions[1].lost] == [
        "orders.note: values of 3 rows are not what they were"
    ]
    assert (found.passes(), found.passes(strict=True)) == (True, False)
    assert "   - orders.note: values of 3 rows are not what they were" in lines(found)


def test_a_down_that_fails_only_where_there_are_rows(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.pair("002_note", "ALTER TABLE orders DROP note",
                 "ALTER TABLE orders ADD note text NOT NULL")  # fmt: skip
    found = last(project, server)
    assert (found.outcome, found.trouble.sqlstate) == ("down fails", "23502")
    assert found.notes == ("it runs on empty tables, but not with rows in them",)
    assert (found.verified, found.restores, found.on_empty) == (False, True, "verified")
    assert last(project, server, rows=0).outcome == "verified"


def test_an_up_that_wants_empty_tables_is_tried_on_them(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.pair("002_total", "ALTER TABLE orders ADD total int NOT NULL",
                 "ALTER TABLE orders DROP total")  # fmt: skip
    found = last(project, server)
    assert found.outcome == "verified"
    assert "contains null values" in found.notes[0]
    assert (found.passes(strict=False), found.passes(strict=True)) == (True, False)


def test_nothing_of_a_trial_is_left_in_the_history(project, server):
    project.pair(
        "001_roles",
        "CREATE TABLE roles (id serial PRIMARY KEY, name text)",
        "DROP TABLE roles",
    )
    project.pair("002_admin", "INSERT INTO roles (name) VALUES ('admin')",
                 "DELETE FROM roles WHERE name = 'admin'")  # fmt: skip
    project.script("aaa", "002", "op.execute(\"INSERT INTO roles (name) VALUES ('guest')\")",
                   "op.execute(\"DELETE FROM roles WHERE name = 'guest'\")")  # fmt: skip
    project.pair(
        "003_members",
        "-- Revises: aaa\nCREATE TABLE m AS SELECT * FROM roles WHERE false;\n"
        "DO $$ BEGIN IF (SELECT array_agg(id ORDER BY id) FROM roles WHERE name IN "
        "('admin', 'guest')) <> '{1,2}' THEN RAISE 'ids: %', (SELECT array_agg(id) FROM roles);"
        " END IF; END $$",
        "DROP TABLE m",
    )
    found = tried(project, server)
    assert outcomes(found) == dict.fromkeys(("001", "002", "aaa", "003"), "verified")
    assert not any(one.lost or one.notes for one in found.revisions)


def test_what_an_up_does_only_where_there_are_rows_is_no_part_of_the_history(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.pair(
        "002_odd",
        "DO $$ BEGIN IF EXISTS (SELECT FROM orders) THEN CREATE TABLE full_ (); END IF; END $$",
        "DROP TABLE IF EXISTS full_",
    )
    project.pair("003_more", "CREATE TABLE full_ ()", "DROP TABLE full_")
    found = tried(project, server)
    assert outcomes(found) == dict.fromkeys(("001", "002", "003"), "verified")


def test_a_script_that_commits_on_its_way(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.script(
        "aaa",
        "001",
        "with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY i ON orders (note)')",
        "op.drop_index('i', 'orders')",
    )
    assert outcomes(tried(project, server)) == dict.fromkeys(("001", "aaa"), "verified")


def test_rows_that_a_down_leaves_are_told(project, server):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.pair("002_rows", "INSERT INTO orders VALUES (-1, 'x')", "-- forgotten\n")
    found = last(project, server, rows=0)
    assert (found.outcome, found.lost) == ("up fails after down", ())
    project.pair("002_rows", "INSERT INTO orders SELECT max(id) + 1, 'x' FROM orders", "-- no\n")
    found = tried(project, server)
    assert "   rows that are left over:" in lines(found)
    assert "   - orders: 1 row is there that was not" in lines(found)
    assert not found.passes(strict=True)


def test_what_has_no_down_and_cannot_be_applied_here_stays_what_it_is(project, server):
    project.pair("001_a", "CREATE EXTENSION no_such", "-- Irreversible: kept\n")
    project.pair("002_b", "-- Revises: base\nCREATE EXTENSION no_such", None)
    project.pair("003_c", "-- Revises: base\nSELECT 1/0", "-- Irreversible: kept\n")
    found = tried(project, server)
    assert outcomes(found) == {"001": "irreversible", "002": "no down", "003": "up fails"}


def test_a_table_that_takes_no_rows_is_told(project, server):
    project.pair(
        "001_a", "CREATE TABLE a (id int NOT NULL CHECK (id < 0 AND id > 0))", "DROP TABLE a"
    )
    project.pair("002_b", "ALTER TABLE a ADD b int", "ALTER TABLE a DROP b")
    found = tried(project, server)
    assert list(found.revisions[1].unseeded) == ["a"]
    assert "No rows could be put into: a (--json has the reasons)" in lines(found)


# --- roles ------------------------------------------------------------------------------------


def test_roles_that_revisions_make_take_away_and_only_name(project, server):
    project.pair("001_role", "CREATE ROLE verify_app NOLOGIN", "DROP ROLE verify_app")
    project.pair(
        "002_grant",
        "CREATE TABLE a (); GRANT SELECT ON a TO verify_app, verify_unknown",
        "DROP TABLE a",
    )
    project.pair(
        "003_gone",
        "REVOKE ALL ON a FROM verify_app; DROP ROLE verify_app",
        "CREATE ROLE verify_app; GRANT SELECT ON a TO verify_app",
    )
    project.script("aaa", "003", "op.execute('CREATE ROLE verify_py')",
                   "op.execute('DROP ROLE verify_py')")  # fmt: skip
    project.pair("004_kept", "-- Revises: aaa\nCREATE ROLE verify_kept", "-- kept\n")
    found = tried(project, server)
    assert outcomes(found) == {
        "001": "verified",
        "002": "verified",
        "003": "verified",
        "aaa": "verified",
        "004": "up fails after down",
    }
    again = tried(project, server)
    assert outcomes(again) == outcomes(found)


@pytest.mark.parametrize("kind", ["pair", "script"])
def test_a_role_that_cannot_be_dropped_while_a_copy_needs_it(project, server, kind):
    project.pair(
        "001_role",
        "CREATE ROLE verify_used; CREATE TABLE a (); GRANT ALL ON a TO verify_used",
        "DROP TABLE a; DROP ROLE verify_used",
    )
    up = ("REVOKE ALL ON a FROM verify_used", "DROP ROLE verify_used")
    down = ("CREATE ROLE verify_used", "GRANT ALL ON a TO verify_used")
    if kind == "pair":
        header = "-- Transaction: none\n"
        project.pair("002_gone", header + ";\n".join(up), header + ";\n".join(down))
    else:
        project.script(
            "aaa", "001", *("; ".join(f"op.execute({x!r})" for x in s) for s in (up, down))
        )
    project.table("003_c", "c", "" if kind == "pair" else "-- Revises: aaa\n")
    found = tried(project, server)
    assert [one.outcome for one in found.revisions] == ["verified"] * 3
    assert len(lines(found)) == 4


# --- the command ------------------------------------------------------------------------------


def test_the_command_says_it_in_text_json_and_exit_codes(tmp_path, server_url: URL):
    project = Project.create(tmp_path / "p", make_url("postgresql://nowhere.invalid/none"))
    project.write_env("raise SystemExit('env.py was run')\n")
    project.table("001_a", "a")
    project.pair("002_b", "CREATE TABLE b ()", None)
    url = server_url.render_as_string(hide_password=False)
    good = project.alembic("verify-down", "001", "--scratch-url", url)
    assert good.out.splitlines()[0].endswith("001_a: verified")
    assert "verified 1 of 1 revision on PostgreSQL" in good.out
    # The setting does the same; `%` would be ConfigParser's.
    project.write_ini(f"scratch_url = {url.replace('%', '%%')}")
    bad = project.alembic("verify-down", "--all", code=1)
    assert bad.out.splitlines()[-1].endswith("; 1 has no down")
    found = json.loads(project.alembic("verify-down", "--all", "--json", code=1).out)
    assert (found["passed"], found["verified"]) == (False, 1)
    assert [one["outcome"] for one in found["revisions"]] == ["verified", "no down"]


def test_on_a_server_of_others_what_all_of_it_would_see_is_not_tried(project, server_url: URL):
    project.pair(
        "001_role", "-- Revises: base\nCREATE ROLE verify_nobody", "DROP ROLE verify_nobody"
    )
    project.script("aaa", None, "op.execute('CREATE ROLE verify_nobody')")
    url = server_url.render_as_string(hide_password=False)
    result = project.alembic("verify-down", "--all", "--scratch-url", url, code=1)
    assert result.out.count("CREATE ROLE: the scratch server's other databases would see it") == 2
    assert "0 of 2 revisions" in result.out


def test_rows_that_the_role_of_a_given_server_may_not_see(project, server_url: URL):
    """FORCE ROW LEVEL SECURITY binds the owner, too, unless it is a superuser."""
    project.pair(
        "001_a",
        f"{ORDERS}ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
        "DROP TABLE orders",
    )
    project.pair("002_b", "ALTER TABLE orders ADD b int", "ALTER TABLE orders DROP b")
    role = f"verify_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'verify'")
        try:
            url = server_url.set(username=role, password="verify")
            shown = url.render_as_string(hide_password=False)
            found = commands.verify_down(project.config, everything=True, scratch_url=shown)
        finally:
            connection.exec_driver_sql(f"DROP ROLE {role}")
    assert outcomes(found) == dict.fromkeys(("001", "002"), "verified")
    assert found.revisions[1].notes[0].startswith("tried on empty tables: query would be affected")


@pytest.mark.parametrize("arguments", [(), ("001", "--all")])
def test_which_revisions_must_be_said(project, arguments):
    project.table("001_a", "a")
    result = project.alembic("verify-down", *arguments, code=2)
    assert "either VERSION…, or --all." in result.err


def test_an_unknown_version_is_a_usage_error(project):
    project.table("001_a", "a")
    with pytest.raises(UsageError, match="No revision '9'"):
        commands.verify_down(project.config, ["9"], scratch_url="nonsense")


# --- what is said -----------------------------------------------------------------------------


def full() -> Verification:
    """A result in which every key has a value."""
    revision = Revision("001", "a", "001_a.up.sql")
    fact = Fact(Id(1, 2), "index", "public.i", "i", None, {"definition": "x"})
    differences = (Difference(fact, None), Difference(fact, Fact(*fact_of(fact, {"a": 1}))))
    trouble = Trouble("no", Location(Path("001_a.up.sql"), 1, 2), "42601", "Do it.")
    one = Judged(
        revision,
        "differs",
        trouble,
        differences,
        lost=(Loss("t", None, 1, "gone"),),
        unseeded={"u": "why"},
        notes=("noted",),
    )
    return Verification("18.6", (one,))


def fact_of(fact: Fact, details: dict[str, Any]) -> tuple[Any, ...]:
    return fact.id, fact.kind, fact.key, fact.name, fact.parent, details


def test_what_has_changed_of_a_fact_is_named_without_its_value():
    told = lines(full())
    assert "   - changed index public.i (a, definition)" in told
    assert "   001_a.up.sql:1:2: no (42601)" in told
    assert "   noted" in told


def test_many_revisions_are_shown_only_where_there_is_something_to_say():
    quiet = tuple(Judged(Revision(f"{n:03}", "x", "x"), "verified") for n in range(30))
    result = Verification("18.6", (*quiet, *full().revisions))
    told = lines(result)
    assert told[0] == "[!] 001 a: differs after the down"
    assert told[-1] == "verified 30 of 31 revisions on PostgreSQL 18.6; 1 differs"


def test_every_key_in_json_is_documented():
    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(keys(inner) for inner in value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    section = page("reference/commands/verify-down.md")
    data = verification_data(full(), strict=False)
    for key in keys(data):
        assert f"`{key}`" in section or f'"{key}"' in section, key
