"""`pytest --alembic-rollback` in real pytest processes, on small projects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import make_url
from sqlalchemy.engine import URL

from alembic_rollback.catalog.facts.comparison import Difference
from alembic_rollback.catalog.facts.model import Fact, Id
from alembic_rollback.errors import UsageError
from alembic_rollback.host.environment import script_directory
from alembic_rollback.host.history import history_of
from alembic_rollback.model import Revision
from alembic_rollback.reporting.testing import failure_lines, note_lines
from alembic_rollback.scratch import ScratchServer, scratch_server
from alembic_rollback.survival import Loss
from alembic_rollback.testing import Tests
from alembic_rollback.testing.project import read_project
from alembic_rollback.verification import Judged, Trouble, Verifier
from tests import forking
from tests.project import Project, Result

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded server needs Unix")

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL);\n"
SETTINGS = "[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config\n"
OURS = "alembic-rollback::"


def create(root: Path) -> Project:
    """A project whose env.py must never be run."""
    found = Project.create(root, make_url("postgresql://nowhere.invalid/none"))
    found.write_env("raise SystemExit('env.py was run')\n")
    (root / "pytest.ini").write_text(SETTINGS)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create(tmp_path / "project")


def environment(project: Project) -> dict[str, str]:
    return {k: v for k, v in project.env().items() if not k.startswith("PYTEST_")}


def run(project: Project, *args: str, code: int = 0, scratch: URL | None = None) -> Result:
    """Run pytest in the project, its databases on the session's server or an embedded one."""
    more = []
    if scratch is not None:
        url = scratch.render_as_string(hide_password=False)
        more = ["--alembic-rollback-scratch-url", url]
    done = Result(*forking.run([*args, *more], project.root, environment(project), module="pytest"))
    assert done.code == code, done.text
    return done


def outcomes(project: Project, *args: str, code: int, scratch: URL | None) -> dict[str, str]:
    """By test: passed, skipped or failed, with the text."""
    file = project.root / "report.xml"
    run(project, "--junitxml", str(file), *args, code=code, scratch=scratch)
    return reported(file)


def reported(file: Path) -> dict[str, str]:
    found = {}
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        told = [one for one in case if one.tag in ("failure", "skipped", "error")]
        found[str(case.get("name"))] = f"{told[0].tag}: {told[0].text}" if told else "passed"
    return found


# --- one test a revision ----------------------------------------------------------------------


def mixed(root: Path) -> Project:
    """A revision of each kind."""
    found = create(root)
    found.pair("001_orders", ORDERS + "CREATE INDEX old ON orders (note);", "DROP TABLE orders")
    found.pair(
        "002_bad",
        "DROP INDEX old; ALTER TABLE orders ALTER note TYPE varchar; CREATE SEQUENCE extra",
        "-- forgotten\n",
    )
    found.pair("003_none", "CREATE TABLE a ()", None)
    found.script("aaa", "003", "op.execute('CREATE VIEW v AS SELECT id FROM orders')",
                 "op.execute('DROP VIEW v')")  # fmt: skip
    found.script("bbb", "aaa", "op.execute('SELECT 1')", "raise NotImplementedError('never')")
    found.pair("004_lost", "-- Revises: bbb\nCREATE TABLE more ()",
               "DROP TABLE more; DELETE FROM orders")  # fmt: skip
    found.pair("005_flag", "ALTER TABLE orders ADD flag int", "ALTER TABLE orders DROP flags")
    found.pair("006_note", "ALTER TABLE orders DROP note", "ALTER TABLE orders ADD note varchar")
    found.pair("007_kept", "CREATE TABLE b ()", "-- Irreversible: the rows are gone\n")
    (found.root / "test_own.py").write_text("def test_own():\n    pass\n")
    return found


