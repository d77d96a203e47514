"""A folder's migrations, judged one after the other, each with the true history behind it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alembic_rollback.errors import PairError, RollbackError
from alembic_rollback.generation.states import Scratch
from alembic_rollback.pairs import UP, read_text
from alembic_rollback.scratch import ScratchDatabase, ScratchServer, scratch_server
from alembic_rollback.scratch.statements import cluster_wide
from alembic_rollback.sql.parser import parse
from alembic_rollback.verification import Judged
from benchmarks.corpus.claims import Claim, our_down, their_down
from benchmarks.corpus.files import run_file, run_for_good
from benchmarks.corpus.judges import Judge, judge_for
from benchmarks.corpus.model import (
    AUX,
    DATA_ONLY,
    DIFFERS,
    DIFFERS_AGAIN,
    DOWN_FAILS,
    EXACT,
    HUMAN,
    REPLAY,
    RESTORED,
    UP_FAILS,
    UP_FAILS_AGAIN,
    WRONG,
    Folder,
    Record,
    Wish,
)
from benchmarks.corpus.verifying import Step, agree, confront, verify


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
        for path in self.paths():
            if path.name.endswith(UP) and self.wish.wants(path):
                yield from self.judged(path)
            else:
                self.advance(path)

    def paths(self) -> list[Path]:
        """What is to be run, in its order."""
        return sorted(path for path in self.folder.iterdir() if path.name.endswith((UP, AUX)))

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

    def judged(self, up: Path) -> Iterator[Record]:
        """A record for each side; a down that two of them have is run once."""
        before = self.look()
        claims = {side: self.claim(up, side) for side in self.wish.sides}
        human = claims.get(HUMAN)
        failure = self.advance(up, human.text if human and not human.verdict else None)
        name = self.folder.name, up.name.removesuffix(UP)
        if failure:
            for side, claim in claims.items():
                yield Record(*name, side, UP_FAILS, failure, how=claim.how, ms=claim.ms)
            return
        data_only = self.judge.compare(before, self.look())[0] == EXACT
        ran: dict[str, tuple[str, Any]] = {}
        for side, claim in claims.items():
            verdict, reason = claim.verdict, claim.reason
            if not verdict:
                if claim.text not in ran:
                    ran[claim.text] = self.after(claim.text)
                verdict, reason = self.verdict(before, *ran[claim.text], side)
            record = Record(
                *name, side, verdict, reason, how=claim.how, ms=claim.ms, down=claim.text,
                judged="" if claim.verdict else verdict,
            )  # fmt: skip
            yield weighed(record, data_only=data_only)

    def claim(self, up: Path, side: str) -> Claim:
        if side == HUMAN:
            return their_down(up)
        return our_down(up, self.ground if side == REPLAY else None)

    def after(self, down: str) -> tuple[str, Any]:
        """Why a down fails on a copy of the database; else the schema after it. Roles stay."""
        with self.server.clone(self.database) as copy:
            failure = run_file(copy, down, Path("down.sql"), drop_roles=False)
            return failure, None if failure else self.judge.look(copy)

    def verdict(self, before: Any, failure: str, found: Any, side: str) -> tuple[str, str]:
        if failure:
            return DOWN_FAILS, failure
        return self.judge.compare(before, found, elsewhere=side != HUMAN)

    def again(self, up: Path, down: str) -> str:
        """What is wrong with a second up, unless it finds the roles of the first one."""
        self.advance(up)
        with suppress(PairError):
            if any(map(cluster_wide, parse(read_text(up), up))):
                return ""
        with self.server.clone(self.database) as copy:
            run_file(copy, down, Path("down.sql"), drop_roles=False)
            if run_file(copy, read_text(up), up):
                return UP_FAILS_AGAIN
            same = self.judge.compare(self.look(), self.judge.look(copy))[0] in RESTORED
        return "" if same else DIFFERS_AGAIN


def weighed(record: Record, *, data_only: bool) -> Record:
    """A record with the verdict that counts."""
    bad = record.verdict in (DIFFERS, DOWN_FAILS)
    if data_only:
        harm = record.reason if bad else ""
        return replace(record, verdict=DATA_ONLY, reason="", harm=harm)
    if bad and record.side != HUMAN:
        return replace(record, verdict=WRONG, reason=f"{record.verdict}: {record.reason}")
    return record


@contextmanager
def trying(wish: Wish) -> Iterator[Scratch]:
    """A database for us; roles belong to servers, so the judge has another one."""
    with (
        scratch_server(wish.url) as server,
        server.create() as database,
        closing(Scratch(server, database)) as ground,
    ):
        yield ground


@contextmanager
def course(folder: Path, wish: Wish) -> Iterator[Course]:
    """A course at its start, on servers of its own unless one was named."""
    with ExitStack() as stack:
        server = stack.enter_context(scratch_server(wish.url))
        database = stack.enter_context(server.create())
        ground = stack.enter_context(trying(wish)) if wish.tries else None
        yield Course(folder, wish, server, database, judge_for(server, wish), ground)


def measure(folder: Path, wish: Wish) -> Folder:
    """Judge a folder's migrations."""
    found = Folder(folder.name)
    records: list[Record] = []
    started = time.monotonic()
    try:
        with course(folder, wish) as running:
            found = replace(found, server=running.server.version, judge=running.judge.name)
            records.extend(running.records())
        if wish.verify:
            said = verify(running.steps, wish)
            records = confront(looked_at_again(folder, wish, records, said), said)
    except RollbackError as error:
        found = replace(found, trouble=str(error))
    seconds = time.monotonic() - started
    ups = len({one.title for one in records})
    print(f"{folder.name}: {ups} ups in {seconds:.0f} s", file=sys.stderr, flush=True)
    return replace(found, records=tuple(records))


def looked_at_again(
    folder: Path, wish: Wish, records: Sequence[Record], said: Mapping[str, Judged]
) -> list[Record]:
    """The records, with the judge's word on a second up where verify-down finds fault with it."""
    doubted = {
        one.title: one.down
        for one in records
        if one.side == HUMAN and one.judged in RESTORED and agree(one, said[one.title]) is False
    }
    if not doubted:
        return list(records)
    again = {}
    with course(folder, replace(wish, sides=(HUMAN,))) as running:
        for path in running.paths():
            title = path.name.removesuffix(UP)
            if title in doubted:
                again[title] = running.again(path, doubted[title])
            else:
                running.advance(path)
    return [
        replace(one, judged=again.get(one.title) or one.judged) if one.side == HUMAN else one
        for one in records
    ]
