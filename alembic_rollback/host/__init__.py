"""Everything that touches Alembic's internals: seams, pairs as Scripts, runs through env.py."""
