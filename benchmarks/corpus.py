"""Does generate-down give downs that restore the schema? Measured on other people's migrations.

    python benchmarks/corpus.py DIR... [--state none] [--human [--verify]] [--judge facts]

A folder holds one project's migrations in order: `NNNN_name.up.sql`, `NNNN_name.down.sql` (what
the project itself wrote, read with --human only), and perhaps `NNNN_name.aux.sql`, which is
applied in its place and not judged. Every up is judged with the true history behind it: its down is
derived on a database that stands right before it, then run on a copy that stands right after it,
and pg_dump says whether the schema is what it was. Exit code 1 when a down was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.derivation import Proof, Site, derive, prove_down
from alembic_rollback.embedded import EmbeddedError, find_binaries
from alembic_rollback.embedded.binaries import installed
from alembic_rollback.errors import DatabaseError, PairError, RollbackError, StatementError
from alembic_rollback.generation.states import Scratch
from alembic_rollback.inverse.generate import invert, render
from alembic_rollback.inverse.model import Down
from alembic_rollback.pairs import DOWN, UP, read_header, read_text
from alembic_rollback.runner import describe, execute, run_script
from alembic_rollback.scratch import ScratchDatabase, ScratchServer, scratch_server
from alembic_rollback.sql.parser import Statement, parse
from alembic_rollback.sql.script import Script, read_script

AUX = ".aux.sql"

DATA_ONLY, UP_FAILS = "data-only", "up fails"
EXACT, ORDER = "exact", "order"
IRREVERSIBLE, UNPROVEN, WRONG = "irreversible", "unproven", "WRONG"
DIFFERS, DOWN_FAILS, EMPTY, NO_DOWN = "differs", "down fails", "empty", "no down"
UNSCORED = (DATA_ONLY, UP_FAILS)
RESTORED = (EXACT, ORDER)
OURS = (*RESTORED, IRREVERSIBLE, UNPROVEN, WRONG)
THEIRS = (*RESTORED, DIFFERS, DOWN_FAILS, EMPTY, NO_DOWN)

# active_sql_transaction, unsafe_new_enum_value_usage
IN_STEPS = ("25001", "55P04")
AUTOCOMMIT: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
AS_IT_IS: dict[str, Any] = {"no_parameters": True}
SHOWN = 5
"""Differences told of one migration."""

T = TypeVar("T")


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    state: str
    judge: str
    human: bool
    verify: bool
    only: tuple[str, ...]
    url: str

    @property
    def tries(self) -> bool:
        """Whether ups have to be tried, not only judged."""
        return self.verify if self.human else self.state != "none"

    def wants(self, up: Path) -> bool:
        title = up.name.removesuffix(UP)
        return any(fnmatch(title, one) or fnmatch(up.name, one) for one in self.only or ("*",))


@dataclass(frozen=True)
class Record:
    """What became of one migration."""

    folder: str
    title: str
    verdict: str
    reason: str = ""
    """Why it is not restored, or not scored."""
    how: str = ""
    """How the down was found: `text`, `statements` or `difference`."""
    ms: float = 0.0
    """What deriving and proving took."""
    harm: str = ""
    """What the down of a data-only up does to the schema."""
    verified: str = ""
    """With --verify: what verify-down says; empty where it had nothing to look at."""
    agrees: bool | None = None
    """Whether it says what the judge says."""
    down: str = ""


@dataclass(frozen=True)
class Folder:
    """What became of a folder's migrations."""

    name: str
    records: tuple[Record, ...] = ()
    server: str = ""
    judge: str = ""
    trouble: str = ""
    """Why it ended early."""

    def at_fault(self, wish: Wish) -> bool:
        """Whether we are: a down that was said to be right isn't, or verify-down is mistaken."""
        ours = any(one.verdict == WRONG or one.harm for one in self.records) and not wish.human
        return ours or bool(self.trouble) or any(one.agrees is False for one in self.records)


# --- running files ----------------------------------------------------------------------------


def script_of(text: str, path: Path) -> Script:
    """A file as an upgrade reads it. Raises ScriptSyntaxError."""
    return read_script(text, path, no_transaction=read_header(text).no_transaction)


def run_file(database: ScratchDatabase, text: str, path: Path, *, drop_roles: bool = True) -> str:
    """Run a file and commit; why it failed, else nothing.

    In a transaction if it can be, else statement by statement; what no upgrade would run (several
    transactions) is sent to the server as it stands. drop_roles: or leave DROP ROLE out.
    """
    try:
        try:
            script = script_of(text, path)
        except PairError:
            send(database, text, path, drop_roles=drop_roles)
            return ""
        kept = tuple(one for one in script.statements if drop_roles or not drops_role(one))
        script = replace(script, statements=kept)
        run(database, script)
    except (RollbackError, DBAPIError) as error:
        return told(error)
    return ""


