"""rollback-db --dry-run --html: one page, whole, true, and readable in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from alembic_rollback.model import Affected, Impact, Revision, StepImpact
from alembic_rollback.reporting.drawing import MOST, svg, trees
from tests.project import Project

HOSTILE = "<script>alert(1)</script>\"&'\u202e"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
VOID = {"meta", "br", "link", "img", "input", "hr"}
ORDERS = """
CREATE TABLE orders (id int PRIMARY KEY, note text);
CREATE INDEX orders_note ON orders (note);
"""


class Page(HTMLParser):
    """Every tag is closed; what refers to elsewhere is kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.elsewhere: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.elsewhere += [
            f"{name}={value}"
            for name, value in attributes
            if name in ("src", "href", "xlink:href", "action", "srcset")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def shop(project: Project) -> Project:
    project.pair("1_orders", ORDERS, "DROP TABLE orders CASCADE;\n")
    project.pair(
        "2_lines",
        "CREATE TABLE lines (id int PRIMARY KEY, of_order int CONSTRAINT of_an_order "
        "REFERENCES orders);\nCREATE VIEW notes AS SELECT note FROM orders;\n"
        "CREATE VIEW long_notes AS SELECT * FROM notes;\n",
        "DROP VIEW long_notes; DROP VIEW notes;\nDROP TABLE lines;\n",
    )
    project.alembic("upgrade", "head")
    project.execute(
        f'CREATE VIEW "{HOSTILE.replace(chr(34), chr(34) * 2)}" AS SELECT note FROM orders',
        "INSERT INTO orders SELECT n, 'note' FROM generate_series(1, 150) n",
    )
    return project


def written(project: Project, *args: str) -> tuple[str, str]:
    """The page, and what the command said."""
    said = project.alembic("rollback-db", *args, "--dry-run", "--html", "page.html")
    return (project.root / "page.html").read_text(encoding="utf-8"), said.out


def test_the_page_says_all_that_the_dry_run_says(shop: Project) -> None:
    text, said = written(shop, "1")
    page = Page(text)
    assert page.elsewhere == []
    assert not page.seen & {"script", "link", "img", "iframe", "object"}
    for words in (
        "Rollback of 1_orders",
        "DROP TABLE orders CASCADE;",
        "DROP TABLE orders (containing 150 rows)",
        "cannot be undone without backup",
        "2_lines",
        "confirm data_loss: Table orders has 150 rows.",
    ):
        assert words in " ".join(page.words.split()), words
    (hashed,) = re.findall(r"--confirm ([0-9a-f]{64})", said)
    assert f"alembic rollback-db 1 --confirm {hashed}" in page.words
    assert "<script>alert(1)</script>" in page.words
    assert "<script" not in text


def test_the_drawing_hangs_each_thing_under_what_it_needs(shop: Project) -> None:
    text, _ = written(shop, "1")
    drawing = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    words = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    place = {word: number for number, word in enumerate(words)}
    assert words[:4] == ["DROPPED", "table orders", "loses 150 rows",
                         "with it: 1 constraint, 2 indexes"]  # fmt: skip
    assert place["view long_notes"] == place["view notes"] + 2
    assert words[place["table lines"] - 1] == "STAYS"
    assert words[place["table lines"] + 1] == "loses constraint of_an_order"
    assert "\u202e" not in "".join(map(str, words))


def test_it_runs_what_it_shows(shop: Project) -> None:
    text, _ = written(shop, "--to", "base", "--archive")
    (command,) = re.findall(r"<code>alembic (rollback-db [^<]*)</code>", text)
    assert command.startswith("rollback-db --to=base --archive --confirm ")
    assert "rows and values that it takes are kept" in text
    shop.alembic(*command.split())
    assert shop.ledger() == []


def test_what_a_check_refuses_has_no_command(shop: Project) -> None:
    shop.write_ini("data_loss = block")
    shop.alembic("rollback-db", "1", "--dry-run", "--html", "page.html", code=3)
    text = (shop.root / "page.html").read_text(encoding="utf-8")
    assert "--confirm" not in text
    assert "<strong>block</strong> data_loss" in text


def test_wrong_uses_are_one_line(shop: Project) -> None:
    said = shop.alembic("rollback-db", "1", "--html", "page.html", "--yes", code=2)
    assert said.err.splitlines()[-1].startswith("error: --html goes with --dry-run")
    said = shop.alembic("rollback-db", "1", "--dry-run", "--html", "no/page.html", code=2)
    assert "error: no/page.html cannot be written: No such file or directory." in said.err
    (shop.root / "page.html").write_text("before")
    os.mkdir(shop.root / "directory")
    said = shop.alembic("rollback-db", "1", "--dry-run", "--html", "directory", code=2)
    assert "error: directory cannot be written" in said.err
    assert sorted(path.name for path in shop.root.iterdir()) == [
        "alembic.ini", "directory", "migrations", "page.html"]  # fmt: skip
    assert (shop.root / "page.html").read_text() == "before"
    assert "Nothing to roll back" in written(shop, "--to", "2")[0]


def test_a_large_drawing_is_bounded() -> None:
    objects = [
        Affected("view", f"public.v{n}", f"view v{n}", "dropped", address=(1259, n, 0))
        for n in range(1, 500)
    ]
    impact = Impact((StepImpact(Revision("1", "a", "1"), objects=tuple(objects)),))
    drawn = svg(trees(impact), "all")
    assert drawn.count("<g>") == MOST
    assert f"… and {499 - MOST} objects more" in drawn
    assert svg([], "nothing") == ""


def test_what_hangs_on_each_other_is_drawn_once() -> None:
    """A view and a function that need each other, as pg_depend may say."""
    ends = [(1259, 1, 0), (1255, 2, 0)]
    objects = tuple(
        Affected("view", name, name, "dropped", "CASCADE", address=here, source=there)
        for name, here, there in (("a", ends[0], ends[1]), ("b", ends[1], ends[0]))
    )
    impact = Impact((StepImpact(Revision("1", "a", "1"), objects=objects),))
    drawn = svg(trees(impact), "all")
    assert drawn.count("<g>") == 2


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
@pytest.mark.parametrize("width", [1280, 360])
def test_in_a_browser_nothing_is_wider_than_the_screen(
    shop: Project, tmp_path: Path, width: int
) -> None:
    shop.execute(f"CREATE VIEW {'long_' * 12} AS SELECT note FROM orders")
    written(shop, "1", "2")
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe id="f" width="{width}" height="900" src="{shop.root / "page.html"}"></iframe>'
        "<pre id='found'></pre><script>f.onload = () => { const page = f.contentDocument; "
        "const box = page.querySelector('svg').getBoundingClientRect(); found.textContent = "
        "[page.documentElement.scrollWidth, box.right, box.height, "
        "page.querySelector('svg text').getBoundingClientRect().height].join(' '); }</script>"
    )
    said = run_browser(tmp_path, "--dump-dom", str(frame))
    measured = re.search(r'<pre id="found">([^<]+)</pre>', said)
    assert measured, said
    scroll, right, height, letters = map(float, measured[1].split())
    assert scroll <= width
    assert right <= width
    assert height > 100
    assert letters >= 9  # pixels: small, and legible


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_it_can_be_printed(shop: Project, tmp_path: Path) -> None:
    written(shop, "1")
    run_browser(tmp_path, f"--print-to-pdf={tmp_path / 'page.pdf'}", str(shop.root / "page.html"))
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def run_browser(place: Path, *args: str) -> str:
    assert BROWSER
    options = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--allow-file-access-from-files", f"--user-data-dir={place / 'profile'}",
    )  # fmt: skip
    command = [BROWSER, *options, *args]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
