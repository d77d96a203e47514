"""What the README and the help texts claim is what the code does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify
from sqlalchemy.engine import URL

from alembic_rollback import cli, errors
from alembic_rollback.host.seams import SEAMS
from alembic_rollback.summaries import SUMMARIES
from tests import forking, transcripts
from tests.transcripts import ROOT, page

README = (ROOT / "README.md").read_text()


def test_the_transcripts_are_real(database_url: URL) -> None:
    assert len(transcripts.steps(README)) >= 5
    transcripts.play(ROOT / "README.md", ROOT, database_url)


def test_it_fits_an_incident_and_names_every_command_and_exit_code() -> None:
    assert len(README.splitlines()) <= 250
    for name in cli.MODULES:
        assert f"| [`{name}`](docs/reference/commands/{name}.md) |" in README, name
    for code in exit_codes():
        assert re.search(rf"^\| {code} \| \w", README, re.MULTILINE), code
    assert "make demo" in README
    assert "make test" in README


def exit_codes() -> list[int]:
    return [value for name, value in vars(errors).items() if name.isupper()]


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", README)
    assert len(links) > 20
    for path, anchor in links:
        assert (ROOT / path).exists(), path
        if anchor:
            assert anchor in anchors(ROOT / path), f"{path}#{anchor}"


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {slugify(re.sub(r"[`*]", "", heading), "-") for heading in headings}


def test_summaries_name_every_command_and_fit_a_line() -> None:
    assert list(SUMMARIES) == list(cli.MODULES)
    assert all(len(summary) < 80 for summary in SUMMARIES.values())


@pytest.mark.parametrize("name", cli.MODULES)
def test_help_fits_a_screen_and_has_an_example(name: str) -> None:
    code, out, _ = forking.run([name, "--help"], ROOT, os.environ)
    assert code == 0
    assert len(out.splitlines()) <= 44
    assert f"alembic {name} " in out.split("Options:")[0].split("\n", 1)[1]


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

    revision = Revision("1", "x", "x.sql")
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

    chapter = page("reference/commands/rollback-db.md")
    for key in keys(rollback_data([one], "hash")):
        assert f"`{key}`" in chapter or f'"{key}"' in chapter, key
