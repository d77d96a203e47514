"""`python -m benchmarks.corpus` on a folder of five pairs, with the table that it prints."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests import forking

ROOT = Path(__file__).parent.parent
FILES = {
    "0001_orders.up.sql": "CREATE TABLE orders (id int PRIMARY KEY, state varchar(9) "
    "CHECK (state IN ('new', 'paid')), note text);",
    "0001_orders.down.sql": "DROP TABLE orders;",
    "0002_filled.aux.sql": "INSERT INTO orders VALUES (1, 'new', 'a note');",
    # From its text alone: the type and the place of the column are not there.
    "0003_state.up.sql": "BEGIN;\nALTER TABLE orders DROP COLUMN state;\nCOMMIT;",
    "0003_state.down.sql": "ALTER TABLE orders ADD COLUMN state varchar(9);",
    "0004_paid.up.sql": "UPDATE orders SET note = 'paid';",
    "0004_paid.down.sql": "-- Nothing.",
    "0005_index.up.sql": "CREATE INDEX CONCURRENTLY orders_note ON orders (note);",
    "0005_index.down.sql": "DROP INDEX CONCURRENTLY orders_note;",
    "0006_total.up.sql": "ALTER TABLE orders ADD COLUMN total numeric;\n"
    "ALTER TABLE orders ADD COLUMN wrong nonsense;",
    "0006_total.down.sql": "ALTER TABLE orders DROP COLUMN total;",
}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded server needs Unix")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "shop"
    found.mkdir()
    for name, text in FILES.items():
        (found / name).write_text(text)
    return found


def corpus(
    folder: Path, url: URL, *options: str, ups: int = 5
) -> tuple[int, dict[str, str], dict, str]:
    """The exit code, the folder's line by column, what --json says, and what is printed."""
    report = folder.parent / "report.json"
    address = url.render_as_string(hide_password=False)
    words = [str(folder), "--url", address, "--json", str(report), *options]
    code, out, err = forking.run(words, ROOT, os.environ, module="benchmarks.corpus")
    assert code in (0, 1), err
    assert f"shop: {ups} ups in" in err or "--only" in options
    (found, *_) = json.loads(report.read_text())
    heads, line = (text.split("  ") for text in table(out)[:2])
    columns = [one.strip() for one in heads if one.strip()]
    cells = [one.strip() for one in line if one.strip()]
    assert cells[0] == "shop"
    return code, dict(zip(columns, cells[1:], strict=True)), found, out


def table(output: str) -> list[str]:
    """The heads, a line for the folder, one for the total."""
    lines = output.splitlines()
    heads = next(place for place, one in enumerate(lines) if one.split()[:1] == ["ups"])
    return lines[heads : heads + 3]


def verdicts(found: dict) -> dict[str, str]:
    return {one["title"]: one["verdict"] for one in found["migrations"]}


def test_derived_downs_with_the_database_before_them(folder: Path, server_url: URL):
    code, line, found, output = corpus(folder, server_url)
    assert code == 0, output
    assert verdicts(found) == {
        "0001_orders": "exact",
        "0003_state": "order",
        "0004_paid": "data-only",
        "0005_index": "exact",
        "0006_total": "up fails",
    }
    milliseconds = line.pop("ms")
    assert float(milliseconds) > 0
    assert line == {
        "ups": "5", "data-only": "1", "up fails": "1", "scored": "3", "exact": "2", "order": "1",
        "irreversible": "0", "unproven": "0", "WRONG": "0", "restored": "100.0 %",
        "by statement": "100.0 %",
    }  # fmt: skip
    assert table(output)[2].split() == ["total", *table(output)[1].split()[1:]]


def test_from_the_text_alone_a_fact_is_missing(folder: Path, server_url: URL):
    code, line, found, _ = corpus(folder, server_url, "--state", "none")
    assert (code, line["exact"], line["irreversible"], line["restored"]) == (0, "2", "1", "66.7 %")
    (reason,) = (one["reason"] for one in found["migrations"] if one["verdict"] == "irreversible")
    assert reason.startswith("line 2: ")
    assert "state" in reason


