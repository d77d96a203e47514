"""Which locks the plan takes, on which tables, and what nobody can do there until it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.catalog.tables import tables_by_oid, tables_of_indexes
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.errors import shown_path
from alembic_rollback.sql.locks import (
    ACCESS_EXCLUSIVE,
    MODES,
    SHARE_UPDATE_EXCLUSIVE,
    strongest,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_rollback.model import Affected

_HARM = {
    "SHARE UPDATE EXCLUSIVE": "no other schema change and no VACUUM can run on it",
    "SHARE": "nobody can write to it",
    "SHARE ROW EXCLUSIVE": "nobody can write to it",
    "EXCLUSIVE": "it can only be read",
    "ACCESS EXCLUSIVE": "nobody can read or write it",
}

_END = "until the rollback commits"


@dataclass(frozen=True)
class Planned:
    """The strongest lock that the plan takes on a relation that exists now."""

    oid: int
    mode: str
    source: str
    """`line 3 of migrations/versions/x.down.sql`."""
    until: str
    """`until the rollback commits`."""
    told: bool = True
    """False for what is a part of another relation that is told: a partition, a sequence."""
    key_with: int = 0
    """The table at the other end of a foreign key that goes, where that is why."""


def check(subject: Subject) -> Iterator[Said]:
    """Tell the locks that others notice, the strongest first."""
    planned = planned_locks(subject)
    tables = tables_by_oid(subject.connection, planned)
    for lock in sorted(planned.values(), key=lambda one: -MODES.index(one.mode)):
        if lock.told and lock.oid in tables and _is_noticed(lock.mode):
            other = tables.get(lock.key_with)
            why = f", for its foreign key with {other.shown}" if other else ""
            yield Said(
                f"{lock.mode} on {tables[lock.oid].shown}, from {lock.source}{why}: "
                f"{_HARM[lock.mode]} {lock.until}."
            )


def planned_locks(subject: Subject) -> dict[int, Planned]:
    """The strongest lock on each relation, by oid, in the plan's order.

    What a statement names was noted while the impact was assessed; what else it locks, the impact
    says: what CASCADE drops or takes a part from, and both ends of each foreign key that goes.
    Three checks ask: the subject remembers it.
    """
    if "planned_locks" not in subject.memory:
        subject.memory["planned_locks"] = _planned(subject)
    found: dict[int, Planned] = subject.memory["planned_locks"]
    return found


def _planned(subject: Subject) -> dict[int, Planned]:
    found: dict[int, Planned] = {}
    for lock in (*_named(subject), *_along(subject)):
        _keep(found, lock)
    for one, other in _ends_of_keys(subject):
        if other in found:
            because = found[other]
            lock = Planned(one, ACCESS_EXCLUSIVE, because.source, because.until, key_with=other)
            _keep(found, lock)
    return found


def _is_noticed(mode: str) -> bool:
    return strongest((mode, SHARE_UPDATE_EXCLUSIVE)) == mode


def _keep(found: dict[int, Planned], lock: Planned) -> None:
    """The first one of equally strong ones stays."""
    other = found.get(lock.oid)
    if other is None or MODES.index(lock.mode) > MODES.index(other.mode):
        found[lock.oid] = lock


def _named(subject: Subject) -> Iterator[Planned]:
    if subject.named_locks is None:
        raise ValueError("the locks of the plan's statements were not looked for")
    named = subject.named_locks
    indexes = {one.oid for one in named if one.lock.table_mode}
    tables = tables_of_indexes(subject.connection, indexes) if indexes else {}
    files = {path: shown_path(path) for path in {one.script.path for one in named}}
    for oid, lock, statement, script in named:
        source = f"line {statement.where.line} of {files[script.path]}"
        until = _END if script.transactional else "while the statement runs"
        if not lock.table_mode:
            yield Planned(oid, lock.mode, source, until)
        elif oid in tables:
            # Nobody uses an index without its table.
            yield Planned(tables[oid], lock.table_mode, source, until)


def _along(subject: Subject) -> Iterator[Planned]:
    """What CASCADE drops or takes a part from, and the parts of what goes."""
    owners = _relations_of(subject.connection, _gone(subject.impact.objects))
    for step in subject.impact.steps:
        script = subject.scripts.get(step.revision.version)
        file = shown_path(script.path if script else step.revision.path)
        # What is named has the lock that its statement takes.
        for how, source in (("CASCADE", f"{file} by CASCADE"), ("with", file)):
            for one in _gone(step.objects):
                if one.how == how:
                    for oid in owners.get(one.address[:2], ()):
                        yield Planned(oid, ACCESS_EXCLUSIVE, source, _END, how == "CASCADE")


def _gone(objects: Iterable[Affected]) -> Iterator[Affected]:
    return (one for one in objects if one.action != "changed" and one.address[1] > 0)


def _relations_of(
    connection: Connection, objects: Iterable[Affected]
) -> dict[tuple[int, int], list[int]]:
    """By object: the relation that it is, or that it (a column, a trigger, …) belongs to."""
    oids: dict[str, list[str]] = {f"of_{classid}": [] for classid in _OWNERS}
    for one in objects:
        oids.get(f"of_{one.address[0]}", []).append(str(one.address[1]))
    found: dict[tuple[int, int], list[int]] = {}
    if any(oids.values()):
        lists = {name: ",".join(values) for name, values in oids.items()}
        for classid, oid, relation in _query(connection, _RELATIONS, **lists):
            found.setdefault((classid, oid), []).append(relation)
    return found


def _ends_of_keys(subject: Subject) -> Iterator[tuple[int, int]]:
    """For each foreign key that goes: its table and the other, and the other way round."""
    gone = (one.address for one in _gone(subject.impact.objects))
    keys = ",".join(str(oid) for classid, oid, _ in gone if classid == _PG_CONSTRAINT)
    for table, other in _query(subject.connection, _KEYS, keys=keys) if keys else ():
        yield from ((table, other), (other, table))


_PG_CONSTRAINT = 2606
_OIDS = "ANY (CAST(string_to_array(:{}, ',') AS oid[]))"
_OWNERS = {
    1259: "SELECT 1259, oid, oid FROM pg_class WHERE oid = {0} "
    "AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') "
    "UNION SELECT 1259, indexrelid, indrelid FROM pg_index WHERE indexrelid = {0}",
    2604: "SELECT 2604, oid, adrelid FROM pg_attrdef WHERE oid = {0}",
    # Those of foreign keys are told with their other end.
    _PG_CONSTRAINT: "SELECT 2606, oid, conrelid FROM pg_constraint WHERE oid = {0} "
    "AND contype <> 'f' AND conrelid <> 0",
    2618: "SELECT 2618, oid, ev_class FROM pg_rewrite WHERE oid = {0}",
    2620: "SELECT 2620, oid, tgrelid FROM pg_trigger WHERE oid = {0}",
    3256: "SELECT 3256, oid, polrelid FROM pg_policy WHERE oid = {0}",
}
"""By the oid of a system catalog, which never changes: what is locked when an object in it goes."""
_RELATIONS = " UNION ".join(
    sql.format(_OIDS.format(f"of_{classid}")) for classid, sql in _OWNERS.items()
)
_KEYS = (
    "SELECT conrelid, confrelid FROM pg_constraint "
    f"WHERE contype = 'f' AND oid = {_OIDS.format('keys')} ORDER BY oid"
)


def _query(connection: Connection, sql: str, **values: Any) -> Any:
    from sqlalchemy import text

    return connection.execute(text(sql), values)
