"""A down derived where its up can be tried, and proven there.

`stages` are databases right before a revision, `deriving` finds the down, `rows` says what of rows
can be undone, `proof` runs up, down and up again.
"""

from alembic_rollback.derivation.deriving import Derivation, derive, same_effect
from alembic_rollback.derivation.proof import Proof, prove_down
from alembic_rollback.derivation.stages import Site, inside, outside

__all__ = [
    "Derivation",
    "Proof",
    "Site",
    "derive",
    "inside",
    "outside",
    "prove_down",
    "same_effect",
]
