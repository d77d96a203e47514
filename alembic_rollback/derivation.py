"""A down derived where its up can be tried: in a database that stands right before the revision.

What the text of a statement tells is taken from there; where it tells too little, the catalog
before and after the statement is compared. What comes out is run: up, down, and up again have to
lead to the same catalogs. If they don't, every statement is looked at with its catalogs; if that
doesn't help either, the whole script's difference is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alembic_rollback.catalog.facts.comparison import Difference, compare
from alembic_rollback.catalog.facts.model import Fact, Snapshot
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.catalog.facts.restoring import restore
from alembic_rollback.errors import StatementError
from alembic_rollback.inverse.conversions import computed
from alembic_rollback.inverse.generate import (
    alone,
    changes_path,
    compose,
    invert,
    lost_rows,
    render,
)
from alembic_rollback.inverse.keys import keyed_delete
from alembic_rollback.inverse.model import Down, Inverse, Irreversible, Known
from alembic_rollback.runner import execute, run_script
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.parser import Statement
from alembic_rollback.sql.script import Script, read_script

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_ROWS = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt", "CopyStmt")
_OPAQUE = {
    "DoStmt": "DO",
    "CallStmt": "CALL",
    "ExecuteStmt": "EXECUTE",
    "ExplainStmt": "EXPLAIN ANALYZE",
    "SelectStmt": "a function",
}
_UNSAFE_USE_OF_NEW_VALUE = "55P04"
_OF_ROWS = ("21", "22", "23")
"""SQLSTATE classes: cardinality violation, data exception, integrity constraint violation."""


@dataclass(frozen=True)
class Proof:
    """What became of the catalog by up, down and up again."""

    differences: tuple[Difference, ...] = ()
    """Between before the up and after the down; if none, between the two times after the up."""
    failure: str = ""
    """Why the down, or the second up, could not be run."""
    rows_in_the_way: str = ""
    """What the second up failed on: rows that the first has left, which the down doesn't take away
    and says so. Then only up and down are proven."""

    @property
    def holds(self) -> bool:
        """Whether all is as it was, but perhaps for the order of columns."""
        return not self.failure and all(one.how == "order" for one in self.differences)

    @property
    def reordered(self) -> tuple[str, ...]:
        """Tables whose columns are in another order than before."""
        return tuple(one.fact.name for one in self.differences if one.how == "order")


@dataclass(frozen=True)
class Derivation:
    """A down, how it was found, and what trying it showed."""

    down: Down
    how: str
    """`text`, `statements` or `difference`."""
    proof: Proof | None
    """None where nobody asked for it."""
    problem: str = ""
    """Where a statement could not be undone: what PostgreSQL said to the attempt."""


class Stage(Protocol):
    """A database right before the revision, to do as one likes with."""

    def run(self, script: Script) -> None:
        """Run a script as an upgrade would. Raises StatementError."""

    def step(self, statement: Statement, number: int, total: int) -> None:
        """Run one statement, and stay behind it. Raises StatementError."""

    def look(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that is rolled back at the end."""


Site = Callable[[], AbstractContextManager[Stage]]
"""Gives a fresh stage each time that it is called."""


@dataclass
class Inside:
    """A stage within one transaction: quick, and nothing of it is left."""

    connection: Connection

    def run(self, script: Script) -> None:
        """Run a script in the transaction."""
        # ALTER DOMAIN … DROP CONSTRAINT leaves messages for caches behind: until the next command,
        # or the end of a savepoint around it, PostgreSQL can't start one that changes anything.
        with self.connection.begin_nested():
            run_script(self.connection, script)
        _discard_temporary(self.connection)

    def step(self, statement: Statement, number: int, total: int) -> None:
        """Run one statement in the transaction."""
        domain = statement.kind == "AlterDomainStmt"
        with self.connection.begin_nested() if domain else nullcontext():
            execute(self.connection, statement, number, total)

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Use the connection, in a savepoint."""
        savepoint = self.connection.begin_nested()
        try:
            yield self.connection
        finally:
            savepoint.rollback()


def _discard_temporary(connection: Connection) -> None:
    """Temporary tables go, as they do when an upgrade's session ends."""
    connection.exec_driver_sql("DISCARD TEMP")


