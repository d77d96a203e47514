"""Runs the cases: a fresh database, a command, a kill, checks, the command again, checks."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

from alembic_rollback import cli
from tests.crash import checks
from tests.crash.boundaries import marker
from tests.crash.checks import Seen
from tests.crash.process import Command
from tests.crash.scenarios import Argv, Block, Crash, Scenario
from tests.crash.server import CrashServer, await_true, backends, next_transaction, waiting_backend
from tests.project import ENV, Project, Result

Kind: TypeAlias = Literal["client", "orphan", "backend", "server"]
KINDS: tuple[Kind, ...] = ("client", "backend", "server")
"""client: SIGKILL, and the server notices at once; orphan: SIGKILL, and the statement runs on to
its end, as it does where the server has no reason to look at the socket; backend:
pg_terminate_backend; server: an immediate shutdown and a restart."""
_ENGINE = "create_engine(URL, poolclass=NullPool)"
_WATCHED = "watched(create_engine(URL, poolclass=NullPool, **{}))"
_HEAD = """
import os
from tests.crash.boundaries import watched
"""
_URL = 'URL = os.environ["CRASH_URL"]'


@dataclass(frozen=True)
class Case:
    """One kill: at a boundary, or in the middle of a statement that waits."""

    kind: Kind
    boundary: int = 0
    what: str = ""
    """What would have come next; the statement that was killed."""
    block: Block | None = None

    def __str__(self) -> str:
        """As it is reported."""
        where = f"before {self.boundary}" if self.block is None else "in the middle of"
        return f"{self.kind} {where}: {self.what[:110]}"


@dataclass(frozen=True)
class Wanted:
    """Which cases of a scenario to run."""

    kinds: tuple[str, ...] = ()
    boundary: int = 0
    middles: bool = False
    limit: int = 0

    def fits(self, case: Case) -> bool:
        """Whether a case is wanted, the limit aside."""
        by_kind = not self.kinds or case.kind in self.kinds
        by_place = case.boundary == self.boundary if self.boundary else True
        return by_kind and by_place and (case.block is not None or not self.middles)


@dataclass
class Report:
    """What came of a scenario."""

    name: str
    boundaries: int = 0
    cases: int = 0
    """All that there are."""
    run: dict[str, int] = field(default_factory=dict)
    """By kind, how many were run."""
    partial: int = 0
    """How many have left a partial state."""
    problems: list[dict[str, str]] = field(default_factory=list)
    skipped: str = ""


class Stage:
    """A scenario on a server: its project, its template database, its states when undisturbed."""

    def __init__(self, scenario: Scenario, server: CrashServer, root: Path) -> None:
        self.scenario, self.server = scenario, server
        self.project = Project.create(
            root / scenario.name, server.url("postgres"), options=scenario.options
        )
        scenario.write(self.project)
        text = ENV.format(url="", options=scenario.options).replace("URL = ''", _URL)
        watched = _WATCHED.format(scenario.engine)
        self.project.write_env(_HEAD + text.replace(_ENGINE, watched))
        self.template, self.number = "crash_template", 0
        self.spare = ""
        """A copy of the template in which nothing has been written yet."""
        self.known: dict[str, list[str]] = {}
        """What came of running the command again, by the fingerprint of what it found."""

    def set_up(self) -> None:
        """Make the template, count the boundaries, and see every state that may be left."""
        self.server.create(self.template)
        for step in self.scenario.prepare:
            self._prepare(step)
        with self.server.connection(self.template) as cursor:
            for sql in self.scenario.sql:
                cursor.execute(sql)
        with self._database() as name:
            self.start = self.see(name)
        self.references = [self.start] if not self.start.partial else []
        for count in range(1, len(self.scenario.steps)):
            self._reach(count)
        trace = self.project.root / "trace"
        with self._database() as name:
            said = self.run(self.scenario.argv, name, CRASH_TRACE=str(trace))
            assert said.code == 0, f"{self.scenario.name}, undisturbed: {said}"
            self.end = self.see(name)
        self.references.append(self.end)
        self.boundaries = trace.read_text().splitlines()

    def _prepare(self, step: Argv | Crash) -> None:
        if isinstance(step, Crash):
            command = self.begin(step.argv, self.template, CRASH_STOP_AT=step.before)
            backend = self._await(command, self.template, marker())
            self._kill("client", command, backend, self.template)
            return
        said = self.run(step, self.template)
        assert said.code == 0, f"{self.scenario.name}: {step}: {said}"

    def _reach(self, count: int) -> None:
        """See the state after the first `count` steps."""
        up, first = self.scenario.direction == "up", set(self.scenario.steps[:count])
        if up and first <= self.start.ledger:
            return
        with self._database() as name:
            said = self.run(self.scenario.reached_by(count), name)
            assert said.code == 0, f"{self.scenario.name}: step {count}: {said}"
            self.references.append(self.see(name))

    # --- commands ---------------------------------------------------------------------------

    def begin(self, argv: Argv, database: str, **env: str) -> Command:
        """Start a command on a database."""
        url = self.server.url(database).render_as_string(hide_password=False)
        return Command.start(argv, self.project.root, {"CRASH_URL": url, **env})

    def run(self, argv: Argv, database: str, **env: str) -> Result:
        """Run a command on a database to its end."""
        return self.begin(argv, database, **env).result()

    def see(self, database: str) -> Seen:
        """The state of a database; raises where migration-status cannot say it."""
        said = self.run(("migration-status", "--json"), database)
        assert said.code == 0, f"migration-status: {said}"
        return checks.look(self.server.url(database), self.scenario.observe, said)

    # --- cases ------------------------------------------------------------------------------

    def cases(self) -> list[Case]:
        """Every kill: the statements that can be killed in their middle first."""
        middles = [
            Case(kind, what=block.statement, block=block)
            for block in self.scenario.blocks
            for kind in (*KINDS, "orphan")
        ]
        edges = [
            Case(kind, number, what)
            for number, what in enumerate(self.boundaries, 1)
            for kind in KINDS
        ]
        return middles + edges

    def problems_of(self, case: Case) -> tuple[list[str], Result, Seen | None]:
        """Kill and check; also what the command said last, and what was left."""
        name, before = self._fresh()
        said, seen, problems = Result(0, "", ""), None, []
        try:
            said = self._killed(case, name)
            if self._next_transaction() == before:
                # Nothing was written at all: what is left is the start, of which all is known.
                seen = self.start
            else:
                self.spare = ""
                seen = self.see(name)
                problems += checks.state_problems(seen, self.references)
                problems += self._problems_again(name, seen)
            outlived = case.kind in ("backend", "server")
            said_wrong = (
                checks.output_problems(said, seen, self.start, self.end)
                if outlived
                else checks.claim_problems(said, seen, self.start)
            )
            problems += said_wrong
        except (AssertionError, TimeoutError) as error:
            self.spare = ""
            problems.append(f"{error}")
        finally:
            if not self.spare:
                self._clean(name)
        return problems, said, seen

    def _fresh(self) -> tuple[str, str]:
        """A database to kill in, and the server's next transaction; kept while nobody writes."""
        if not self.spare:
            self.number += 1
            self.spare = f"crash_{self.number}"
            self.server.create(self.spare, self.template)
        return self.spare, self._next_transaction()

    def _next_transaction(self) -> str:
        with self.server.connection() as cursor:
            return next_transaction(cursor)

    def _problems_again(self, name: str, seen: Seen) -> list[str]:
        """Run the command again, unless that is known from a database like this."""
        key = seen.fingerprint
        if key not in self.known:
            self.known[key] = list(self._again(name, seen))
        return self.known[key]

    def _again(self, name: str, seen: Seen) -> Iterator[str]:
        said = self.run(self.scenario.argv, name)
        was_done = seen.ledger == self.end.ledger and seen.partial.keys() <= self.end.partial.keys()
        if "Traceback" in said.text:
            yield f"running it again: a traceback:\n{said.text}"
        elif said.code and not was_done:
            yield f"running it again: exit code {said.code}:\n{said.text}"
        yield from checks.end_problems(self.see(name), self.end)

    def _killed(self, case: Case, database: str) -> Result:
        """Run the command, kill it where the case says; return what it said, nothing runs after."""
        if case.block is None:
            command = self.begin(self.scenario.argv, database, CRASH_STOP=str(case.boundary))
            backend = self._await(command, database, marker(case.boundary))
            return self._kill(case.kind, command, backend, database)
        with self.server.connection(database) as holder:
            holder.execute(case.block.holding)
            command = self.begin(self.scenario.argv, database)
            backend = self._await(command, database, case.block.statement, blocked=True)
            if case.kind != "orphan":
                return self._kill(case.kind, command, backend, database, holder)
            said = command.kill()
        self._await_gone(database)
        return said

    def _await(
        self, command: Command, database: str, pattern: str, *, blocked: bool = False
    ) -> int:
        """Wait until the server shows the statement; return its backend's process id."""

        def stopped() -> int | None:
            if command.ended():
                said = command.result()
                raise AssertionError(f"it ended before {pattern!r}: {said.code}\n{said.text}")
            return waiting_backend(cursor, database, pattern, blocked=blocked)

        with self.server.connection() as cursor:
            try:
                return int(await_true(stopped, f"{pattern!r} is seen"))
            except BaseException:
                command.kill()
                raise

    def _kill(
        self, kind: Kind, command: Command, backend: int, database: str, holder: Any = None
    ) -> Result:
        """Kill it; `holder` is released then, for a command that tries again by itself."""
        if kind == "server":
            self.server.crash()
            try:
                return command.result()
            finally:
                self.server.restart()
        said = command.kill() if kind == "client" else None
        with self.server.connection() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
        if holder is not None:
            holder.connection.close()
        said = said or command.result()
        self._await_gone(database)
        return said

    def _await_gone(self, database: str) -> None:
        """Wait until what was killed has been rolled back."""
        with self.server.connection() as cursor:
            await_true(lambda: not backends(cursor, database), f"{database} is left by everybody")

    @contextmanager
    def _database(self) -> Iterator[str]:
        """A copy of the template, for one run."""
        self.number += 1
        name = f"crash_{self.number}"
        self.server.create(name, self.template)
        try:
            yield name
        finally:
            self._clean(name)

    def _clean(self, name: str) -> None:
        self.server.drop(name)
        with self.server.connection() as cursor:
            for sql in self.scenario.cleanup:
                cursor.execute(sql)


