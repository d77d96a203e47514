"""Safe rollbacks for Alembic on PostgreSQL.

Installing the package is enough: it registers itself as an Alembic plugin and adds subcommands to
`alembic`. The same as functions, for programs: `alembic_rollback.command`.
"""

__version__ = "0.1.0"
