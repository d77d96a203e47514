"""A folder's migrations, judged one after the other, each with the true history behind it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alembic_rollback.errors import PairError, RollbackError
from alembic_rollback.generation.states import Scratch
from alembic_rollback.pairs import UP, read_text
from alembic_rollback.scratch import ScratchDatabase, ScratchServer, scratch_server
from alembic_rollback.scratch.statements import cluster_wide
from alembic_rollback.sql.parser import parse
from benchmarks.corpus.claims import our_down, their_down
from benchmarks.corpus.files import run_file, run_for_good
from benchmarks.corpus.judges import Judge, judge_for
from benchmarks.corpus.model import (
    AUX,
    DATA_ONLY,
    DIFFERS,
    DIFFERS_AGAIN,
    DOWN_FAILS,
    EXACT,
    RESTORED,
    UP_FAILS,
    UP_FAILS_AGAIN,
    WRONG,
    Folder,
    Record,
    Wish,
)
from benchmarks.corpus.verifying import Step, confront, verify


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
    steps: list[Step] = field(default_factory=list)
    """What has been run so far."""
    seen: Any = None
    """The schema as it is now, if somebody has looked."""

    def records(self) -> Iterator[Record]:
        for path in sorted(self.folder.glob("*.sql")):
            if path.name.endswith(UP) and self.wish.wants(path):
                yield self.record(path)
            elif path.name.endswith((UP, AUX)):
                self.advance(path)

    def advance(self, path: Path, down: str | None = None) -> str:
        """Run a file for good, or what of it works; why not all of it did."""
        text, self.seen = read_text(path), None
        if self.ground is not None:
            run_for_good(self.ground.database, text, path)
        ran = run_for_good(self.database, text, path)
        asked = down is not None and not ran.failure
        self.steps.append(Step(path, ran.text, down if asked else None))
        return ran.failure

    def look(self) -> Any:
        if self.seen is None:
            self.seen = self.judge.look(self.database)
        return self.seen

    def record(self, up: Path) -> Record:
        before = self.look()
        claim = their_down(up) if self.wish.human else our_down(up, self.ground)
        failure = self.advance(up, None if claim.verdict else claim.text)
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
                again = self.again(copy, up) if self.wish.verify and verdict in RESTORED else ""
            record = replace(record, judged=again or verdict)
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

    def again(self, copy: ScratchDatabase, up: Path) -> str:
        """What is wrong after the up has been run again; roles, which are still there, are not."""
        text = read_text(up)
        try:
            if any(map(cluster_wide, parse(text, up))):
                return ""
        except PairError:
            return ""
        if run_file(copy, text, up):
            return UP_FAILS_AGAIN
        same = self.judge.compare(self.look(), self.judge.look(copy))[0] in RESTORED
        return "" if same else DIFFERS_AGAIN


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
            course = Course(folder, wish, server, database, judge, ground)
            records.extend(course.records())
        if wish.verify:
            records = confront(records, verify(course.steps, wish))
    except RollbackError as error:
        found = replace(found, trouble=str(error))
    seconds = time.monotonic() - started
    print(f"{folder.name}: {len(records)} ups in {seconds:.0f} s", file=sys.stderr, flush=True)
    return replace(found, records=tuple(records))
