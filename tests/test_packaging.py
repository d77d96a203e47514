"""What would be published: it is whole, it passes its checks, and it installs and works."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

import alembic_rollback

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel; its bin directory."""
    folder = tmp_path_factory.mktemp("venv")
    (wheel,) = dist.glob("*.whl")
    venv.create(folder, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", str(wheel)], check=True, timeout=300)
    return folder / "bin"


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_are_there(installed: Path, tmp_path: Path) -> None:
    shown = run(installed / "alembic", "--help", cwd=tmp_path)
    assert "rollback-db" in shown
    assert "rollback-db" in run(installed / "alembic-rollback", "--help", cwd=tmp_path)
    version = run(installed / "alembic-rollback", "--version", cwd=tmp_path)
    assert version.startswith("alembic-rollback, version ")


def test_a_pair_is_written_from_the_packaged_templates(installed: Path, tmp_path: Path) -> None:
    run(installed / "alembic", "init", "migrations", cwd=tmp_path)
    written = run(
        installed / "alembic", "generate-up", "create orders", "--template", "table", cwd=tmp_path
    )
    up, down = (Path(line) for line in written.splitlines())
    assert "CREATE TABLE orders" in up.read_text()
    assert "DROP TABLE IF EXISTS orders CASCADE" in down.read_text()
    assert up.name.removesuffix("_create_orders.up.sql") in run(
        installed / "alembic", "history", cwd=tmp_path
    )


def test_types_are_shipped(installed: Path, tmp_path: Path) -> None:
    code = "import alembic_rollback as m, pathlib as p; "
    code += "print(p.Path(m.__file__).with_name('py.typed').exists())"
    assert run(installed / "python", "-c", code, cwd=tmp_path).strip() == "True"


def test_status_of_a_fresh_project(installed: Path, tmp_path: Path, database_url: URL) -> None:
    run(installed / "alembic", "-q", "init", "migrations", cwd=tmp_path)
    ini = tmp_path / "alembic.ini"
    url = database_url.render_as_string(hide_password=False).replace("%", "%%")
    changed, times = re.subn(r"(?m)^sqlalchemy\.url = .*$", "", ini.read_text())
    assert times == 1
    ini.write_text(changed.replace("[alembic]\n", f"[alembic]\nsqlalchemy.url = {url}\n"))
    assert "0 applied, 0 pending" in run(installed / "alembic", "migration-status", cwd=tmp_path)
    run(installed / "alembic", "generate-up", "create orders", "--template", "table", cwd=tmp_path)
    run(installed / "alembic", "upgrade", "head", cwd=tmp_path)
    assert "1 applied, 0 pending" in run(installed / "alembic", "migration-status", cwd=tmp_path)


def test_both_pass_the_checks_of_the_index(dist: Path) -> None:
    files = sorted(dist.iterdir())
    assert [file.suffix for file in files] == [".whl", ".gz"]
    run(BIN / "twine", "check", "--strict", *files, cwd=ROOT)
    run(BIN / "check-wheel-contents", files[0], cwd=ROOT)


def test_the_source_has_tests_and_documentation_and_nothing_of_a_workplace(dist: Path) -> None:
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tops = {name.split("/")[0] for name in names}
    wanted = {
        "tests",
        "docs",
        "mkdocs.yml",
        "Makefile",
        "CHANGELOG.md",
        "LICENSE",
        "pyproject.toml",
    }
    assert wanted <= tops
    assert {"docs/tutorial.md", "docs/.nav.yml", "tests/transcripts.py"} <= names
    left_out = {".ci", ".git", ".venv", ".pgdata", "build", "dist", "backups", "failures"}
    assert not left_out & tops


def test_the_version_is_semantic_said_once_and_in_the_changelog(dist: Path) -> None:
    version = alembic_rollback.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version)
    assert {file.name.split("-")[1].removesuffix(".tar.gz") for file in dist.iterdir()} == {version}
    assert version not in (ROOT / "pyproject.toml").read_text().split("[project.optional")[0]
    headings = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1:] == [] or version in headings


def test_the_workflow_is_one_and_runs_targets_that_exist() -> None:
    workflow = ROOT / ".github" / "workflows" / "ci.yml"
    schema = ("--builtin-schema", "vendor.github-workflows")
    run(BIN / "check-jsonschema", *schema, workflow, cwd=ROOT)
    text, makefile = workflow.read_text(), (ROOT / "Makefile").read_text()
    targets = re.findall(r"run: make (\w+)", text)
    assert set(targets) == {"check", "docs", "test", "dist"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    actions = re.findall(r"uses: (\S+)", text)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)
