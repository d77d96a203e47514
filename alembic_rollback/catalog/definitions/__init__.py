"""What makes an object again that a DROP … CASCADE takes away: its SQL, read before it goes."""

from alembic_rollback.catalog.definitions.model import Address, Definition
from alembic_rollback.catalog.definitions.reading import SETTINGS, definitions

__all__ = ["SETTINGS", "Address", "Definition", "definitions"]
