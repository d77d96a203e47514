"""What a rollback takes from revisions that stay applied: kept in the log, brought back later.

DROP … CASCADE takes a foreign key or a view of somebody else's along. Its definition is kept before
it goes; once the revision that was rolled back is applied again, it is made again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from alembic_rollback.errors import RollbackError
from alembic_rollback.host.scripts import load_script, pair_of
from alembic_rollback.model import Affected, Collateral
from alembic_rollback.runner import describe

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.catalog.definitions import Definition
    from alembic_rollback.host.state import State
    from alembic_rollback.ledger import Run

log = logging.getLogger("alembic.rollback")

_Address: TypeAlias = tuple[int, int, int]
_ALREADY_THERE = frozenset({"42710", "42P07", "42P16", "42723"})
"""duplicate_object, duplicate_table, a second primary key, duplicate_function."""
_IDENTIFY = (
    "SELECT CAST(to_json(object_names) AS text), CAST(to_json(object_args) AS text) "
    "FROM pg_identify_object_as_address("
    "CAST(:classid AS oid), CAST(:objid AS oid), CAST(:objsubid AS integer))"
)
_EXISTS = (
    "SELECT objid FROM pg_get_object_address(CAST(:kind AS text), "
    "ARRAY(SELECT jsonb_array_elements_text(CAST(:names AS jsonb))), "
    "ARRAY(SELECT jsonb_array_elements_text(CAST(:args AS jsonb))))"
)


@dataclass
class _Mending:
    """What a run has brought back, and what it has not yet."""

    run: Run
    waiting: list[Collateral]
    reasons: dict[Collateral, str] = field(default_factory=dict)
    """PostgreSQL's last word about each that was tried."""
    said: list[tuple[str, Collateral]] = field(default_factory=list)
    """What to say of the others once all steps have been run: a later one may undo everything."""


_MENDING: WeakKeyDictionary[Any, _Mending] = WeakKeyDictionary()
"""By MigrationContext: read once a run, with its first step up."""


def save(state: State, steps: Sequence[tuple[str, Sequence[Affected]]]) -> None:
    """Keep the definitions of what steps are about to take from others, in their transaction.

    steps: a version that is rolled back, with the objects outside that go with it. To be called
    under the lock, before the first statement of these steps runs.
    """
    addresses = [one.address for _, listed in steps for one in listed]
    if not addresses:
        return
    with _transaction(state):
        owners = _owners(state, addresses, {version for version, _ in steps})
        for version, listed in steps:
            for definition in _definitions(state.connection, listed):
                owner = owners.get(definition.address)
                _keep(state, _collateral(state.connection, version, definition, owner))


def restore(state: State) -> None:
    """Bring back what can be by now, after a step up has been run and recorded.

    What needs something of a later step is tried again after each; `finish` tells what is left.
    """
    mending = _mending(state)
    progress = True
    while progress:  # one may need another that a rollback took later
        progress = False
        for one in list(mending.waiting):
            if _is_due(state, one) and _bring_back(state, mending, one):
                mending.waiting.remove(one)
                progress = True


def finish(state: State) -> None:
    """At the end of a run: say what was brought back; of the rest, why not, and the SQL for it."""
    mending = _MENDING.pop(state.context, None)
    if mending is None or mending.run is not state.run:
        return
    for message, one in mending.said:
        log.info(message, one.title, one.version)
    for one in mending.waiting:
        if not _is_due(state, one):
            continue
        if not one.missing:
            _say_what_to_run(one, mending.reasons.get(one, ""))
        elif one.version in state.done:
            log.warning(
                "%s, which the rollback of %s had taken, is not made again: %s.",
                one.title,
                one.version,
                one.missing,
            )


def still_gone(
    connection: Connection, found: Iterable[Collateral], applied: frozenset[str]
) -> tuple[Collateral, ...]:
    """What of the log's open collateral is missed: not there, and its owner is applied."""
    return tuple(
        one
        for one in found
        if (one.owner is None or one.owner in applied) and not _exists(connection, one)
    )


def _collateral(
    connection: Connection, version: str, definition: Definition, owner: str | None
) -> Collateral:
    kind, name, statements = definition.kind, definition.name, definition.statements
    names, args = _identity(connection, definition.address)
    return Collateral(version, kind, name, statements, definition.missing, owner, names, args)


def _keep(state: State, one: Collateral) -> None:
    if not one.names or not one.names[0].startswith("pg_temp"):  # that goes with its session anyway
        _note(state, one, repaired=False)


def _mending(state: State) -> _Mending:
    found = _MENDING.get(state.context)
    if found is None or found.run is not state.run:
        found = _Mending(state.run, state.ledger.collateral(state.connection))
        _MENDING[state.context] = found
    return found


def _is_due(state: State, one: Collateral) -> bool:
    """Whether what it hangs on is applied again, and its owner is still applied."""
    applied = state.applied.versions
    return one.version in applied and (one.owner is None or one.owner in applied)


