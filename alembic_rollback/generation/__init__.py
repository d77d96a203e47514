"""generate-down: from up files to down files, with the state before each of them.

`ups` reads the files and orders them, `states` gives a database that stands right before one,
`generate` derives and proves, `files` is what is written.
"""

from alembic_rollback.generation.generate import STATES, Wish, generate
from alembic_rollback.generation.live import applied_in
from alembic_rollback.generation.ups import Up, read_ups

__all__ = ["STATES", "Up", "Wish", "applied_in", "generate", "read_ups"]
