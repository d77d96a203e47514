"""What must hold after each kill: what is left is whole, or said to be partial, and told truly."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection
from sqlalchemy.pool import NullPool

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.model import Snapshot
from alembic_rollback.catalog.facts.reading import read
from tests.project import Result

_OURS = re.compile(r"\b(alembic_version|schema_migrations|rollback_archive)")
_TABLES = (
    "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'm') AND "
    "c.relnamespace = 'public'::regnamespace ORDER BY 1"
)
_ROWS = "SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"


@dataclass(frozen=True)
class Seen:
    """A database as it stands."""

    ledger: frozenset[str]
    heads: tuple[str, ...]
    schema: Snapshot
    rows: Mapping[str, Any]
    """By table, or by a query of the scenario's own."""
    order: tuple[str, ...] = ()
    """Every version, oldest first."""
    partial: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What migration-status says is partial, by version."""
    log: tuple[Any, ...] = ()
    """The log's rows, without what is another in each run."""

    @property
    def fingerprint(self) -> str:
        """Two databases with the same one cannot be told apart by a command."""
        facts = sorted((f.kind, f.key, str(f.details)) for f in self.schema.facts.values())
        state = (sorted(self.ledger), self.heads, facts, sorted(self.rows.items()), self.log)
        return hashlib.sha256(repr((state, sorted(self.partial.items()))).encode()).hexdigest()

    def differs(self, other: Seen) -> list[str]:
        """In which objects and rows two databases differ; not in their bookkeeping."""
        found = [str(one) for one in compare(other.schema, self.schema)]
        names = sorted(self.rows.keys() | other.rows.keys())
        found += [f"rows of {n}" for n in names if self.rows.get(n) != other.rows.get(n)]
        return found


def look(url: URL, queries: Sequence[str], status: Result) -> Seen:
    """Read a database, and what migration-status has said of it."""
    (database,) = json.loads(status.out)["databases"]
    revisions = database["revisions"]
    partial = {r["version"]: r.get("partial") or {} for r in revisions if r["state"] == "partial"}
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return Seen(
            frozenset(_column(connection, "schema_migrations", "version")),
            tuple(_column(connection, "alembic_version", "version_num")),
            _schema(connection),
            _rows(connection, queries),
            tuple(r["version"] for r in revisions),
            partial,
            tuple(_log(connection)),
        )


def _log(connection: Connection) -> list[str]:
    if not connection.exec_driver_sql("SELECT to_regclass('schema_migrations_log')").scalar():
        return []
    volatile = "{id,run_id,started_at,duration_ms,client}"
    found = connection.exec_driver_sql(
        f"SELECT CAST(to_jsonb(l) - CAST('{volatile}' AS text[]) AS text) "
        "FROM schema_migrations_log l ORDER BY id"
    )
    return [str(row[0]) for row in found]


def _column(connection: Connection, table: str, column: str) -> list[str]:
    exists = connection.exec_driver_sql(f"SELECT to_regclass('{table}')").scalar()
    if not exists:
        return []
    found = connection.exec_driver_sql(f"SELECT {column} FROM {table} ORDER BY 1")
    return [str(row[0]) for row in found]


def _schema(connection: Connection) -> Snapshot:
    facts = read(connection, edges=False).facts
    return Snapshot({id_: fact for id_, fact in facts.items() if not _OURS.search(fact.key)})


def _rows(connection: Connection, queries: Sequence[str]) -> dict[str, Any]:
    def ask(sql: str) -> Any:
        return connection.exec_driver_sql(sql).scalar()

    tables = [row[0] for row in connection.exec_driver_sql(_TABLES)]
    found = {name: ask(_ROWS.format(name)) for name in tables if not _OURS.search(name)}
    return found | {sql: ask(sql) for sql in queries}


# --- the state ----------------------------------------------------------------------------------


def state_problems(seen: Seen, references: Iterable[Seen]) -> Iterator[str]:
    """Ledger = version table = catalog, or a partial state that status shows."""
    applied = [version for version in seen.order if version in seen.ledger]
    if list(seen.heads) != applied[-1:]:
        yield f"ledger {applied} and version table {list(seen.heads)} don't agree"
    fitting = [one for one in references if one.ledger == seen.ledger]
    if not fitting:
        yield f"a ledger that no step leaves behind: {applied}"
        return
    differences = min((seen.differs(one) for one in fitting), key=len)
    if differences and not seen.partial:
        yield f"ledger says {applied}, status says nothing of a partial state, yet: {differences}"
    if seen.partial and len(seen.partial) > 1:
        yield f"{len(seen.partial)} revisions are partial at once: {sorted(seen.partial)}"


def end_problems(seen: Seen, end: Seen) -> Iterator[str]:
    """Running it again has finished the job."""
    if seen.partial.keys() - end.partial.keys():
        yield f"still partial after running it again: {dict(seen.partial)}"
    if (seen.ledger, seen.heads) != (end.ledger, end.heads):
        yield f"after running it again the ledger is {sorted(seen.ledger)}, {seen.heads}"
    if differences := seen.differs(end):
        yield f"after running it again: {differences}"


# --- the output ---------------------------------------------------------------------------------

_TOLD = (
    ("The database is unchanged", "unchanged"),
    ("Nothing was changed", "unchanged"),
    ("Nothing of ", "whole"),
    ("is partial", "partial"),
)
_STATE = re.compile(
    "database is unchanged|Nothing was changed|Nothing of|is partial|committed before it"
    "|itself was undone|nothing of it is left|migration-status|could not be read afterwards"
    "|unless they commit it"
)
_NEXT = re.compile("Next:|`alembic |[Rr]un (it|the command|this|the upgrade) again|again")
_COMMITTED = re.compile(r"Revisions? ([^.]*?) (applied|rolled back) and committed")
_DONE = re.compile(r"Rolled back (\S+)")


def output_problems(said: Result, seen: Seen, start: Seen, end: Seen) -> Iterator[str]:
    """The client has outlived it: what it says is true, and enough."""
    if "Traceback" in said.text:
        yield "a traceback"
    finished = seen.ledger == end.ledger and seen.partial.keys() <= end.partial.keys()
    if said.code == 0:
        if not finished:
            yield "exit code 0, and it isn't done"
        return
    if said.code < 0 or said.code > 5:
        yield f"exit code {said.code}"
    if "error:" not in said.err:
        yield "no line that begins with error:"
    if not _STATE.search(said.err):
        yield "it doesn't say where the database is"
    if not _NEXT.search(said.err):
        yield "it doesn't say what to do next"
    yield from claim_problems(said, seen, start)


def claim_problems(said: Result, seen: Seen, start: Seen) -> Iterator[str]:
    """Nothing is announced that did not happen; also true of a client that was killed."""
    as_before = seen.partial == start.partial
    unchanged = seen.ledger == start.ledger and as_before and not seen.differs(start)
    whole = as_before or not seen.partial
    truths = {"unchanged": unchanged, "whole": whole, "partial": bool(seen.partial)}
    for text, claim in _TOLD:
        if text in said.text and not truths[claim]:
            yield f"it says {text!r}, which isn't true"
    for versions, how in _COMMITTED.findall(said.text):
        for version in versions.split(", "):
            if (version in seen.ledger) != (how == "applied"):
                yield f"it says that {version} was {how}, which isn't true"
    for title in _DONE.findall(said.text):
        if title.partition("_")[0] in seen.ledger:
            yield f"it says that {title} was rolled back, which isn't true"
