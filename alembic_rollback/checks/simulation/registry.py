"""Which rule follows which parse node: what a statement of that kind does to the catalog.

A node without a rule changes nothing that matters here, or nothing that can be known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic_rollback.catalog.objects import Found
from alembic_rollback.checks.simulation.world import Change, World

Rule = Callable[[World, Any, Change], None]
"""Called with the parse node."""
Alteration = Callable[[World, Found, Any, Change], None]
"""Called with the relation and the AlterTableCmd."""

RULES: dict[str, Rule] = {}
ALTERATIONS: dict[str, Alteration] = {}


def follows(*kinds: str) -> Callable[[Rule], Rule]:
    """Register the rule for some parse nodes."""
    return _registrar(RULES, kinds)


def alters(*commands: str) -> Callable[[Alteration], Alteration]:
    """Register the rule for some commands of ALTER TABLE."""
    return _registrar(ALTERATIONS, commands)


def _registrar(rules: dict[str, Any], names: tuple[str, ...]) -> Callable[[Any], Any]:
    def register(rule: Any) -> Any:
        for name in names:
            if name in rules:
                raise ValueError(f"There are two rules that follow {name}.")
            rules[name] = rule
        return rule

    return register
