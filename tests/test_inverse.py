"""Every case under cases/inverse: what the inverse is, and that it restores the catalog."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alembic_rollback.errors import RollbackError
from alembic_rollback.inverse.generate import invert, render
from alembic_rollback.inverse.model import Down, Inverse
from alembic_rollback.inverse.registry import Registry, alters, inverts
from alembic_rollback.sql.script import Script, read_script

CASES = Path(__file__).parent / "cases" / "inverse"
FILES = sorted(CASES.glob("*/*.sql"))


@dataclass
class Case:
    """One file: `-- setup`, `-- up`, `-- expect down`, `-- expect irreversible`, `-- not run`."""

    setup: str = ""
    up: str = ""
    down: list[str] = field(default_factory=list)
    irreversible: list[str] = field(default_factory=list)
    not_run: str = ""


def read_case(path: Path) -> Case:
    case, section, lines = Case(), "up", path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("-- not run: "):
            case.not_run = line.removeprefix("-- not run: ")
        elif line in ("-- setup", "-- up", "-- expect down"):
            section = line.removeprefix("-- ")
        elif line.startswith("-- expect irreversible: "):
            case.irreversible.append(line.removeprefix("-- expect irreversible: "))
        elif section == "expect down":
            case.down += [line] if line else []
        else:
            setattr(case, section, getattr(case, section) + line + "\n")
    return case


def script(text: str) -> Script:
    return read_script(text, Path("20240101_001_case.up.sql"))


def inverted(text: str) -> Down:
    return invert(script(text))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_case(path: Path) -> None:
    case = read_case(path)
    down = inverted(case.up)
    assert [f"{sql};" for sql in down.sql] == case.down
    found = [f"{item.statement.where.line}: {item.missing}" for item in down.irreversible]
    assert found == case.irreversible
    render(down, ["-- Description: case"])


def test_there_are_cases() -> None:
    assert len(FILES) > 120


SNAPSHOT = (CASES / "snapshot.sql").read_text(encoding="utf-8")


def snapshot(cursor: Any) -> set[tuple[str, ...]]:
    cursor.execute("RESET ALL")
    cursor.execute(SNAPSHOT)
    return set(cursor.fetchall())


def run(cursor: Any, text: str) -> None:
    """As the package does: one transaction, or none where a statement refuses it."""
    found = script(text)
    if found.transactional:
        cursor.execute("BEGIN")
    for statement in found.statements:
        cursor.execute(statement.text)
    if found.transactional:
        cursor.execute("COMMIT")


def runnable(path: Path) -> bool:
    case = read_case(path)
    return not case.irreversible and not case.not_run


@pytest.mark.parametrize("path", [path for path in FILES if runnable(path)], ids=name)
def test_up_then_down_restores_the_catalog(path: Path, connection: Any) -> None:
    case = read_case(path)
    with connection.cursor() as cursor:
        run(cursor, case.setup)
        before = snapshot(cursor)
        run(cursor, case.up)
        # What is temporary ends with the session that made it.
        cursor.execute("DISCARD TEMP")
        run(cursor, render(inverted(case.up), []))
        assert snapshot(cursor) == before


def test_one_rule_a_node() -> None:
    registry = Registry("parse node")
    registry("CreateStmt")(len)
    with pytest.raises(ValueError, match="two inverse rules for parse node CreateStmt"):
        registry("CreateStmt")(len)


def test_every_statement_has_a_rule() -> None:
    from postgast import pg_query_pb2 as pg

    fields = pg.DESCRIPTOR.message_types_by_name["Node"].fields
    kinds = {each.message_type.name for each in fields if each.message_type.name.endswith("Stmt")}
    # Parts of other statements, and what no client can send.
    inside = {"PLAssignStmt", "RawStmt", "ReplicaIdentityStmt", "ReturnStmt", "SetOperationStmt"}
    assert kinds - inverts.names() == inside


def test_every_command_of_alter_table_has_a_rule() -> None:
    from postgast import pg_query_pb2 as pg

    written = set(pg.DESCRIPTOR.enum_types_by_name["AlterTableType"].values_by_name)
    # What PostgreSQL makes for itself, after parsing.
    internal = {
        "ALTER_TABLE_TYPE_UNDEFINED",
        "AT_AddColumnToView",
        "AT_AddIndex",
        "AT_AddIndexConstraint",
        "AT_CookedColumnDefault",
        "AT_ReAddComment",
        "AT_ReAddConstraint",
        "AT_ReAddDomainConstraint",
        "AT_ReAddIndex",
        "AT_ReAddStatistics",
    }
    assert written - alters.names() == internal


def test_what_has_no_rule_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(inverts._rules, "CheckPointStmt")
    (refused,) = inverted("CHECKPOINT;").irreversible
    assert refused.missing == (
        "no rule for CheckPointStmt, what it changed is not known from the text"
    )


def test_rendered() -> None:
    down = inverted("CREATE TABLE t (a int);\n\nALTER TABLE orders\n  DROP COLUMN total;\n")
    assert render(down, ["-- Description: totals go", "-- Author: bob"]) == (
        "-- Description: totals go\n"
        "-- Author: bob\n"
        "-- Irreversible: line 3: ALTER TABLE orders DROP COLUMN total: the type, default and rows "
        "of column total: DROP COLUMN keeps none of them\n"
        "\n"
        "BEGIN;\n"
        "\n"
        "DROP TABLE IF EXISTS t CASCADE;\n"
        "\n"
        "COMMIT;\n"
    )


def test_rendered_outside_a_transaction() -> None:
    down = inverted("CREATE INDEX CONCURRENTLY i ON t (a);")
    assert down.outside
    assert render(down, []) == "-- Transaction: none\n\nDROP INDEX CONCURRENTLY IF EXISTS i;\n"


def test_rendered_with_nothing_to_undo() -> None:
    assert render(inverted("ANALYZE;"), []) == "-- Nothing to undo.\n"
    assert render(inverted(""), ["-- Description: x"]) == (
        "-- Description: x\n\n-- Nothing to undo.\n"
    )


def test_rendered_with_nothing_but_refusals() -> None:
    text = render(inverted("DELETE FROM t;"), [])
    assert text == (
        "-- Irreversible: line 1: DELETE FROM t: the deleted rows of t: DELETE keeps none of them\n"
    )


def test_a_name_cannot_end_its_comment() -> None:
    down = inverted('DROP TABLE "a\nDROP TABLE b; --";')
    text = render(down, ["a header\nDROP TABLE c;"])
    assert all(line.startswith("--") for line in text.splitlines())


def test_a_long_statement_is_shortened() -> None:
    down = inverted("UPDATE orders SET total = 0 WHERE " + "a = 1 AND " * 20 + "true;")
    (line,) = render(down, []).splitlines()
    shown = line.removeprefix("-- Irreversible: line 1: ").partition(": what total")[0]
    assert len(shown) == 60
    assert shown.endswith("…")


@pytest.mark.parametrize(
    "up",
    [
        "ALTER ROLE bob PASSWORD 'secret';",
        "ALTER USER MAPPING FOR bob SERVER s OPTIONS (SET password 'secret');",
        "ALTER SUBSCRIPTION s CONNECTION 'password=secret';",
        "ALTER SERVER s OPTIONS (ADD password 'secret');",
        "CREATE ROLE bob PASSWORD 'secret';",
    ],
)
def test_no_password_in_the_output(up: str) -> None:
    assert "secret" not in render(inverted(up), [])


def test_a_down_that_does_not_read_back_is_an_error() -> None:
    down = inverted("CREATE TABLE t (a int);")
    broken = Down(
        (Inverse(down.inverses[0].statement, ("DROP TABLE t; DROP TABLE u",)),), (), False
    )
    with pytest.raises(RollbackError, match="does not read back"):
        render(broken, [])


def test_what_a_down_does_is_in_reverse_order() -> None:
    down = inverted("CREATE TABLE a (x int);\nCREATE TABLE b (x int);\nANALYZE;\n")
    assert [inverse.statement.where.line for inverse in down.inverses] == [3, 2, 1]
    assert down.inverses[0].sql == ()
