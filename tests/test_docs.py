"""The pages of docs/: what they show is what happens, and nothing is left out of the reference."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from alembic_rollback import cli, command, errors
from alembic_rollback.settings import DEFAULT_LEVELS, Settings
from docs import generated
from tests import forking, transcripts
from tests.transcripts import ROOT, page

DOCS = ROOT / "docs"
COMMANDS = "reference/commands"
ON_THE_SAMPLE = (
    "migration-status",
    "restore-db",
    "apply-db",
    "generate-down",
    "verify-down",
    "repair-db",
)
"""Pages with transcripts of the sample project; each goes on from where the one before it ends."""


def with_transcripts() -> list[str]:
    """Pages but for the tutorial that are done in a folder of their own."""
    pages = (path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    typed = {name for name in pages if transcripts.steps((DOCS / name).read_text())}
    return sorted(typed - {"tutorial.md"} - {f"{COMMANDS}/{name}.md" for name in ON_THE_SAMPLE})


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `alembic` that costs a fifth of a new interpreter."""
    return forking.command(tmp_path_factory.mktemp("forked") / "bin")


def test_the_tutorial_is_done_word_for_word(
    tmp_path: Path, database_url: URL, forked: Path
) -> None:
    transcripts.play(DOCS / "tutorial.md", tmp_path, database_url, forked)


@pytest.mark.parametrize("name", with_transcripts())
def test_a_guide_is_done_word_for_word(
    name: str, tmp_path: Path, database_url: URL, forked: Path
) -> None:
    transcripts.play(DOCS / name, tmp_path, database_url, forked)


def test_they_are_worth_doing() -> None:
    assert {"guides/from-other-tools.md", "guides/review-in-ci.md"} <= set(with_transcripts())
    typed = transcripts.steps((DOCS / "tutorial.md").read_text())
    assert sum(isinstance(step, transcripts.Command) for step in typed) >= 15


def test_the_reference_on_the_sample_project(database_url: URL, forked: Path) -> None:
    for name in ON_THE_SAMPLE:
        transcripts.play(DOCS / COMMANDS / f"{name}.md", ROOT, database_url, forked)


def test_what_is_not_compared_is_little() -> None:
    told = "3 of 12 rows, 20260112_001, PostgreSQL ≥ 14, exit code 5, 30d"
    assert transcripts.plain(told) == told
    assert transcripts.plain("took 12 ms at 2026-01-12T03:14:07+00:00") == "took TIME at TIME"


def test_a_transcript_that_is_not_true_fails(tmp_path: Path, database_url: URL) -> None:
    (tmp_path / "page.md").write_text("```console\n$ echo one; exit 3\none\n$ echo $?\n0\n```\n")
    with pytest.raises(AssertionError, match=r"echo \$\?"):
        transcripts.play(tmp_path / "page.md", tmp_path, database_url)


@pytest.mark.parametrize("name", cli.MODULES)
def test_a_command_has_a_page_with_every_option(name: str) -> None:
    text = page(f"{COMMANDS}/{name}.md")
    assert f"# `alembic {name}" in text
    for parameter in cli.find(name).params:
        for option in parameter.opts:
            if option.startswith("-"):
                assert f"`{option}" in text or f", {option}" in text, option


def test_every_setting_is_there_with_its_default() -> None:
    text = page("reference/settings.md")
    for setting in fields(Settings):
        default = "{}" if setting.name == "safety_checks" else str(setting.default)
        shown = f"`{default}`" if default else "none"
        assert f"| `{setting.name}` | {shown} |" in text, setting.name


def test_every_check_is_there_with_its_level() -> None:
    text = page("reference/checks.md")
    for name, level in DEFAULT_LEVELS.items():
        assert f"| `{name}` | `{level}` |" in text, name


def test_every_error_and_exit_code_is_there() -> None:
    text = page("reference/exit-codes.md")
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.RollbackError):
            assert f"| `{name}` |" in text, name
        elif name.isupper():
            assert f"\n| {value} | " in text, name


def test_every_function_and_result_has_its_docstring_there() -> None:
    text = page("reference/python-api.md")
    for name in (*command.__all__, "Answer"):
        home = getattr(getattr(command, name), "__module__", command.__name__)
        home = command.__name__ if name == "Answer" else home
        assert f"\n::: {home}.{name}\n" in text, name


def test_an_unknown_mark_is_an_error() -> None:
    with pytest.raises(KeyError):
        generated.expanded("<!-- generated: nothing -->")


def test_each_part_of_the_reference_is_reached_from_its_first_page() -> None:
    text = (DOCS / "reference/index.md").read_text()
    for path in (DOCS / "reference").glob("*.md"):
        assert path.name == "index.md" or path.name in text, path.name
