"""Which later revisions are said to use what goes, where most of them aren't even parsed."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_rollback import commands
from alembic_rollback.planning import Request
from alembic_rollback.sql import script as scripting
from tests.project import Project

LONG = "t" * 70
CUT = LONG[:63]


def told(project: Project, version: str = "001") -> list[str]:
    """What the check says of a rollback of one revision."""
    (shown,) = commands.rollback(project.config, Request((version,)), dry_run=True)
    return [one.message for one in shown.findings if one.check == "later_revisions"]


@pytest.mark.parametrize(
    ("name", "later"),
    [
        ("orders", "CREATE VIEW v AS SELECT * FROM orders;"),
        ("orders", "CREATE VIEW v AS SELECT * FROM ORDERS;"),
        ("orders", "CREATE VIEW v AS SELECT * FROM public.Orders;"),
        ("orders", 'CREATE VIEW v AS SELECT * FROM"orders";'),
        ("orders", r'CREATE VIEW v AS SELECT * FROM U&"\006frders";'),
        ("orders", "CREATE TABLE w (id int REFERENCES orders);"),
        ("orders", "CREATE INDEX ON orders (id);"),
        ("orders", "SET search_path = public;\nCREATE VIEW v AS SELECT * FROM orders;"),
        ('"a ""b"" c"', 'CREATE VIEW v AS SELECT * FROM "a ""b"" c";'),
        ('"Größe"', 'CREATE VIEW v AS SELECT * FROM "Größe";'),
        ('"a$b"', "CREATE VIEW v AS SELECT * FROM a$b;"),
        (LONG, f"CREATE VIEW v AS SELECT * FROM {LONG};"),
        (CUT, f"CREATE VIEW v AS SELECT * FROM {LONG}x;"),
    ],
)
def test_a_name_is_found_however_it_is_written(project: Project, name: str, later: str) -> None:
    project.pair("001_a", f"CREATE TABLE {name} (id int PRIMARY KEY);", f"DROP TABLE {name};")
    project.pair("002_b", later, "-- nothing")
    project.alembic("upgrade", "head")
    (message,) = told(project)
    assert message.startswith("002_b stays applied and uses ")


@pytest.mark.parametrize(
    ("up", "down", "later"),
    [
        ("ALTER TABLE base ADD c int;", "ALTER TABLE base DROP c;", "CREATE INDEX i ON base (c);"),
        ("CREATE TYPE kind AS ENUM ('a');", "DROP TYPE kind;", "ALTER TABLE base ADD k kind;"),
        (
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
            "DROP FUNCTION one();",
            "ALTER TABLE base ADD n int DEFAULT one();",
        ),
        ("CREATE SCHEMA app;", "DROP SCHEMA app;", "CREATE TABLE app.t (id int);"),
    ],
)
def test_what_goes_or_stands_in_the_way_with_something_else(
    project: Project, up: str, down: str, later: str
) -> None:
    project.pair("000_base", "CREATE TABLE base (id int);", "DROP TABLE base;")
    project.pair("001_a", up, down)
    project.pair("002_b", later, "-- nothing")
    project.alembic("upgrade", "head")
    (message,) = told(project)
    assert message.startswith("002_b stays applied and uses ")


def test_others_are_not_parsed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.pair("001_a", "CREATE TABLE t1 (id int);", "DROP TABLE t1;")
    for n in range(2, 13):
        project.pair(f"{n:03d}_t{n}", f"CREATE TABLE t{n} (id int);", f"DROP TABLE t{n};")
    project.alembic("upgrade", "head")
    parsed: list[str] = []
    whole = scripting.parse

    def parse(text: str, path: Any) -> Any:
        parsed.append(path.name)
        return whole(text, path)

    monkeypatch.setattr(scripting, "parse", parse)
    assert told(project) == []
    assert parsed == ["001_a.down.sql"]


def test_a_later_up_that_cannot_be_read_and_has_the_name_in_it(project: Project) -> None:
    project.pair("001_a", "CREATE TABLE t1 (id int);", "DROP TABLE t1;")
    one = project.pair("002_b", "SELECT 1;", "-- nothing")
    two = project.pair("003_c", "SELECT 1;", "-- nothing")
    project.alembic("upgrade", "head")
    one.write_text("SELECT FROM FROM t1;")
    two.write_text("SELECT FROM FROM t2;")
    (message,) = told(project)
    assert message == "002_b stays applied; whether it uses what goes is not known."
