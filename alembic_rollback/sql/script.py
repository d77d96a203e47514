"""A script as it will be run: which statements, in a transaction or outside one, and why."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload
from weakref import WeakValueDictionary

from alembic_rollback.errors import Location, ScriptSyntaxError
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.outside import why_outside_transaction
from alembic_rollback.sql.parser import Node, Statement, is_copy_with_data, parse
from alembic_rollback.sql.transactions import join

_CALLERS = ("DoStmt", "CallStmt")


@dataclass(frozen=True)
class Session:
    """What a script may do to the settings of its session."""

    changed: bool
    """It may leave some behind (SET, RESET, set_config, DO, CALL)."""
    custom: frozenset[str]
    """Those with a dot in their name that it sets by that name: `app.tenant_id`."""


_UNCHANGED = Session(changed=False, custom=frozenset())


class Packed(Sequence[Statement]):
    """Statements without their trees, in as few objects as can be: a run holds thousands."""

    __slots__ = ("_path", "_places", "_texts")

    def __init__(self, path: Path, statements: Iterable[Statement]) -> None:
        every = list(statements)
        self._path = path
        self._texts = "\0".join(one.text for one in every)  # no script may hold a NUL
        self._places = array("I", [n for one in every for n in (one.where.line, one.where.column)])

    def __len__(self) -> int:
        return len(self._places) // 2

    @overload
    def __getitem__(self, index: int) -> Statement: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Statement, ...]: ...
    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]

    def __iter__(self) -> Iterator[Statement]:
        lines, columns = self._places[::2], self._places[1::2]
        for text, line, column in zip(self._texts.split("\0"), lines, columns, strict=False):
            yield Statement(text, Location(self._path, line, column), None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True)
class Script:
    """What a file holds, checked: nothing in it is left that cannot be run as a migration."""

    path: Path
    statements: Sequence[Statement]
    outside: str | None = None
    """Why it must run outside a transaction (`line 3: CREATE INDEX CONCURRENTLY`), or None."""
    joined: bool = False
    """The file has several transactions, which are run as one."""
    chosen: tuple[int, ...] | None = None
    """Where only a part of the file is to be run: the statements' numbers in it."""
    whole: int = 0
    """Then, how many statements the file has."""
    known: Session | None = field(default=None, repr=False, compare=False)
    """What its statements would answer, where their trees were let go of."""

    @property
    def total(self) -> int:
        """How many statements the file has."""
        return self.whole or len(self.statements)

    @property
    def numbered(self) -> tuple[tuple[int, Statement], ...]:
        """The statements to be run, with their numbers in the file, from 1."""
        numbers = range(1, len(self.statements) + 1) if self.chosen is None else self.chosen
        return tuple(zip(numbers, self.statements, strict=True))

    def only(self, numbers: Collection[int]) -> Script:
        """The same file, of which only some statements are to be run."""
        some = [(number, one) for number, one in self.numbered if number in numbers]
        return replace(
            self,
            statements=tuple(one for _, one in some),
            chosen=tuple(number for number, _ in some),
            whole=self.total,
        )

    @property
    def transactional(self) -> bool:
        """Whether the whole script can be undone by rolling back."""
        return self.outside is None

    def without_trees(self) -> Script:
        """The same in little memory, for a script that is only to be run."""
        return replace(self, statements=Packed(self.path, self.statements), known=self.session)

    @property
    def session(self) -> Session:
        """What it may do to the settings of its session."""
        if self.known is not None:
            return self.known
        changed = any(_changes_session(statement) for statement in self.statements)
        names = (name for statement in self.statements for name in _set_names(statement))
        custom = frozenset(name for name in names if "." in name)
        return Session(changed, custom) if changed or custom else _UNCHANGED

    @property
    def resets(self) -> tuple[str, ...]:
        """For offline mode: statements that take back what it sets, as far as its text tells."""
        names = dict.fromkeys(name for s in self.statements for name in _set_names(s) if name)
        return tuple(f"RESET {quote_name(tuple(name.split('.')))}" for name in names)


_READ: WeakValueDictionary[tuple[str, Path, bool], Script] = WeakValueDictionary()
"""A file is read again under the lock, and parsed again only if it isn't the same."""


def read_script(text: str, path: Path, *, no_transaction: bool = False) -> Script:
    """Parse and check one file's text.

    no_transaction: the header says `-- Transaction: none`. BEGIN and COMMIT of whole transactions
    are dropped, so that the script commits together with the ledger. Raises ScriptSyntaxError
    with the place of anything that cannot be run.
    """
    key = (text, path, no_transaction)
    known = _READ.get(key)
    if known is None:
        known = _READ[key] = _checked(text, path, no_transaction)
    return known


def _checked(text: str, path: Path, no_transaction: bool) -> Script:
    statements, several = join(parse(text, path), no_transaction=no_transaction)
    for statement in statements:
        _refuse_what_cannot_run(statement)
    outside = "-- Transaction: none" if no_transaction else None
    for statement in statements:
        reason = why_outside_transaction(statement.node)
        if reason and not outside:
            outside = f"line {statement.where.line}: {reason}"
    return Script(path, statements, outside, several)


def _refuse_what_cannot_run(statement: Statement) -> None:
    if is_copy_with_data(statement.node):
        raise ScriptSyntaxError(
            "COPY through the client needs psql; no migration can run it.",
            where=statement.where,
            next_step="Write INSERT statements, or COPY with a file on the server.",
        )


def sets_session(statement: Statement) -> bool:
    """Whether all it does is to set something for the session: lost with the connection."""
    if statement.kind == "SelectStmt":
        targets = [item.res_target.val.func_call for item in statement.node.target_list]
        return bool(targets) and all(t.funcname and _is_set_config(t) for t in targets)
    return statement.kind == "VariableSetStmt"


def _changes_session(statement: Statement) -> bool:
    if statement.kind == "VariableSetStmt" or statement.kind in _CALLERS:
        return True
    return any(True for _ in _calls_of_set_config(statement))


def _calls_of_set_config(statement: Statement) -> Iterator[Node]:
    text = statement.text.lower()
    # Walking through a tree takes longer than parsing it. A name can also be written U&"…".
    if "set_config" in text or "u&" in text:
        yield from (node for node in statement.walk() if _is_set_config(node))


def _is_set_config(node: Node) -> bool:
    return type(node).__name__ == "FuncCall" and node.funcname[-1].string.sval == "set_config"


def _set_names(statement: Statement) -> Iterator[str]:
    if statement.kind == "VariableSetStmt" and not statement.node.name[:1].isupper():
        yield statement.node.name  # SET TRANSACTION … has no setting's name
    for node in _calls_of_set_config(statement):
        if node.args:
            yield node.args[0].a_const.sval.sval
