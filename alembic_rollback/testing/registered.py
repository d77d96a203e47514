"""A process: which tables do the models' modules add to what env.py imports?

python -m alembic_rollback.testing.registered PACKAGE SPEC…
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pkgutil import walk_packages

from alembic_rollback.testing.models import Models


def main(package: str, specs: list[str]) -> dict[str, str]:
    """Table → the module that it came with, for those that importing the specs doesn't bring."""
    models = Models.named(specs)
    known = _tables(models)
    found: dict[str, str] = {}
    for name in [package, *_modules(package)]:
        import_module(name)
        for table in sorted(_tables(models) - known - found.keys()):
            found[table] = name
    return found


def _modules(package: str) -> list[str]:
    def fail(name: str) -> None:
        raise ImportError(f"{name}: {sys.exc_info()[1]}")

    path = import_module(package).__path__
    found = [one.name for one in walk_packages(path, f"{package}.", fail)]
    return [name for name in found if not name.endswith(".__main__")]


def _tables(models: Models) -> set[str]:
    return {name for one in models.each for name in one.tables}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
