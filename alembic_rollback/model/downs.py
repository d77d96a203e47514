"""Downs that were generated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Gap:
    """An up statement that could not be inverted."""

    line: int
    statement: str
    missing: str
    """The missing fact."""
    rows: bool = False
    """It is about rows; the schema is restored without it."""


@dataclass(frozen=True)
class KeptRows:
    """Rows that a rewritten up keeps for its down."""

    line: int
    """Of the statement that takes them, in the file as it was."""
    table: str
    """As a person would write it."""
    columns: tuple[str, ...]
    """The columns whose values it changes; none where whole rows go."""
    into: str
    """The table in which they are kept, with its schema."""


@dataclass(frozen=True)
class GeneratedDown:
    """The result of generate-down for one file."""

    up: Path
    down: Path
    text: str
    gaps: tuple[Gap, ...] = ()
    state: str = "none"
    """Where the state before the up came from: `live`, `replay`, `given`, or `none`: from nowhere,
    the text alone was read."""
    how: str = "text"
    """`text`, `statements`: the catalog before and after a statement told what its text didn't,
    or `difference`: of the catalogs before and after the whole script."""
    proven: str = ""
    """The version of PostgreSQL on which up, down and up led to the same catalogs; else empty."""
    reordered: tuple[str, ...] = ()
    """Tables whose columns come back in another order."""
    doubt: str = ""
    """Why it isn't proven; also where nobody asked for a proof."""
    rows_in_the_way: str = ""
    """What a second up fails on: rows of the first that the down says it leaves. Then only up and
    down are proven."""
    differences: tuple[str, ...] = ()
    """What it leaves otherwise than it was: `missing index public.orders_total`."""
    notes: tuple[str, ...] = ()
    """Why a state that was looked for could not be had."""
    schema_only: bool = False
    """Rows were not to count."""
    unasked: bool = False
    """No proof was asked for."""
    written: bool = False
    outdated: bool = False
    """With --check: the file on disk is missing, or would do something else."""
    kept: tuple[KeptRows, ...] = ()
    """What the up keeps by `up_text`."""
    up_text: str = ""
    """The up as it was rewritten to keep rows; empty where it stays as it is."""

    @property
    def complete(self) -> bool:
        """Whether every statement of the up is undone."""
        return all(gap.rows for gap in self.gaps) if self.schema_only else not self.gaps

    @property
    def sound(self) -> bool:
        """Whether it is complete and, if that was asked for, proven."""
        return self.complete and (bool(self.proven) or (self.unasked and not self.differences))