EXPECTED = {
    "single_head": "passed",
    "001_orders": "passed",
    "002_bad": "failure: the down does not bring the schema back:\n"
    "- changed column public.orders.note (type: character varying, was text)\n"
    "- missing index public.old\n"
    "- extra sequence public.extra\n"
    "Next: `alembic generate-down 002 --stdout` shows a down that does; "
    "`alembic verify-down 002` tries it by itself.",
    "003_none": "failure: there is no down: migrations/versions/003_none.down.sql\n"
    "Next: `alembic generate-down 003` writes it. Where there is no way back: a line "
    "`-- Irreversible: REASON` in the up.",
    "aaa_script": "passed",
    "bbb_script": "failure: the down fails: migrations/versions/bbb_script.py:19:5: "
    "NotImplementedError: never\n"
    "Where there is no way back: alembic_rollback_skip = bbb REASON",
    "004_lost": "failure: the down loses rows that the up has left alone:\n"
    "- orders: 3 rows are gone\n"
    "Next: `alembic generate-down 004 --stdout` shows a down that does; "
    "`alembic verify-down 004` tries it by itself.",
    "005_flag": "failure: the down fails: migrations/versions/005_flag.down.sql:1:1: "
    'column "flags" of relation "orders" does not exist (42703)\n'
    "Next: `alembic generate-down 005 --stdout` shows a down that does; "
    "`alembic verify-down 005` tries it by itself.",
    "006_note": "failure",
    "007_kept": "skipped",
    "upgrade": "passed",
    "models_match": "skipped",
    "models_registered": "skipped",
    "downgrade_to_base": "skipped",
}


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str], Result]:
    """The mixed project, tested once, on an embedded server."""
    found = mixed(tmp_path_factory.mktemp("mixed") / "project")
    file = found.root / "report.xml"
    result = run(found, "--alembic-rollback", "-v", "-rA", "--junitxml", str(file), code=1)
    return found, reported(file), result


def test_each_revision_is_a_test_beside_the_projects_own(tried):
    _, told, result = tried
    assert list(told) == ["test_own", *EXPECTED]
    for name, expected in EXPECTED.items():
        assert told[name].startswith(expected), name
    assert f"{OURS}aaa_script PASSED" in result.out
    assert "migrations/versions/007_kept.up.sql:1: irreversible: the rows are gone" in result.out


def test_what_passes_and_is_worth_knowing_is_told_at_the_end(tried):
    _, _, result = tried
    section = result.out.partition(" alembic-rollback ===")[2]
    assert "006_note" not in section  # it fails
    assert result.out.count("Traceback") == 0
    assert "alembic_rollback/" not in result.out


def test_workers_of_xdist_share_the_tests(tried, server_url):
    found, told, _ = tried
    args = ("-p", "xdist", "-n", "2", "--alembic-rollback-only")
    shared = outcomes(found, *args, code=1, scratch=server_url)
    assert shared.keys() == told.keys() - {"test_own"}
    # What else has failed, only one of them knows.
    del shared["downgrade_to_base"]
    assert shared == {name: told[name] for name in shared}


def test_one_of_our_ids_can_be_pasted_and_the_failed_ones_come_again(tried, server_url):
    found, _, _ = tried
    one = run(found, "--alembic-rollback", f"{OURS}001_orders", "-q", scratch=server_url)
    assert "1 passed" in one.out
    again = run(found, "--alembic-rollback", "--lf", "--collect-only", "-q")
    assert [line for line in again.out.splitlines() if OURS in line] == [
        f"{OURS}{name}" for name, told in EXPECTED.items() if told.startswith("failure")
    ]


def test_the_first_failure_may_end_it(tried, server_url):
    found, _, _ = tried
    result = run(found, "--alembic-rollback", "-x", "-q", code=1, scratch=server_url)
    assert "1 failed, 3 passed" in result.out


