"""The public functions: each on a real database, from programs that know only the API."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Engine

from alembic_rollback import command, errors
from tests.project import Project
from tests.transcripts import page

ENV = """
from alembic import context

context.configure(connection=context.config.attributes.get("connection"), dialect_name="postgresql")
with context.begin_transaction():
    context.run_migrations()
"""


@pytest.fixture
def config(project: Project, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Of a program without .ini file and command line: what it writes goes where it runs."""
    monkeypatch.chdir(project.root)
    project.table("1_a", "a")
    project.table("2_b", "b")
    found = Config()
    found.set_main_option("script_location", str(project.root / "migrations"))
    return found


def test_what_is_public_is_documented_and_takes_options_by_keyword() -> None:
    api = page("reference/python-api.md")
    for name in command.__all__:
        one = getattr(command, name)
        assert name in api, name
        assert inspect.getdoc(one), name
        if inspect.isclass(one):
            assert is_dataclass(one)
            assert one.__dataclass_params__.frozen  # type: ignore[attr-defined]
            continue
        for parameter in inspect.signature(one).parameters.values():
            optional = parameter.default is not parameter.empty
            assert (
                not optional
                or parameter.kind is parameter.KEYWORD_ONLY
                or parameter.name in ("version",)
            ), f"{name}({parameter.name})"


