"""The models of a project: which metadata, and whether the database and the modules agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

_SECONDS = 300.0
"""After which importing the models is taken to hang."""
_EXTENSIONS = """
SELECT n.nspname, c.relname FROM pg_depend d
JOIN pg_class c ON d.classid = CAST('pg_class' AS regclass) AND c.oid = d.objid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE d.deptype = 'e'
"""


@dataclass(frozen=True)
class Models:
    """The metadata of a project's models."""

    specs: tuple[str, ...]
    """`package.module:Base.metadata`, and modules to import before."""
    metadata: MetaData | tuple[MetaData, ...]
    package: str = ""
    """Where models may be; the package of the metadata's module if that is one."""

    @classmethod
    def named(cls, specs: Sequence[str], package: str = "") -> Models:
        """Import them as env.py would. Raises UsageError for what is not there."""
        found: list[MetaData] = []
        for spec in specs:
            value = load(spec)
            if ":" in spec:
                found += _metadata(spec, value)
        if not found:
            raise UsageError(
                f"{', '.join(specs)} names no metadata.", next_step="Write module:Base.metadata."
            )
        metadata = found[0] if len(found) == 1 else tuple(found)
        return cls(tuple(specs), metadata, package or _package(specs))

    @property
    def each(self) -> tuple[MetaData, ...]:
        """As a tuple in any case."""
        return self.metadata if isinstance(self.metadata, tuple) else (self.metadata,)


def load(spec: str) -> Any:
    """What `package.module:attribute.attribute`, or a module's name, stands for.

    Raises UsageError, in one line, where it cannot be had.
    """
    module, _, attribute = spec.partition(":")
    try:
        found = import_module(module)
        return attrgetter(attribute)(found) if attribute else found
    except Exception as error:
        raise UsageError(
            f"{spec} cannot be imported: {type(error).__name__}: {error}.",
            next_step="Write package.module:Base.metadata; the package must be importable from "
            "where pytest runs (`pythonpath = .` in pytest's settings).",
        ) from error


def _metadata(spec: str, value: Any) -> list[MetaData]:
    from sqlalchemy import MetaData

    several = list(value) if isinstance(value, (list, tuple)) else [value]
    found = [getattr(one, "metadata", one) for one in several]
    if not all(isinstance(one, MetaData) for one in found):
        raise UsageError(f"{spec} is no MetaData, but {type(value).__name__}.")
    return found


def _package(specs: Sequence[str]) -> str:
    for spec in specs:
        name = spec.partition(":")[0]
        if ":" in spec and hasattr(sys.modules.get(name), "__path__"):
            return name
    return ""


# The database


def missing(connection: Connection, models: Models, opts: Mapping[str, Any]) -> str:
    """What `alembic revision --autogenerate` would write for this database, if anything."""
    from alembic.autogenerate import produce_migrations, render_python_code
    from alembic.runtime.migration import MigrationContext

    found = {**_defaults(connection, models), **opts, "target_metadata": models.metadata}
    context = MigrationContext.configure(connection, opts=found)
    script = produce_migrations(context, models.metadata)  # type: ignore[arg-type]
    operations = script.upgrade_ops
    if operations is None or operations.is_empty():
        return ""
    text = render_python_code(operations, migration_context=context)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return dedent("\n".join(lines))


def _defaults(connection: Connection, models: Models) -> dict[str, Any]:
    """For what env.py would say: the schemas of the models, without extensions' tables."""
    rows = connection.exec_driver_sql(_EXTENSIONS)
    extensions = {(schema, name) for schema, name in rows}
    default = connection.dialect.default_schema_name
    schemas = {table.schema for one in models.each for table in one.tables.values()}

    def include_name(name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
        if kind == "schema":
            return name in schemas or name is None
        if kind == "table":
            return (parents.get("schema_name") or default, name) not in extensions
        return True

    return {
        "compare_type": True,
        "include_schemas": bool(schemas - {None, default}),
        "include_name": include_name,
    }


# The modules


def unregistered(models: Models) -> tuple[dict[str, str], str]:
    """Tables that come with a module of the package, but not with what env.py imports → module.

    In a process of its own: here, anything may have been imported already. Where a module cannot be
    imported, the second value says so.
    """
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "alembic_rollback.testing.registered",
            models.package,
            *models.specs,
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return {}, f"the modules of {models.package} cannot be imported: {last}"
    return json.loads(done.stdout.splitlines()[-1]), ""