def test_strict_fails_what_is_otherwise_only_told(project, server_url):
    project.pair("001_orders", "CREATE TABLE orders (id int, a int, b int)", "DROP TABLE orders")
    project.pair("002_a", "ALTER TABLE orders DROP a", "ALTER TABLE orders ADD a int")
    lines = [
        "the columns are in another order after the down: orders",
        "orders.a: values of 2 rows are not what they were",
    ]
    result = run(project, "--alembic-rollback", scratch=server_url)
    told = [line for line in result.out.splitlines() if line.startswith("002_a: ")]
    assert told == [f"002_a: {line}" for line in lines]
    strict = ("--alembic-rollback", "--alembic-rollback-strict", "-k", "002")
    found = outcomes(project, *strict, code=1, scratch=server_url)
    assert found["002_a"].startswith(
        f"failure: {lines[0]}\nrows are not what they were:\n- {lines[1]}\nNext: "
    )


# --- tests of the whole project ---------------------------------------------------------------


def test_what_stands_on_an_up_that_fails_and_two_heads(project, server_url):
    project.table("001_a", "a")
    project.pair("002_b", "-- Revises: 001\nSELECT 1/0", "-- nothing\n")
    project.table("003_c", "c")
    project.script("aaa", "001")
    found = outcomes(project, "--alembic-rollback", code=1, scratch=server_url)
    assert found["single_head"].startswith(
        "failure: there are 2 heads:\n"
        "- 003_c (migrations/versions/003_c.up.sql)\n"
        "- aaa script aaa (migrations/versions/aaa_script.py)\n"
        "`alembic merge heads` joins them."
    )
    where = "migrations/versions/002_b.up.sql:2:1: division by zero (22012)"
    assert found["002_b"].startswith(f"failure: the up fails: {where}")
    assert found["upgrade"] == f"failure: 002_b: the up fails: {where}"
    assert found["003_c"].endswith(": stands on 002_b, which cannot be applied")
    assert found["aaa_script"] == "passed"
    assert found["downgrade_to_base"].endswith("002_b cannot be applied")
    # Where what it stands on isn't tested itself, it fails for it.
    alone = outcomes(project, "--alembic-rollback", "-k", "003", code=1, scratch=server_url)
    assert alone["003_c"].startswith("failure: could not be tried: stands on 002_b")


def test_the_whole_way_back_shows_what_no_down_shows_by_itself(project, server_url):
    project.pair(
        "001_orders",
        "CREATE TABLE orders (note text)",
        "DO $$ BEGIN IF EXISTS (SELECT FROM orders) THEN RAISE 'not empty'; END IF; END $$;\n"
        "DROP TABLE orders",
    )
    project.pair("002_row", "INSERT INTO orders VALUES ('a')", "-- left there\n")
    found = outcomes(project, "--alembic-rollback", code=1, scratch=server_url)
    assert (found["001_orders"], found["002_row"]) == ("passed", "passed")
    assert found["downgrade_to_base"] == (
        "failure: 001_orders: the down fails on the way back over 2 revisions and forward again: "
        "migrations/versions/001_orders.down.sql:1:1: not empty (P0001)"
    )


def test_the_way_back_ends_above_what_cannot_or_need_not_be_taken_back(project):
    project.pair("001_a", "CREATE TABLE a ()", "SELECT 1/0")
    project.pair("002_b", "CREATE TABLE b ()", "-- Irreversible: kept\n")
    project.pair("003_c", "CREATE TABLE c ()", "-- not undone\n")
    project.script("aaa", "003", "op.execute('CREATE ROLE testing_role')",
                   "op.execute('DROP ROLE testing_role')")  # fmt: skip
    project.table("004_d", "d", "-- Revises: aaa\n")
    (project.root / "pytest.ini").write_text(
        SETTINGS + "alembic_rollback = true\nalembic_rollback_rows = 1\n"
        "alembic_rollback_above = 001\nalembic_rollback_skip =\n  003 it is old\n"
    )
    found = outcomes(project, code=0, scratch=None)
    assert list(found) == [
        "single_head", "002_b", "003_c", "aaa_script", "004_d", "upgrade", "models_match",
        "models_registered", "downgrade_to_base",
    ]  # fmt: skip
    assert found["002_b"].endswith("002_b.up.sql:1: irreversible: kept")
    assert found["003_c"].endswith("003_c.up.sql:1: it is old")
    assert {found[name] for name in ("aaa_script", "004_d", "downgrade_to_base")} == {"passed"}


