"""A step is not looked at a second time where nobody can have changed anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback import commands, guard
from alembic_rollback.errors import Blocked
from alembic_rollback.planning import Request
from tests.project import ENV, SHARED, Project

pytestmark = SHARED


@pytest.fixture
def three(project: Project) -> Project:
    """Three tables with a row each, none of which knows of the others."""
    for number, name in enumerate("abc", 1):
        project.pair(
            f"00{number}_{name}",
            f"CREATE TABLE {name} (id int);\nINSERT INTO {name} VALUES (1);",
            f"DROP TABLE {name};",
        )
    project.alembic("upgrade", "head")
    return project


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were looked at a second time."""
    seen: list[str] = []
    whole = guard.assess

    def assess(connection: Any, plan: Any, *others: Any) -> Any:
        seen.extend(step.version for step in plan.steps)
        return whole(connection, plan, *others)

    monkeypatch.setattr(guard, "assess", assess)
    return seen


def before_locking(
    monkeypatch: pytest.MonkeyPatch, number: int, action: Callable[[], None]
) -> None:
    """Do something right before the number-th step's tables are locked."""
    calls: list[None] = []
    whole = guard._lock_tables

    def lock_tables(*args: Any) -> None:
        calls.append(None)
        if len(calls) == number:
            action()
        whole(*args)

    monkeypatch.setattr(guard, "_lock_tables", lock_tables)


def take_all(project: Project, *, each: bool = True, **more: Any) -> list[int | None]:
    """Roll everything back; return how many rows each step is said to have taken."""
    (done,) = commands.rollback(project.config, Request(to="base"), each=each, **more)
    assert done.executed
    assert not set("abc") & set(project.tables())
    return [sum(table.rows or 0 for table in step.tables) for step in done.impact.steps]


@pytest.mark.parametrize("each", [True, False])
def test_without_anybody_else_one_look_is_enough(
    three: Project, looks: list[str], each: bool
) -> None:
    assert take_all(three, each=each) == [1, 1, 1]
    assert looks == []


def test_alembic_downgrade_too(three: Project, looks: list[str]) -> None:
    three.write_env(ENV.format(url=three.shown_url, options={"transaction_per_migration": True}))
    _, look_again = commands.downgrade(three.config, "base", confirm=lambda _: True)
    from alembic import command

    from alembic_rollback.host.state import guarding

    with guarding(look_again):
        command.downgrade(three.config, "base")
    assert looks == []
    assert not set("abc") & set(three.tables())