def run(database: ScratchDatabase, script: Script) -> None:
    if script.transactional:
        try:
            with database.connect() as connection, connection.begin():
                run_script(connection, script)
            return
        except StatementError as error:
            if error.sqlstate not in IN_STEPS:
                raise
    with database.connect().execution_options(**AUTOCOMMIT) as connection:
        run_script(connection, script)


def send(database: ScratchDatabase, text: str, path: Path, *, drop_roles: bool) -> None:
    """Let the server make of a text what it will: one transaction, unless it says BEGIN."""
    statements = parse(text, path)
    database.server.admit(Script(path, statements))
    kept = [one for one in statements if drop_roles or not drops_role(one)]
    with database.engine() as engine:
        try:
            if len(kept) == len(statements):
                with engine.connect().execution_options(**AUTOCOMMIT) as connection:
                    connection.exec_driver_sql(text, execution_options=AS_IT_IS).close()
                return
        except DBAPIError as error:
            if describe(error)["sqlstate"] not in IN_STEPS:
                raise
        with engine.connect().execution_options(**AUTOCOMMIT) as connection:
            for number, statement in enumerate(kept, 1):
                execute(connection, statement, number, len(kept))


def drops_role(statement: Statement) -> bool:
    return statement.kind == "DropRoleStmt"


def run_for_good(database: ScratchDatabase, text: str, path: Path) -> str:
    """Run a file, or what works of it, since later files may stand on that; why it failed."""
    failure = run_file(database, text, path)
    if not failure:
        return ""
    statements: Sequence[Statement] = ()
    with suppress(PairError):
        statements = parse(text, path)
    with database.connect().execution_options(**AUTOCOMMIT) as connection:
        for number, statement in enumerate(statements, 1):
            if statement.kind != "TransactionStmt":
                with suppress(RollbackError):
                    execute(connection, statement, number, len(statements))
    return failure


def told(error: Exception) -> str:
    """An error in a line."""
    if isinstance(error, RollbackError):
        place = f"line {error.where.line}: " if error.where and error.where.line else ""
        code = getattr(error, "sqlstate", None)
        return f"{place}{error.what}" + (f" ({code})" if code else "")
    if isinstance(error, DBAPIError):
        said = describe(error)
        return f"{said['message']} ({said['sqlstate']})"
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}"


# --- the judges -------------------------------------------------------------------------------


class Judge(Protocol):
    """Says whether two schemas are the same."""

    @property
    def name(self) -> str: ...

    def look(self, database: ScratchDatabase) -> Any:
        """Keep a database's schema as it is now."""

    def compare(self, before: Any, after: Any) -> tuple[str, str]:
        """EXACT, ORDER or DIFFERS, and in what it differs."""


@dataclass(frozen=True)
class Facts:
    """Our own catalog facts: no second opinion, but nothing has to be installed."""

    name: str = "our own catalog facts (no second opinion: they are what generate-down proves with)"

    def look(self, database: ScratchDatabase) -> Any:
        with database.connect() as connection:
            return read(connection, edges=False)

    def compare(self, before: Any, after: Any) -> tuple[str, str]:
        found = compare(before, after)
        worse = [str(one) for one in found if one.how != "order"]
        if worse:
            return DIFFERS, listed(worse)
        return (ORDER, listed(list(map(str, found)))) if found else (EXACT, "")


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

    def compare(self, before: Any, after: Any) -> tuple[str, str]:
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
            text = OF_NOW.sub("'now'", with_casts_inside(text))
        if heading["type"] in IN_ORDER:
            text = OPTIONS.sub(lambda options: sorted_options(options[1]), text)
        found[Entry(heading["type"], heading[0], text)] += 1
    return found


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


