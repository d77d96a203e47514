"""Ups → downs: with the state before each, as far as one can be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_rollback.derivation import derive, same_effect
from alembic_rollback.errors import DatabaseError, RollbackError, StatementError
from alembic_rollback.generation import files, keeping
from alembic_rollback.generation.live import live_schemas
from alembic_rollback.generation.states import Given, Ground, Scratch, copy_schema
from alembic_rollback.generation.ups import Course, Item, Up, courses
from alembic_rollback.host import environment
from alembic_rollback.host.history import History, history_of
from alembic_rollback.inverse.generate import invert
from alembic_rollback.pairs import read_header, read_text
from alembic_rollback.progress import along
from alembic_rollback.replay import replay
from alembic_rollback.runner import UNSAFE_USE_OF_NEW_VALUE, run_and_commit
from alembic_rollback.scratch import ScratchServer, scratch_server
from alembic_rollback.sql.script import Script, read_script

if TYPE_CHECKING:
    from alembic.config import Config

    from alembic_rollback.catalog.facts.model import Snapshot
    from alembic_rollback.model import GeneratedDown

STATES = ("auto", "live", "replay", "none")
_TIDY_EVERY = 25
"""Revisions, each of which is run some times and rolled back."""


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    state: str = "auto"
    """One of STATES."""
    before_url: str = ""
    """A throw-away database that stands right before the only up."""
    scratch_url: str = ""
    """A server to make scratch databases on; an embedded one where empty."""
    prove: bool = True
    schema_only: bool = False
    """Rows don't count."""
    check: bool = False
    """Compare with the downs on disk."""
    keep_in: str = ""
    """The schema in which the ups are to keep the rows that they change; empty: they don't."""


def generate(ups: Sequence[Up], wish: Wish, config: Config) -> list[GeneratedDown]:
    """Derive the downs, in the order of the ups. Nothing is written.

    A file outside of the project stands on the files of its folder that come before it. Raises
    DatabaseError where the state that was asked for cannot be had at all.
    """
    found: dict[Path, GeneratedDown] = {}
    for up in ups if wish.keep_in else ():
        keeping.refuse_outside(up)
    with ExitStack() as stack:
        generator = _Generator(wish, config, stack)
        if wish.before_url:
            found = {up.path: generator.tried(up, Given(wish.before_url), "given") for up in ups}
        elif wish.state != "none":
            if wish.state in ("auto", "live"):
                found |= generator.from_live(ups)
            rest = [up for up in ups if up.path not in found]
            if rest and wish.state in ("auto", "replay"):
                found |= generator.from_replay(rest)
        found |= {up.path: generator.from_text(up) for up in ups if up.path not in found}
    asked = not wish.prove or wish.state == "none"
    return [replace(found[up.path], schema_only=wish.schema_only, unasked=asked) for up in ups]


