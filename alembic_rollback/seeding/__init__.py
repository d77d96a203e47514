"""A few rows for every table of a throw-away database, valid by type, constraint and foreign key.

:func:`seed` reads the catalog once (:mod:`.facts`), takes the tables parents first (:mod:`.order`),
makes values by type (:mod:`.values`) and from the constants of constraints (:mod:`.conditions`,
:mod:`.candidates`), lets the server choose the combinations that satisfy them (:mod:`.options`),
and inserts (:mod:`.inserting`, :mod:`.filling`). What cannot be seeded is reported, not raised.
"""

from alembic_rollback.seeding.filling import Seeded, seed

__all__ = ["Seeded", "seed"]
