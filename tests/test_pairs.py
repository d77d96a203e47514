"""Pairs on disk: names, versions, headers, checksums, what is refused, and what is written."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alembic_rollback.errors import PairError
from alembic_rollback.pairs import (
    Header,
    find_files,
    find_pairs,
    is_pair_file,
    next_version,
    read_header,
    read_text,
    split_file_name,
    version_key,
    write_new,
    write_pair,
)

UP = "CREATE TABLE t (id int);\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The working directory, so that messages show short paths."""
    monkeypatch.chdir(tmp_path)
    return Path.cwd()


def write(place: Path, **files: str | bytes) -> None:
    for name, text in files.items():
        path = place / name.replace("__", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def pair(
    place: Path, title: str, up: str | bytes = UP, down: str | bytes | None = "-- none"
) -> None:
    write(place, **{f"{title}.up.sql": up})
    if down is not None:
        write(place, **{f"{title}.down.sql": down})


def refused(place: Path) -> str:
    with pytest.raises(PairError) as caught:
        find_pairs(find_files(place))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def only(place: Path):
    (found,) = find_pairs(find_files(place))
    return found


# Names and versions


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("20260112_001_create_orders.up.sql", ("20260112_001", "create_orders")),
        ("20260112_001_create_orders.down.sql", ("20260112_001", "create_orders")),
        ("20260112_001.up.sql", ("20260112_001", "")),
        ("20260112_1234_x.up.sql", ("20260112_1234", "x")),
        ("20260112_01_x.up.sql", ("20260112", "01_x")),
        ("001_x.up.sql", ("001", "x")),
        ("1.up.sql", ("1", "")),
        ("20260112143000_add_status.up.sql", ("20260112143000", "add_status")),
        ("001_naïve größe.up.sql", ("001", "naïve größe")),
        ("001_v1.2.up.sql", ("001", "v1.2")),
        ("create_orders.up.sql", None),
        ("v001_x.up.sql", None),
        ("001-x.up.sql", None),
        ("001_.up.sql", None),
        ("٠٠١_x.up.sql", None),
        (".up.sql", None),
        ("001_x.sql", None),
        ("001_x.up.sql.bak", None),
    ],
)
def test_a_file_name_is_split_into_version_and_name(file_name, expected):
    assert split_file_name(file_name) == expected


def test_versions_compare_by_number_and_not_by_text():
    given = ["10", "9", "20260112_010", "20260112_002", "001", "20260112_1000"]
    assert sorted(given, key=version_key) == [
        "001",
        "9",
        "10",
        "20260112_002",
        "20260112_010",
        "20260112_1000",
    ]


def test_pairs_are_found_in_order_of_version(place):
    for title in ("10_c", "9_b", "001_a", "20260112_002_e", "20260112_001_d"):
        pair(place, title)
    assert [one.name for one in find_pairs(find_files(place))] == ["a", "b", "c", "d", "e"]


def test_a_pair_knows_its_files_and_its_title(place):
    pair(place, "20260112_001_create_orders")
    found = only(place)
    assert found.title == "20260112_001_create_orders"
    assert found.up == place / "20260112_001_create_orders.up.sql"
    assert found.down == found.expected_down == place / "20260112_001_create_orders.down.sql"


def test_a_pair_without_a_name_is_called_by_its_version(place):
    pair(place, "001")
    assert (only(place).title, only(place).description) == ("001", "001")


def test_a_pair_is_described_by_its_name_where_the_header_says_nothing(place):
    pair(place, "001_create_orders")
    assert only(place).description == "create orders"


def test_a_version_of_32_characters_is_allowed(place):
    pair(place, "1" * 32 + "_x")
    assert only(place).version == "1" * 32


def test_a_version_of_33_characters_is_refused(place):
    pair(place, "1" * 33 + "_x")
    assert refused(place) == (
        f"{'1' * 33}_x.up.sql: version {'1' * 33} has 33 characters; Alembic's version table "
        "holds 32."
    )


def test_other_files_and_hidden_files_are_no_business_of_pairs(place):
    names = ("env.py", "README", "notes.sql", ".001_x.up.sql", "._001_x.up.sql", "001_x.up.sql~")
    for name in names:
        (place / name).write_text("x")
    assert find_pairs(find_files(place)) == []
    assert not any(is_pair_file(str(place / name)) for name in names)


