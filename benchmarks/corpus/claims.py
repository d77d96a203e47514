"""Downs that are to be judged: derived from their ups, or the folder's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from alembic_rollback.derivation import Proof, Site, derive
from alembic_rollback.errors import PairError, RollbackError, StatementError
from alembic_rollback.generation.states import Scratch
from alembic_rollback.inverse.generate import invert, render
from alembic_rollback.inverse.model import Down
from alembic_rollback.pairs import DOWN, UP, read_text
from alembic_rollback.sql.parser import parse
from alembic_rollback.sql.script import Script
from benchmarks.corpus.files import IN_STEPS, script_of, told
from benchmarks.corpus.model import EMPTY, IRREVERSIBLE, NO_DOWN, UNPROVEN, listed

T = TypeVar("T")


@dataclass(frozen=True)
class Claim:
    """A down that says it is right, or why there is none."""

    text: str = ""
    verdict: str = ""
    """IRREVERSIBLE or UNPROVEN where it doesn't say so."""
    reason: str = ""
    how: str = ""
    ms: float = 0.0


def our_down(up: Path, ground: Scratch | None) -> Claim:
    """A down of ours. ground: a database right before the up; None for the text alone."""
    started = time.perf_counter()
    try:
        claim = derived(up, ground)
    except RollbackError as error:
        claim = Claim(verdict=UNPROVEN, reason=told(error))
    except Exception as error:  # a defect of ours: one migration's, not the measurement's
        claim = Claim(verdict=UNPROVEN, reason=f"crashed: {told(error)}")
    return replace(claim, ms=(time.perf_counter() - started) * 1000)


def derived(up: Path, ground: Scratch | None) -> Claim:
    script = script_of(read_text(up), up)
    if not script.statements:
        return Claim("-- Nothing to undo.\n", how="text")
    if ground is None:
        return claim_of(invert(script), "text", None)
    found = tried(ground, script, lambda site: derive(site, script))
    return claim_of(found.down, found.how, found.proof)


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
