"""What pg_dump writes of two schemas, compared entry by entry."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy.engine import URL

from alembic_rollback.errors import DatabaseError
from alembic_rollback.scratch import ScratchDatabase
from benchmarks.corpus.model import DIFFERS, EXACT, ORDER, listed

HEADING = re.compile(r"^--\n-- Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: .*\n--\n", re.M)
END = "\n--\n-- PostgreSQL database dump complete\n--\n"
# Said once, before the first of many tables.
USUAL = re.compile(r"^SET (?:default_tablespace = ''|default_table_access_method = heap);$", re.M)
OPTIONS = re.compile(r"^WITH \((.*)\)", re.M)
# `'now'::timestamp` in a view is a constant of the moment at which it was made, another one in each
# of two databases.
OF_NOW = re.compile(rf"'(?:{date.today()}|{date.today() + timedelta(1)}) [0-9:]+\.[0-9]+'")
IN_ORDER = ("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW")
"""Entries that hold a column a line."""
BODIES = ("FUNCTION", "PROCEDURE", "COMMENT")


@dataclass(frozen=True)
class Entry:
    """One object of a dump."""

    type: str
    heading: str
    text: str

    def __str__(self) -> str:
        name = HEADING.match(self.heading)
        return f"{self.type.lower()} {name['name'] if name else ''}"

    @property
    def unordered(self) -> Entry:
        """The same for all orders of columns."""
        if self.type not in IN_ORDER:
            return self
        lines = (line.strip().rstrip(",;").removeprefix("SELECT ") for line in self.lines)
        return replace(self, text="\n".join(sorted(lines)))

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


@dataclass(frozen=True)
class Dumps:
    """What pg_dump writes, entry by entry."""

    program: str
    version: str

    @property
    def name(self) -> str:
        return f"pg_dump {self.version}"

    def look(self, database: ScratchDatabase) -> Any:
        url = database.url
        address = URL.create(
            "postgresql", url.username, None, url.host, url.port, url.database, url.query
        )
        environment = {**os.environ, "LC_ALL": "C"}
        if url.password is not None:
            environment["PGPASSWORD"] = str(url.password)
        answer = subprocess.run(
            [
                self.program,
                "--schema-only",
                "--no-password",
                "--encoding=UTF8",
                f"--dbname={address.render_as_string(hide_password=False)}",
            ],
            capture_output=True,
            env=environment,
        )
        if answer.returncode:
            lines = answer.stderr.decode(errors="replace").strip().splitlines()
            raise DatabaseError(f"pg_dump fails: {'; '.join(lines)}.")
        return entries(answer.stdout.decode())

    def compare(self, before: Any, after: Any, *, elsewhere: bool = False) -> tuple[str, str]:
        if elsewhere and before != after:
            before, after = timeless(before), timeless(after)
        if before == after:
            return EXACT, ""
        old, new = (Counter(one.unordered for one in side.elements()) for side in (before, after))
        if old == new:
            return ORDER, listed([f"order {one}" for one in (before - after).elements()])
        return DIFFERS, listed(list(changes(old - new, new - old)))


def sorted_options(listed: str) -> str:
    """Storage parameters, in whose order PostgreSQL keeps them as they were set."""
    return f"WITH ({', '.join(sorted(listed.split(', ')))})"


def entries(dump: str) -> Counter[Entry]:
    """A dump's entries, without what only tells how it was written."""
    found: Counter[Entry] = Counter()
    dump = dump.rpartition(END)[0]
    headings = list(HEADING.finditer(dump))
    ends = [*(one.start() for one in headings[1:]), len(dump)]
    for heading, end in zip(headings, ends, strict=False):
        text = USUAL.sub("", dump[heading.end() : end]).strip()
        if heading["type"] not in BODIES:
            text = with_casts_inside(text)
        if heading["type"] in IN_ORDER:
            text = OPTIONS.sub(lambda options: sorted_options(options[1]), text)
        found[Entry(heading["type"], heading[0], text)] += 1
    return found


def timeless(found: Counter[Entry]) -> Counter[Entry]:
    """Without the moment at which something was made."""
    told: Counter[Entry] = Counter()
    for one, number in found.items():
        there = one.type not in BODIES
        told[replace(one, text=OF_NOW.sub("'now'", one.text)) if there else one] += number
    return told


def changes(missing: Counter[Entry], extra: Counter[Entry]) -> Iterator[str]:
    """What is `missing`, `extra` or `changed`, the last with the lines that tell."""
    left = {one.heading: one for one in missing}
    for one in extra:
        other = left.pop(one.heading, None)
        if other is None:
            yield f"extra {one}"
            continue
        gone = [line for line in other.lines if line not in one.lines]
        come = [line for line in one.lines if line not in other.lines]
        yield f"changed {one}: {' '.join(gone)[:120]!r} is {' '.join(come)[:120]!r}"
    yield from (f"missing {one}" for one in left.values())


TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|.", re.S)
CAST = re.compile(r"\)::((?:character varying|[a-z_]+)(?:\(\d+\))?)\[\]")


def with_casts_inside(text: str) -> str:
    """A cast of an array constructor as casts of its elements.

    PostgreSQL makes that of it when it reads what it has printed: `(ARRAY['a'::x])::text[]` comes
    back as `ARRAY[('a'::x)::text]`.
    """
    start = text.find("(ARRAY[")
    while start >= 0:
        opened = start + len("(ARRAY[")
        elements, end = elements_of(text, opened)
        if cast := CAST.match(text, end + 1):
            inner = ", ".join(f"({one})::{cast[1]}" for one in elements)
            text = f"{text[:start]}ARRAY[{inner}]{text[cast.end() :]}"
        start = text.find("(ARRAY[", start + 1)
    return text


def elements_of(text: str, start: int) -> tuple[list[str], int]:
    """What stands between commas, up to the bracket that closes; and where that is."""
    depth, found = 0, [""]
    for token in TOKEN.finditer(text, start):
        sign = token[0]
        if sign == "]" and not depth:
            return [one.strip() for one in found], token.start()
        depth += (sign in ("(", "[")) - (sign in (")", "]"))
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [], len(text)