MODELS = """
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={"uq": "only_%(table_name)s_%(column_0_name)s"})

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
"""
MORE = """
from models import Base
from sqlalchemy.orm import Mapped, mapped_column

class Extra(Base):
    __tablename__ = "extra"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
NAMED = ("--alembic-rollback", "--alembic-rollback-metadata", "models:Base.metadata")


@pytest.fixture
def modelled(project: Project) -> Project:
    """A project with models, of which autogenerate would not see one."""
    (project.root / "models").mkdir()
    (project.root / "models" / "__init__.py").write_text(MODELS)
    (project.root / "models" / "more.py").write_text(MORE)
    (project.root / "pytest.ini").write_text(SETTINGS + "pythonpath = .\n")
    project.script(
        "aaa",
        None,
        "op.create_table('orders', sa.Column('id', sa.Integer, primary_key=True),\n"
        "        sa.Column('code', sa.String, nullable=False), sa.UniqueConstraint('code'))",
        # Its name comes from the models' convention, as it does with env.py.
        "op.drop_constraint('only_orders_code', 'orders')\n    op.drop_table('orders')",
    )
    return project


def test_models_and_revisions_that_agree(modelled, server_url):
    (modelled.root / "models" / "more.py").unlink()
    found = outcomes(modelled, *NAMED, code=0, scratch=server_url)
    assert set(found.values()) == {"passed"}


def test_models_that_differ_and_that_nobody_imports(modelled, server_url):
    text = MODELS + "    total: Mapped[int]\n"
    (modelled.root / "models" / "__init__.py").write_text(text)
    found = outcomes(modelled, *NAMED, code=1, scratch=server_url)
    assert found["models_match"] == (
        "failure: the models are not what the revisions make; `alembic revision --autogenerate` "
        "would write:\nop.add_column('orders', sa.Column('total', sa.Integer(), nullable=False))"
    )
    assert found["models_registered"].startswith(
        "failure: importing models:Base.metadata doesn't bring all tables; autogenerate would not "
        "see, or drop:\n- extra (models.more)\n"
    )
    assert (found["aaa_script"], found["downgrade_to_base"]) == ("passed", "passed")


# --- the fixtures -----------------------------------------------------------------------------


def test_a_test_of_the_project_moves_through_the_history(project, server_url):
    project.pair("001_orders", ORDERS, "DROP TABLE orders")
    project.script("aaa", "001", "op.execute('UPDATE orders SET note = upper(note)')")
    project.table("002_more", "more", "-- Revises: aaa\n")
    (project.root / "test_own.py").write_text(
        """
import pytest
from alembic_rollback.catalog.facts.comparison import Difference
from alembic_rollback.catalog.facts.model import Fact, Id
from alembic_rollback.errors import UsageError

def test_notes(migration_project, scratch_database):
    assert (migration_project.heads, len(migration_project.revisions)) == (("002",), 3)
    scratch_database.upgrade("001")
    with scratch_database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO orders VALUES (1, 'a')")
    scratch_database.upgrade()
    assert scratch_database.applied == ("001", "aaa", "002")
    with scratch_database.connect() as connection:
        assert connection.exec_driver_sql("SELECT note FROM orders").scalar_one() == "A"
    scratch_database.downgrade("aaa")
    assert scratch_database.applied == ("001", "aaa")
    scratch_database.downgrade()
    assert scratch_database.applied == ()
    with pytest.raises(UsageError):
        scratch_database.upgrade("009")

def test_again(scratch_database):
    assert scratch_database.applied == ()
    scratch_database.upgrade()
