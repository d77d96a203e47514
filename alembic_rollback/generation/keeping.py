"""`--keep-data`: an up rewritten to keep the rows that it changes, and tried with rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from alembic_rollback.derivation import Derivation, Site, keep_rows
from alembic_rollback.errors import RollbackError, StatementError
from alembic_rollback.inverse.generate import render
from alembic_rollback.model import KeptRows
from alembic_rollback.sql.kept import kept_by
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.script import read_script
from alembic_rollback.verification import Sides, try_with_rows

if TYPE_CHECKING:
    from alembic_rollback.generation.ups import Up
    from alembic_rollback.sql.parser import Statement

_ROWS = 3
"""How many each table gets to try it."""


def rewritten(up: Up, site: Site, schema: str) -> tuple[Up, list[str]]:
    """The up as it would keep its rows in that schema, and what is to be said about it."""
    found = keep_rows(site, up.script, schema=schema, version=up.version)
    notes = [f"line {one.where.line} keeps nothing: {why}" for one, why in found.refused.items()]
    if not found.rewritten:
        return up, notes or ["no rows to keep: nothing in it takes rows that were there before"]
    text = _replaced(up.text, found.rewritten)
    script = read_script(text, up.path, no_transaction=up.header.no_transaction)
    return replace(up, text=text, script=script, kept=_kept(up, found.rewritten)), notes


def refuse_outside(up: Up) -> None:
    """Raises RollbackError for an up that isn't run in a transaction."""
    if up.script.outside:
        raise RollbackError(
            f"{up.path.name} runs outside a transaction ({up.script.outside}): what it changes "
            "could be changed by others before it is kept.",
            state="Nothing was written.",
            next_step="Move the statements that change rows into a revision of their own.",
        )


def tried_with_rows(site: Site, up: Up, found: Derivation) -> str:
    """What became of rows in the tables by up and down, in a sentence."""
    down = read_script(render(found.down, ()), up.down)
    try:
        with site() as stage, stage.look() as connection:
            tables = [quote_name(one.into) for rows in kept_by(up.script).values() for one in rows]
            came = try_with_rows(connection, Sides(up.script, down), tables, rows=_ROWS)
    except StatementError as error:
        return f"not tried with rows: {error.what}"
    if came.lost:
        return "with rows in the tables: " + "; ".join(one.describe() for one in came.lost)
    if not came.kept:
        return "tried with rows in the tables, none of which it takes"
    return f"tried with rows in the tables: {came.kept} kept, all as they were after the down"


def _kept(up: Up, statements: Mapping[Statement, str]) -> tuple[KeptRows, ...]:
    found = []
    for statement, text in statements.items():
        new = read_script(text, up.path)
        for rows in kept_by(new).values():
            found += [
                KeptRows(
                    statement.where.line,
                    quote_name(one.table),
                    one.changed,
                    quote_name(one.into),
                )
                for one in rows
            ]
    return tuple(found)


def _replaced(text: str, statements: Mapping[Statement, str]) -> str:
    """The file with other text in the places of some statements."""
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    newline = "\r\n" if "\r\n" in text else "\n"
    for statement, new in sorted(statements.items(), key=lambda one: _place(one[0]), reverse=True):
        line, column = _place(statement)
        start = starts[line - 1] + column - 1
        end = start + len(statement.text)
        text = text[:start] + newline.join(new.splitlines()) + text[end:]
    return text


def _place(statement: Statement) -> tuple[int, int]:
    return statement.where.line, statement.where.column
