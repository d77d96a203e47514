"""What ALTER TABLE switches: undone by the opposite, where there are only two positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alembic_rollback.inverse.registry import Part, alters

if TYPE_CHECKING:
    from alembic_rollback.inverse.altering import Alteration

# `{}` is the trigger or rule that the command names.
_OPPOSITES = {
    "AT_DisableRowSecurity": "ENABLE ROW LEVEL SECURITY",
    "AT_DisableRule": "ENABLE RULE {}",
    "AT_DisableTrig": "ENABLE TRIGGER {}",
    "AT_DisableTrigAll": "ENABLE TRIGGER ALL",
    "AT_DisableTrigUser": "ENABLE TRIGGER USER",
    "AT_EnableRowSecurity": "DISABLE ROW LEVEL SECURITY",
    "AT_EnableRule": "DISABLE RULE {}",
    "AT_EnableTrig": "DISABLE TRIGGER {}",
    "AT_EnableTrigAll": "DISABLE TRIGGER ALL",
    "AT_EnableTrigUser": "DISABLE TRIGGER USER",
    "AT_ForceRowSecurity": "NO FORCE ROW LEVEL SECURITY",
    "AT_NoForceRowSecurity": "FORCE ROW LEVEL SECURITY",
    "AT_SetLogged": "SET UNLOGGED",
    "AT_SetUnLogged": "SET LOGGED",
}
_BEFORE = {
    "AT_ClusterOn": "the index that {table} was clustered on before",
    "AT_DropCluster": "the index that {table} was clustered on before",
    "AT_DropOids": "whether {table} had OIDs before",
    "AT_EnableAlwaysRule": "whether rule {name} was enabled, disabled or REPLICA before",
    "AT_EnableAlwaysTrig": "whether trigger {name} was enabled, disabled or REPLICA before",
    "AT_EnableReplicaRule": "whether rule {name} was enabled, disabled or ALWAYS before",
    "AT_EnableReplicaTrig": "whether trigger {name} was enabled, disabled or ALWAYS before",
    "AT_GenericOptions": "the options of {table} before",
    "AT_ReplaceRelOptions": "the storage parameters of {table} before",
    "AT_ReplicaIdentity": "the replica identity of {table} before",
    "AT_ResetRelOptions": "the storage parameters of {table} before",
    "AT_SetAccessMethod": "the access method of {table} before",
    "AT_SetRelOptions": "the storage parameters of {table} before",
    "AT_SetTableSpace": "the tablespace of {table} before",
}


@alters(*_OPPOSITES)
def switch(alter: Alteration) -> Iterator[Part]:
    """ENABLE ↔ DISABLE, FORCE ↔ NO FORCE, SET LOGGED ↔ UNLOGGED."""
    about = alter.table
    if alter.command.name:
        kind = "rule" if alter.subtype.endswith("Rule") else "trigger"
        about = alter.world.part(alter.table, kind, alter.command.name)
    yield alter.opposite(_OPPOSITES[alter.subtype].format(alter.name), about)


@alters(*_BEFORE)
def setting(alter: Alteration) -> Iterator[Part]:
    """A setting with more than two positions: the one before is not in the text."""
    fact = _BEFORE[alter.subtype].format(table=alter.shown, name=alter.name)
    yield from alter.lost(alter.table, fact)