"""
    )
    assert "2 passed" in run(project, scratch=server_url).out


# --- what is wrong with the configuration -----------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--alembic-rollback-config", "no.ini"), "There is no file no.ini."),
        ((f"{OURS}001",), f"there is no test {OURS}001"),
    ],
)
def test_a_wrong_option_ends_it_in_one_line(project, args, said):
    project.table("001_a", "a")
    result = run(project, "--alembic-rollback", *args, code=4)
    assert result.err.strip() == f"ERROR: alembic-rollback: {said}"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("skip", ["001"], "alembic_rollback_skip: '001' has no reason."),
        ("skip", ["009 old"], "No revision '009'. `alembic migration-status`"),
        ("above", "009", "No revision '009'."),
        ("rows", "many", "alembic_rollback_rows = 'many' is not a number of rows."),
        ("metadata", ["sys:path"], "sys:path is no MetaData, but list."),
        ("metadata", ["sys"], "sys names no metadata. Write module:Base.metadata."),
        ("metadata", ["nix.models:Base"], "nix.models:Base cannot be imported: ModuleNotFound"),
        ("options", "sys:path", "sys:path is no mapping of options, but list."),
    ],
)
def test_a_wrong_setting_is_named(project, pytestconfig, name, value, said):
    project.table("001_a", "a")
    given = {"config": str(project.root / "alembic.ini"), "metadata": [], "skip": [], name: value}
    tests = Tests(pytestconfig, lambda _, asked: given.get(asked, ""))
    with pytest.raises(pytest.UsageError) as caught:
        tests.read()
    assert str(caught.value).startswith(f"alembic-rollback: {said}")


def test_a_server_that_is_not_there_is_told_once(project):
    project.table("001_a", "a")
    project.table("002_b", "b")
    nowhere = make_url("postgresql://nobody@127.0.0.1:1/none")
    found = outcomes(project, "--alembic-rollback", code=1, scratch=nowhere)
    assert found["001_a"].startswith("failure: Cannot connect to the scratch server:")
    assert "there is no scratch database: Cannot connect" in found["002_b"]


def read(project: Project, name: str = "alembic") -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_project(None, name, [project.root])
    return caught.value


def test_files_that_cannot_be_read_are_named(project, monkeypatch):
    monkeypatch.chdir(project.root)
    path = project.script("aaa", None)
    path.write_text(path.read_text() + "\nimport no_such_module\n")
    assert str(read(project)).startswith(
        f"migrations/versions/aaa_script.py:{len(path.read_text().splitlines())}: "
        "ModuleNotFoundError: No module named 'no_such_module'"
    )
    path.unlink()
    project.pair("name", "", "")
    assert str(read(project)).startswith("migrations/versions/name.up.sql: the name doesn't start")
    assert "has no script_location in [other]" in str(read(project, "other"))
    (project.root / "alembic.ini").unlink()
    assert str(read(project)).startswith("There is no alembic.ini here.")


def test_flask_migrates_configuration_is_found(project):
    project.table("001_a", "a")
    (project.root / "alembic.ini").unlink()
    (project.root / "migrations" / "alembic.ini").write_text("[alembic]\n")
    assert list(read_project(None, "alembic", [project.root]).revisions) == ["001"]


# --- what it costs ----------------------------------------------------------------------------


LOADED = """
import json, sys
from pathlib import Path
def pytest_unconfigure():
    Path("modules.json").write_text(json.dumps(sorted(sys.modules)))