def test_rows_that_come_between_two_steps_are_counted(
    three: Project, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_locking(monkeypatch, 2, lambda: three.execute("INSERT INTO b VALUES (2), (3)"))
    assert take_all(three) == [1, 3, 1]
    assert looks == ["002", "001"]


def test_and_stop_what_a_person_has_agreed_to(
    three: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_locking(monkeypatch, 2, lambda: three.execute("INSERT INTO b VALUES (2), (3)"))
    with pytest.raises(Blocked, match="has changed since it was shown"):
        commands.rollback(three.config, Request(to="base"), each=True, confirm=lambda _: True)
    assert {"a", "b"} <= set(three.tables())
    assert "c" not in three.tables()


def test_a_transaction_that_was_open_at_the_look_and_ends_after_it(
    three: Project, looks: list[str]
) -> None:
    with create_engine(three.url, poolclass=NullPool).connect() as writer:
        writer.exec_driver_sql("INSERT INTO b VALUES (2)")

        def commit(_: Any) -> bool:
            writer.commit()
            return False

        assert take_all(three, confirm=commit) == [1, 2, 1]
    assert looks == ["003", "002", "001"]


def test_a_transaction_that_is_open_all_the_time(three: Project, looks: list[str]) -> None:
    three.execute("CREATE TABLE other (id int)")
    with create_engine(three.url, poolclass=NullPool).connect() as writer:
        writer.exec_driver_sql("INSERT INTO other VALUES (1)")
        assert take_all(three) == [1, 1, 1]
        writer.commit()


def test_what_another_transaction_has_changed_elsewhere_is_a_reason_to_look(
    three: Project, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_locking(monkeypatch, 1, lambda: three.execute("CREATE TABLE other (id int)"))
    assert take_all(three) == [1, 1, 1]
    assert looks == ["003", "002", "001"]


@pytest.mark.parametrize(
    "down",
    [
        "DO $$ BEGIN INSERT INTO b SELECT generate_series(1, 5); END $$;\nDROP TABLE c;",
        "INSERT INTO b SELECT generate_series(1, 5);\nDROP TABLE c;",
        "ALTER TABLE c ADD n int DEFAULT fill();\nDROP TABLE c;",
    ],
)
def test_after_a_script_that_may_do_anything_is_looked_at_again(
    three: Project, looks: list[str], down: str
) -> None:
    three.execute(
        "CREATE FUNCTION fill() RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO b SELECT generate_series(1, 5); RETURN 1; END $$"
    )
    (three.versions / "003_c.down.sql").write_text(down)
    assert take_all(three) == [1, 6, 1]
    assert looks == ["002", "001"]


def test_a_python_revision_may_do_anything(three: Project, looks: list[str]) -> None:
    three.script("004", "003", "pass", "op.execute('INSERT INTO b VALUES (2)')")
    three.alembic("upgrade", "head")
    assert take_all(three) == [0, 1, 2, 1]
    assert looks == ["003", "002", "001"]


def test_event_triggers_may_do_anything(three: Project, looks: list[str]) -> None:
    three.execute(
        "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF to_regclass('b') IS NOT NULL THEN INSERT INTO b VALUES (9); END IF; END $$"
    )
    three.execute("CREATE EVENT TRIGGER noting ON sql_drop EXECUTE FUNCTION note()")
    assert take_all(three)[1] == 2
    assert looks == ["003", "002", "001"]


@pytest.mark.parametrize(
    ("more", "each"),
    [
        # Called in the step's transaction, after its statements.
        (
            "options['on_version_apply'] = lambda ctx, **_: ctx.connection.exec_driver_sql(INSERT)",
            True,
        ),
        # Called by SQLAlchemy, whenever it likes.
        ("event.listen(engine, 'begin', lambda connection: None)", True),
        # Written before the run begins, in its transaction.
        ("inside = lambda: connection.exec_driver_sql(INSERT)", False),
    ],
)
def test_code_of_env_py_in_our_transaction_may_do_anything(
    three: Project, looks: list[str], more: str, each: bool
) -> None:
    (three.root / "migrations" / "env.py").write_text(
        f"""
from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

INSERT = "DO $$ BEGIN IF to_regclass('b') IS NOT NULL THEN INSERT INTO b VALUES (7); END IF; END $$"
engine = create_engine({three.shown_url!r}, poolclass=NullPool)
with engine.connect() as connection:
    options, inside = {{}}, lambda: None
    {more}
    context.configure(connection=connection, transaction_per_migration={each}, **options)
    with context.begin_transaction():
        inside()
        context.run_migrations()
"""
    )
    take_all(three, each=each)
    assert looks == ["003", "002", "001"]


def test_files_that_have_changed_are_looked_at_again(three: Project, looks: list[str]) -> None:
    def edit(_: Any) -> bool:
        (three.versions / "002_b.down.sql").write_text("-- another\nDROP TABLE b;")
        return False

    assert take_all(three, confirm=edit) == [1, 1, 1]
    assert looks == ["002", "001"]


def test_names_that_are_looked_for_elsewhere_may_mean_something_else(
    three: Project, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOK_IN", "public")
    text = ENV.format(url=three.shown_url, options={})
    begin = ".connect() as connection:\n"
    path = "connection.exec_driver_sql('SET search_path = ' + os.environ['LOOK_IN'])"
    text = text.replace(begin, f"{begin}        {path}; connection.commit()\n")
    three.write_env(f"import os\n{text}")
    three.execute("CREATE SCHEMA other")

    def elsewhere(_: Any) -> bool:
        monkeypatch.setenv("LOOK_IN", "other, public")
        return False

    assert take_all(three, confirm=elsewhere) == [1, 1, 1]
    assert looks == ["003", "002", "001"]