def inside(connection: Connection) -> Site:
    """Stages in the transaction of a connection, each rolled back at its end."""

    @contextmanager
    def stage() -> Iterator[Stage]:
        savepoint = connection.begin_nested()
        try:
            yield Inside(connection)
        finally:
            savepoint.rollback()

    return stage


@dataclass
class Outside:
    """A stage in a database of its own, for what PostgreSQL refuses inside a transaction."""

    engine: Engine
    running: Connection

    def run(self, script: Script) -> None:
        """Run a script in a transaction if it can be, else statement by statement."""
        if script.transactional:
            with self.engine.connect() as connection, connection.begin():
                try:
                    run_script(connection, script)
                    return
                except StatementError as error:
                    if error.sqlstate != _UNSAFE_USE_OF_NEW_VALUE:
                        raise
        run_script(self.running, script)
        _discard_temporary(self.running)

    def step(self, statement: Statement, number: int, total: int) -> None:
        """Run one statement, and commit."""
        execute(self.running, statement, number, total)

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Open another connection."""
        with self.engine.connect() as connection:
            yield connection


def outside(copy: Callable[[], AbstractContextManager[Engine]]) -> Site:
    """Stages in copies of a database. copy: makes one, and removes it at the end."""

    @contextmanager
    def stage() -> Iterator[Stage]:
        with copy() as engine:
            running = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                yield Outside(engine, running)
            finally:
                running.close()

    return stage


def prove_down(site: Site, up: Script, down: Script, *, leaves_rows: bool = False) -> Proof:
    """Run up, down and up again, and compare the catalogs. Raises StatementError for the up.

    leaves_rows: rows of the up that the down is known to leave may stand in the second one's way.
    """
    with site() as stage:
        before = _read(stage)
        stage.run(up)
        after = _read(stage)
        try:
            stage.run(down)
        except StatementError as error:
            return Proof(failure=f"the down fails: {_told(error)}")
        differences = compare(before, _read(stage))
        if any(one.how != "order" for one in differences):
            return Proof(differences)
        try:
            stage.run(up)
        except StatementError as error:
            if leaves_rows and str(error.sqlstate)[:2] in _OF_ROWS:
                return Proof(differences, rows_in_the_way=_told(error))
            return Proof(failure=f"the up fails after the down: {_told(error)}")
        again = tuple(one for one in compare(after, _read(stage)) if one.how != "order")
    return Proof(again or differences)


def _told(error: StatementError) -> str:
    place = f"line {error.where.line}: " if error.where else ""
    return f"{place}{error.what}" + (f" ({error.sqlstate})" if error.sqlstate else "")


def _read(stage: Stage, *, edges: bool = False) -> Snapshot:
    with stage.look() as connection:
        return read(connection, edges=edges, prepared=True)


def derive(site: Site, up: Script, *, prove: bool = True) -> Derivation:
    """The down of a script, tried at the site. Raises StatementError where the up itself fails."""
    found: list[tuple[tuple[bool, bool, int], int, Derivation]] = []
    deriver = _Deriver(site, up)
    for how, make in deriver.ways():
        deriver.problem = ""
        down = make()
        if not prove:
            return Derivation(down, how, None, deriver.problem)
        proof = _tried(site, up, down)
        derivation = Derivation(down, how, proof, deriver.problem)
        found.append((_badness(proof), len(found), derivation))
        if proof.holds:
            break
    return min(found, key=lambda one: one[:2])[2]


def _tried(site: Site, up: Script, down: Down) -> Proof:
    script = _as_script(down)
    if up.transactional and not script.transactional:
        return Proof(failure="the down cannot run in a transaction, in which the up runs")
    leaves_rows = any(gap.rows for gap in down.irreversible)
    return prove_down(site, up, script, leaves_rows=leaves_rows)


def _badness(proof: Proof) -> tuple[bool, bool, int]:
    return not proof.holds, bool(proof.failure), len(proof.differences)


def same_effect(site: Site, up: Script, other: Script, found: Derivation) -> bool:
    """Whether another down leads to the same catalog as the derived one."""
    catalogs = []
    for down in (other, _as_script(found.down)):
        with site() as stage:
            stage.run(up)
            try:
                stage.run(down)
            except StatementError:
                return False
            catalogs.append(_read(stage))
    return not compare(*catalogs)


def _as_script(down: Down) -> Script:
    return read_script(render(down, ()), Path("down.sql"), no_transaction=down.outside)


class _Deriver:
    def __init__(self, site: Site, up: Script) -> None:
        self.site, self.up = site, up
        self.problem = ""
        """What stood in the way of undoing a statement, in the way that was tried last."""
        self.by_path = changes_path(up)
        self.deleting = True
        """Whether inserted rows are deleted by their keys."""
        self.gaps = {gap.statement for gap in invert(up).irreversible}
        self.rows = lost_rows(up)
        self.making = {
            one
            for one in up.statements
            if one.kind in _ROWS and not self.rows.get(one) and _facts(one)
        }
        """Statements that change rows only of what the script makes; if IF NOT EXISTS makes it."""
        self.start: Snapshot | None = None
        self.deletes = False
        """Whether there are such."""

    def ways(self) -> Iterator[tuple[str, Callable[[], Down]]]:
        """Ways to a down, the most readable first."""
        if not any(not gap.rows for gap in invert(self.up).irreversible):
            yield "text", self._from_text
        elif not self.by_path:
            yield "statements", self._from_text
        yield "statements", self._from_statements
        if self.deletes:
            # What a trigger made of the inserted rows may hold on to them.
            self.deleting = False
            if not self.by_path:
                yield "statements", self._from_text
            yield "statements", self._from_statements
        yield "difference", self._from_difference

    def _from_text(self) -> Down:
        """The text's rules; the catalog only for statements that their text doesn't explain."""
        gaps = {gap.statement: gap.rows for gap in invert(self.up).irreversible}
        if self.by_path or not gaps:
            return invert(self.up)
        return invert(self.up, self._walk(lambda statement: statement in gaps, check=False))

    def _from_statements(self) -> Down:
        """The catalog before and after each statement."""
        return compose(self.up, self._walk(lambda statement: True, check=True))

    def _from_difference(self) -> Down:
        """The catalog before and after the whole script."""
        with self.site() as stage:
            before = _read(stage, edges=True)
            stage.run(self.up)
            with stage.look() as connection:
                restored = restore(connection, before, prepared=True)
                self.problem = self.problem or restored.failure
        first = self.up.statements[0]
        gaps = [
            Irreversible(statement, "; ".join(dict.fromkeys(lost)), rows=True)
            for statement in self.up.statements
            if (lost := self._lost_rows(statement) or self._standing(statement, before))
        ]
        gaps += [Irreversible(first, fact, rows=True) for fact in _lost(restored.made)]
        inverse = Inverse(first, restored.statements)
        return Down((inverse,), tuple(gaps), outside=False)

    def _standing(self, statement: Statement, before: Snapshot) -> list[str]:
        """Facts about rows of what the script seems to make, but there is before it."""
        new = statement not in self.making or _is_new(statement, before, before)
        return [] if new else _facts(statement)

    def _walk(self, wanted: Callable[[Statement], bool], *, check: bool) -> dict[Statement, Known]:
        """Run the up, and find out how to undo the wanted statements.

        check: believe what a statement's text tells only if it restores the catalog by itself.
        """
        known = {}
        with self.site() as stage:
            self.start = _read(stage) if self.making else None
            total = len(self.up.statements)
            for number, statement in enumerate(self.up.statements, 1):
                if not wanted(statement):
                    stage.step(statement, number, total)
                elif statement.kind in _ROWS:
                    known[statement] = self._rows(stage, statement)
                    stage.step(statement, number, total)
                else:
                    known[statement] = self._schema(stage, statement, (number, total), check)
        return known

    def _rows(self, stage: Stage, statement: Statement) -> Known:
        lost = self._lost_rows(statement)
        if statement in self.making:
            assert self.start is not None
            if not _is_new(statement, self.start, _read(stage)):
                lost = _facts(statement)
        if statement.kind == "InsertStmt" and lost:
            delete = _delete(statement, _read(stage))
            if delete and self.deleting:
                self.deletes = True
                return Known((delete,))
            if delete:
                lost = [f"what refers to the inserted rows; without that, {delete} would do"]
        return Known((), tuple(lost))

    def _lost_rows(self, statement: Statement) -> list[str]:
        """Facts about rows that the catalog doesn't tell either."""
        lost = list(self.rows.get(statement, ()))
        if statement in self.gaps:
            lost += computed(statement.node)
            if statement.kind in _OPAQUE and not lost:
                lost.append(f"which rows {_OPAQUE[statement.kind]} changed, if any")
        return lost

    def _schema(
        self, stage: Stage, statement: Statement, place: tuple[int, int], check: bool
    ) -> Known:
        before = _read(stage, edges=True)
        stage.step(statement, *place)
        sql, missing = alone(statement)
        lost = self._lost_rows(statement)
        if check and not self.by_path and not any(not one.rows for one in missing):
            with stage.look() as connection:
                if _undoes(connection, sql, before):
                    return Known(sql, tuple(lost))
        with stage.look() as connection:
            restored = restore(connection, before, prepared=True)
            self.problem = self.problem or restored.failure
        made = _as_gently(statement, restored.statements)
        return Known(made, (*lost, *_lost(restored.made)))


