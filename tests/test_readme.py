"""What the README and the help texts claim is what the code does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from alembic_rollback import cli
from alembic_rollback.host.seams import SEAMS
from alembic_rollback.settings import Settings
from alembic_rollback.summaries import SUMMARIES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def transcripts() -> list[tuple[str, str]]:
    """Command and output, in the README's order."""
    found = []
    for block in re.findall(r"```console\n(\$ .*?)```", README, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def test_the_transcripts_are_real(database_url: URL) -> None:
    bin_ = Path(sys.executable).parent
    url = database_url.render_as_string(hide_password=False).replace("%2F", "/")
    env = {**os.environ, "DATABASE_URL": url, "PYTHONIOENCODING": "utf-8"}
    env["PATH"] = f"{bin_}{os.pathsep}{env['PATH']}"
    assert len(transcripts()) >= 6
    for command, expected in transcripts():
        done = subprocess.run(
            command.split(),
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
        )
        # The hash is of this very database.
        printed = re.sub(r"--confirm [0-9a-f]{64}", "--confirm HASH", done.stdout)
        printed = re.sub(r"PostgreSQL \d+\.\d+", "PostgreSQL 18.6", printed)
        assert (command, printed) == (command, expected)


def test_every_command_option_and_setting_is_documented() -> None:
    for name, command in ((name, cli.find(name)) for name in cli.MODULES):
        assert f"alembic {name}" in README, name
        for parameter in command.params:
            long = [option for option in parameter.opts if option.startswith("--")]
            for option in long:
                assert option in README, option
    for setting in fields(Settings):
        default = "{}" if setting.name == "safety_checks" else str(setting.default)
        assert f"| `{setting.name}` | `{default}` |" in README


def test_summaries_name_every_command_and_fit_a_line() -> None:
    assert list(SUMMARIES) == list(cli.MODULES)
    assert all(len(summary) < 80 for summary in SUMMARIES.values())


@pytest.mark.parametrize("name", cli.MODULES)
def test_help_fits_a_screen_and_has_an_example(name: str) -> None:
    command = [sys.executable, "-m", "alembic", name, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.splitlines()) <= 44
    assert f"alembic {name} " in done.stdout.split("Options:")[0].split("\n", 1)[1]


def test_the_architecture_names_every_seam_and_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for seam in SEAMS:
        assert seam.target.split(".")[1] in text, seam.target
    package = ROOT / "alembic_rollback"
    rooms = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    for room in rooms - {"__init__", "__pycache__", "templates", "py"}:
        assert f"`{room}" in text, room


def test_every_key_of_a_rollback_in_json_is_documented() -> None:
    from alembic_rollback.model import (
        Affected,
        Finding,
        Impact,
        Obstacle,
        Plan,
        Revision,
        Rollback,
        StepImpact,
        TableLoss,
    )
    from alembic_rollback.reporting.data import rollback_data

    revision = Revision("1", "x", Path("x.sql"))
    step = StepImpact(
        revision,
        tables=(TableLoss("t", 1),),
        objects=(Affected("table", "t", "table t", "dropped"),),
        obstacles=(Obstacle("x:1:1", "no"),),
    )
    findings = (Finding("data_loss", "confirm", "lost"),)
    one = Rollback("db", Plan((revision,)), Impact((step,)), findings=findings)

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(keys(inner) for inner in value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    for key in keys(rollback_data([one], "hash")):
        assert f"`{key}`" in README or f'"{key}"' in README, key
