"""Every key of every `--json` is on its command's page: taken from what is really printed."""

from __future__ import annotations

import json

from tests.project import Project
from tests.transcripts import page

BY_DATA = ("versions", "found")
"""Objects whose keys are names of packages and the like."""


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        inner = (keys(one) for key, one in value.items() if key not in BY_DATA)
        return {key for key in value if not key.isdigit()}.union(*inner)  # not of versions
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def undocumented(printed: str, command: str) -> set[str]:
    """Keys that the command's own page doesn't name."""
    chapter = page(f"reference/commands/{command}.md")
    found = keys(json.loads(printed))
    assert len(found) > 5
    return {key for key in found if f"`{key}`" not in chapter and f'"{key}"' not in chapter}


def test_every_key_is_documented(project: Project) -> None:
    project.table("1_a", "a")
    project.pair("2_b", "CREATE TABLE b (id int REFERENCES a);", "DROP TABLE b; SELECT 1/0;")
    applied = project.alembic("apply-db", "--no-verify", "--json").out
    project.execute("INSERT INTO a VALUES (1)")
    project.alembic("rollback-db", "2", "--yes", code=1)
    project.pair(
        "3_c",
        "CREATE TABLE c AS SELECT 1 AS id FROM generate_series(1, 2);\n"
        "CREATE UNIQUE INDEX CONCURRENTLY u ON c (id);\n",
        "DROP INDEX CONCURRENTLY IF EXISTS u;\nSELECT 1/0;\n",
    )
    failed = project.alembic("apply-db", "--no-verify", "--retries", "0", "--json", code=None).out
    status = project.alembic("migration-status", "--json").out
    assert json.loads(status)["databases"][0]["revisions"][2]["partial"]
    dry = project.alembic("rollback-db", "1", "--dry-run", "--json", code=None).out
    repair = project.alembic("repair-db", "3", "--resume-at", "3", "--dry-run", "--json").out
    project.pair("2_b", "SELECT 1;\n", "DROP TABLE b;\n")
    project.execute("INSERT INTO b VALUES (1)")
    project.alembic("rollback-db", "2", "--archive", "--yes")
    archived = project.alembic("restore-db", "--list", "--json").out
    scratch = ("--scratch-url", project.shown_url)
    verified = project.alembic("verify-down", "1", "2", *scratch, "--json", code=1).out
    assert {
        name: found
        for name, found in {
            "apply": undocumented(applied, "apply-db"),
            "apply that fails": undocumented(failed, "apply-db"),
            "status": undocumented(status, "migration-status"),
            "rollback": undocumented(dry, "rollback-db"),
            "repair": undocumented(repair, "repair-db"),
            "verify": undocumented(verified, "verify-down"),
            "restore": undocumented(archived, "restore-db"),
        }.items()
        if found
    } == {}, "not documented"