def _as_gently(statement: Statement, sql: tuple[str, ...]) -> tuple[str, ...]:
    """Indexes that were dropped CONCURRENTLY are made so again."""
    if statement.kind != "DropStmt" or not statement.node.concurrent:
        return sql
    return tuple(re.sub(r"^CREATE (UNIQUE )?INDEX ", r"\g<0>CONCURRENTLY ", one) for one in sql)


def _undoes(connection: Connection, sql: tuple[str, ...], before: Snapshot) -> bool:
    from sqlalchemy.exc import DBAPIError

    try:
        for one in sql:
            connection.exec_driver_sql(one, execution_options={"no_parameters": True}).close()
    except DBAPIError:
        return False
    return not any(
        one.how != "order" for one in compare(before, read(connection, edges=False, prepared=True))
    )


def _is_new(statement: Statement, start: Snapshot, now: Snapshot) -> bool:
    """Whether a statement changes only what came since the start: a table, columns of one."""
    table = _table(statement, now)
    if table is None or table.id not in start.facts:
        return True
    if statement.kind != "UpdateStmt":
        return False
    columns = {one.details["name"]: one.id for one in now.children_of(table, "column")}
    found = [columns.get(item.res_target.name) for item in statement.node.target_list]
    return all(one not in start.facts for one in found if one is not None)


