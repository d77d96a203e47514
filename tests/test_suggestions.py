"""A mistyped version ends with what was probably meant, in every command that takes one."""

from __future__ import annotations

import pytest

from tests.project import Project

VERSION = "20260112_001"


@pytest.fixture
def project(project: Project) -> Project:
    project.table(f"{VERSION}_create_orders", "orders")
    project.script("5c1e0d2b7a94", VERSION)
    return project


TYPED = (
    ("rollback-db 20260112_01", 2, VERSION),
    ("rollback-db create_order", 2, VERSION),
    ("rollback-db --to 5c1e0d2b7a49", 2, "5c1e0d2b7a94"),
    ("rollback-db --to-tag v1.5", 2, "v1.4"),
    ("apply-db 20260112001", 2, VERSION),
    ("repair-db 20260112_0001 --forget", 2, VERSION),
    ("verify-down 20260112-001", 2, VERSION),
    ("generate-up x --head 20260112_01x", 2, VERSION),
    ("generate-down 20260112_01", 2, VERSION),
    ("upgrade 20260112_01x", 255, VERSION),
    ("downgrade 20260112_01x", 255, VERSION),
    ("show 5c1e0d2b7a49", 255, "5c1e0d2b7a94"),
)


def test_did_you_mean(project: Project) -> None:
    project.alembic("upgrade", "head", "--tag", "v1.4")
    for typed, code, meant in TYPED:
        done = project.alembic(*typed.split(), code=code)
        assert f"Did you mean {meant}?" in done.err, typed
        assert "Traceback" not in done.err, typed


def test_nothing_is_meant_by_what_is_unlike_everything(project: Project) -> None:
    for command in ("rollback-db", "upgrade"):
        assert "Did you mean" not in project.alembic(command, "nowhere", code=None).err
    project.execute("CREATE TABLE alembic_version (version_num text)")
    project.execute("INSERT INTO alembic_version VALUES ('5c1e0d2b7a49')")
    assert "Did you mean" not in project.alembic("upgrade", "head", code=255).err
