"""What says whether two schemas are the same: pg_dump, or our own facts where there is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.embedded import EmbeddedError, find_binaries
from alembic_rollback.embedded.binaries import installed
from alembic_rollback.errors import DatabaseError
from alembic_rollback.scratch import ScratchDatabase, ScratchServer
from benchmarks.corpus.dumps import Dumps
from benchmarks.corpus.model import DIFFERS, EXACT, ORDER, Wish, listed


class Judge(Protocol):
    """Says whether two schemas are the same."""

    @property
    def name(self) -> str: ...

    def look(self, database: ScratchDatabase) -> Any:
        """Keep a database's schema as it is now."""

    def compare(self, before: Any, after: Any, *, elsewhere: bool = False) -> tuple[str, str]:
        """EXACT, ORDER or DIFFERS, and in what it differs.

        elsewhere: what led from one to the other was derived in another database.
        """


@dataclass(frozen=True)
class Facts:
    """Our own catalog facts: no second opinion, but nothing has to be installed."""

    name: str = "our own catalog facts (no second opinion: they are what generate-down proves with)"

    def look(self, database: ScratchDatabase) -> Any:
        with database.connect() as connection:
            return read(connection, edges=False)

    def compare(self, before: Any, after: Any, *, elsewhere: bool = False) -> tuple[str, str]:
        found = compare(before, after)
        worse = [str(one) for one in found if one.how != "order"]
        if worse:
            return DIFFERS, listed(worse)
        return (ORDER, listed(list(map(str, found)))) if found else (EXACT, "")


def judge_for(server: ScratchServer, wish: Wish) -> Judge:
    """pg_dump unless our facts were asked for or it isn't there. Raises DatabaseError."""
    if wish.judge == "facts":
        return Facts()
    major = int(server.version.partition(".")[0])
    for program in programs():
        if not Path(program).is_file():
            continue
        answer = subprocess.run([program, "--version"], capture_output=True, text=True)
        version = re.search(r"\) (\d+)[^\s]*", answer.stdout)
        if version and int(version[1]) >= major:
            return Dumps(program, version[0].removeprefix(") "))
    if wish.judge == "dump":
        raise DatabaseError(f"No pg_dump of version {major} or newer was found.")
    return replace(Facts(), name=f"{Facts().name}; no pg_dump of version {major} was found")


def programs() -> Iterator[str]:
    """Every pg_dump: of the embedded server, in the PATH, of installed servers."""
    with suppress(EmbeddedError):
        yield str(find_binaries() / "pg_dump")
    if found := shutil.which("pg_dump"):
        yield found
    yield from (str(folder / "pg_dump") for folder in installed())
