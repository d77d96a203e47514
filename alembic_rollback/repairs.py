"""What repair-db would change: ledger rows, log rows and the rows of the version table.

Nothing is written here. The same proposal is made twice, before asking and again under the lock;
where both are equal, what was shown is what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alembic_rollback.errors import Blocked, LedgerError, PairError, UsageError
from alembic_rollback.host.environment import Snapshot
from alembic_rollback.host.history import History, checksum_of
from alembic_rollback.host.scripts import load_script, load_stored, pair_of
from alembic_rollback.host.state import State
from alembic_rollback.ledger import Ledger, Shape, find_table, tool_rows
from alembic_rollback.model import Amendment, Partial, Progress, Repair, Revision, StatementMark
from alembic_rollback.pairs import version_key
from alembic_rollback.planning import Graph, holes
from alembic_rollback.recovery.remains import leftovers
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.script import Script
from alembic_rollback.sql.secrets import redacted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ACTIONS = {
    "accept-checksum": "accepted",
    "forget": "forgotten",
    "mark-applied": "stamped",
    "clear-partial": "cleared",
    "resume-at": "reset",
    "adopt": "adopted",
}
"""What can be asked for, and the outcome that the log gets for it."""
TOOLS = ("golang-migrate", "dbmate")
_UNDO_DIRTY = (
    "Look what its failed migration has done, finish or undo it, then `migrate force VERSION` "
    "with the version that the schema stands at; then run this again."
)
Versions = frozenset[str]


@dataclass(frozen=True)
class RepairRequest:
    """What to repair: one action, and what it is about."""

    action: str
    """A key of ACTIONS."""
    version: str | None = None
    everything: bool = False
    """Of accept-checksum: each revision that migration-status calls modified."""
    resume_at: int | None = None
    tool: str | None = None
    table: str | None = None
    """Of adopt: the tool's table; None for its default."""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UsageError(f"{self.action!r} is no action of repair-db.")
        if self.everything and self.action != "accept-checksum":
            raise UsageError("--all goes with --accept-checksum only.")
        if self.table is not None and self.action != "adopt":
            raise UsageError("--from-table goes with --adopt only.")
        named = self.version is not None
        if self.action == "adopt":
            if named or self.tool not in TOOLS:
                raise UsageError("--adopt takes a tool, golang-migrate or dbmate, and no VERSION.")
        elif named == self.everything:
            raise UsageError(
                f"--{self.action} takes one VERSION"
                + (", or --all." if self.action == "accept-checksum" else "."),
                next_step="`alembic migration-status` lists them.",
            )


@dataclass(frozen=True)
class Books:
    """What one database's ledger and version table say once they were brought together."""

    database: str
    history: History
    ledger: Ledger
    rows: Mapping[str, tuple[str, str]]
    """The ledger: name and checksum by version."""
    heads: Versions
    partials: Mapping[str, Partial]

    @property
    def applied(self) -> Versions:
        """What is applied; a half rolled back revision still is."""
        return frozenset(self.rows)

    def resolve(self, identifier: str) -> str:
        """A full version, also of a revision without a file. Raises UsageError."""
        return self.history.resolve(identifier, {**self.rows, **self.partials})

    def title(self, version: str) -> str:
        """The file's title, else what the ledger or the log calls it."""
        revision = self.history.revisions.get(version)
        if revision:
            return revision.title
        partial = self.partials.get(version)
        name = partial.name if partial else self.rows.get(version, ("", ""))[0]
        return f"{version} {name}".strip()

    def name(self, version: str) -> str:
        """The name for a row of the log."""
        revision = self.history.revisions.get(version)
        partial = self.partials.get(version)
        known = partial.name if partial else self.rows.get(version, ("", ""))[0]
        return revision.name if revision else known

    def heads_of(self, applied: Versions, *, gone: Iterable[str] = ()) -> Versions:
        """The version table's rows for an applied set.

        gone: versions that the log will no longer place in the graph, unless they have a file.
        """
        lost = {version for version in gone if version not in self.history.revisions}
        parents = self.history.graph.parents
        graph = Graph({version: below for version, below in parents.items() if version not in lost})
        # What nobody can place must not become a row: Alembic would fail on it.
        return graph.maximal(v for v in applied if v in graph or v in self.heads)


def books_of(snapshot: Snapshot) -> Books:
    """As a run that writes would find them. Raises LedgerError where the ledger isn't ours."""
    if snapshot.shape is Shape.FOREIGN:
        problem, advice = snapshot.ledger.foreign
        raise LedgerError(problem, state="Nothing was changed.", next_step=advice)
    known = {version: (row.name, row.checksum) for version, row in snapshot.rows.items()}
    rows = {v: known.get(v) or _taken_in(snapshot.history, v) for v in snapshot.applied}
    return Books(
        snapshot.database,
        snapshot.history,
        snapshot.ledger,
        rows,
        frozenset(snapshot.heads),
        snapshot.partials,
    )


