"""Every error carries an exit code, and says what, where, in which state, and what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_rollback import errors
from alembic_rollback.errors import Location, RollbackError, StatementError, shown_path

CODES = {
    "RollbackError": 1,
    "UsageError": 2,
    "SettingsError": 2,
    "PairError": 1,
    "ScriptSyntaxError": 1,
    "ScriptTooLarge": 1,
    "LedgerError": 1,
    "DatabaseError": 1,
    "ConnectionLost": 1,
    "NotPostgreSQL": 1,
    "LockNotAvailable": 1,
    "StatementError": 1,
    "NotApplied": 1,
    "Blocked": 3,
    "NotConfirmed": 4,
}
CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, RollbackError)
}


def test_every_error_class_has_the_exit_code_that_is_documented():
    assert {name: found.exit_code for name, found in CLASSES.items()} == CODES


def test_the_docstring_names_every_error_class():
    assert [name for name in CLASSES if name not in (errors.__doc__ or "")] == []


@pytest.mark.parametrize("name", CODES)
def test_an_error_is_a_runtime_error_so_that_hosts_print_one_line(name):
    assert issubclass(CLASSES[name], RuntimeError)


def test_the_docstring_draws_each_class_below_its_base():
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip("│├└─ ").split(" ")[0]
        if name in CLASSES:
            drawn.append((line.index(name), name))
    bases: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for indent, name in drawn:
        while above and above[-1][0] >= indent:
            above.pop()
        if above:
            bases[name] = above[-1][1]
        above.append((indent, name))
    real = {name: found.__base__.__name__ for name, found in CLASSES.items() if name in bases}
    assert bases == real


def test_the_text_is_where_what_state_and_next_step_in_this_order():
    error = RollbackError(
        "It broke.",
        where=Location(Path("/x/a.sql"), 3, 7),
        state="Nothing was changed.",
        next_step="Mend it.",
    )
    assert str(error) == "/x/a.sql:3:7: It broke. Nothing was changed. Mend it."


def test_the_text_is_the_sentence_alone_where_nothing_else_is_known():
    assert str(RollbackError("It broke.")) == "It broke."


def test_a_path_as_place_becomes_a_location():
    assert RollbackError("x", where=Path("/x/a.sql")).where == Location(Path("/x/a.sql"))


def test_a_location_without_a_line_is_only_the_path():
    assert str(Location(Path("/x/a.sql"))) == "/x/a.sql"


def test_a_path_below_the_working_directory_is_shown_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(Path.cwd() / "a" / "b.sql") == str(Path("a", "b.sql"))


def test_a_path_elsewhere_is_shown_whole(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert shown_path(tmp_path / "b.sql") == str(tmp_path / "b.sql")


def test_a_path_is_shown_whole_where_the_working_directory_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert shown_path(tmp_path / "b.sql") == str(tmp_path / "b.sql")


def test_a_statement_error_keeps_what_the_server_said_apart_from_the_place():
    error = StatementError(
        'relation "x" does not exist',
        where=Location(Path("/x/a.sql"), 2, 1),
        statement="DROP TABLE x",
        ordinal=2,
        total=3,
        sqlstate="42P01",
        detail="d",
        hint="h",
    )
    assert (error.what, error.ordinal, error.total) == ('relation "x" does not exist', 2, 3)
    assert (error.statement, error.sqlstate, error.detail) == ("DROP TABLE x", "42P01", "d")
    assert (error.hint, str(error.where)) == ("h", "/x/a.sql:2:1")