def _bring_back(state: State, mending: _Mending, one: Collateral) -> bool:
    """Make one object again; return whether it is there, and say so in the log where it is."""
    from sqlalchemy.exc import DBAPIError

    try:
        with _transaction(state):
            there = _exists(state.connection, one)
            if one.missing and not there:
                return False
            made = not there and _make(state.connection, one)
            _note(state, one, repaired=True)
    except DBAPIError as error:
        mending.reasons[one] = _reason(error)
        return False
    said = "Restored %s, which the rollback of %s had taken."
    if not made:
        said = "%s, which the rollback of %s had taken, is there already."
    mending.said.append((said, one))
    return True


def _make(connection: Connection, one: Collateral) -> bool:
    """Run the statements; False where something of that name has been made meanwhile."""
    from sqlalchemy.exc import DBAPIError

    first, *others = one.statements
    with _settings(connection):
        try:
            with connection.begin_nested():
                _execute(connection, first)
        except DBAPIError as error:
            if describe(error)["sqlstate"] in _ALREADY_THERE:
                return False
            raise
        for statement in others:
            _execute(connection, statement)
    return True


def _note(state: State, one: Collateral, *, repaired: bool) -> None:
    revision = state.history.revisions.get(one.version)
    name = revision.name if revision else ""
    state.ledger.note_collateral(state.connection, state.run, one, repaired=repaired, name=name)


@contextmanager
def _transaction(state: State) -> Iterator[None]:
    """A savepoint; where env.py's engine has no transactions (AUTOCOMMIT), a transaction."""
    with state.whole() if state.autocommits else state.connection.begin_nested():
        yield


@contextmanager
def _settings(connection: Connection) -> Iterator[None]:
    """The settings that definitions are made for; where it fails, the savepoint takes them back."""
    from alembic_rollback.catalog.definitions import SETTINGS

    was = connection.exec_driver_sql("SHOW check_function_bodies").scalar_one()
    for setting in SETTINGS:
        connection.exec_driver_sql(setting)
    yield
    connection.exec_driver_sql(f"SET LOCAL check_function_bodies = {was}")


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True}).close()


def _exists(connection: Connection, one: Collateral) -> bool:
    """Whether the object is there, or another of its name: made again by hand, or never gone."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    if not one.names:
        return False
    values = {"kind": one.kind, "names": json.dumps(one.names), "args": json.dumps(one.args)}
    try:
        with connection.begin_nested():
            return connection.execute(text(_EXISTS), values).scalar() is not None
    except DBAPIError:
        return False  # "does not exist" is an error, also of the table that it is part of


def _reason(error: Any) -> str:
    told = describe(error)
    return ": ".join(str(told[key]).rstrip(".") for key in ("message", "detail") if told[key])


def _say_what_to_run(one: Collateral, reason: str) -> None:
    statements = one.statements
    if one.kind in ("function", "procedure"):
        statements = ("SET check_function_bodies = off", *statements, "RESET check_function_bodies")
    log.warning(
        "%s, which the rollback of %s had taken, could not be restored: %s.\n"
        "Once that is put right, run:\n%s",
        one.title,
        one.version,
        reason,
        "\n".join(f"{statement};" for statement in statements),
    )


def _definitions(connection: Connection, listed: Sequence[Affected]) -> Sequence[Definition]:
    """How to make them again; where the catalog cannot be read, at least what they were."""
    from sqlalchemy.exc import DBAPIError

    from alembic_rollback.catalog.definitions import Definition, definitions

    try:
        return definitions(connection, [one.address for one in listed])
    except DBAPIError as error:
        why = f"its definition could not be read: {_reason(error)}"
        log.warning("What goes with a rollback is not kept: %s.", why)
        return [Definition(one.address, one.kind, one.name, missing=why) for one in listed]


def _identity(connection: Connection, address: _Address) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    values = dict(zip(("classid", "objid", "objsubid"), address, strict=True))
    try:
        with connection.begin_nested():
            names, args = connection.execute(text(_IDENTIFY), values).one()
    except DBAPIError:
        return (), ()  # of a kind that PostgreSQL cannot find by name
    return tuple(json.loads(names or "[]")), tuple(json.loads(args or "[]"))


def _owners(
    state: State, addresses: Iterable[_Address], rolled_back: set[str]
) -> Mapping[_Address, str]:
    """By object the applied revision whose up makes it, or what it is part of; the latest first.

    Only SQL is read: what a `.py` has made belongs to nobody.
    """
    from alembic_rollback.catalog.dependencies import Address
    from alembic_rollback.catalog.objects import describe as describe_objects
    from alembic_rollback.checks.simulation.names import Names
    from alembic_rollback.checks.simulation.origins import made_by

    wanted = {Address(*address): {Address(*address)} for address in addresses}
    for address, found in describe_objects(state.connection, wanted).items():
        if found.parent:
            wanted[address] |= {found.parent, found.parent.whole}
    owners: dict[_Address, str] = {}
    names = Names(state.connection)
    applied = frozenset(state.applied.versions) - rolled_back
    with_file = [v for v in state.history.graph.order(applied) if v in state.history.revisions]
    for version in reversed(with_file):
        pair = pair_of(state.history.script(version))
        left = [address for address in wanted if address not in owners]
        if not pair or not left:
            continue
        try:
            made = made_by(names, load_script(pair, "up"))
        except RollbackError:
            continue  # edited since, and unreadable: it owns nothing
        owners.update((address, version) for address in left if wanted[address] & made)
    return owners