def books_under_lock(state: State, database: str) -> Books:
    """As they are in the run that is about to change them."""
    rows = state.ledger.rows(state.connection)
    return Books(
        database,
        state.history,
        state.ledger,
        {version: (row.name, row.checksum) for version, row in rows.items()},
        frozenset(state.context.get_current_heads()),
        state.partials,
    )


def propose(books: Books, connection: Connection, request: RepairRequest) -> Repair:
    """What a request changes here; where it cannot be met here, a Repair that says why not.

    Raises UsageError where it cannot be meant, Blocked where the other tool's table is dirty.
    """
    version = books.resolve(request.version) if request.version is not None else ""
    return _PROPOSALS[request.action](_Case(books, connection, request, version))


def _taken_in(history: History, version: str) -> tuple[str, str]:
    """The row that reconciling writes for what plain Alembic has applied."""
    revision = history.revisions.get(version)
    return (revision.name[:255], checksum_of(revision)) if revision else ("", "")


@dataclass(frozen=True)
class _Case:
    """One request in one database."""

    books: Books
    connection: Connection
    request: RepairRequest
    version: str

    @property
    def title(self) -> str:
        return self.books.title(self.version)

    @property
    def revision(self) -> Revision | None:
        return self.books.history.revisions.get(self.version)

    @property
    def partial(self) -> Partial | None:
        return self.books.partials.get(self.version)

    def standing(self, version: str) -> str:
        """The word of migration-status."""
        partial = self.books.partials.get(version)
        if partial:
            return _shown(partial)
        return self.standing_without_partial(version)

    def standing_without_partial(self, version: str, *, applied: bool | None = None) -> str:
        if applied or (applied is None and version in self.books.rows):
            return "applied"
        return "pending" if version in self.books.history.revisions else "unknown"

    def amended(
        self, version: str, *, applied: bool | None = None, checksum: str | None = None
    ) -> Amendment:
        """A change of one revision: whether it is applied, or its checksum."""
        row = self.books.rows.get(version)
        before = row[1] if row else None
        after = None if applied is False else before if checksum is None else checksum
        return Amendment(
            version,
            self.books.title(version),
            self.books.name(version),
            ACTIONS[self.request.action],
            self.standing(version),
            self.standing_without_partial(version, applied=applied),
            before,
            after,
        )

    def repair(self, *changes: Amendment, heads: Versions | None = None, **more: object) -> Repair:
        """heads: the new rows of the version table; None where they stay."""
        before = tuple(sorted(self.books.heads))
        after = before if heads is None else tuple(sorted(heads))
        found = Repair(self.books.database, self.request.action, changes, before, after)
        return replace(found, **more)  # type: ignore[arg-type]

    def nothing(self, why: str, *, idle: bool = False, notes: tuple[str, ...] = ()) -> Repair:
        return self.repair(why_not=why, idle=idle, notes=notes)

    def left(self) -> tuple[str, ...]:
        """What a broken statement has left behind, which no run will know of any more."""
        found = leftovers(self.connection, self.partial) if self.partial else ()
        return tuple(f"A statement of {self.title} broke off; run `{sql}` for it." for sql in found)


def _shown(partial: Partial) -> str:
    words = "" if partial.direction == "up" else "rollback, "
    return f"partial, {words}{partial.shown}"


def _accept(case: _Case) -> Repair:
    books = case.books
    if books.rows and not books.ledger.may_change(case.connection):
        name = quote_name((books.ledger.schema, books.ledger.table))
        raise LedgerError(
            f"This role may not change rows of the ledger {name}.",
            state="Nothing was changed.",
            next_step="GRANT UPDATE on it.",
        )
    if case.request.everything:
        modified = _modified(books)
        if not modified:
            return case.nothing("No applied revision was changed since.", idle=True)
    elif case.revision is None:
        return case.nothing(f"No file of this release has {case.title}.")
    elif case.version not in books.rows:
        return case.nothing(f"{case.title} is not applied.")
    elif books.rows[case.version][1] == checksum_of(case.revision):
        return case.nothing(f"{case.title} was not changed since it was applied.")
    else:
        modified = [case.version]
    revisions = books.history.revisions
    changes = [replace(case.amended(v, checksum=checksum_of(revisions[v]))) for v in modified]
    return case.repair(*(replace(one, after=one.before) for one in changes))


def _modified(books: Books) -> list[str]:
    """What migration-status calls modified, oldest first."""
    found = [
        version
        for version, (_, checksum) in books.rows.items()
        if (revision := books.history.revisions.get(version))
        and revision.is_pair
        and checksum not in ("", revision.checksum)
    ]
    return books.history.graph.order(found)