def test_every_function_on_a_database(
    project: Project, config: Config, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    made = command.apply(config, verify=False, tag="v1", tell=told.append)
    assert made.executed
    assert told[-1] == "Applied 2_b"
    project.execute("INSERT INTO a VALUES (1), (2)", "INSERT INTO b VALUES (1)")

    (one,) = command.status(config)
    assert (one.applied, one.pending) == (2, 0)

    # Nothing that loses rows runs without the caller's word.
    for answer in (None, False, lambda plans: False, lambda plans: None):
        with pytest.raises(errors.NotConfirmed, match="Nothing was changed"):
            command.rollback(config, "2", confirm=answer)  # type: ignore[arg-type]
        with pytest.raises(errors.NotConfirmed):
            command.downgrade(config, "-1", confirm=answer)  # type: ignore[arg-type]
    with pytest.raises(errors.UsageError, match="confirm="):
        command.rollback(config, "2", confirm=1)  # type: ignore[arg-type]
    assert project.ledger() == ["1", "2"]

    plan = command.rollback(config, last=1, dry_run=True)
    assert [loss.rows for loss in plan[0].impact.steps[0].tables] == [1]
    assert not plan[0].executed
    agreed = command.plan_hash(plan)
    project.execute("INSERT INTO b VALUES (2)")
    with pytest.raises(errors.Blocked, match="not what was confirmed"):
        command.rollback(config, last=1, confirm=agreed)
    agreed = command.plan_hash(command.rollback(config, last=1, dry_run=True))
    (done,) = command.rollback(config, last=1, confirm=agreed)
    assert (done.executed, done.versions) == (True, ("2",))
    assert project.ledger() == ["1"]

    assert "DROP TABLE IF EXISTS a CASCADE" in command.rollback_sql(config, "1")
    seen: list[int] = []
    (done,) = command.downgrade(config, "base", confirm=lambda plans: not seen.append(len(plans)))
    assert (done.executed, done.versions, seen) == (True, ("1",), [1])
    assert project.ledger() == []

    up, down = command.generate_up(config, "add c", template="table")
    assert up.is_file()
    down.unlink()
    (generated,) = command.generate_down(config, str(up), state="none")
    assert generated.written
    assert down.is_file()

    with pytest.raises(errors.NotConfirmed):
        command.repair(config, "mark-applied", "1")
    (mended,) = command.repair(config, "mark-applied", "1", confirm=True)
    assert mended.executed
    assert project.ledger() == ["1"]
    command.repair(config, "forget", "1", confirm=lambda repairs: len(repairs) == 1)

    project.execute("DROP TABLE IF EXISTS a")
    with pytest.raises(errors.UsageError, match="either VERSION"):
        command.verify_down(config)
    found = command.verify_down(config, "1", scratch_url=project.shown_url)
    assert found.passes(strict=True)
    assert capfd.readouterr() == ("", "")


def test_errors_are_ours_and_say_where_it_stands(project: Project, config: Config) -> None:
    with pytest.raises(errors.RollbackError, match="script_location"):
        command.status(Config())
    with pytest.raises(errors.UsageError, match="No revision '11'"):
        command.apply(config, "11")
    for call in (
        lambda: command.rollback(config, "20260112_001"),
        lambda: command.rollback(config, "1", last=1),
        lambda: command.repair(config, "mend", "1"),
        lambda: command.generate_down(config, "nothing.up.sql"),
    ):
        with pytest.raises(errors.UsageError):
            call()
    with pytest.raises(errors.RollbackError, match="nowhere"):
        command.downgrade(config, "nowhere", confirm=True)
    project.pair("3_c", "CREATE TABLE c (id int);\nSELECT 1/0;\n", "DROP TABLE c;\n")
    with pytest.raises(errors.StatementError, match="division by zero") as caught:
        command.apply(config, verify=False, retries=0)
    failure, report = command.failure_of(caught.value), command.report_of(caught.value)
    assert failure is not None
    assert failure.version == "3"
    assert report is not None
    assert report.report.fault.sqlstate == "22012"
    project.write_env(
        (project.root / "migrations" / "env.py")
        .read_text()
        .replace(repr(project.shown_url), "'postgresql+psycopg2://x@127.0.0.1:1/x'")
    )
    with pytest.raises(errors.DatabaseError, match="Cannot connect"):
        command.status(config)


def test_a_connection_of_the_program(project: Project, config: Config, engine: Engine) -> None:
    project.write_env(ENV)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.apply(config, verify=False)
        (done,) = command.rollback(config, last=1, confirm=True)
        assert done.executed
        (one,) = command.status(config)
        assert (one.applied, one.pending) == (1, 1)
    assert project.ledger() == ["1"]


FLASK = """
from flask import Flask, current_app
from flask_migrate import Migrate, init, upgrade
from flask_sqlalchemy import SQLAlchemy
from pathlib import Path
from alembic_rollback import command, errors

app = Flask("shop")
app.config["SQLALCHEMY_DATABASE_URI"] = {url!r}
Migrate(app, SQLAlchemy(app))
with app.app_context():
    init()
    versions = Path("migrations/versions")
    (versions / "1_a.up.sql").write_text("CREATE TABLE a (id int);")
    (versions / "1_a.down.sql").write_text("DROP TABLE a;")
    upgrade()
    config = current_app.extensions["migrate"].migrate.get_config()
    try:
        command.rollback(config, last=1)
    except errors.NotConfirmed:
        (done,) = command.rollback(config, last=1, confirm=True)
        (one,) = command.status(config)
        Path("result").write_text(f"{{done.executed}} {{one.applied}} {{one.pending}}")
"""


def test_within_flask_migrate(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("flask_migrate")
    (tmp_path / "app.py").write_text(FLASK.format(url=project.shown_url))
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "result").read_text() == "True 0 1"
    assert "WARNING: Rollback" not in done.stdout + done.stderr


def test_the_example_of_the_documentation_runs(
    project: Project, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.apply(config, verify=False)
    (code,) = re.findall(r"```python\n(.*?)```", page("reference/python-api.md"), re.DOTALL)
    monkeypatch.chdir(project.root)
    exec(code.replace("20260112_001", "1"), {"print": lambda *values: None})
    assert project.ledger() == ["2"]


def test_what_is_kept_is_put_back_and_dropped(project: Project) -> None:
    project.table("1_a", "a")
    config = project.config
    command.apply(config, verify=False)
    project.execute("INSERT INTO a VALUES (1)")
    command.rollback(config, "1", confirm=True, archive=True)
    (found,) = command.archived(config)
    assert [item.version for item in found.items] == ["1"]
    command.apply(config, verify=False)
    (found,) = command.restore(config, "1")
    assert [one.rows for one in found.restored] == [1]
    with pytest.raises(errors.NotConfirmed):
        command.drop_archived(config, 0)
    command.drop_archived(config, 0, confirm=True)
    assert command.archived(config)[0].items == ()
