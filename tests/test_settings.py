"""Settings: every key known, every value possible, or an error that names the key."""

from __future__ import annotations

from dataclasses import fields

import psycopg2
import pytest

from alembic_rollback.errors import SettingsError
from alembic_rollback.settings import Settings, check_duration, read

DURATIONS = ["0", "5s", "500ms", "2min", "1h", "250"]


def refused(values):
    with pytest.raises(SettingsError) as caught:
        read(values, "[alembic_rollback] in a.ini")
    return str(caught.value)


def test_an_empty_section_gives_the_defaults():
    assert read({}, "x") == Settings()


def test_every_setting_can_be_given_as_text():
    given = {
        "missing_down": "warn",
        "out_of_order": "error",
        "ledger_table": "our_ledger",
        "lock_timeout": "500ms",
        "statement_timeout": "2min",
        "count_limit": "1_000",
        "count_timeout": "2s",
        "backup_files": "dumps/*.dump",
        "backup_max_age": "7d",
        "backup_command": "check-backup",
        "backup_directory": "dumps",
        "downgrade_guard": "off",
        "lock_wait": "1min",
        "retries": "5",
        "archive": "always",
        "archive_schema": "kept",
        "max_script_size": "512kB",
        "failure_directory": "reports",
        "on_failure": "page-us",
        "scratch_url": "postgresql://localhost/postgres",
    }
    assert {*given, "safety_checks"} == {field.name for field in fields(Settings)}
    assert read(given, "x") == Settings(**{**given, "count_limit": 1000, "retries": 5})


def test_levels_of_checks_are_keys_in_an_ini_file():
    found = read({"backup_exists": "block", "data_loss": " warn "}, "x")
    assert found.level_of("backup_exists") == "block"
    assert found.level_of("data_loss") == "warn"
    assert found.level_of("dependants") == "confirm"
    assert found.level_of("somebody_elses") == "warn"


def test_levels_of_checks_are_a_table_in_toml():
    found = read({"safety_checks": {"replication": "off", "missing_down": "block"}}, "x")
    assert found.level_of("replication") == "off"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"data_loss": "ask"}, "data_loss = 'ask' is not one of: off, info, warn, confirm, block."),
        ({"safety_checks": {"data_los": "off"}}, "no check 'data_los'. Did you mean data_loss?"),
        ({"safety_checks": {"missing_down": "warn"}}, "missing_down can only block"),
        ({"safety_checks": "data_loss = off"}, "unknown setting 'safety_checks'"),
        ({"max_script_size": "16"}, "max_script_size = '16' is not a size; write 512kB"),
        ({"backup_max_age": "1 day"}, "backup_max_age = '1 day' is not an age"),
        ({"downgrade_guard": "on"}, "downgrade_guard = 'on' is not one of"),
        ({"count_timeout": "long"}, "count_timeout = 'long' is not a duration"),
    ],
)
def test_a_level_age_or_guard_that_cannot_be_is_refused(values, problem):
    assert problem in refused(values)


def test_white_space_around_a_value_is_left_out():
    assert read({"ledger_table": "  mine\n"}, "x").ledger_table == "mine"


def test_numbers_of_toml_are_taken_as_they_are():
    found = read({"count_limit": 5, "lock_timeout": 0}, "x")
    assert (found.count_limit, found.lock_timeout) == (5, "0")


def test_an_unknown_key_is_refused_with_the_nearest_known_one():
    assert refused({"missing_dwon": "warn"}) == (
        "[alembic_rollback] in a.ini: unknown setting 'missing_dwon'. Did you mean missing_down?"
    )


def test_an_unknown_key_without_a_neighbour_is_refused_with_all_known_ones():
    known = ", ".join(f.name for f in fields(Settings) if f.name != "safety_checks")
    assert refused({"zzz": "1"}) == (
        f"[alembic_rollback] in a.ini: unknown setting 'zzz'. Known are: {known}."
    )


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("missing_down", "ignore", "missing_down = 'ignore' is not one of: error, warn."),
        ("missing_down", True, "missing_down = 'True' is not one of: error, warn."),
        ("out_of_order", "", "out_of_order = '' is not one of: apply, error."),
        ("ledger_table", "", "ledger_table must be 1 to 55 bytes long."),
        ("ledger_table", "x" * 56, "ledger_table must be 1 to 55 bytes long."),
        ("ledger_table", "é" * 28, "ledger_table must be 1 to 55 bytes long."),
        ("count_limit", "-1", "count_limit must not be negative."),
        ("count_limit", "many", "count_limit = 'many' is not a whole number."),
        ("count_limit", 1.5, "count_limit = 1.5 is not a whole number."),
        ("count_limit", True, "count_limit = True is not a whole number."),
        (
            "lock_timeout",
            "soon",
            "lock_timeout = 'soon' is not a duration; write 500ms, 5s, 2min or 0.",
        ),
    ],
)
def test_an_impossible_value_is_refused_by_name_and_source(key, value, told):
    assert refused({key: value}) == f"[alembic_rollback] in a.ini: {told}"


def test_a_ledger_name_of_55_bytes_is_allowed():
    assert read({"ledger_table": "x" * 55}, "x").ledger_table == "x" * 55


def test_no_limit_of_counting_is_zero_rows():
    assert read({"count_limit": "0"}, "x").count_limit == 0


@pytest.mark.parametrize("value", ["-5s", "5 parsecs", "5S", "", " ", "5s; DROP TABLE x", "1.5.5s"])
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(SettingsError, match="is not a duration"):
        check_duration("--lock-timeout", value)


@pytest.mark.parametrize("value", DURATIONS)
def test_a_duration_is_returned_as_it_stands(value):
    assert check_duration("x", value) == value


@pytest.mark.parametrize("value", DURATIONS)
def test_the_server_reads_every_duration_that_is_accepted(connection, value):
    cursor = connection.cursor()
    cursor.execute("SELECT set_config('lock_timeout', %s, false)", (value,))
    assert (cursor.fetchone()[0] == "0") is (value == "0")


@pytest.mark.parametrize(
    "value",
    ["٥s", "99999999999999"],
)
def test_what_the_server_does_not_read_as_a_duration_is_refused(connection, value):
    with pytest.raises(psycopg2.Error), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", (value,))
    with pytest.raises(SettingsError):
        check_duration("lock_timeout", value)
