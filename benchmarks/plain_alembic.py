"""`alembic` as it is without the plugin, from the same installation: its entry point is hidden."""

from __future__ import annotations

import importlib.metadata
import sys

_found = importlib.metadata.entry_points
importlib.metadata.entry_points = lambda **asked: [  # type: ignore[assignment]
    point for point in _found(**asked) if point.name != "alembic_rollback"
]

if __name__ == "__main__":
    from alembic.config import main

    main(prog="alembic")
    assert "alembic_rollback" not in sys.modules