def listed(items: Sequence[str]) -> str:
    more = [f"and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return "; ".join([*sorted(items)[:SHOWN], *more])


def judge_for(server: ScratchServer, wish: Wish) -> Judge:
    """pg_dump unless our facts were asked for or it isn't there. Raises DatabaseError."""
    if wish.judge == "facts":
        return Facts()
    major = int(server.version.partition(".")[0])
    for program in programs():
        if not Path(program).is_file():
            continue
        answer = subprocess.run([program, "--version"], capture_output=True, text=True)
        version = re.search(r"\) (\d+)[^\s]*", answer.stdout)
        if version and int(version[1]) >= major:
            return Dumps(program, version[0].removeprefix(") "))
    if wish.judge == "dump":
        raise DatabaseError(f"No pg_dump of version {major} or newer was found.")
    return replace(Facts(), name=f"{Facts().name}; no pg_dump of version {major} was found")


def programs() -> Iterator[str]:
    """Every pg_dump: of the embedded server, in the PATH, of installed servers."""
    with suppress(EmbeddedError):
        yield str(find_binaries() / "pg_dump")
    if found := shutil.which("pg_dump"):
        yield found
    yield from (str(folder / "pg_dump") for folder in installed())


# --- one folder -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A down that says it is right, or why there is none."""

    text: str = ""
    verdict: str = ""
    """IRREVERSIBLE or UNPROVEN where it doesn't say so."""
    reason: str = ""
    how: str = ""
    ms: float = 0.0


@dataclass
class Course:
    """A database that a folder's migrations pass through, one after the other."""

    folder: Path
    wish: Wish
    server: ScratchServer
    database: ScratchDatabase
    """The judge's."""
    judge: Judge
    ground: Scratch | None
    """Another one, for us, where nothing that the judge does is in the way; None without a need."""
    seen: Any = None
    """The schema as it is now, if somebody has looked."""

    def records(self) -> Iterator[Record]:
        for path in sorted(self.folder.glob("*.sql")):
            if path.name.endswith(UP) and self.wish.wants(path):
                yield self.record(path)
            elif path.name.endswith((UP, AUX)):
                self.advance(path)

    def advance(self, path: Path) -> str:
        """Run a file for good, or what of it works; why not all of it did."""
        text, self.seen = read_text(path), None
        if self.ground is not None:
            run_for_good(self.ground.database, text, path)
        return run_for_good(self.database, text, path)

    def look(self) -> Any:
        if self.seen is None:
            self.seen = self.judge.look(self.database)
        return self.seen

    def record(self, up: Path) -> Record:
        before = self.look()
        claim, proof = self.claim(up), self.verified(up) if self.wish.verify else None
        failure = self.advance(up)
        record = Record(
            self.folder.name, up.name.removesuffix(UP), UP_FAILS, failure,
            how=claim.how, ms=claim.ms, down=claim.text,
        )  # fmt: skip
        if failure:
            return record
        data_only = self.judge.compare(before, self.look())[0] == EXACT
        verdict, reason = claim.verdict, claim.reason
        if not verdict:
            with self.server.clone(self.database) as copy:
                verdict, reason = self.judged(copy, claim.text, before)
                record = self.confronted(record, proof, verdict, copy, up)
        if data_only:
            harm = reason if verdict in (DIFFERS, DOWN_FAILS) else ""
            return replace(record, verdict=DATA_ONLY, reason="", harm=harm)
        if verdict in (DIFFERS, DOWN_FAILS) and not self.wish.human:
            verdict, reason = WRONG, f"{verdict}: {reason}"
        return replace(record, verdict=verdict, reason=reason)

    def judged(self, copy: ScratchDatabase, down: str, before: Any) -> tuple[str, str]:
        """What a down does on a copy of the database after the up. Roles are left alone."""
        failure = run_file(copy, down, Path("down.sql"), drop_roles=False)
        if failure:
            return DOWN_FAILS, failure
        return self.judge.compare(before, self.judge.look(copy))

    # Our downs -----------------------------------------------------------------------------

    def claim(self, up: Path) -> Claim:
        if self.wish.human:
            return their_down(up)
        started = time.perf_counter()
        try:
            claim = self.derived(up)
        except RollbackError as error:
            claim = Claim(verdict=UNPROVEN, reason=told(error))
        except Exception as error:  # a defect of ours: one migration's, not the measurement's
            claim = Claim(verdict=UNPROVEN, reason=f"crashed: {told(error)}")
        return replace(claim, ms=(time.perf_counter() - started) * 1000)

    def derived(self, up: Path) -> Claim:
        script = script_of(read_text(up), up)
        if not script.statements:
            return Claim("-- Nothing to undo.\n", how="text")
        if self.ground is None:
            return claim_of(invert(script), "text", None)
        found = tried(self.ground, script, lambda site: derive(site, script))
        return claim_of(found.down, found.how, found.proof)

    # Their downs ---------------------------------------------------------------------------

    def verified(self, up: Path) -> Proof | str | None:
        """What verify-down says of the folder's down; why it says nothing; None without a down."""
        path = up.with_name(up.name.removesuffix(UP) + DOWN)
        if their_down(up).verdict:
            return None
        try:
            script, down = (script_of(read_text(one), one) for one in (up, path))
            assert self.ground is not None
            self.ground.server.admit(down)
            proof = tried(self.ground, script, lambda site: prove_down(site, script, down))
            if not proof.holds and script.transactional:
                # It may be the one transaction around all of it that is in the way.
                with self.ground.site(script, whole=False) as site:
                    proof = prove_down(site, script, down)
        except RollbackError as error:
            return told(error)
        return proof

    def confronted(
        self,
        record: Record,
        proof: Proof | str | None,
        verdict: str,
        copy: ScratchDatabase,
        up: Path,
    ) -> Record:
        """Whether verify-down and the judge say the same. copy: after the down."""
        if not isinstance(proof, Proof):
            return replace(record, verified=f"not verified: {proof}" if proof else "")
        said = (
            "verified"
            if proof.holds
            else proof.failure or listed(list(map(str, proof.differences)))
        )
        agrees = proof.holds == (verdict in RESTORED)
        if not agrees and not proof.holds:
            # It has run the up again, which the judge hasn't.
            failure = run_file(copy, read_text(up), up)
            agrees = bool(failure) or not self.same(self.judge.look(copy))
        return replace(record, verified=said, agrees=agrees)

    def same(self, other: Any) -> bool:
        return self.judge.compare(self.look(), other)[0] in RESTORED


def tried(ground: Scratch, up: Script, work: Callable[[Site], T]) -> T:
    """Work in a transaction if the up allows it, else in copies. Raises RollbackError."""
    if up.transactional:
        try:
            with ground.site(up, whole=True) as site:
                return work(site)
        except StatementError as error:
            if error.sqlstate not in IN_STEPS:
                raise
    with ground.site(up, whole=False) as site:
        return work(site)


def claim_of(down: Down, how: str, proof: Proof | None) -> Claim:
    """What is claimed of a down of ours; rows don't count. proof: None where there is none."""
    text = render(down, (), schema_only=True)
    if gaps := [gap for gap in down.irreversible if not gap.rows]:
        reasons = [f"line {gap.statement.where.line}: {gap.missing}" for gap in gaps]
        return Claim(text, IRREVERSIBLE, listed(reasons), how)
    if proof is not None and not proof.holds:
        reason = proof.failure or listed(list(map(str, proof.differences)))
        return Claim(text, UNPROVEN, reason, how)
    return Claim(text, how=how)


def their_down(up: Path) -> Claim:
    path = up.with_name(up.name.removesuffix(UP) + DOWN)
    if not path.is_file():
        return Claim(verdict=NO_DOWN)
    text = read_text(path)
    with suppress(PairError):
        if all(one.kind == "TransactionStmt" for one in parse(text, path)):
            return Claim(text, EMPTY)
    return Claim(text)


@contextmanager
def trying(wish: Wish) -> Iterator[Scratch]:
    """A database for us; roles belong to servers, so the judge has another one."""
    with (
        scratch_server(wish.url) as server,
        server.create() as database,
        closing(Scratch(server, database)) as ground,
    ):
        yield ground


def measure(folder: Path, wish: Wish) -> Folder:
    """Judge a folder's migrations, on servers of its own unless one was named."""
    found = Folder(folder.name)
    records: list[Record] = []
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            server = stack.enter_context(scratch_server(wish.url))
            judge = judge_for(server, wish)
            found = replace(found, server=server.version, judge=judge.name)
            database = stack.enter_context(server.create())
            ground = stack.enter_context(trying(wish)) if wish.tries else None
            records.extend(Course(folder, wish, server, database, judge, ground).records())
    except RollbackError as error:
        found = replace(found, trouble=str(error))
    seconds = time.monotonic() - started
    print(f"{folder.name}: {len(records)} ups in {seconds:.0f} s", file=sys.stderr, flush=True)
    return replace(found, records=tuple(records))


# --- what is printed --------------------------------------------------------------------------


def counts(records: Sequence[Record], wish: Wish) -> dict[str, Any]:
    """A line of the table, by column."""
    found = Counter(one.verdict for one in records)
    verdicts = THEIRS if wish.human else OURS
    scored = [one for one in records if one.verdict not in UNSCORED]
    restored = [one for one in scored if one.verdict in RESTORED]
    line: dict[str, Any] = {"ups": len(records)}
    line |= {one: found[one] for one in UNSCORED}
    line |= {"scored": len(scored)} | {one: found[one] for one in verdicts}
    line["restored"] = share(len(restored), len(scored))
    if wish.human:
        line |= agreement(records) if wish.verify else {}
        return line
    by_statement = sum(one.how in ("text", "statements") for one in restored)
    times = [one.ms for one in records if one.how]
    line["by statement"] = share(by_statement, len(restored))
    line["ms"] = f"{median(times):.{0 if wish.state != 'none' else 1}f}" if times else "-"
    return line


def agreement(records: Sequence[Record]) -> dict[str, int]:
    found = Counter(one.agrees for one in records if one.verified)
    return {"agrees": found[True], "disagrees": found[False], "not verified": found[None]}


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def table(lines: Mapping[str, Mapping[str, Any]]) -> str:
    """The lines under their columns; the first column holds their names."""
    columns = list(next(iter(lines.values())))
    rows = [["", *columns], *([name, *map(str, line.values())] for name, line in lines.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def remarks(record: Record) -> Iterator[str]:
    """What a reader has to look at."""
    name = f"{record.folder}/{record.title}"
    if record.verdict in (WRONG, UNPROVEN):
        how = f" ({record.how})" if record.how else ""
        yield f"{record.verdict}  {name}{how}: {record.reason}"
    if record.harm:
        yield f"HARM  {name}: changes no schema, but its down does: {record.harm}"
    if record.agrees is False:
        judged = f"{record.verdict} {record.reason}".strip()
        yield f"DISAGREES  {name}: the judge says {judged}; verify-down says: {record.verified}"


def shown(record: Record) -> str:
    """Everything about one migration."""
    parts = [record.verdict, record.reason, record.how, f"{record.ms:.0f} ms" if record.ms else ""]
    head = f"{record.folder}/{record.title}: {'; '.join(filter(None, parts))}"
    down = "".join(f"    {line}\n" for line in record.down.splitlines() if line)
    said = f"    verify-down: {record.verified}\n" if record.verified else ""
    return f"{head}\n{said}{down}"


def report(folders: Sequence[Folder], wish: Wish, *, show: bool) -> dict[str, Any]:
    """Print everything; return it for --json."""
    records = [record for folder in folders for record in folder.records]
    if show:
        print("\n".join(map(shown, records)))
    downs = "the folders' own downs" if wish.human else f"derived downs, --state {wish.state}"
    servers = ", ".join(sorted({one.server for one in folders if one.server})) or "-"
    judges = ", ".join(sorted({one.judge for one in folders if one.judge})) or "-"
    print(f"{downs}, on PostgreSQL {servers}; judged by {judges}\n")
    lines = {one.name: counts(one.records, wish) for one in folders}
    lines["total"] = counts(records, wish)
    print(table(lines))
    said = [line for record in records for line in remarks(record)]
    said += [f"STOPPED  {one.name}: {one.trouble}" for one in folders if one.trouble]
    if said:
        print("\n" + "\n".join(said))
    return {
        "downs": downs,
        "server": servers,
        "judge": judges,
        "table": lines,
        "migrations": [asdict(record) for record in records],
    }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument(
        "--state", choices=("replay", "none"), default="replay",
        help="derive with the database right before the up, or from the text alone",
    )  # fmt: skip
    parser.add_argument(
        "--judge", choices=("auto", "dump", "facts"), default="auto",
        help="pg_dump, or our own catalog facts; auto: pg_dump where there is one",
    )  # fmt: skip
    parser.add_argument("--human", action="store_true", help="judge the folders' own downs instead")
    parser.add_argument(
        "--verify", action="store_true", help="with --human: does verify-down say the same?"
    )
    parser.add_argument("--only", action="append", metavar="GLOB", help="judge only these ups")
    parser.add_argument("--url", default="", help="a server to use; else embedded ones")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="folders at once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, too")
    parser.add_argument("--show", action="store_true", help="print every verdict with its down")
    found = parser.parse_args()
    for folder in found.folders:
        if not any(folder.glob(f"*{UP}")):
            parser.error(f"{folder} holds no *{UP}")
    return found


def main() -> int:
    given = options()
    wish = Wish(
        given.state, given.judge, given.human or given.verify, given.verify,
        tuple(given.only or ()), given.url,
    )  # fmt: skip
    work = partial(measure, wish=wish)
    if given.jobs > 1:
        # The longest first; told in the order of the command line.
        order = sorted(given.folders, key=lambda one: -len(list(one.glob(f"*{UP}"))))
        with ProcessPoolExecutor(given.jobs) as pool:
            done = dict(zip(order, pool.map(work, order), strict=True))
        folders = [done[one] for one in given.folders]
    else:
        folders = [work(one) for one in given.folders]
    found = report(folders, wish, show=given.show)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(any(one.at_fault(wish) for one in folders))


if __name__ == "__main__":
    sys.exit(main())
