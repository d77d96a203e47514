"""What makes it fast, counted instead of timed: round trips, queries, files parsed, modules."""

from __future__ import annotations

import gc
import random
from typing import Any

import pytest
from alembic import command
from alembic.script.revision import Revision, RevisionMap
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from alembic_rollback import cli, commands, direct
from alembic_rollback.checks.simulation.registry import RULES
from alembic_rollback.errors import Blocked
from alembic_rollback.host import heads, scripts
from alembic_rollback.planning import Request
from alembic_rollback.sql import script as scripting
from alembic_rollback.stillness import Stillness
from tests.counting import SENT
from tests.project import SHARED, Project
from tests.test_import import loaded, modules

ENV = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from tests.counting import CountingCursor

arguments = {{"cursor_factory": CountingCursor}}
with create_engine({url!r}, poolclass=NullPool, connect_args=arguments).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.fixture
def counted(project: Project) -> Project:
    """A project whose round trips are counted."""
    project.write_env(ENV.format(url=project.shown_url))
    return project


def add(project: Project, first: int, last: int) -> None:
    """Pairs of two statements up and two down."""
    for n in range(first, last + 1):
        project.pair(
            f"{n:03d}_t{n}",
            f"CREATE TABLE t{n} (id int PRIMARY KEY, n int DEFAULT 1);\n"
            f"CREATE INDEX i{n} ON t{n} (n);",
            f"DROP INDEX i{n};\nDROP TABLE t{n};",
        )


def sent(action: Any) -> int:
    """How many statements an action sends."""
    SENT.clear()
    action()
    return len(SENT)


def test_a_migration_takes_a_message_for_each_statement_and_one_for_all_books(
    counted: Project,
) -> None:
    """Version table, ledger and log go together."""
    add(counted, 1, 1)
    command.upgrade(counted.config, "head")
    add(counted, 2, 3)
    few = sent(lambda: command.upgrade(counted.config, "head"))
    add(counted, 4, 11)
    many = sent(lambda: command.upgrade(counted.config, "head"))
    assert many - few == (8 - 2) * (2 + 1)
    assert counted.heads() == ["011"]
    assert len(counted.ledger()) == 11


def test_the_look_before_a_rollback_asks_as_much_for_many_steps_as_for_few(
    counted: Project,
) -> None:
    add(counted, 1, 12)
    command.upgrade(counted.config, "head")

    def look(steps: int) -> int:
        return sent(lambda: commands.rollback(counted.config, Request(last=steps), dry_run=True))

    assert look(11) == look(3)


def test_the_look_at_one_asks_as_much_with_many_later_revisions_as_with_few(
    counted: Project,
) -> None:
    add(counted, 1, 12)
    command.upgrade(counted.config, "head")

    def look(version: str) -> int:
        return sent(lambda: commands.rollback(counted.config, Request((version,)), dry_run=True))

    assert look("001") == look("010")


def test_the_look_follows_each_statement_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(project, 1, 3)
    command.upgrade(project.config, "head")
    followed: list[str] = []
    rule = RULES["DropStmt"]

    def drop(world: Any, node: Any, change: Any) -> None:
        followed.append(change.statement.text)
        rule(world, node, change)

    monkeypatch.setitem(RULES, "DropStmt", drop)
    commands.rollback(project.config, Request(everything=True), dry_run=True)
    assert followed == [
        text for n in (3, 2, 1) for text in (f"DROP INDEX i{n}", f"DROP TABLE t{n}")
    ]


@pytest.mark.parametrize(("alone", "most"), [pytest.param(True, 7, marks=SHARED), (False, 31)])
def test_each_step_of_a_rollback_costs_the_same_however_long_the_plan(
    counted: Project, monkeypatch: pytest.MonkeyPatch, alone: bool, most: int
) -> None:
    """Where others write, too, each is looked at again under its locks."""
    if not alone:
        monkeypatch.setattr(Stillness, "lasts", lambda *_: False)
    add(counted, 1, 12)

    def roll_back(steps: int) -> int:
        command.upgrade(counted.config, "head")
        return sent(lambda: commands.rollback(counted.config, Request(last=steps), each=True))

    two, five, eleven = (roll_back(steps) for steps in (2, 5, 11))
    assert (five - two) * 2 == eleven - five
    assert (eleven - five) / 6 <= most