def test_subdirectories_are_read_only_where_asked_for(place):
    (place / "2026").mkdir()
    pair(place / "2026", "002_inner")
    pair(place, "001_outer")
    assert [one.name for one in find_pairs(find_files(place))] == ["outer"]
    assert [one.name for one in find_pairs(find_files(place, recursive=True))] == ["outer", "inner"]


# What is refused


def test_two_pairs_with_one_version_are_refused_naming_both(place):
    pair(place, "001_a")
    pair(place, "001_b")
    assert refused(place) == (
        "001_b.up.sql: has the same version as 001_a.up.sql; give one of them another."
    )


def test_versions_that_differ_only_in_leading_zeros_are_the_same(place):
    pair(place, "001_a")
    pair(place, "1_b")
    assert refused(place) == (
        "1_b.up.sql: has the same version as 001_a.up.sql; give one of them another."
    )


def test_a_date_and_a_run_of_digits_are_different_versions(place):
    pair(place, "20260112001_a")
    pair(place, "20260112_001_b")
    assert [one.name for one in find_pairs(find_files(place))] == ["b", "a"]


def test_a_down_without_its_up_is_refused(place):
    pair(place, "001_a")
    write(place, **{"002_b.down.sql": ""})
    assert refused(place) == (
        "002_b.down.sql: a down without its up: 002_b.up.sql is not beside it."
    )


def test_a_down_that_is_named_differently_is_not_taken_for_the_pairs(place):
    write(place, **{"001_a.up.sql": UP, "001_b.down.sql": ""})
    assert refused(place) == "001_b.down.sql: a down without its up: 001_b.up.sql is not beside it."


@pytest.mark.parametrize("name", ["create_orders.up.sql", "001-x.up.sql", "v1_x.up.sql"])
def test_a_misnamed_up_is_refused(place, name):
    write(place, **{name: UP})
    assert refused(place) == (
        f"{name}: the name doesn't start with a version; write YYYYMMDD_NNN_name.up.sql or "
        "digits, as in 001_name.up.sql."
    )


def test_a_file_that_is_not_utf_8_is_refused_with_the_place(place):
    pair(place, "001_a", b"-- one\n-- caf\xe9\n")
    assert refused(place) == "001_a.up.sql:2:7: is not UTF-8 (byte 0xe9)."


def test_the_column_of_a_byte_that_is_not_utf_8_is_counted_in_characters(place):
    pair(place, "001_a", "-- größe ".encode() + b"\xff\n")
    assert refused(place).startswith("001_a.up.sql:1:10: ")


def test_a_file_in_utf_16_is_refused(place):
    pair(place, "001_a", "CREATE TABLE t ();".encode("utf-16"))
    assert refused(place) == "001_a.up.sql:1:1: is not UTF-8 (byte 0xff)."


def test_a_nul_is_refused_with_its_line(place):
    pair(place, "001_a", "SELECT 1;\nSELECT '\0';")
    assert refused(place) == "001_a.up.sql: holds a NUL character in line 2."


def test_a_down_that_is_not_utf_8_is_refused_when_it_is_read(place):
    pair(place, "001_a", UP, b"\xff")
    with pytest.raises(PairError, match=r"001_a\.down\.sql:1:1: is not UTF-8"):
        _ = only(place).irreversible


def test_a_directory_with_the_name_of_a_pair_is_refused(place):
    (place / "001_a.up.sql").mkdir()
    assert refused(place) == "001_a.up.sql: cannot be read: Is a directory."


def test_a_dangling_link_is_refused(place):
    os.symlink(place / "nowhere", place / "001_a.up.sql")
    assert refused(place) == "001_a.up.sql: cannot be read: No such file or directory."


# Missing, empty, irreversible


def test_a_missing_down_is_none(place):
    pair(place, "001_a", down=None)
    assert only(place).down is None


@pytest.mark.parametrize("down", ["", "-- Nothing to undo: only comments changed.\n"])
def test_an_empty_down_is_there_and_is_not_irreversible(place, down):
    pair(place, "001_a", down=down)
    assert only(place).down is not None
    assert only(place).irreversible == ()