def chosen(cases: Sequence[Case], name: str, limit: int) -> list[Case]:
    """At most `limit` cases, always the same ones of a scenario; 0 for all.

    Up to half of them in the middle of a statement, where most can be left behind.
    """
    if not limit or limit >= len(cases):
        return list(cases)
    middles = _some([case for case in cases if case.block], name, limit // 2)
    return middles + _some([case for case in cases if not case.block], name, limit - len(middles))


def _some(cases: Sequence[Case], name: str, count: int) -> list[Case]:
    """Spread as a hash spreads: an even stride would meet the same kind again and again."""
    return sorted(cases, key=lambda case: zlib.crc32(f"{name} {case}".encode()))[:count]


def perform(scenario: Scenario, wanted: Wanted) -> Report:
    """Run a scenario's cases on a server of its own."""
    report = Report(scenario.name)
    if scenario.needs and not _has_options(scenario.needs):
        report.skipped = f"there is no {scenario.needs} yet"
        return report
    with TemporaryDirectory(prefix="crash-") as root, CrashServer() as server:
        stage = Stage(scenario, server, Path(root))
        try:
            stage.set_up()
        except (AssertionError, TimeoutError) as error:
            report.problems.append({"case": "undisturbed", "problem": f"{error}", "said": ""})
            return report
        cases = [case for case in stage.cases() if wanted.fits(case)]
        report.boundaries, report.cases = len(stage.boundaries), len(stage.cases())
        for case in chosen(cases, scenario.name, wanted.limit):
            _judge(stage, case, report)
    return report


def _has_options(command: str) -> bool:
    return command in cli.MODULES and len(cli.find(command).params) > 1


def _judge(stage: Stage, case: Case, report: Report) -> None:
    problems, said, seen = stage.problems_of(case)
    report.run[case.kind] = report.run.get(case.kind, 0) + 1
    report.partial += bool(seen and seen.partial)
    for problem in problems:
        shown = f"exit code {said.code}\n{said.text}"
        report.problems.append({"case": f"{case}", "problem": problem, "said": shown})
