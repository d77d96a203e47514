"""The line that shows what takes long: on a real terminal, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

from alembic.config import Config

from alembic_rollback import command
from alembic_rollback.progress import LISTENER
from tests.project import Project
from tests.test_confirmation import ended, terminal

SLEEP = "SELECT pg_sleep(1.4)"


def screen(text: str) -> str:
    """What is left to be read of what a terminal was sent."""
    rows = []
    for row in text.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in row.split("\r"):
            part, cleared, rest = part.partition("\x1b[K")
            shown = part + rest if cleared else part + shown[len(part) :]
        rows.append(shown)
    return "\n".join(rows)


def test_a_slow_statement_is_shown_and_taken_away(project: Project) -> None:
    secret = "CREATE TABLE a (id int, word text DEFAULT 'password=hidden host=x');"
    slow = "SELECT\n  pg_sleep(1.4), 'host=x password=geheim', '\x1b[31m';"
    project.pair("1_a", f"{secret}\n{slow}\nSELECT 1;", f"{SLEEP};\nDROP TABLE a;")
    project.script("2", "1", up=f'op.execute("{SLEEP}")')
    said, code = ended(terminal(project, "upgrade", "head", CI=""))
    assert code == 0, said
    assert re.search(r"\r2 of 3: SELECT pg_sleep\(1\.4\), '\*\*\*', '\?\[31m' \(1 s\)", said), said
    assert f"\r{SLEEP} (1 s)" in said
    assert "geheim" not in said
    assert "hidden" not in said
    quiet = screen(said)
    assert [line.partition("] ")[2] for line in quiet.splitlines() if line] == [
        "Context impl PostgresqlImpl.",
        "Will assume transactional DDL.",
        "Running upgrade  -> 1, a",
        "Running upgrade 1 -> 2, script 2",
    ]

    said, code = ended(terminal(project, "rollback-db", "1", "2", "--yes", CI=""))
    assert code == 0, said
    assert f"\r1 of 2: {SLEEP} (1 s)" in said
    assert "pg_sleep" not in screen(said)
    assert screen(said).splitlines()[-1].endswith("Rolled back 1_a")


def test_neither_in_pipes_nor_in_ci(project: Project) -> None:
    project.pair("1_a", f"{SLEEP};", "SELECT 1;")
    done = project.alembic("upgrade", "head", env={"CI": ""})
    assert "\r" not in done.text
    project.alembic("rollback-db", "1")
    said, code = ended(terminal(project, "upgrade", "head", CI="true"))
    assert (code, "pg_sleep" in said) == (0, False)


def test_the_revisions_of_long_work_are_counted(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_slow", "SELECT pg_sleep(0.5);", "SELECT 1;")
    url = project.shown_url
    said, code = ended(terminal(project, "verify-down", "--all", "--scratch-url", url, CI=""))
    assert code == 0, said
    assert re.search(r"\r2 of 2: 2_slow.* \(\d s\)", said), said
    assert "2 of 2: " not in screen(said)

    config = Config()
    config.set_main_option("script_location", str(project.root / "migrations"))
    files = [str(Path(project.versions, name)) for name in ("1_a.up.sql", "2_slow.up.sql")]
    told: list[str] = []
    token = LISTENER.set(told.append)
    command.generate_down(config, *files, write=False, state="replay", scratch_url=url)
    LISTENER.reset(token)
    assert told == ["1 of 2: 1_a.up.sql", "2 of 2: 2_slow.up.sql", ""]