"""


def modules(project: Project, *args: str) -> set[str]:
    """What is imported in a session of one empty test."""
    (project.root / "conftest.py").write_text(LOADED)
    (project.root / "test_own.py").write_text("def test_own():\n    pass\n")
    command = [sys.executable, "-m", "pytest", *args]
    subprocess.run(command, cwd=project.root, env=environment(project), check=True)
    return set(json.loads((project.root / "modules.json").read_text()))


def test_without_the_option_pytest_is_as_it_was(project):
    (project.root / "alembic.ini").write_text("nonsense")
    there, gone = modules(project), modules(project, "-p", "no:alembic_rollback")
    assert there - gone == {"alembic_rollback", "alembic_rollback.pytest_plugin"}
    assert not there & {"alembic", "sqlalchemy", "click", "postgast", "psycopg2", "mako"}


def test_the_plugin_can_be_turned_off(project):
    result = run(project, "-p", "no:alembic_rollback", "--alembic-rollback", code=4)
    assert "unrecognized arguments: --alembic-rollback" in result.err


# --- the walk ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    with scratch_server() as found:
        yield found


def test_revisions_are_judged_in_any_order(project, server):
    for number in range(1, 5):
        project.table(f"00{number}_t", f"t{number}")
    history = history_of(script_directory(project.config), downs=True)
    known = Verifier(project.config, history, server, wanted=("001", "003"))
    try:
        assert known.judged("003").outcome == "verified"
        assert list(known.known) == ["001", "003"]
        assert known.judged("001").outcome == "verified"
        # One that it has passed by costs another walk.
        assert known.judged("002").outcome == "verified"
        assert known.finish() == ()
        with known.at_heads() as connection:
            assert connection.exec_driver_sql("TABLE t4").all() == []
        assert known.down_and_up(()).outcome == "verified"
        with known.at_heads() as connection:
            assert connection.exec_driver_sql("TABLE t4").all() == []
    finally:
        known.close()


# --- what is said -----------------------------------------------------------------------------


def judged(outcome: str, **more: object) -> Judged:
    return Judged(Revision("001", "a", "001_a.up.sql", is_pair=True), outcome, **more)


def test_only_what_the_up_has_left_alone_is_the_downs_to_lose():
    gone, column = Loss("t", None, 2, "gone"), Loss("t", "c", 2, "changed")
    extra = Loss("t", None, 1, "extra")
    cases: Mapping[tuple[Loss, ...], tuple[Loss, ...]] = {
        (): (gone, column),
        (Loss("t", "c", 2, "column"),): (gone,),
        (Loss("t", None, 2, "table"),): (),
        (Loss("u", None, 2, "table"), extra): (gone, column),
    }
    for taken, expected in cases.items():
        one = judged("verified", lost=(gone, column, extra), taken=taken)
        assert one.avoidable == expected
        assert bool(list(failure_lines(one, strict=False))) is bool(expected)


def test_of_long_values_the_part_that_differs_is_shown():
    def index(sql: str, kind: str = "index") -> Fact:
        return Fact(Id(1, 2), kind, "public.i", "i", None, {"sql": sql, "server options": sql})

    start = "CREATE INDEX i ON public.a_table_with_a_long_name USING btree (one, two, three, "
    found = Difference(index(f"{start}four)"), index(f"{start}five)"))
    lines = list(failure_lines(judged("differs", differences=(found,)), strict=False))
    assert lines[1] == (
        "- changed index public.i (server options; sql: … (one, two, three, five), "
        "was … (one, two, three, four))"
    )
    secret = Difference(index("a", "user mapping"), index("b", "user mapping"))
    lines = list(failure_lines(judged("differs", differences=(secret,)), strict=False))
    assert lines[1] == "- changed user mapping public.i (server options, sql)"


def test_what_was_not_tried_as_it_should_be_fails_only_strictly():
    one = judged("verified", notes=("tried on empty tables",), unseeded={"t": "why"})
    assert list(failure_lines(one, strict=False)) == []
    assert list(failure_lines(one, strict=True))[:2] == [
        "not tried as it should be:", "tried on empty tables",
    ]  # fmt: skip
    assert list(note_lines(one)) == ["tried on empty tables", "no rows could be put into t"]


def test_what_to_do_without_an_extension_names_our_option():
    told = Trouble("the scratch server has no extension x", advice="Name one with --scratch-url.")
    lines = list(failure_lines(judged("not verified", trouble=told), strict=False))
    assert "Name one with --alembic-rollback-scratch-url." in lines