def _forget(case: _Case) -> Repair:
    books, version = case.books, case.version
    if version not in books.rows:
        begun = f" It was begun: --clear-partial forgets that of {version}."
        return case.nothing(f"{case.title} is not applied.{begun if case.partial else ''}")
    after = books.applied - {version}
    above = (books.history.graph.descendants([version]) - {version}) & after
    titles = ", ".join(map(books.title, books.history.graph.order(above)))
    return case.repair(
        case.amended(version, applied=False),
        heads=books.heads_of(after, gone=[version]),
        notes=((f"Applied later, and staying applied: {titles}.",) if above else ()) + case.left(),
    )


def _mark_applied(case: _Case) -> Repair:
    if case.version in case.books.rows:
        half = " but half rolled back: --clear-partial takes it for applied" if case.partial else ""
        return case.nothing(f"{case.title} is applied already{half}.")
    if case.revision is None:
        return case.nothing(f"No file of this release has {case.title}.")
    return _added(case, [case.version], notes=case.left())


def _added(case: _Case, versions: list[str], notes: tuple[str, ...], source: str = "") -> Repair:
    """Revisions become applied, without being run."""
    books = case.books
    after = books.applied | set(versions)
    changes = [
        case.amended(version, applied=True, checksum=checksum_of(books.history.revisions[version]))
        for version in versions
    ]
    graph = books.history.graph
    below = holes(graph, after) - holes(graph, books.applied) - books.applied
    titles = ", ".join(map(books.title, graph.order(below)))
    told = f"Below what is applied then, and pending, out of order: {titles}."
    return case.repair(
        *changes,
        heads=books.heads_of(after),
        notes=((told,) if below else ()) + notes,
        source=source,
    )


def _clear(case: _Case) -> Repair:
    if case.partial is None:
        return case.nothing(f"{case.title} is not partial: it is {case.standing(case.version)}.")
    executed = len(case.partial.progress.done)
    told = f"What its {executed} executed statements have done stays in the database."
    if executed == 1:
        told = "What its one executed statement has done stays in the database."
    notes = (told,) if executed else ()
    return case.repair(case.amended(case.version), notes=notes + case.left())


def _resume(case: _Case) -> Repair:
    partial, at = case.partial, case.request.resume_at or 0
    if partial is None:
        return case.nothing(f"{case.title} is not partial: it is {case.standing(case.version)}.")
    script = _script(case, partial)
    texts = {number: redacted(statement.text) for number, statement in script.numbered}
    _refuse_place(case, partial, texts, at)
    marks = tuple(_marks(partial.progress, texts, at))
    if not marks:
        return case.nothing(f"{case.title} goes on at statement {at} already.")
    change = replace(
        case.amended(case.version),
        after=_standing_at(case, partial, at, len(texts)),
        direction=partial.direction,
        resume_at=at,
        total=len(texts),
        statements=marks,
    )
    return case.repair(change, notes=case.left())


def _script(case: _Case, partial: Partial) -> Script:
    """What goes on: the file, or the stored down where there is none. Raises where it cannot."""
    revision = case.revision
    if partial.progress.total is None or (revision and not revision.is_pair):
        raise UsageError(
            f"{case.title} is no pair: it runs again from its beginning, not from a statement.",
            next_step="--clear-partial forgets that it was begun; --mark-applied takes it for "
            "applied.",
        )
    pair = pair_of(case.books.history.script(case.version)) if revision else None
    if pair:
        return load_script(pair, partial.direction)
    stored = case.books.ledger.stored_downs(case.connection, [case.version])
    if partial.direction == "up" or case.version not in stored:
        raise PairError(
            f"No file of this release has {case.title}, so it cannot go on anywhere.",
            state="Nothing was changed.",
            next_step="Check out the release that has its file; or forget that it was begun with "
            "--clear-partial.",
        )
    return load_stored(stored[case.version])


def _refuse_place(case: _Case, partial: Partial, texts: Mapping[int, str], at: int) -> None:
    done, last = partial.progress.done, len(texts) + 1
    if not 1 <= at <= last:
        raise UsageError(
            f"--resume-at takes a number from 1 to {last} here, not {at}: {case.title} has "
            f"{len(texts)} statements, and {last} means that all were executed.",
        )
    again = [n for n, text in done.items() if n >= at and texts.get(n) == redacted(text)]
    if again:
        raise UsageError(
            f"--resume-at {at}: statement {max(again)} of {case.title} was executed, and would be "
            "executed again.",
            state="Nothing was changed.",
            next_step=f"Give a number from {max(again) + 1}; or forget all of it with "
            "--clear-partial.",
        )


def _marks(progress: Progress, texts: Mapping[int, str], at: int) -> Iterator[StatementMark]:
    """The statements that count differently when it goes on at one."""
    for number in sorted({*texts, *progress.done}):
        before = _counted(progress, texts, number)
        after = "executed" if number < at else "not executed"
        if number not in texts:
            after = "no longer in the file"
        if before != after:
            text = texts.get(number) or redacted(progress.done[number])
            yield StatementMark(number, text, before, after)