def test_an_upgrade_parses_each_up_once_and_no_down(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(project, 1, 4)
    parsed: list[str] = []
    whole = scripting.parse

    def parse(text: str, path: Any) -> Any:
        parsed.append(path.name)
        return whole(text, path)

    monkeypatch.setattr(scripting, "parse", parse)
    command.upgrade(project.config, "head")
    assert sorted(parsed) == [f"{n:03d}_t{n}.up.sql" for n in range(1, 5)]
    parsed.clear()
    commands.status(project.config)
    command.current(project.config)
    assert parsed == []


def test_pairs_are_read_once_a_load(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    add(project, 1, 4)
    found: list[int] = []
    whole = scripts.find_pairs

    def find_pairs(files: list[str]) -> Any:
        found.append(len(files))
        return whole(files)

    monkeypatch.setattr(scripts, "find_pairs", find_pairs)
    command.upgrade(project.config, "head")
    assert found == [8]


def test_scripts_that_are_only_run_keep_no_trees(project: Project) -> None:
    """A tree takes fifty times the memory of its text; asked for again, it is parsed again."""
    text = "SELECT set_config('app.tenant', 'x', false);\nSET work_mem = '1MB';\nSELECT 1;"
    whole = scripting.read_script(text, project.root / "x.sql")
    small = whole.without_trees()
    assert [statement.tree for statement in small.statements] == [None] * 3
    assert small == whole
    assert small.session == whole.session
    assert small.session.changed
    assert small.session.custom == {"app.tenant"}
    assert [one.kind for one in small.statements] == [one.kind for one in whole.statements]


def test_a_setting_is_seen_under_an_escaped_name(project: Project) -> None:
    r"""set_config can be written U&"set\005fconfig": text alone must not decide."""
    text = r"""SELECT U&"set\005fconfig"('search_path', '', false);"""
    assert scripting.read_script(text, project.root / "x.sql").session.changed


def test_migration_status_imports_nothing_of_other_commands(project: Project) -> None:
    add(project, 1, 2)
    project.alembic("upgrade", "head")
    ini = str(project.root / "alembic.ini")
    code = (
        "from alembic.config import CommandLine\n"
        f"CommandLine().main(['-c', {ini!r}, 'migration-status'])"
    )
    package = "alembic_rollback"
    other = ("archive.keeping", "catalog", "checks", "commands.rolling_back", "derivation")
    more = ("generation", "guard", "inverse", "preflight", "seeding", "verification")
    heavy = {f"{package}.{name}" for name in (*other, *more)} | {"postgast", "google.protobuf"}
    assert not loaded(heavy, modules(code))


def test_upgrade_without_anything_pending_imports_no_parser(project: Project) -> None:
    add(project, 1, 2)
    project.alembic("upgrade", "head")
    ini = str(project.root / "alembic.ini")
    code = (
        "from alembic.config import CommandLine\n"
        f"CommandLine().main(['-c', {ini!r}, 'upgrade', 'head'])"
    )
    assert not loaded({"postgast", "google.protobuf", "click"}, modules(code))


@pytest.mark.parametrize("seed", range(200))
def test_branch_heads_are_alembics(seed: int) -> None:
    """On random graphs with branches, merges and dependencies."""
    chance = random.Random(seed)
    revisions: list[Revision] = []
    for n in range(chance.randint(1, 12)):
        known = [one.revision for one in revisions]
        below = tuple(chance.sample(known, min(len(known), chance.choice((0, 1, 1, 1, 2)))))
        needs = tuple(chance.sample(known, min(len(known), chance.choice((0, 0, 0, 1)))))
        revisions.append(Revision(f"r{n}", below or None, dependencies=needs or None))
    map_ = RevisionMap(lambda: iter(revisions))
    every = [one for key, one in map_._revision_map.items() if one is not None]
    some = set(chance.sample(every, chance.randint(1, len(every))))
    original: Any = RevisionMap._filter_into_branch_heads.__wrapped__  # type: ignore[attr-defined]
    assert heads.branch_heads(None, map_, (some,), {}) == original(map_, some)


def test_a_script_above_max_script_size_is_refused_before_anything_runs(
    project: Project,
) -> None:
    project.write_ini("max_script_size = 1kB")
    project.table("1_small", "small")
    project.pair("2_large", "CREATE TABLE large ();" + "-- more\n" * 200, "DROP TABLE large;")
    said = project.alembic("upgrade", "head", code=1)
    assert "2_large.up.sql: is a script of" in said.err
    assert "max_script_size is 0.000976562 MB" in said.err
    assert "Split it" in said.err
    assert project.tables() == set()


def test_a_large_down_is_refused_before_anybody_is_asked(project: Project) -> None:
    project.pair("1_large", "CREATE TABLE large ();", "DROP TABLE large;" + "-- more\n" * 200)
    project.alembic("upgrade", "head")
    project.write_ini("max_script_size = 1kB")
    said = project.alembic("rollback-db", "1", code=1)
    assert "1_large.down.sql: is a script of" in said.err
    assert project.tables() == {"large"}


def test_a_large_script_is_not_tried_on_a_scratch_database_either(project: Project) -> None:
    project.pair("1_large", "CREATE TABLE large ();" + "-- more\n" * 200, "DROP TABLE large;")
    project.table("2_small", "small")
    project.write_ini("max_script_size = 1kB")
    said = project.alembic("verify-down", "--all", code=1)
    assert "1_large: not verified: is a script of" in said.text
    assert "Split it" in said.text
    assert "stands on" in said.text
    said = project.alembic("generate-down", "2", "--force", "--state", "replay", code=1)
    assert "1_large.up.sql: is a script of" in said.text


@pytest.mark.parametrize(
    ("before", "inside"), [((700, 10, 10), 50_000), ((90_000, 10, 10), 90_000), ((0, 10, 10), 0)]
)
def test_the_command_line_collects_rarely_and_puts_back_how_often(
    before: tuple[int, int, int], inside: int
) -> None:
    usual = gc.get_threshold()
    seen: list[tuple[int, int, int]] = []
    try:
        gc.set_threshold(*before)
        assert cli.guarded(lambda: seen.append(gc.get_threshold())) == 0
        assert (seen, gc.get_threshold()) == ([(inside, 10, 10)], before)
        with pytest.raises(ZeroDivisionError):
            cli.guarded(lambda: 1 / 0)
        assert gc.get_threshold() == before
    finally:
        gc.set_threshold(*usual)


def test_who_listens_to_sqlalchemy_hears_every_statement(engine: Engine) -> None:
    heard: list[str] = []
    with engine.connect() as connection, connection.begin():
        assert direct.scalar(connection, "SELECT '100% :a'") == "100% :a"
        assert direct.row(connection, "SELECT 1, '%'") == (1, "%")
        event.listen(connection, "before_cursor_execute", lambda *args: heard.append(args[2]))
        direct.execute(connection, "SELECT 1")
        assert direct.scalar(connection, "SELECT '100% :b'") == "100% :b"
        assert tuple(direct.row(connection, "SELECT 1, '%'")) == (1, "%")
    assert heard == ["SELECT 1", "SELECT '100% :b'", "SELECT 1, '%'"]


def test_an_error_straight_from_the_driver_is_sqlalchemys(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin():
        with pytest.raises(DBAPIError) as straight:
            direct.execute(connection, "SELECT 1 / 0")
        assert straight.value.statement == "SELECT 1 / 0"
        assert straight.value.orig.diag.sqlstate == "22012"  # type: ignore[union-attr]
        connection.rollback()


def test_a_connection_that_is_lost_straight_from_the_driver_is_given_up(
    database_url: URL,
) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.begin()
        with pytest.raises(DBAPIError) as lost:
            direct.execute(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
        assert lost.value.connection_invalidated
        assert connection.invalidated


def test_the_guard_compares_one_step_with_what_was_shown_of_it(counted: Project) -> None:
    """Found after the guard no longer goes through the whole plan for each step."""
    add(counted, 1, 3)
    command.upgrade(counted.config, "head")

    def write(shown: Any) -> bool:
        counted.execute("INSERT INTO t1 VALUES (1)")
        return True

    with pytest.raises(Blocked, match="has changed since it was shown"):
        commands.rollback(counted.config, Request(everything=True), confirm=write, each=True)
    assert counted.tables() == {"t1"}
