"""Which locks a plan's statements take on what they name, noted while the plan is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alembic_rollback.sql.locks import Lock, locks

if TYPE_CHECKING:
    from alembic_rollback.checks.simulation import World
    from alembic_rollback.sql.parser import Statement
    from alembic_rollback.sql.script import Script


class NamedLock(NamedTuple):
    """A lock on a relation of the catalog that a statement names."""

    oid: int
    lock: Lock
    statement: Statement
    script: Script


class NamedLocks:
    """Collects them, in the plan's order."""

    def __init__(self) -> None:
        self.found: list[NamedLock] = []

    def note(self, world: World, script: Script, statement: Statement) -> None:
        """Note a statement's locks in the world as it is right before it: names change theirs."""
        for lock in locks(statement):
            relation = world.relation(lock.relation)
            # What isn't there, or is made by the plan, nobody else can see.
            if relation is not None and relation.address.objid > 0:
                self.found.append(NamedLock(relation.address.objid, lock, statement, script))