def test_a_claim_that_does_not_hold_is_wrong(folder: Path, server_url: URL):
    """The text cannot tell that the index was there; the judge can."""
    (folder / "0006_total.up.sql").write_text(
        "CREATE INDEX IF NOT EXISTS orders_note ON orders (note);\n"
        "ALTER TABLE orders ADD COLUMN total numeric;"
    )
    code, line, found, output = corpus(folder, server_url, "--state", "none")
    assert (code, line["WRONG"]) == (1, "1")
    assert verdicts(found)["0006_total"] == "WRONG"
    assert "WRONG  shop/0006_total (text): differs: missing index orders_note" in output


def test_downs_that_people_wrote(folder: Path, server_url: URL):
    only = ("--only", "0001_*", "--only", "0003_*")
    code, line, found, output = corpus(folder, server_url, "--verify", "--judge", "facts", *only)
    assert code == 0, output
    assert "judged by our own catalog facts" in output
    assert verdicts(found)["0003_state"] == "differs"
    assert (line["exact"], line["differs"], line["restored"]) == ("1", "1", "50.0 %")
    assert (line["agrees"], line["disagrees"], line["not verified"]) == ("2", "0", "0")


def test_what_no_pair_can_hold_is_verified_all_the_same(folder: Path, server_url: URL):
    """Several transactions in a file, an up that fails in its middle, what only rows stop."""
    (folder / "0003_state.up.sql").write_text(
        "BEGIN;\nALTER TABLE orders ADD a int;\nCOMMIT;\nBEGIN;\nALTER TABLE orders ADD b int;\n"
        "INSERT INTO orders VALUES (-7, 'new', 'another');\nCOMMIT;"
    )
    (folder / "0003_state.down.sql").write_text(
        "BEGIN;\nALTER TABLE orders DROP b;\nCOMMIT;\nBEGIN;\nALTER TABLE orders DROP a;\n"
        "DELETE FROM orders WHERE id = -7;\nCOMMIT;"
    )
    (folder / "0007_note.up.sql").write_text("ALTER TABLE orders RENAME total TO total_now;")
    (folder / "0007_note.down.sql").write_text(
        "ALTER TABLE orders RENAME total_now TO total; ALTER TABLE orders ADD more int NOT NULL;"
        "ALTER TABLE orders DROP more;"
    )
    (folder / "0008_forgotten.up.sql").write_text("CREATE TABLE forgotten ();")
    (folder / "0008_forgotten.down.sql").write_text("SELECT 1;")
    _, _, found, output = corpus(folder, server_url, "--verify", "--rows", "2", ups=7)
    said = {one["title"]: (one["verified"], one["agrees"]) for one in found["migrations"]}
    assert said["0003_state"] == ("verified", True)
    assert said["0006_total"] == ("", None)
    assert said["0007_note"][0].startswith("down fails: ")
    assert said["0008_forgotten"] == (
        "differs: extra owner TABLE public.forgotten; extra table public.forgotten",
        True,
    )
    assert "NOT VERIFIED" not in output


def test_three_sides_in_one_run(folder: Path, server_url: URL):
    only = ("--only", "0003_*", "--only", "0005_*")
    sides = ("--state", "replay", "--state", "none", "--human")
    code, line, found, output = corpus(folder, server_url, *sides, *only)
    assert code == 0, output
    assert (found["downs"], line["restored"]) == ("derived downs, --state replay", "100.0 %")
    _, *others = output.split("derived downs, --state none")
    assert [one.split()[0] for one in table(others[0])] == ["ups", "shop", "total"]
    assert "the folders' own downs, on PostgreSQL" in others[0]


def test_one_of_them_shown(folder: Path, server_url: URL):
    code, line, _, output = corpus(folder, server_url, "--only", "0005_*", "--show")
    assert (code, line["ups"]) == (0, "1")
    assert "shop/0005_index: exact; text; " in output
    assert "    DROP INDEX CONCURRENTLY" in output