def _facts(statement: Statement) -> list[str]:
    """What its own text leaves missing."""
    return [one.fact for one in alone(statement)[1]]


def _table(statement: Statement, snapshot: Snapshot) -> Fact | None:
    """The table whose rows a statement changes."""
    relation = getattr(statement.node, "relation", None)
    if relation is None:
        return None
    name = quote_name(relation_name(relation))
    tables = (fact for fact in snapshot.facts.values() if fact.kind == "table")
    return next((fact for fact in tables if name in (fact.name, fact.key)), None)


def _lost(made: tuple[Fact, ...]) -> tuple[str, ...]:
    """What making tables and columns anew doesn't bring back."""
    tables = {fact.id for fact in made if fact.kind == "table"}
    return tuple(
        f"the rows of table {fact.name}: they are gone with it"
        if fact.kind == "table"
        else f"the values of column {fact.name}: they are gone with it"
        for fact in made
        if fact.kind == "table" or fact.parent not in tables
    )


def _delete(statement: Statement, snapshot: Snapshot) -> str | None:
    """The DELETE for rows whose key is in the text of their INSERT."""
    table = _table(statement, snapshot)
    if table is None:
        return None
    columns = [one.details["name"] for one in snapshot.children_of(table, "column")]
    return keyed_delete(statement.node, columns, _keys(table, snapshot), table.name)


def _keys(table: Fact, snapshot: Snapshot) -> list[list[str]]:
    """Columns of the primary key, then of unique constraints without NULLs."""
    required = {
        one.details["name"]
        for one in snapshot.children_of(table, "column")
        if one.details.get("not null") is not None
    }
    found = sorted(
        (one.details["type"], one.details["columns"])
        for one in snapshot.children_of(table, "constraint")
        if one.details["type"] in "pu" and one.details.get("columns")
    )
    return [columns for _, columns in found if required.issuperset(columns)]
