"""`revision --autogenerate` and `check` do not see our tables."""

from __future__ import annotations

from typing import Any

from alembic_rollback.host.configuration import settings_of
from alembic_rollback.ledger import Ledger, Shape, ledger_name


def hide_our_tables(wrapped: Any, autogen: Any, args: Any, kwargs: Any) -> bool:
    """Seam `AutogenContext.run_name_filters`."""
    if _is_ours(autogen, *args, **kwargs):
        return False
    found: bool = wrapped(*args, **kwargs)
    return found


def _is_ours(autogen: Any, name: str | None, type_: str, parent_names: Any) -> bool:
    context = autogen.migration_context
    if name is None or context.dialect.name != "postgresql":
        return False
    if type_ == "schema":
        return name == settings_of(context.config).archive_schema
    if type_ != "table":
        return False
    table = ledger_name(settings_of(context.config).ledger_table, context.version_table)
    schema = parent_names.get("schema_name") or context.dialect.default_schema_name
    ledger = Ledger(schema, table)
    if name not in ledger.tables or schema != _schema_of_version_table(context):
        return False
    # A table of that name which the project models itself, or another tool's, is compared as ever.
    default = context.dialect.default_schema_name
    modelled = any(
        model.name == name and (model.schema or default) == schema
        for model in autogen.sorted_tables
    )
    return not modelled and ledger.shape(context.connection) is not Shape.FOREIGN


def _schema_of_version_table(context: Any) -> Any:
    return context.version_table_schema or context.dialect.default_schema_name
