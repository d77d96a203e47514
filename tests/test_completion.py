"""What the shells are told for `alembic-rollback …<Tab>`; no database and no env.py is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.project import Project
from tests.transcripts import page

BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project.create(tmp_path / "project", make_url("postgresql+psycopg2://x@127.0.0.1:1/x"))
    found.table("20260112_001_create_orders", "orders")
    found.table("20260112_002_create_items", "items")
    found.script("5c1e0d2b7a94", "20260112_002", message="create suppliers")
    (found.versions / "notes.py").write_text("raise SystemExit('nothing runs this')")
    found.write_env("raise SystemExit('nothing runs this')")
    return found


def completed(project: Project, shell: str, words: str, **more: str) -> str:
    env = {**os.environ, "_ALEMBIC_ROLLBACK_COMPLETE": f"{shell}_complete", "COMP_WORDS": words}
    done = subprocess.run(
        [str(BIN / "alembic-rollback")],
        cwd=project.root,
        env={**env, **more},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def test_in_bash_with_the_line_of_the_documentation(project: Project) -> None:
    pattern = r"In bash, .*?```sh\n(.*?)\n```"
    (line,) = re.findall(pattern, page("reference/commands/alembic-rollback.md"), re.DOTALL)
    tries = (
        "rollback-db 2026",
        "rollback-db 20260112_001 2026",
        "rollback-db --to ''",
        "-c alembic.ini apply-db he",
        "generate-down 5",
        "roll",
    )
    script = f"{line}\ncd {project.root}\n"
    for words in tries:
        count = len(words.split())
        script += (
            f"COMP_WORDS=(alembic-rollback {words}); COMP_CWORD={count}; COMPREPLY=()\n"
            '_alembic_rollback_completion alembic-rollback; echo "${COMPREPLY[@]}"\n'
        )
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "20260112_001 20260112_002",
        "20260112_002",
        "20260112_001 20260112_002 5c1e0d2b7a94 base",
        "head heads",
        "5c1e0d2b7a94",
        "rollback-db",
    ]


def test_in_zsh_and_fish_with_names(project: Project) -> None:
    said = completed(project, "zsh", "alembic-rollback verify-down 5", COMP_CWORD="2")
    assert said.split("\n")[:3] == ["plain", "5c1e0d2b7a94", "create suppliers"]
    said = completed(project, "zsh", "alembic-rollback generate-down mig", COMP_CWORD="2")
    assert said.split("\n")[:2] == ["file", "mig"]  # the shell completes paths itself
    said = completed(project, "fish", "alembic-rollback repair-db", COMP_CWORD="20260112_002")
    assert "20260112_002" in said
    assert "create_items" in said
