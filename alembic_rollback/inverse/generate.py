"""A script → its down: every statement by its rule, last first; and the down as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.errors import RollbackError
from alembic_rollback.inverse import (  # noqa: F401  each registers its rules
    columns,
    comments,
    constraints,
    databases,
    definitions,
    drops,
    extensions,
    foreign,
    functions,
    grants,
    indexes,
    owners,
    partitions,
    policies,
    renames,
    replication,
    roles,
    rows,
    schemas,
    sequences,
    session,
    switches,
    tables,
    triggers,
    types,
    views,
)
from alembic_rollback.inverse.kept import told_by
from alembic_rollback.inverse.model import Down, Inverse, Irreversible, Known
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, apply
from alembic_rollback.inverse.world import World
from alembic_rollback.sql.script import Script, read_script

if TYPE_CHECKING:
    from alembic_rollback.sql.parser import Statement

_AMBIENT = "the search_path before it: statements above it name objects without a schema"
_SHOWN = 60
# What these set may be a password: the first words tell enough.
_SECRETIVE = {
    "AlterFdwStmt": "ALTER FOREIGN DATA WRAPPER …",
    "AlterForeignServerStmt": "ALTER SERVER …",
    "AlterRoleSetStmt": "ALTER ROLE … SET …",
    "AlterRoleStmt": "ALTER ROLE …",
    "AlterSubscriptionStmt": "ALTER SUBSCRIPTION …",
    "AlterSystemStmt": "ALTER SYSTEM …",
    "AlterUserMappingStmt": "ALTER USER MAPPING …",
}


@dataclass
class _Section:
    """Statements under one search_path."""

    opened_by: Statement | None = None
    path: str = ""
    steps: list[tuple[Statement, Sequence[Part]]] = field(default_factory=list)

    def depends_on_path(self) -> bool:
        """Whether the down names something of this section without its schema."""
        return any(
            part.about is None or not part.about.qualified
            for _, parts in self.steps
            for part in _undos(parts)
        )


def invert(script: Script, known: Mapping[Statement, Known] | None = None) -> Down:
    """What undoes the script, as far as its text tells. No rule changes the script.

    known: statements of which the state of a database tells more than their text.
    """
    sections = _read(script)
    told = known or {}
    dependent = [section for section in sections if section.depends_on_path()]
    inverses: list[Inverse] = []
    for section in reversed(sections):
        if section.opened_by:
            needed = (section.path,) if section in dependent else ()
            inverses.append(Inverse(section.opened_by, needed))
        inverses += _inverses(section, told)
    irreversible = list(_irreversible(sections, told))
    if len(dependent) > 1 and dependent[0].opened_by is None:
        opener = sections[1].opened_by
        assert opener is not None
        irreversible.append(Irreversible(opener, _AMBIENT))
    irreversible.sort(key=lambda item: (item.statement.where.line, item.statement.where.column))
    return Down(tuple(inverses), tuple(irreversible), _outside(inverses))


def alone(statement: Statement) -> tuple[tuple[str, ...], tuple[Missing, ...]]:
    """What undoes one statement by itself, and the facts that are missing for that."""
    world = World()
    world.now = 1
    parts = apply(Step(statement, statement.node, world))
    missing = tuple(part for part in parts if isinstance(part, Missing))
    return tuple(_joined(_undos(parts))), missing


def lost_rows(script: Script) -> dict[Statement, tuple[str, ...]]:
    """By statement, the facts about rows that the text leaves missing.

    Rows of a table, and values of a column, that the script itself makes are none.
    """
    return {
        statement: tuple(part.fact for part in parts if isinstance(part, Missing) and part.rows)
        for section in _read(script)
        for statement, parts in section.steps
    }


def compose(script: Script, known: Mapping[Statement, Known]) -> Down:
    """The down of a script every statement of which is known."""
    inverses = tuple(Inverse(one, known[one].sql) for one in reversed(script.statements))
    irreversible = tuple(_irreversible(_read(script), known))
    return Down(inverses, irreversible, _outside(list(inverses)))


def changes_path(script: Script) -> bool:
    """Whether names mean something else in parts of it: it sets search_path."""
    return len(_read(script)) > 1


def _read(script: Script) -> list[_Section]:
    world, sections, told = World(), [_Section()], told_by(script)
    for number, statement in enumerate(script.statements, 1):
        world.now = number
        parts = told.get(statement, apply(Step(statement, statement.node, world)))
        path = session.sets_path(statement)
        if path and not parts:
            world.change_path()
            sections.append(_Section(statement, path))
        else:
            sections[-1].steps.append((statement, parts))
    return sections


def _undos(parts: Sequence[Part]) -> list[Undo]:
    """What is left to undo at the end of the file: what came and went within it is not."""
    undos = [part for part in parts if isinstance(part, Undo)]
    return [undo for undo in undos if undo.about is None or not undo.about.gone]


def _inverses(section: _Section, known: Mapping[Statement, Known]) -> Iterator[Inverse]:
    for statement, parts in reversed(section.steps):
        if statement in known:
            yield Inverse(statement, known[statement].sql)
            continue
        sql = tuple(_joined(_undos(parts)))
        if sql or not any(isinstance(part, Missing) for part in parts):
            yield Inverse(statement, sql)


def _joined(undos: list[Undo]) -> Iterator[str]:
    """Statements in reverse order, clauses of one ALTER TABLE together."""
    for _, group in groupby(reversed(undos), key=lambda undo: (undo.sql, bool(undo.clause))):
        members = sorted(group, key=lambda undo: undo.last)
        if members[0].clause:
            yield f"{members[0].sql} {', '.join(undo.clause for undo in members)}"
        else:
            yield from (undo.sql for undo in members)


def _irreversible(
    sections: list[_Section], known: Mapping[Statement, Known]
) -> Iterator[Irreversible]:
    for section in sections:
        for statement, parts in section.steps:
            missing = [part for part in parts if isinstance(part, Missing)]
            if statement in known:
                missing = [Missing(fact, rows=True) for fact in known[statement].lost]
            if missing:
                facts = "; ".join(dict.fromkeys(part.fact for part in missing))
                yield Irreversible(statement, facts, all(part.rows for part in missing))


def _outside(inverses: list[Inverse]) -> bool:
    text = "".join(f"{sql};\n" for inverse in inverses for sql in inverse.sql)
    return not read_script(text, Path("down.sql")).transactional


def render(down: Down, header: Sequence[str], *, schema_only: bool = False) -> str:
    """The whole text of the `.down.sql`.

    header: its first lines. schema_only: missing facts about rows are only mentioned, and don't
    make it irreversible. Raises RollbackError if what was rendered does not read back as the
    statements that it was made of.
    """
    lines = [_comment(line) for line in header]
    lines += [_refusal(item, schema_only=schema_only) for item in down.irreversible]
    if down.outside:
        lines.append("-- Transaction: none")
    body = [f"{sql};" for sql in down.sql]
    if body and not down.outside:
        body = ["BEGIN;", "", *body, "", "COMMIT;"]
    if not body and not down.irreversible:
        body = ["-- Nothing to undo."]
    blank = [""] if lines and body else []
    text = "\n".join([*lines, *blank, *body, ""])
    _read_back(text, down)
    return text


def _comment(line: str) -> str:
    """One line, whatever a name in it holds: what follows a line end would be SQL."""
    flat = " ".join(line.split())
    return flat if flat.startswith("--") or not flat else f"-- {flat}"


def _refusal(item: Irreversible, *, schema_only: bool) -> str:
    shown, word = shortened(item.statement), "Irreversible"
    if item.rows and schema_only:
        word = "Not restored"
    return _comment(f"-- {word}: line {item.statement.where.line}: {shown}: {item.missing}")


def shortened(statement: Statement) -> str:
    """The statement on one line of at most 60 characters."""
    text = _SECRETIVE.get(statement.kind) or " ".join(statement.text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"


def _read_back(text: str, down: Down) -> None:
    script = read_script(text, Path("down.sql"), no_transaction=down.outside)
    if tuple(statement.text for statement in script.statements) != down.sql:
        raise RollbackError(
            "The generated down does not read back as the statements it was made of.",
            state="Nothing was written.",
            next_step="This is a defect of alembic-rollback: please report it with the up script.",
        )
