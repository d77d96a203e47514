"""A down derived where its up can be tried, and proven there.

`stages` are databases right before a revision, `deriving` finds the down, `rows` says what of rows
can be undone, `proof` runs up, down and up again. `keeping` rewrites an up so that it keeps the
rows that it changes, with those that foreign keys take along (`cascading`); `kept` puts them back.
"""

from alembic_rollback.derivation.deriving import Derivation, derive, same_effect
from alembic_rollback.derivation.keeping import Keeping, keep_rows
from alembic_rollback.derivation.proof import Proof, prove_down
from alembic_rollback.derivation.stages import Site, inside, outside

__all__ = [
    "Derivation",
    "Keeping",
    "Proof",
    "Site",
    "derive",
    "inside",
    "keep_rows",
    "outside",
    "prove_down",
    "same_effect",
]
