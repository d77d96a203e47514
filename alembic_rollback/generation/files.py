"""What is written: the down with its header, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alembic_rollback.inverse.generate import render
from alembic_rollback.model import Gap, GeneratedDown

if TYPE_CHECKING:
    from alembic_rollback.derivation import Derivation
    from alembic_rollback.generation.ups import Up
    from alembic_rollback.inverse.model import Down


def from_text(
    up: Up, down: Down, *, doubt: str, asked: bool, schema_only: bool, notes: tuple[str, ...] = ()
) -> GeneratedDown:
    """The down that the text alone gives. doubt: why it isn't proven. asked: nobody wanted more."""
    said = () if asked else _said("", (), doubt, "")
    text = render(down, [*_header(up), *said], schema_only=schema_only)
    return GeneratedDown(up.path, up.down, text, _gaps(down), doubt=doubt, notes=notes)


def from_state(
    up: Up,
    found: Derivation,
    *,
    state: str,
    version: str,
    schema_only: bool,
    notes: tuple[str, ...] = (),
) -> GeneratedDown:
    """The down that was tried on a database. version: PostgreSQL's."""
    proof = found.proof
    proven = version if proof is not None and proof.holds else ""
    reordered = proof.reordered if proof is not None and proven else ()
    differences: tuple[str, ...] = ()
    if proof is None:
        doubt = "--no-prove"
    else:
        doubt = "" if proven else proof.failure or _why(found.problem)
        differences = () if proven else tuple(map(str, proof.differences))
    rows = proof.rows_in_the_way if proof is not None else ""
    header = [*_header(up), *_said(proven, reordered, doubt, rows)]
    text = render(found.down, header, schema_only=schema_only)
    return GeneratedDown(
        up.path,
        up.down,
        text,
        _gaps(found.down),
        state=state,
        how=found.how,
        proven=proven,
        reordered=reordered,
        doubt=doubt,
        rows_in_the_way=rows,
        differences=differences,
        notes=notes,
        kept=up.kept,
        up_text=up.text if up.kept else "",
    )


def _why(problem: str) -> str:
    refused = f": {problem}" if problem else ""
    return f"the catalog is not what it was{refused}"


def _header(up: Up) -> Iterator[str]:
    for key, value in (
        ("Description", f"Roll back: {up.description}"),
        ("Author", up.header.author),
        ("Created", up.header.created),
        ("Generated from", up.path.name),
    ):
        if value:
            yield f"-- {key}: {value}"


def _said(proven: str, reordered: tuple[str, ...], doubt: str, rows: str) -> Iterator[str]:
    if not proven:
        yield f"-- Not proven: {doubt}"
        return
    runs = "up, down" if rows else "up, down, up"
    order = f"; columns in another order: {', '.join(reordered)}" if reordered else ""
    yield f"-- Proven: {runs} on PostgreSQL {proven}{order}"


def _gaps(down: Down) -> tuple[Gap, ...]:
    return tuple(
        Gap(gap.statement.where.line, gap.statement.text, gap.missing, gap.rows)
        for gap in down.irreversible
    )
