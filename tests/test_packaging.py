"""The wheel installs into an empty environment and works there."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the built wheel; its bin directory."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    bin_ = folder / "venv" / "bin"
    install = [str(bin_ / "python"), "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    return bin_


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
