"""Whether a run of env.py is one that we keep the books of. One that only looks imports no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic_rollback.host.state import ARGUMENTS, OPTION

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext


def run_migrations(wrapped: Any, context: MigrationContext, args: Any, kwargs: Any) -> None:
    """Seam `MigrationContext.run_migrations`."""

    def alembic_run() -> None:
        wrapped(*args, **kwargs)

    token = ARGUMENTS.set(kwargs)
    try:
        if not _is_ours(context):
            alembic_run()
            return
        from alembic_rollback.host import runs

        run = runs.run_offline if context.as_sql else runs.run_online
        run(context, alembic_run)
    finally:
        ARGUMENTS.reset(token)


def _is_ours(context: MigrationContext) -> bool:
    options = context.opts
    writes = options.get("destination_rev") is not None or OPTION in options
    return (
        writes
        and context.dialect.name == "postgresql"
        and context.script is not None
        and not options.get("dont_mutate", False)
    )
