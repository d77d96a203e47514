"""The work of the benchmarks: one history of N tables, in the form that each tool reads.

Up: a table of six columns, row-level security, a policy, an index. Down: the same, backwards. The
content is the same everywhere; only the files' names and what stands around it differ.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from alembic_rollback.pairs import DOWN, UP

Form = Callable[[Path, int], None]

STAMP = ".work-3"
"""Marks a finished directory. The number goes up where the content changes."""

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ["BENCH_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
INI = """
[alembic]
script_location = %(here)s/migrations
path_separator = os
"""
REVISION = '''"""create {table}

Revision ID: {version}
Revises: {below}
Create Date: 2020-01-01 00:00:00.000000

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = {version!r}
down_revision: Union[str, Sequence[str], None] = {below!r}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.execute("""
{up}""")


def downgrade() -> None:
    op.execute("""
{down}""")
'''


def table(number: int) -> str:
    """The table that the number-th migration makes."""
    return f"t{number:06d}"


def version(number: int) -> str:
    """A pair's version. A `.py` revision has `revision_id`, which doesn't sort."""
    return f"{number:06d}"


def revision_id(number: int) -> str:
    """Twelve hexadecimal digits, as Alembic makes them."""
    return hashlib.sha1(b"bench %d" % number).hexdigest()[:12]


def up(number: int) -> str:
    """The script that applies one migration."""
    t = table(number)
    return f"""CREATE TABLE {t} (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    amount numeric(12,2) NOT NULL DEFAULT 0,
    payload jsonb NOT NULL DEFAULT '{{}}'::jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE {t} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {t}_tenant ON {t}
    USING (tenant_id::text = current_setting('app.tenant', true));
CREATE INDEX {t}_tenant_created ON {t} (tenant_id, created_at);
"""


def down(number: int) -> str:
    """The script that takes one migration back."""
    t = table(number)
    return f"""DROP INDEX {t}_tenant_created;
DROP POLICY {t}_tenant ON {t};
ALTER TABLE {t} DISABLE ROW LEVEL SECURITY;
DROP TABLE {t};
"""


def write_pairs(directory: Path, number: int) -> None:
    """Our pairs, in an Alembic project."""
    versions = _project(directory)
    for n in range(1, number + 1):
        (versions / f"{version(n)}_{table(n)}{UP}").write_text(up(n))
        (versions / f"{version(n)}_{table(n)}{DOWN}").write_text(down(n))


def write_revisions(directory: Path, number: int) -> None:
    """`.py` revisions that execute the same text, in an Alembic project."""
    versions = _project(directory)
    for n in range(1, number + 1):
        below = revision_id(n - 1) if n > 1 else None
        (versions / f"{revision_id(n)}_create_{table(n)}.py").write_text(
            REVISION.format(
                table=table(n), version=revision_id(n), below=below, up=up(n), down=down(n)
            )
        )


def write_psql(directory: Path, number: int) -> None:
    """The floor: everything in one file, a transaction and a ledger row for each migration."""
    numbers = range(1, number + 1)
    ledger = (
        "CREATE TABLE ledger (version text PRIMARY KEY, checksum text, "
        "applied_at timestamptz DEFAULT now());\n"
    )
    (directory / "up.sql").write_text(ledger + "".join(_psql_up(n) for n in numbers))
    (directory / "up_one.sql").write_text(_psql_up(number))
    (directory / "down.sql").write_text("".join(_psql_down(n) for n in reversed(numbers)))
    some = list(reversed(numbers))[:100]
    (directory / "down_100.sql").write_text("".join(_psql_down(n) for n in some))


def write_dbmate(directory: Path, number: int) -> None:
    """dbmate: both directions in one file."""
    for n in range(1, number + 1):
        when = time.strftime("%Y%m%d%H%M%S", time.gmtime(1577836800 + 60 * n))
        _folder(directory).joinpath(f"{when}_{table(n)}.sql").write_text(
            f"-- migrate:up\n{up(n)}\n-- migrate:down\n{down(n)}"
        )


def write_yoyo(directory: Path, number: int) -> None:
    """yoyo: a script and a rollback script, ordered by name."""
    for n in range(1, number + 1):
        name = f"{version(n)}_{table(n)}"
        _folder(directory).joinpath(f"{name}.sql").write_text(up(n))
        _folder(directory).joinpath(f"{name}.rollback.sql").write_text(down(n))


def write_node(directory: Path, number: int) -> None:
    """node-pg-migrate: both directions in one SQL file."""
    for n in range(1, number + 1):
        _folder(directory).joinpath(f"{version(n)}_{table(n)}.sql").write_text(
            f"-- Up Migration\n{up(n)}\n-- Down Migration\n{down(n)}"
        )


def prepare(root: Path, form: Form, number: int) -> Path:
    """Make root/<form>/<number>, or take the one that is there."""
    directory = root / form.__name__.removeprefix("write_") / str(number)
    if (directory / STAMP).exists():
        return directory
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    form(directory, number)
    (directory / STAMP).touch()
    return directory


def _project(directory: Path) -> Path:
    versions = directory / "migrations" / "versions"
    versions.mkdir(parents=True)
    (directory / "migrations" / "env.py").write_text(ENV)
    (directory / "migrations" / "script.py.mako").write_text("")
    (directory / "alembic.ini").write_text(INI)
    return versions


def _folder(directory: Path) -> Path:
    folder = directory / "migrations"
    folder.mkdir(exist_ok=True)
    return folder


def _psql_up(number: int) -> str:
    checksum = hashlib.sha256(up(number).encode()).hexdigest()
    row = f"INSERT INTO ledger (version, checksum) VALUES ('{version(number)}', '{checksum}');\n"
    return f"BEGIN;\n{up(number)}{row}COMMIT;\n"


def _psql_down(number: int) -> str:
    row = f"DELETE FROM ledger WHERE version = '{version(number)}';\n"
    return f"BEGIN;\n{down(number)}{row}COMMIT;\n"