def _counted(progress: Progress, texts: Mapping[int, str], number: int) -> str:
    if number == progress.doubtful and not progress.failed:
        return "in doubt"
    if number not in progress.done:
        return "failed" if number == progress.doubtful else "not executed"
    same = redacted(progress.done[number]) == texts.get(number)
    return "executed" if same else "executed with another text"


def _standing_at(case: _Case, partial: Partial, at: int, total: int) -> str:
    done = dict.fromkeys(range(1, at), "")
    progress = Progress(done, total) if done else None
    if partial.direction == "down":
        partial = replace(partial, down=progress)
    else:
        partial = replace(partial, up=progress)
    if partial.up or partial.down:
        return _shown(partial)
    return case.standing_without_partial(case.version)


def _adopt(case: _Case) -> Repair:
    tool = case.request.tool or ""
    table = _find(case, tool)
    if isinstance(table, Repair):
        return table
    shown = quote_name(table)
    rows = tool_rows(case.connection, table, tool)
    if rows is None or Ledger(*table).shape(case.connection) is Shape.OURS:
        return case.nothing(f"{shown} hasn't the columns of {tool}'s table.")
    theirs = [version for version, _ in rows]
    if any(dirty for _, dirty in rows):
        raise Blocked(
            f"{tool}'s {shown} is dirty at version {theirs[0]}: that migration failed half-way.",
            state="Nothing was changed.",
            next_step=_UNDO_DIRTY,
        )
    if len(rows) > 1 and tool == "golang-migrate":
        return case.nothing(f"{shown} has {len(rows)} rows; {tool} keeps one.")
    matched, notes = (_up_to if tool == "golang-migrate" else _each)(case.books, theirs)
    new = case.books.history.graph.order(matched - case.books.applied)
    if not new:
        why = f"Nothing of {tool}'s {shown} has a pair here."
        if matched or not theirs:
            why = f"Everything of {tool}'s {shown} is applied here already."
        return case.nothing(why, idle=bool(matched) or not theirs, notes=notes)
    return _added(case, new, notes, shown)


def _find(case: _Case, tool: str) -> tuple[str, str] | Repair:
    """The tool's table, or why there is none."""
    ledger, name = case.books.ledger, case.request.table or "schema_migrations"
    table = find_table(case.connection, ledger.schema, name)
    if table is None:
        advice = "" if case.request.table else " --from-table says where it is."
        return case.nothing(f"There is no table {name}.{advice}")
    if table == (ledger.schema, ledger.table):
        return case.nothing(f"{quote_name(table)} is this project's own ledger, not {tool}'s.")
    return table


def _up_to(books: Books, theirs: list[str]) -> tuple[Versions, tuple[str, ...]]:
    """golang-migrate's one row: what is not above it is applied."""
    if not theirs:
        return frozenset(), ()
    (last,) = map(int, theirs)
    numbers = {version: _number(version) for version in _pairs(books)}
    found = frozenset(version for version, number in numbers.items() if number <= last)
    there = [version for version, number in numbers.items() if number == last]
    if len(there) == 1:
        return found, ()
    if there:
        doubt = f"all of these begin with it: {', '.join(map(books.title, there))}."
        return found, (f"golang-migrate stands at version {last}, and {doubt}",)
    return found, (f"golang-migrate stands at version {last}, of which there is no pair here.",)


def _number(version: str) -> int:
    """As golang-migrate reads a file name: the digits that it begins with."""
    return version_key(version)[0]


def _each(books: Books, theirs: list[str]) -> tuple[Versions, tuple[str, ...]]:
    """The rows of dbmate, one an applied version."""
    pairs = _pairs(books)
    notes = []
    unknown = [version for version in theirs if version not in pairs]
    if unknown:
        notes.append(f"dbmate has applied, and no pair here has: {', '.join(unknown)}.")
    known = [version for version in theirs if version in pairs]
    newest = max(map(version_key, known), default=())
    late = [v for v in pairs if v not in known and version_key(v) < newest]
    late = [books.title(v) for v in late if v not in books.rows]
    if late:
        notes.append(f"Older than dbmate's newest and not applied there: {', '.join(late)}.")
    return frozenset(known), tuple(notes)


def _pairs(books: Books) -> list[str]:
    revisions = books.history.revisions
    return sorted((v for v, one in revisions.items() if one.is_pair), key=version_key)


_PROPOSALS: dict[str, Callable[[_Case], Repair]] = {
    "accept-checksum": _accept,
    "forget": _forget,
    "mark-applied": _mark_applied,
    "clear-partial": _clear,
    "resume-at": _resume,
    "adopt": _adopt,
}