def test_a_down_without_a_file_has_an_empty_header(place):
    pair(place, "001_a", down=None)
    assert only(place).down_header == Header()


def test_the_reasons_of_both_files_make_a_pair_irreversible(place):
    pair(
        place,
        "001_a",
        "-- Irreversible: rows are deleted\n" + UP,
        "-- Irreversible: the old type is not known\n-- Irreversible: nor the default\n",
    )
    assert only(place).irreversible == (
        "rows are deleted",
        "the old type is not known",
        "nor the default",
    )


# Headers


def test_every_directive_of_a_header_is_read():
    text = """\
-- Revises: 20260112_001, 3f2a91
-- Depends on: aa11, 20260101_002
-- Branch labels: billing, eu
-- Description: Orders by supplier: the second part
-- Author: Ada
-- Created: 2026-01-12
-- Transaction: none
-- Irreversible: rows are gone
CREATE TABLE t ();
"""
    assert read_header(text) == Header(
        revises=("20260112_001", "3f2a91"),
        depends_on=("aa11", "20260101_002"),
        branch_labels=("billing", "eu"),
        description="Orders by supplier: the second part",
        author="Ada",
        created="2026-01-12",
        transaction="none",
        irreversible=("rows are gone",),
    )


@pytest.mark.parametrize(
    "line", ["-- revises: a1", "-- REVISES: a1", "--Revises:a1", "  --   Revises  :   a1  "]
)
def test_case_and_white_space_of_a_directive_do_not_matter(line):
    assert read_header(line).revises == ("a1",)


@pytest.mark.parametrize("value", ["", "base", "<base>", "none", "None"])
def test_a_pair_can_say_that_it_is_a_base(value):
    assert read_header(f"-- Revises: {value}\n").revises == ()


def test_a_pair_that_does_not_say_is_told_from_one_that_says_base():
    assert read_header("-- Description: x\n").revises is None


def test_a_directive_given_twice_is_read_as_one_list():
    assert read_header("-- Depends on: a\n-- Depends on: b, c\n").depends_on == ("a", "b", "c")


@pytest.mark.parametrize("text", ["", "\n\n", "-- only a comment\n", "CREATE TABLE t ();"])
def test_a_file_without_directives_has_an_empty_header(text):
    assert read_header(text) == Header()


@pytest.mark.parametrize("value", ["serializable", "on", ""])
def test_only_none_takes_the_transaction_away(value):
    assert read_header(f"-- Transaction: {value}\n").no_transaction is False


def test_blank_lines_and_other_comments_do_not_end_a_header():
    text = "-- Copyright: us\n\n/* a\n block */\n\n-- Revises: a1\nSELECT 1;"
    assert read_header(text).revises == ("a1",)


def test_a_directive_in_a_block_comment_is_not_read():
    assert read_header("/*\n-- Revises: a1\n*/\n-- Revises: b2\n").revises == ("b2",)


def test_a_header_ends_at_the_first_statement():
    assert read_header("SELECT 1;\n-- Revises: a1\n-- Transaction: none\n") == Header()


def test_a_header_ends_at_a_statement_that_follows_a_comment_on_its_line():
    assert read_header("/* x */ SELECT 1;\n-- Revises: a1\n") == Header()


def test_a_nested_block_comment_ends_where_the_outer_one_ends():
    assert read_header("/* outer /* inner\n*/\n-- Revises: a1\n*/\nSELECT 1;") == Header()


