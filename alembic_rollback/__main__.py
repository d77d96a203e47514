"""`python -m alembic_rollback`."""

from alembic_rollback.cli import main

main()
