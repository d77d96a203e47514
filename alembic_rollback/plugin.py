"""The entry point `alembic.plugins`: what Alembic loads while it is being imported itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from alembic_rollback.host import seams
from alembic_rollback.summaries import SUMMARIES


def setup(plugin: Any) -> None:
    """Called by Alembic once; see `alembic.runtime.plugins`."""
    seams.install(edge="alembic_rollback.cli", commands=SUMMARIES)


class _Plugin(ModuleType):
    """Alembic 1.18.0 to 1.20.0 iterate over what the entry point loads; 1.20.1 wants a module."""

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


sys.modules[__name__].__class__ = _Plugin
