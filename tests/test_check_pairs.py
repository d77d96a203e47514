"""`alembic-rollback check-pairs`, as pre-commit runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from alembic_rollback.errors import UsageError
from alembic_rollback.linting import CHECKS, check_pairs

ROOT = Path(__file__).parent.parent
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
GUIDE = (ROOT / "docs/guides/pre-commit.md").read_text()
BIN = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "versions").mkdir()
    return Path("versions")


def pair(title: str, up: str = "SELECT 1", down: str | None = "SELECT 2") -> list[Path]:
    files = {f"versions/{title}.up.sql": up, f"versions/{title}.down.sql": down}
    written = [(Path(name), text) for name, text in files.items() if text is not None]
    for path, text in written:
        path.write_text(text)
    return [path for path, _ in written]


def said(*paths: Path, only: tuple[str, ...] = ()) -> list[str]:
    return [str(error) for error in check_pairs(paths, only)]


def test_what_is_well_and_what_is_none_of_ours(versions):
    pair("20260112_001_a", "CREATE TABLE a ()", "DROP TABLE a")
    pair("20260112_002_b", "-- Irreversible: the rows are gone\nDROP TABLE a", None)
    pair("3_c", "-- Transaction: none\nVACUUM", "-- nothing to undo")
    other = versions / "notes.sql"
    other.write_text("NONSENSE")
    assert said(versions, other) == []


def test_an_up_without_its_down_and_a_down_without_its_up(versions):
    (up,) = pair("001_a", down=None)
    down = pair("002_b")[1]
    down.with_name("002_b.up.sql").unlink()
    assert said(versions) == [
        "versions/001_a.up.sql:1:1: there is no down: 001_a.down.sql is not beside it. "
        "`alembic generate-down versions/001_a.up.sql` writes what can be derived; where there is "
        "no way back, add the line `-- Irreversible: REASON`.",
        "versions/002_b.down.sql:1:1: a down without its up: 002_b.up.sql is not beside it.",
    ]
    assert said(down) == said(versions)[1:]
    assert said(up, only=("parse", "unique")) == []


def test_a_name_without_a_version():
    found = said(*pair("create_a"))
    assert len(found) == 2
    assert found[1] == (
        "versions/create_a.up.sql:1:1: the name doesn't begin with a version. Write "
        "YYYYMMDD_NNN_name.up.sql, or digits as in 001_name.up.sql."
    )


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("\n  CREATE TABEL a ()", ":2:10", 'syntax error at or near "TABEL"'),
        ("SELECT 1;\nCOMMIT;\nSELECT 2", ":2:1", "COMMIT here would end the migration's"),
        ("-- Transaction: some\nSELECT 1", ":1:1", "`-- Transaction: some` has no meaning"),
        ("\\connect x", ":1:1", ""),
    ],
)
def test_what_cannot_be_run(text, place, what):
    up, down = pair("001_a", text, text)
    found = said(up, down, only=("parse",))
    assert [one.partition(": ")[0] for one in found] == [f"{down}{place}", f"{up}{place}"]
    assert all(what in one for one in found)
    if "syntax" in what:
        assert found[1].endswith(f"Correct it, then `git add {up}`.")


def test_a_file_that_is_not_utf8():
    up, _ = pair("001_a")
    up.write_bytes(b"SELECT '\xe9'")
    assert said(up)[0].startswith("versions/001_a.up.sql:1:9: is not UTF-8")


def test_versions_that_are_there_twice(versions):
    pair("001_a")
    pair("002_b")
    new = pair("0001_c")
    assert said(*new) == [
        "versions/0001_c.up.sql:1:1: has the same version as versions/001_a.up.sql. "
        "`git mv versions/0001_c.up.sql versions/0003_c.up.sql`, and its down likewise; or give "
        "it a version by hand."
    ]
    # All of them together: one is told, once.
    assert len(said(versions)) == 1


def test_a_version_of_a_py_revision(versions):
    (versions / "x.py").write_text('revision: str = "20260112_001"\n')
    (found,) = said(*pair("20260112_001_a"))
    assert "has the same version as versions/x.py. `git mv" in found
    assert "versions/20260112_002_a.up.sql`" in found


def test_folders_of_other_projects_do_not_matter(tmp_path):
    pair("001_a")
    (tmp_path / "other").mkdir()
    for path in pair("001_b"):
        path.rename(tmp_path / "other" / path.name)
    assert said(Path()) == []


def test_a_file_that_is_not_there():
    with pytest.raises(UsageError, match=r"There is no file x\.up\.sql\."):
        said(Path("x.up.sql"))


# --- the command and its hooks ----------------------------------------------------------------


def test_neither_alembic_nor_a_driver_is_imported(versions):
    pair("001_a", "CREATE TABLE a ()")
    code = (
        "import sys\nfrom alembic_rollback.cli import main\n"
        "sys.argv = ['alembic-rollback', 'check-pairs', 'versions']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'alembic', 'sqlalchemy', 'psycopg2', 'mako'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_hook_is_documented_and_runs_a_check_that_there_is():
    assert [hook["id"] for hook in HOOKS] == [
        "check-pairs", *(f"check-pairs-{name}" for name in CHECKS)
    ]  # fmt: skip
    for hook in HOOKS:
        assert f"`{hook['id']}`" in GUIDE
        assert hook["language"] == "python"
        only = hook["entry"].partition(" --only ")[2]
        assert hook["id"] == f"check-pairs-{only}".removesuffix("-")


def test_pre_commit_runs_the_hooks_on_what_is_committed(tmp_path):
    """The real tool and the real entries; but installed here already, not anew by it."""
    hooks = [{**hook, "language": "system"} for hook in HOOKS]
    config = {"repos": [{"repo": "local", "hooks": hooks}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    env["PRE_COMMIT_HOME"] = str(tmp_path / "cache")

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=env, capture_output=True, encoding="utf-8", timeout=120, check=False
        )

    def hook_results() -> tuple[dict[str, str], str]:
        done = call(sys.executable, "-m", "pre_commit", "run")
        lines = [line for line in done.stdout.splitlines() if line.endswith(("ed", "Skipped"))]
        return {line.split("..")[0]: line.rpartition(".")[2] for line in lines}, done.stdout

    names = [hook["name"] for hook in HOOKS]
    assert call("git", "init", "-q").returncode == 0
    pair("001_old", "CREATE TABEL", None)
    pair("002_a")
    assert call("git", "add", "versions/002_a.up.sql", "versions/002_a.down.sql").returncode == 0
    assert hook_results()[0] == dict.fromkeys(names, "Passed")
    pair("003_b", "CREATE TABEL b ()", None)
    call("git", "add", "versions/003_b.up.sql")
    results, text = hook_results()
    assert [results[name] for name in names] == ["Failed", "Failed", "Failed", "Passed"]
    assert "versions/003_b.up.sql:1:8: syntax error" in text
    assert "001_old" not in text
    call("git", "reset", "-q")
    (tmp_path / "other.txt").write_text("")
    call("git", "add", "other.txt")
    assert "no files to check" in hook_results()[1]