class _Generator:
    def __init__(self, wish: Wish, config: Config, stack: ExitStack) -> None:
        self.wish, self.config, self.stack = wish, config, stack
        self.notes: dict[Path, tuple[str, ...]] = {}
        self._server: ScratchServer | None = None

    @cached_property
    def history(self) -> History | None:
        """The project's; None outside of a project. Raises PairError for a bad file."""
        if not environment.has_project(self.config):
            return None
        return history_of(environment.script_directory(self.config), downs=False)

    def server(self) -> ScratchServer:
        """The scratch server, started when it is first needed. Raises DatabaseError."""
        if self._server is None:
            self._server = self.stack.enter_context(scratch_server(self.wish.scratch_url))
        return self._server

    # The text alone ------------------------------------------------------------------------

    def from_text(self, up: Up) -> GeneratedDown:
        """What the text tells; why there is no more."""
        notes = self.notes.get(up.path, ())
        doubt = "--state none" if self.wish.state == "none" else "; ".join(notes[-1:])
        down = files.from_text(
            up,
            invert(up.script),
            doubt=doubt or "no state",
            asked=self.wish.state == "none",
            schema_only=self.wish.schema_only,
            notes=notes,
        )
        if self.wish.check:
            return replace(down, outdated=not _same_statements(up.down, down.text))
        return down

    # A database ----------------------------------------------------------------------------

    def tried(self, up: Up, ground: Ground, state: str) -> GeneratedDown:
        """Derive the down of one up on a database that stands before it."""
        try:
            return self._tried(up, ground, state, whole=up.script.transactional)
        except StatementError as error:
            if error.sqlstate == UNSAFE_USE_OF_NEW_VALUE and up.script.transactional:
                return self.tried_in_copies(up, ground, state)
            return self._untried(up, error)
        except RollbackError as error:
            return self._untried(up, error)

    def tried_in_copies(self, up: Up, ground: Ground, state: str) -> GeneratedDown:
        """The same for an up that uses an enum value which it adds."""
        try:
            return self._tried(up, ground, state, whole=False)
        except RollbackError as error:
            return self._untried(up, error)

    def _tried(self, up: Up, ground: Ground, state: str, *, whole: bool) -> GeneratedDown:
        if self.wish.keep_in:
            up = self._keeping(up, ground)
        with ground.site(up.script, whole=whole) as site:
            found = derive(site, up.script, prove=self.wish.prove)
            outdated = False
            if self.wish.check:
                disk = _on_disk(up.down)
                outdated = disk is None or not same_effect(site, up.script, disk, found)
            if up.kept:
                self._note(up, keeping.tried_with_rows(site, up, found))
        down = files.from_state(
            up,
            found,
            state=state,
            version=ground.version,
            schema_only=self.wish.schema_only,
            notes=self.notes.get(up.path, ()),
        )
        return replace(down, outdated=outdated)

    def _keeping(self, up: Up, ground: Ground) -> Up:
        """The up as it would keep the rows that it changes."""
        with ground.site(up.script, whole=True) as site:
            up, notes = keeping.rewritten(up, site, self.wish.keep_in)
        for note in notes:
            self._note(up, note)
        return up

    def _untried(self, up: Up, error: RollbackError) -> GeneratedDown:
        self._note(up, error.placed)
        return self.from_text(up)

    def _note(self, up: Up, text: str) -> None:
        self.notes[up.path] = (*self.notes.get(up.path, ()), text)

    # The connected database ----------------------------------------------------------------

    def from_live(self, ups: Sequence[Up]) -> dict[Path, GeneratedDown]:
        """The downs of the ups that the connected database stands before."""
        schemas = self._schemas(ups)
        found = {}
        for up in along(ups, lambda up: up.path.name) if schemas else ups:
            schema = schemas.get(up.path.resolve())
            if schema is not None and (down := self._on_copy(up, schema)):
                found[up.path] = down
        return found

    def _schemas(self, ups: Sequence[Up]) -> Mapping[Path, Snapshot]:
        history, paths = self.history, frozenset(up.path.resolve() for up in ups)
        if history is None:
            return {}
        if paths.isdisjoint(one.path.resolve() for one in history.revisions.values()):
            return {}
        try:
            schemas = live_schemas(self.config, history, paths)
        except Exception as error:  # env.py is a program: it may want anything, or not connect
            if self.wish.state == "live":
                raise
            for up in ups:
                self._note(up, f"no live state: {_in_a_line(error)}")
            return {}
        for up in ups:
            if self.wish.state == "live" and up.path.resolve() not in schemas:
                self._note(up, "no live state: the database does not stand right before it")
        return schemas

    def _on_copy(self, up: Up, snapshot: Snapshot) -> GeneratedDown | None:
        try:
            server = self.server()
        except DatabaseError as error:
            self._note(up, error.what)
            return None
        with server.create() as database:
            problem = copy_schema(snapshot, database)
            if problem:
                self._note(up, f"no live state: {problem}")
                return None
            with closing(Scratch(server, database)) as ground:
                return self.tried(up, ground, "live")

    # The history ---------------------------------------------------------------------------

    def from_replay(self, ups: Sequence[Up]) -> dict[Path, GeneratedDown]:
        """The downs of ups, each where the history passes by it."""
        try:
            server = self.server()
        except DatabaseError as error:
            for up in ups:
                self._note(up, error.what)
            return {}
        found: dict[Path, GeneratedDown] = {}
        for course, wanted in courses(ups, self.history):
            with server.create() as database, closing(Scratch(server, database)) as ground:
                found |= self._walk(ground, course, wanted)
        return found

    def _walk(
        self, ground: Scratch, course: Course, wanted: Sequence[Up]
    ) -> dict[Path, GeneratedDown]:
        waiting = {up.path.resolve(): up for up in wanted}
        found = {}
        for place, item in enumerate(along(course.items, lambda item: item.path.name)):
            if place % _TIDY_EVERY == _TIDY_EVERY - 1:
                ground.tidy()
            up = waiting.pop(item.path.resolve(), None)
            if up is not None:
                found[up.path] = self.tried(up, ground, "replay")
            if not waiting:
                break
            try:
                self._advance(ground, item)
            except RollbackError as error:
                for other in waiting.values():
                    self._note(other, f"no replay: {error.placed}")
                break
        return found

    def _advance(self, ground: Scratch, item: Item) -> None:
        """Apply a revision for good."""
        with ground.database.connect() as connection:
            if item.revision is not None and self.history is not None:
                replay(
                    connection,
                    [item.revision],
                    config=self.config,
                    directory=self.history.directory,
                    prepare=ground.server.admit,
                )
                return
        _apply(ground, _script(item.path))


def _in_a_line(error: Exception) -> str:
    if isinstance(error, RollbackError):
        return error.what
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _apply(ground: Scratch, script: Script) -> None:
    """Run a file that belongs to no project."""
    ground.server.admit(script)
    with ground.database.engine() as engine, engine.connect() as connection:
        run_and_commit(connection, script)


def _script(path: Path) -> Script:
    text = read_text(path)
    return read_script(text, path, no_transaction=read_header(text).no_transaction)


def _on_disk(down: Path) -> Script | None:
    return _script(down) if down.is_file() else None


def _same_statements(down: Path, text: str) -> bool:
    """Whether the file on disk holds the same statements, whatever stands around them."""
    disk = _on_disk(down)
    return disk is not None and [one.text for one in disk.statements] == [
        one.text for one in read_script(text, down).statements
    ]
