"""The revisions of a project as pytest's tests; `pytest_plugin` is what pytest itself loads."""

from alembic_rollback.testing.project import MigrationProject
from alembic_rollback.testing.scratch import ScratchProject
from alembic_rollback.testing.session import Tests

__all__ = ["MigrationProject", "ScratchProject", "Tests"]
