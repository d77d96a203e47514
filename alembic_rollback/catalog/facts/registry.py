"""Which kind of fact is read, made, changed and dropped how. A second one of a name raises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.model import Fact, Id, Snapshot

Statements: TypeAlias = Sequence[str]
"""SQL without semicolons."""


class Kind(ABC):
    """One kind of fact."""

    name: str
    """As in Fact.kind, and what people read: `table`, `foreign server`."""
    rank: int = 50
    """Where dependencies leave a choice, lower ranks are made first and dropped last."""

    @abstractmethod
    def create(self, fact: Fact, wanted: Snapshot) -> Statements:
        """What makes it, without its parts and aspects, which are facts of their own.

        wanted: the snapshot that the fact is from.
        """

    @abstractmethod
    def drop(self, fact: Fact, current: Snapshot) -> Statements:
        """What takes it away. Never with CASCADE: what needs it is dropped before it."""

    def change(self, old: Fact, new: Fact, wanted: Snapshot) -> Statements | None:
        """What turns the old fact into the new one; None where it has to be dropped and made again.

        Only asked where they differ in details or name. new: from `wanted`. The old one's parent
        has been brought to what it should be by then.
        """
        return None

    def rename(self, old: Fact, new: Fact) -> Statements | None:
        """What gives the old fact the new one's name and schema (`details["name"]`,
        `details["schema"]`), nothing else; None where that cannot be done.

        Renames come before everything else, and are followed by another look at the database:
        the texts that PostgreSQL prints have the new names then.
        """
        return None

    def disturbs(self, old: Fact, new: Fact) -> bool:
        """Whether change() is refused while something that is written in SQL needs the fact.

        Such as the type of a column that a view shows: views, rules, policies, triggers and
        generated columns that need it are then dropped before and made again behind it.
        """
        return False

    def inherent(self, fact: Fact) -> bool:
        """Whether the fact comes with another, such as an owner, or a column that a parent table
        has made: then it is never dropped, and made only together with its own parent.
        """
        return False

    def absorbs(self, fact: Fact, wanted: Snapshot) -> Iterable[Id]:
        """Facts that create() makes along: a table's columns."""
        return ()

    def settings(self, fact: Fact, wanted: Snapshot) -> Statements:
        """What is left to say of a fact that another one has absorbed."""
        return ()

    def equal(self, old: Fact, new: Fact) -> bool:
        """Whether two facts of one kind say the same; texts that PostgreSQL prints are compared
        in a canonical form.
        """
        return old.details == new.details

    def reordered(self, old: Fact, new: Fact) -> bool:
        """Whether two facts that are not equal differ in nothing but the order of columns."""
        return False


class Query:
    """A statement that reads facts.

    It returns rows of
    (classid, objid, objsubid, aspect, kind, key, name,
     parent_classid, parent_objid, parent_objsubid, details)
    where parent_* are NULL for what has no parent, and details is jsonb (NULLs in it are the same
    as no entry). A schema object's details hold its own `name` and `schema`, a part's its `name`,
    neither quoted. It is run with the search_path that a session starts with, so that
    CAST(oid AS regclass) and pg_get_…def() name a schema only where that is needed, while `key`
    always names it. It leaves out what is built in (oid < 16384) and what is in a temporary or
    TOAST schema; extensions' members and what hangs on them are left out by `reading`.

    `/*among c.oid*/` marks where each of its arms can be held to some objects, which are read again
    when they have changed (`memory`). The expression is what `root` returns for the arm's facts.
    """

    def __init__(
        self,
        sql: str,
        *,
        since: int = 0,
        before: int = 1000,
        elsewhere: bool = False,
        own: bool = False,
    ) -> None:
        self.sql, self.since, self.before = sql, since, before
        """since, before: the major versions of PostgreSQL that it is for: since ≤ v < before."""
        self.elsewhere, self.own = elsewhere, own
        """elsewhere: only for what is made again elsewhere: see `reading.read`. own: the facts
        are read with the object that they are about, rather than with their parents."""

    @cached_property
    def partial(self) -> str | None:
        """The query for the objects whose oids `$1` holds; None where it has to be run whole."""
        head, *rest = self.sql.split(_AMONG)
        parts = (one.split("*/", 1) for one in rest)
        found = [f"AND {oid} = ANY ($1){following}" for oid, following in parts]
        return head + "".join(found) if found else None

    def root(self, fact: Fact) -> int:
        """The oid of the object that one of its facts is read with."""
        return fact.id.objid if self.own or fact.parent is None else fact.parent.objid


_AMONG = "/*among "
QUERIES: dict[str, Query] = {}
KINDS: dict[str, Kind] = {}
_K = TypeVar("_K", bound=type[Kind])


def reads(
    name: str,
    sql: str,
    *,
    since: int = 0,
    before: int = 1000,
    elsewhere: bool = False,
    own: bool = False,
) -> None:
    """Register a query under its name."""
    if name in QUERIES:
        raise ValueError(f"There are two queries named {name}.")
    QUERIES[name] = Query(sql, since=since, before=before, elsewhere=elsewhere, own=own)


def kind(cls: _K) -> _K:
    """Register a kind of fact (class decorator)."""
    if cls.name in KINDS:
        raise ValueError(f"There are two kinds of fact named {cls.name}.")
    KINDS[cls.name] = cls()
    return cls


class NotRestorable(Exception):
    """A fact that no SQL can make again, or take away."""

    def __init__(self, fact: Fact, reason: str) -> None:
        super().__init__(f"{fact.kind} {fact.key}: {reason}")
        self.fact, self.reason = fact, reason
        """reason: what is missing, as a sentence without its end."""
