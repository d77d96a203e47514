"""Every case under cases/derive: which down is derived on a database, and that it is proven.

A case is one file: `-- before`, `-- up`, `-- expect down` (nothing to undo where it is left out),
and what else is expected, each on a line of its own:

    -- since: 15                              the server's major version that it needs
    -- expect how: text                       or statements, or difference
    -- expect rows: 2: the rows of u: …       the up's line and a missing fact about rows
    -- expect irreversible: 3: …              and one about the schema
    -- expect order: public.t.column order    a table whose columns change places
    -- expect unproven: the down fails: …     why there is no proof
    -- expect differs: missing index …        and what is not as it was
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback.derivation import Derivation, derive
from alembic_rollback.errors import StatementError
from alembic_rollback.generation.states import Given
from alembic_rollback.inverse.generate import render
from alembic_rollback.sql.script import Script, read_script

CASES = Path(__file__).parent / "cases" / "derive"
FILES = sorted(CASES.glob("*/*.sql"))
SECTIONS = ("before", "up", "expect down")
ROLES = ("derive_owner", "derive_reader")
UNSAFE_USE_OF_NEW_VALUE = "55P04"


@dataclass
class Case:
    """One file."""

    sections: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SECTIONS, ""))
    expected: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    since: int = 14


def read_case(path: Path) -> Case:
    case, section = Case(), "before"
    for line in path.read_text(encoding="utf-8").splitlines():
        expectation = re.match(r"-- expect (?!down)(\w+): (.*)$", line)
        if line.removeprefix("-- ") in SECTIONS:
            section = line.removeprefix("-- ")
        elif expectation:
            case.expected[expectation[1]].append(expectation[2])
        elif line.startswith("-- since: "):
            case.since = int(line.removeprefix("-- since: "))
        else:
            case.sections[section] += line + "\n"
    return case


def script(text: str, name: str = "20240101_001_case.up.sql") -> Script:
    return read_script(text, Path(name))


def statements(text: str) -> list[str]:
    return [one.text for one in script(text).statements]


def derived(url: URL, up: Script) -> Derivation:
    """As generate-down does it: in one transaction, or in copies where that can't be."""
    ground = Given(url.render_as_string(hide_password=False))
    try:
        with ground.site(up, whole=up.transactional) as site:
            return derive(site, up)
    except StatementError as error:
        if error.sqlstate != UNSAFE_USE_OF_NEW_VALUE:
            raise
    with ground.site(up, whole=False) as site:
        return derive(site, up)


def expectations(found: Derivation) -> dict[str, list[str]]:
    """What a case tells about the result, beside its statements."""
    told: dict[str, list[str]] = {"how": [found.how]}
    for gap in found.down.irreversible:
        kind = "rows" if gap.rows else "irreversible"
        told.setdefault(kind, []).append(f"{gap.statement.where.line}: {gap.missing}")
    assert found.proof is not None
    if found.proof.holds:
        told["order"] = list(found.proof.reordered)
    else:
        told["unproven"] = [found.proof.failure or "the catalog differs"]
        told["differs"] = [str(one) for one in found.proof.differences]
    return {kind: lines for kind, lines in told.items() if lines}


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(scope="module")
def roles(server_url: URL) -> Iterator[None]:
    """Roles are the whole server's."""
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"CREATE ROLE {role}")
    yield
    with admin.connect() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"DROP ROLE {role}")


def prepared(engine: Engine, case: Case) -> None:
    """Run what comes before; skip on a server that is too old."""
    with engine.begin() as connection:
        version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
        if int(version) // 10000 < case.since:
            pytest.skip(f"needs PostgreSQL {case.since}")
        if case.sections["before"].strip():
            options = {"no_parameters": True}
            connection.exec_driver_sql(case.sections["before"], execution_options=options)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_case(path: Path, roles: None, database_url: URL, engine: Engine) -> None:
    case = read_case(path)
    prepared(engine, case)
    found = derived(database_url, script(case.sections["up"]))
    assert list(found.down.sql) == statements(case.sections["expect down"])
    assert expectations(found) == case.expected
    render(found.down, ["-- Description: case"])


def test_there_are_cases() -> None:
    assert len(FILES) > 130
