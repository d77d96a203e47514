"""What of Alembic's internals the package stands on. A release that moves one fails here first."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import pytest
from alembic import context as alembic_context
from alembic.autogenerate.api import AutogenContext
from alembic.config import CommandLine, Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import HeadMaintainer, MigrationContext, MigrationStep
from alembic.runtime.plugins import Plugin
from alembic.script.base import Script, ScriptDirectory
from alembic.script.revision import Revision, RevisionMap

from alembic_rollback.host.seams import SEAMS, Seam

SIGNATURES: list[tuple[Any, str, list[str]]] = [
    (CommandLine, "_generate_args", ["self", "prog"]),
    (CommandLine, "run_cmd", ["self", "config", "options"]),
    (CommandLine, "_inis_from_config", ["self", "options"]),
    (Script, "_list_py_dir", ["scriptdir", "path"]),
    (Script, "__init__", ["self", "module", "rev_id", "path"]),
    (ScriptDirectory, "_load_revisions", ["self"]),
    (ScriptDirectory, "_upgrade_revs", ["self", "destination", "current_rev"]),
    (ScriptDirectory, "_downgrade_revs", ["self", "destination", "current_rev"]),
    (ScriptDirectory, "_generate_create_date", ["self"]),
    (MigrationContext, "run_migrations", ["self", "kw"]),
    (MigrationContext, "autocommit_block", ["self"]),
    (MigrationContext, "_ensure_version_table", ["self", "purge"]),
    (MigrationStep, "downgrade_from_script", ["revision_map", "script"]),
    (MigrationStep, "upgrade_from_script", ["revision_map", "script"]),
    (HeadMaintainer, "update_to_step", ["self", "step"]),
    (HeadMaintainer, "_insert_version", ["self", "version"]),
    (HeadMaintainer, "_delete_version", ["self", "version"]),
    (AutogenContext, "run_name_filters", ["self", "name", "type_", "parent_names"]),
    (
        RevisionMap,
        "_parse_upgrade_target",
        ["self", "current_revisions", "target", "assert_relative_length"],
    ),
    (RevisionMap, "_filter_into_branch_heads", ["self", "targets"]),
    (Plugin, "setup_plugin_from_module", ["module", "name"]),
]
ATTRIBUTES: list[tuple[Any, list[str]]] = [
    (Revision, ["_normalized_down_revisions", "_versioned_down_revisions"]),
    (RevisionMap, ["_revision_map", "heads"]),
    (ScriptDirectory, ["_version_locations", "_catch_revision_errors"]),
    (Config, ["get_section", "cmd_opts"]),
    (EnvironmentContext, ["get_context"]),
]


@pytest.mark.parametrize("seam", SEAMS, ids=lambda seam: seam.target)
def test_each_seam_is_in_place_and_has_its_handler(seam: Seam) -> None:
    found: Any = import_module(seam.module)
    for name in seam.target.split("."):
        found = inspect.getattr_static(found, name)
    assert hasattr(found, "__wrapped__"), f"{seam.target} is not wrapped"
    module, function = seam.handler.split(":")
    assert callable(getattr(import_module(f"alembic_rollback.host.{module}"), function))


@pytest.mark.parametrize(("owner", "name", "parameters"), SIGNATURES, ids=lambda value: str(value))
def test_alembic_calls_it_as_before(owner: Any, name: str, parameters: list[str]) -> None:
    function = inspect.unwrap(inspect.getattr_static(owner, name))
    function = getattr(function, "__func__", function)
    found = [p for p in inspect.signature(function).parameters if p != "cls"]
    assert found == parameters


@pytest.mark.parametrize(("owner", "names"), ATTRIBUTES, ids=lambda value: str(value))
def test_alembic_still_has(owner: Any, names: list[str]) -> None:
    instances = {Config: Config()}
    for name in names:
        assert hasattr(instances.get(owner, owner), name), name


def test_the_context_keeps_what_a_run_relies_on() -> None:
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
    for name in (
        "_transaction",
        "_transaction_per_migration",
        "_in_external_transaction",
        "_migrations_fn",
        "_version",
        "opts",
        "purge",
    ):
        assert hasattr(context, name), name
    assert alembic_context is not None


def test_the_entry_point_is_a_module_that_old_releases_can_iterate() -> None:
    (found,) = entry_points(group="alembic.plugins", name="alembic_rollback")
    module = found.load()
    assert isinstance(module, ModuleType)
    assert list(module) == [module]  # type: ignore[call-overload]