def test_a_header_reads_on_after_characters_that_only_python_takes_for_line_ends():
    assert read_header("-- one\u2028two\n-- Revises: a1\n").revises == ("a1",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_ends_of_a_header_do_not_matter(end):
    text = end.join(["-- Revises: a1", "-- Depends on: b2", "SELECT 1;"])
    assert read_header(text) == Header(revises=("a1",), depends_on=("b2",))


def test_a_byte_order_mark_does_not_hide_the_first_directive(place):
    pair(place, "001_a", b"\xef\xbb\xbf-- Revises: a1\nSELECT 1;")
    assert only(place).header.revises == ("a1",)


def test_a_script_is_read_without_its_byte_order_mark_and_with_its_line_ends(place):
    write(place, **{"a.sql": b"\xef\xbb\xbfSELECT 'a\r\nb\rc\n';"})
    assert read_text(place / "a.sql") == "SELECT 'a\r\nb\rc\n';"


@given(st.text())
@settings(database=None, derandomize=True)
def test_any_text_can_be_read_as_a_header(text):
    found = read_header(text)
    assert found.revises is None or all(found.revises)


# Checksums


def test_a_checksum_is_the_sha256_of_the_up_file(place):
    pair(place, "001_a", UP)
    assert only(place).checksum == hashlib.sha256(UP.encode()).hexdigest()


def test_a_checksum_is_the_same_for_crlf_and_lf(place):
    pair(place, "001_a", "SELECT 1;\r\nSELECT 2;\r\n")
    assert only(place).checksum == hashlib.sha256(b"SELECT 1;\nSELECT 2;\n").hexdigest()


def test_a_checksum_tells_apart_what_differs_in_more_than_line_ends(place):
    pair(place, "001_a", "SELECT 1;\n")
    pair(place, "002_b", "SELECT 1; \n")
    one, other = find_pairs(find_files(place))
    assert one.checksum != other.checksum


def test_a_checksum_does_not_depend_on_the_down(place):
    pair(place, "001_a", down="SELECT 1;")
    before = only(place).checksum
    write(place, **{"001_a.down.sql": "SELECT 2;"})
    assert only(place).checksum == before


# New versions and new files


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([], "20260112_001"),
        (["20260112_001", "20260112_004"], "20260112_005"),
        (["20260111_009", "20260113_009", "001", "20260112"], "20260112_001"),
        (["20260112_999"], "20260112_1000"),
        (["20260112_1000", "20260112_999"], "20260112_1001"),
    ],
)
def test_the_next_version_is_one_above_the_highest_of_the_day(taken, expected):
    assert next_version(taken, date(2026, 1, 12)) == expected


def files(place: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in place.iterdir()}


def test_both_files_of_a_pair_are_written_as_given(place):
    up, down = write_pair(place / "new", "001_a", "é\r\n", "b\n")
    assert (up.name, down.name) == ("001_a.up.sql", "001_a.down.sql")
    assert files(place / "new") == {"001_a.up.sql": "é\r\n", "001_a.down.sql": "b\n"}


def test_an_up_that_exists_is_never_overwritten(place):
    write(place, **{"001_a.up.sql": "mine"})
    with pytest.raises(PairError, match=r"001_a\.up\.sql: exists already"):
        write_pair(place, "001_a", "x", "y")
    assert files(place) == {"001_a.up.sql": "mine"}


def test_a_down_that_exists_leaves_no_up_behind(place):
    write(place, **{"001_a.down.sql": "mine"})
    with pytest.raises(PairError, match=r"001_a\.down\.sql: exists already"):
        write_pair(place, "001_a", "x", "y")
    assert files(place) == {"001_a.down.sql": "mine"}


def test_a_dangling_link_is_not_written_through(place):
    os.symlink(place / "target", place / "001_a.up.sql")
    with pytest.raises(PairError, match="exists already"):
        write_new(place / "001_a.up.sql", "x")
    assert not (place / "target").exists()


def test_a_file_is_replaced_only_where_asked_for(place):
    write(place, **{"001_a.down.sql": "old"})
    write_new(place / "001_a.down.sql", "new", replace=True)
    assert files(place) == {"001_a.down.sql": "new"}


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(place):
    with pytest.raises(PairError, match=r"001_a\.up\.sql: cannot be written: No such file"):
        write_new(place / "nowhere" / "001_a.up.sql", "x")
    assert files(place) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is another one")
def test_a_name_too_long_for_the_file_system_is_one_line(place):
    with pytest.raises(PairError, match=r"cannot be written: File name too long"):
        write_pair(place, "001_" + "ü" * 130, "x", "y")


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is another one")
def test_a_name_that_the_file_system_just_holds_can_be_written(place):
    title = "001_" + "x" * (255 - len("001_.down.sql"))
    write_pair(place, title, "x", "y")
    assert set(files(place)) == {f"{title}.up.sql", f"{title}.down.sql"}
