"""The ledger (`schema_migrations`) and its log: their DDL and every query of them, in one place.

Each function takes a connection and never opens, commits or closes one, so that a row is written
in the transaction of the step that it records. Tables are named with their schema: a migration
may have changed search_path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from alembic_rollback import direct
from alembic_rollback.model import (
    Collateral,
    Failure,
    LedgerRow,
    LogEntry,
    LogRow,
    Partial,
    Progress,
    StoredDown,
)
from alembic_rollback.sql.names import quote_always, quote_literal, quote_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

MAX_VERSION = 50
"""Characters that the ledger's version column holds."""

LEDGER_DDL = """CREATE TABLE IF NOT EXISTS {ledger} (
    version VARCHAR(50) PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    checksum VARCHAR(64) NOT NULL,
    execution_time_ms INTEGER
)"""

LOG_DDL = """CREATE TABLE IF NOT EXISTS {log} (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id VARCHAR(36) NOT NULL,
    version VARCHAR(50) NOT NULL,
    name TEXT NOT NULL,
    direction VARCHAR(4) NOT NULL,
    outcome VARCHAR(20) NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    duration_ms INTEGER,
    checksum VARCHAR(64),
    down_checksum VARCHAR(64),
    down_sql TEXT,
    down_revisions TEXT,
    depends_on TEXT,
    statement TEXT,
    statement_number INTEGER,
    statement_total INTEGER,
    found TEXT,
    error TEXT,
    tag TEXT,
    db_user TEXT NOT NULL DEFAULT SESSION_USER,
    client TEXT
)"""

_TEXT = {"varchar", "text", "bpchar"}
_TIME = {"timestamptz", "timestamp"}
_NUMBER = {"int2", "int4", "int8"}
_SHAPE = {
    "version": _TEXT,
    "name": _TEXT,
    "applied_at": _TIME,
    "checksum": _TEXT,
    "execution_time_ms": _NUMBER,
}
_TOOLS = {
    "golang-migrate": {"version": _NUMBER, "dirty": {"bool"}},
    "dbmate": {"version": _TEXT},
}
"""The columns of other tools' version tables."""
_OF_STATEMENTS = "'started', 'finished', 'skipped', 'reset'"
_ENDED = f"outcome NOT IN ('failed', 'collateral', 'archived', {_OF_STATEMENTS})"
_ASIDE = f"'failed', 'collateral', 'repaired', 'accepted', 'archived', {_OF_STATEMENTS}"
"""Outcomes that say nothing about whether a revision is whole again."""
_BETWEEN = (
    "('collateral', 'repaired', 'tagged', 'accepted', 'cleared', 'archived', 'restored', "
    f"{_OF_STATEMENTS})"
)
"""Outcomes of rows that say nothing about a whole step: they lie between its rows."""
_LOG_ROW = (
    "id, run_id, started_at, version, name, direction, outcome, duration_ms, statement, "
    "statement_number, error, tag"
)
_CTE = "alembic_rollback_"
"""No table that is written to may be named as a part of WITH is."""
_TARGET_CLASS = "SELECT to_regclass(:name)::oid"


class Shape(Enum):
    """What stands under the ledger's name."""

    ABSENT = "absent"
    OURS = "ours"
    FOREIGN = "foreign"
    """A table of another tool. It is never altered."""


class Run(NamedTuple):
    """What all log rows of one run share."""

    run_id: str
    tag: str | None = None
    client: str | None = None


class Tagged(NamedTuple):
    """An applied set: the heads with all that they stand on, without the holes."""

    heads: tuple[str, ...]
    holes: tuple[str, ...] = ()


class Ghost(NamedTuple):
    """A revision without a file, as the log remembers it."""

    name: str
    down_revisions: tuple[str, ...]
    depends_on: tuple[str, ...]


class Ledger(NamedTuple):
    """The names of one project's ledger and log in one database."""

    schema: str
    table: str

    @property
    def log_table(self) -> str:
        """The log is named after the ledger."""
        return f"{self.table}_log"

    @property
    def tables(self) -> tuple[str, str]:
        """Both names, unqualified."""
        return self.table, self.log_table

    @property
    def lock_key(self) -> int:
        """A signed 64-bit key for pg_advisory_lock, the same for every client of this ledger."""
        digest = hashlib.sha256(f"alembic_rollback\0{self.schema}\0{self.table}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def shape(self, connection: Connection) -> Shape:
        """Whether the table is absent, has our five columns, or is somebody else's."""
        name = self._named(self.table)
        columns = _columns(connection, name)
        if not columns and _class_oid(connection, name) is None:
            return Shape.ABSENT
        ours = all(columns.get(name, ("", False))[0] in types for name, types in _SHAPE.items())
        extra_required = any(must for name, (_, must) in columns.items() if name not in _SHAPE)
        return Shape.OURS if ours and not extra_required else Shape.FOREIGN

    def has_log(self, connection: Connection) -> bool:
        """Whether the log exists."""
        return _class_oid(connection, self._named(self.log_table)) is not None

    @property
    def foreign(self) -> tuple[str, str]:
        """What to say where the shape is FOREIGN: the problem, and what to do about it."""
        name = quote_name((self.schema, self.table))
        return (
            f"The table {name} is another tool's: it hasn't the columns of a ledger.",
            "Set `ledger_table = …` in [alembic_rollback] to a free name.",
        )

    def is_adopting(self, connection: Connection) -> bool:
        """Whether no run of ours has ever come to an end here; failed attempts don't count.

        The log must be there: where there is none, none has.
        """
        sql = f"SELECT NOT EXISTS (SELECT FROM {self._bound(self.log_table)} WHERE {_ENDED})"
        return bool(_run(connection, sql, {}).scalar_one())

    def create(self, connection: Connection) -> None:
        """Create what is missing. Not asked for when both exist: a role may lack CREATE."""
        for ddl, table in ((LEDGER_DDL, self.table), (LOG_DDL, self.log_table)):
            if _class_oid(connection, self._named(table)) is None:
                _run(connection, _escape_colons(self._filled(ddl)), {})

    def may_write(self, connection: Connection) -> bool:
        """Whether the role has the rights that a run needs on both tables."""
        sql = "SELECT " + " AND ".join(
            f"has_table_privilege(:{table}, '{right}')"
            for table, rights in (
                ("ledger", ("SELECT", "INSERT", "DELETE")),
                ("log", ("SELECT", "INSERT")),
            )
            for right in rights
        )
        names = {"ledger": self._named(self.table), "log": self._named(self.log_table)}
        return bool(_run(connection, sql, names).scalar_one())

    def create_sql(self) -> tuple[str, ...]:
        """Both CREATE TABLE statements, for offline mode."""
        return self._filled(LEDGER_DDL), self._filled(LOG_DDL)

    def rows(self, connection: Connection) -> dict[str, LedgerRow]:
        """The ledger by version, in the order of application."""
        found = _run(
            connection,
            "SELECT version, name, applied_at, checksum, execution_time_ms "
            f"FROM {self._bound(self.table)} ORDER BY applied_at, version",
            {},
        )
        return {row[0]: LedgerRow(*row) for row in found}

    def ghosts(self, connection: Connection) -> dict[str, Ghost]:
        """What the log remembers of each revision in the ledger, for releases without the file."""
        found = _run(
            connection,
            "SELECT DISTINCT ON (g.version) g.version, g.name, g.down_revisions, "
            f"g.depends_on FROM {self._bound(self.log_table)} g "
            f"JOIN {self._bound(self.table)} l ON l.version = g.version "
            f"WHERE g.down_revisions IS NOT NULL AND g.outcome NOT IN {_BETWEEN} "
            "ORDER BY g.version, g.id DESC",
            {},
        )
        return {
            version: Ghost(name, tuple(json.loads(downs)), tuple(json.loads(depends or "[]")))
            for version, name, downs, depends in found
        }

    def failures(self, connection: Connection) -> dict[str, Failure]:
        """The last attempt at each revision, where it failed."""
        found = _run(
            connection,
            "SELECT version, direction, started_at, error, statement FROM ("
            "SELECT DISTINCT ON (version) version, direction, started_at, error, statement, "
            f"outcome FROM {self._bound(self.log_table)} WHERE outcome NOT IN {_BETWEEN} "
            "ORDER BY version, id DESC) last "
            "WHERE outcome = 'failed'",
            {},
        )
        return {row[0]: Failure(row[0], row[1], row[2], row[3] or "", row[4]) for row in found}

    def stored_downs(
        self, connection: Connection, versions: Iterable[str]
    ) -> dict[str, StoredDown]:
        """The down scripts of pairs as they stood when they were applied, by version."""
        wanted = list(versions)
        if not wanted:
            return {}
        found = _run(
            connection,
            "SELECT DISTINCT ON (version) version, name, down_sql, checksum, down_revisions, "
            f"depends_on FROM {self._bound(self.log_table)} WHERE down_sql IS NOT NULL "
            "AND version = ANY(:versions) ORDER BY version, id DESC",
            {"versions": wanted},
        )
        return {
            version: StoredDown(version, name, text, checksum or "", _list(downs), _list(depends))
            for version, name, text, checksum, downs, depends in found
        }

    def last_run(self, connection: Connection, begun: Iterable[str]) -> tuple[str, ...]:
        """What the last upgrade applied that applied anything which still is, in order.

        begun: versions that were begun and not finished; their run is the last one.
        """
        log, ledger = self._bound(self.log_table), self._bound(self.table)
        found = _run(
            connection,
            "WITH last AS (SELECT DISTINCT ON (version) version, run_id, outcome, id "
            f"FROM {log} WHERE outcome IN ('applied', 'stamped', 'adopted') AND version IN "
            f"(SELECT version FROM {ledger}) OR outcome IN ('started', 'finished') "
            "AND version = ANY(:begun) ORDER BY version, id DESC), "
            "ours AS (SELECT * FROM last WHERE outcome NOT IN ('stamped', 'adopted')) "
            "SELECT version FROM ours WHERE run_id = "
            "(SELECT run_id FROM ours ORDER BY id DESC LIMIT 1) ORDER BY id",
            {"begun": ["", *begun]},
        )
        return tuple(row[0] for row in found)

    def tags(self, connection: Connection) -> dict[str, Tagged]:
        """What was applied at the end of each run with a tag; of several, of the last one."""
        found = _run(
            connection,
            f"SELECT tag, found FROM {self._bound(self.log_table)} WHERE outcome = 'tagged' "
            "ORDER BY id",
            {},
        )
        told = ((tag, json.loads(text)) for tag, text in found)
        return {tag: Tagged(tuple(one["heads"]), tuple(one["holes"])) for tag, one in told}

    def note_tag(self, connection: Connection, run: Run, tagged: Tagged) -> None:
        """Keep what is applied at the end of a run with a tag."""
        entry = LogEntry("", "none", "tagged", found=json.dumps(tagged._asdict()))
        self.note(connection, run, entry)

    def partials(self, connection: Connection) -> dict[str, Partial]:
        """What was begun outside a transaction, and neither finished nor undone, by version."""
        log = self._bound(self.log_table)
        found = _run(
            connection,
            f"SELECT version, name, direction, outcome, statement_number, statement_total, "
            f"statement, found FROM {log} g WHERE outcome IN ({_OF_STATEMENTS}, 'failed') "
            "AND statement_number IS NOT NULL AND version IN "
            f"(SELECT version FROM {log} WHERE outcome IN ({_OF_STATEMENTS})) "
            f"AND NOT EXISTS (SELECT FROM {log} e WHERE e.version = g.version AND e.id > g.id "
            f"AND e.outcome NOT IN ({_ASIDE})) "
            "ORDER BY id",
            {},
        )
        rows: dict[str, list[Any]] = {}
        for row in found:
            rows.setdefault(row[0], []).append(row)
        every = (_partial(version, some) for version, some in rows.items())
        return {one.version: one for one in every if one}

    def logged(self, connection: Connection, run_id: str, outcome: str) -> tuple[str, ...]:
        """The versions that a run has logged, in order: what was committed, and nothing else."""
        sql = (
            f"SELECT version FROM {self._bound(self.log_table)} "
            "WHERE run_id = :run_id AND outcome = :outcome ORDER BY id"
        )
        found = _run(connection, sql, {"run_id": run_id, "outcome": outcome})
        return tuple(row[0] for row in found)

    def last_rows(self, connection: Connection, number: int) -> tuple[LogRow, ...]:
        """The last rows of the log, the newest first."""
        sql = f"SELECT {_LOG_ROW} FROM {self._bound(self.log_table)} ORDER BY id DESC LIMIT :number"
        return tuple(LogRow(*row) for row in _run(connection, sql, {"number": number}))

    def rows_of(self, connection: Connection, client: str | None, after: int) -> tuple[LogRow, ...]:
        """What a client has written behind a certain row, in order."""
        sql = (
            f"SELECT {_LOG_ROW} FROM {self._bound(self.log_table)} "
            "WHERE client = :client AND id > :after ORDER BY id"
        )
        found = _run(connection, sql, {"client": client, "after": after})
        return tuple(LogRow(*row) for row in found)

    def collateral(self, connection: Connection) -> list[Collateral]:
        """What rollbacks took from revisions that stayed applied, and nobody has brought back.

        In the order in which it was written. An object counts once, as it was taken last. Where its
        owner has been taken back since, that has settled it.
        """
        log = self._bound(self.log_table)
        found = _run(
            connection,
            f"SELECT version, outcome, statement FROM {log} WHERE outcome IN "
            "('collateral', 'repaired', 'rolled_back', 'forgotten') "
            f"AND id >= (SELECT min(id) FROM {log} WHERE outcome = 'collateral') ORDER BY id",
            {},
        )
        open_: dict[tuple[str, str], Collateral] = {}
        for version, outcome, statement in found:
            if outcome not in ("collateral", "repaired"):
                open_ = {key: one for key, one in open_.items() if one.owner != version}
                continue
            one = _collateral(version, statement)
            open_.pop((one.kind, one.name), None)
            if outcome == "collateral":
                open_[one.kind, one.name] = one
        return list(open_.values())

    def note_collateral(
        self, connection: Connection, run: Run, one: Collateral, *, repaired: bool, name: str = ""
    ) -> None:
        """Keep what a rollback is about to take, or say that it is there again.

        name: of the revision that was rolled back.
        """
        way = ("up", "repaired") if repaired else ("down", "collateral")
        told = {key: value for key, value in one._asdict().items() if key != "version"}
        entry = LogEntry(one.version, *way, name=name, statement=json.dumps(told))
        self.note(connection, run, entry)

    def add(self, connection: Connection, run: Run, entry: LogEntry, also: str = "") -> int:
        """Record a revision as applied, in ledger and log, in one round trip.

        also: a statement of the version table that goes along; returns how many rows it changed.
        """
        return _write(connection, self._add(run, entry), also)

    def remove(self, connection: Connection, run: Run, entry: LogEntry, also: str = "") -> int:
        """Take a revision out of the ledger and say so in the log, in one round trip; as `add`."""
        return _write(connection, self._remove(run, entry), also)

    def accept(self, connection: Connection, run: Run, entry: LogEntry) -> None:
        """Give a ledger row another checksum and say so in the log, in one round trip."""
        _write(connection, self._accept(run, entry))

    def may_change(self, connection: Connection) -> bool:
        """Whether the role may alter a row of the ledger, which no ordinary run does."""
        sql = "SELECT has_table_privilege(:ledger, 'UPDATE')"
        return bool(_run(connection, sql, {"ledger": self._named(self.table)}).scalar_one())

    def note(self, connection: Connection, run: Run, entry: LogEntry) -> None:
        """Write a log row only."""
        _write(connection, ("", self._log(run, entry)))

    def add_sql(self, run: Run, entry: LogEntry) -> str:
        """`add` for offline mode, which cannot reconcile: plain Alembic may have downgraded."""
        ledger, log = self._add(run, entry)
        return _together(
            f"{ledger} ON CONFLICT (version) DO UPDATE SET name = excluded.name, applied_at = "
            "excluded.applied_at, checksum = excluded.checksum, execution_time_ms = NULL",
            log,
        )

    def remove_sql(self, run: Run, entry: LogEntry) -> str:
        """`remove` for offline mode."""
        return _together(*self._remove(run, entry))

    def adopt_sql(self, run: Run, entries: Sequence[LogEntry]) -> str:
        """Adoption as one statement, for offline mode: it does nothing once a run has ended.

        An offline script names the revision it starts from, which says what is applied; but where
        the ledger has been kept already, the ledger knows better.
        """
        put = _literal
        found = ", ".join(
            f"({put(e.version)}, {put(e.name)}, {put(e.checksum)}, {put(e.down_checksum)}, "
            f"{put(e.down_sql)}, {put(json.dumps(e.down_revisions))}, "
            f"{put(json.dumps(e.depends_on))})"
            for e in entries
        )
        kept = "checksum, down_checksum, down_sql, down_revisions, depends_on"
        ledger, log = self._named(self.table), self._named(self.log_table)
        return (
            f"WITH found (version, name, {kept}) AS (VALUES {found}), "
            f"adopted AS (INSERT INTO {ledger} (version, name, applied_at, checksum) "
            "SELECT version, left(name, 255), clock_timestamp(), checksum FROM found "
            f"WHERE NOT EXISTS (SELECT FROM {log} WHERE {_ENDED}) "
            "ON CONFLICT DO NOTHING RETURNING version) "
            f"INSERT INTO {log} (run_id, direction, outcome, started_at, client, version, name, "
            f"{kept}) SELECT {put(run.run_id)}, 'none', 'adopted', clock_timestamp(), "
            f"{put(run.client)}, version, name, {kept} FROM found JOIN adopted USING (version)"
        )

    def _add(self, run: Run, entry: LogEntry) -> tuple[str, str]:
        """The statements of ledger and log. A row that is there already is a bug to hear of."""
        row = {
            "version": _literal(entry.version),
            "name": _literal(entry.name[:255]),
            "applied_at": "clock_timestamp()",
            "checksum": _literal(entry.checksum),
            "execution_time_ms": _literal(entry.duration_ms),
        }
        return _insert(self._named(self.table), row), self._log(run, entry)

    def _remove(self, run: Run, entry: LogEntry) -> tuple[str, str]:
        condition = f"version = {_literal(entry.version)}"
        return f"DELETE FROM {self._named(self.table)} WHERE {condition}", self._log(run, entry)

    def _accept(self, run: Run, entry: LogEntry) -> tuple[str, str]:
        change = f"checksum = {_literal(entry.checksum)}"
        condition = f"version = {_literal(entry.version)}"
        ledger = f"UPDATE {self._named(self.table)} SET {change} WHERE {condition}"
        return ledger, self._log(run, entry)

    def _log(self, run: Run, entry: LogEntry) -> str:
        put = _literal
        elapsed = f"make_interval(secs => {put((entry.duration_ms or 0) / 1000)})"
        row = {
            "run_id": put(run.run_id),
            "version": put(entry.version),
            "name": put(entry.name),
            "direction": put(entry.direction),
            "outcome": put(entry.outcome),
            "started_at": f"clock_timestamp() - {elapsed}",
            "duration_ms": put(entry.duration_ms),
            "checksum": put(entry.checksum or None),
            "down_checksum": put(entry.down_checksum),
            "down_sql": put(entry.down_sql),
            "down_revisions": put(json.dumps(entry.down_revisions)),
            "depends_on": put(json.dumps(entry.depends_on)),
            "statement": put(entry.statement),
            "statement_number": put(entry.statement_number),
            "statement_total": put(entry.statement_total),
            "found": put(entry.found),
            "error": put(entry.error),
            "tag": put(run.tag),
            "client": put(run.client),
        }
        return _insert(self._named(self.log_table), row)

    def _filled(self, ddl: str) -> str:
        return ddl.format(ledger=self._named(self.table), log=self._named(self.log_table))

    def _named(self, table: str) -> str:
        if not self.schema:  # offline mode without version_table_schema: search_path decides
            return quote_always(table)
        return f"{quote_always(self.schema)}.{quote_always(table)}"

    def _bound(self, table: str) -> str:
        return _escape_colons(self._named(table))


def ledger_name(ledger_table: str, version_table: str) -> str:
    """The ledger's name: a second version table in the database gets a ledger of its own."""
    if version_table == "alembic_version":
        return ledger_table
    name = f"{ledger_table}_{version_table}"
    if len(name.encode()) <= 59:  # with _log below PostgreSQL's 63 bytes
        return name
    cut = name.encode()[:50].decode(errors="ignore")
    return f"{cut}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def find_schema(
    connection: Connection, schema: str | None, version_table: str, ledger_table: str
) -> str:
    """The schema that ledger and log live in: the version table's.

    Alembic leaves an unqualified version table to search_path; so where it (or else the ledger)
    is visible already, that schema; otherwise the one in which it will be created.
    """
    if schema:
        return schema
    sql = (
        "SELECT coalesce((SELECT nspname FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = relnamespace WHERE c.oid = coalesce(to_regclass(:version_table), "
        "to_regclass(:ledger_table))), current_schema(), 'public')"
    )
    names = {
        "version_table": quote_always(version_table),
        "ledger_table": quote_always(ledger_table),
    }
    return str(_run(connection, sql, names).scalar_one())


def _list(value: str | None) -> tuple[str, ...]:
    return tuple(json.loads(value or "[]"))


def _partial(version: str, rows: Sequence[Any]) -> Partial | None:
    """A revision's log rows since it was last whole, in order."""
    progress: dict[str, Progress] = {}
    name = str(rows[-1][1])
    for _, _, direction, outcome, number, total, statement, found in rows:
        was = progress.get(direction) or Progress({}, total)
        if outcome == "started":
            new = Progress(was.done, total, number, statement, found)
        elif outcome == "reset":  # a person has said where it goes on
            new = Progress({n: text for n, text in was.done.items() if n < number}, total)
        elif outcome != "failed":
            new = Progress({**was.done, number: statement}, total)
        elif number == was.doubtful:
            new = was._replace(failed=True)
        else:
            new = was  # of a statement that was in a transaction of its own
        progress[direction] = new
    # An attempt of which no statement was begun has left nothing.
    begun = {way: one for way, one in progress.items() if one.done or one.doubtful}
    return Partial(version, name, begun.get("up"), begun.get("down")) if begun else None


def _collateral(version: str, statement: str) -> Collateral:
    told: dict[str, Any] = json.loads(statement)
    told |= {key: tuple(told.get(key, ())) for key in ("statements", "names", "args")}
    return Collateral(version, **told)


def has_schema(connection: Connection, name: str) -> bool:
    """Whether there is a schema of that name."""
    sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :name)"
    return bool(_run(connection, sql, {"name": name}).scalar_one())


def find_table(connection: Connection, schema: str, name: str) -> tuple[str, str] | None:
    """Schema and name of a table: in that schema, else where search_path finds it.

    name: as it is, or as one would write it in SQL (`public.schema_migrations`).
    """
    sql = (
        "SELECT CAST(nspname AS text), CAST(relname AS text) FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = relnamespace WHERE c.oid = coalesce(to_regclass(:here), "
        "to_regclass(quote_ident(:name)), to_regclass(:name))"
    )
    here = f"{quote_always(schema)}.{quote_always(name)}"
    row = _run(connection, sql, {"here": here, "name": name}).first()
    return (row[0], row[1]) if row else None


def tool_rows(
    connection: Connection, table: tuple[str, str], tool: str
) -> list[tuple[str, bool]] | None:
    """Version and dirty flag by row of another tool's table; None where it hasn't its columns."""
    name, expected = ".".join(map(quote_always, table)), _TOOLS[tool]
    columns = _columns(connection, name)
    if any(columns.get(column, ("", False))[0] not in kinds for column, kinds in expected.items()):
        return None
    dirty = "dirty" if "dirty" in expected else "false"
    sql = f"SELECT CAST(version AS text), {dirty} FROM {_escape_colons(name)} ORDER BY version"
    return [(row[0], row[1]) for row in _run(connection, sql, {})]


def server_now(connection: Connection) -> Any:
    """The server's clock."""
    return _run(connection, "SELECT clock_timestamp()", {}).scalar_one()


def _columns(connection: Connection, table: str) -> dict[str, tuple[str, bool]]:
    """Type and *must be given* (not null, without default) by column name; empty if no table."""
    sql = (
        "SELECT a.attname, t.typname, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' "
        "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped"
    )
    found = _run(connection, sql, {"name": table})
    return {name: (kind, must) for name, kind, must in found}


def _class_oid(connection: Connection, table: str) -> int | None:
    found: int | None = _run(connection, _TARGET_CLASS, {"name": table}).scalar()
    return found


def _insert(table: str, row: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(row.values())})"


def _literal(value: str | float | None) -> str:
    return quote_literal(value) if value is None or isinstance(value, str) else str(value)


def _together(ledger: str, log: str, also: str = "") -> str:
    """One statement of both; with `also`, it returns how many rows that one has returned."""
    parts = {"ledger_row": ledger, "version_row": also}
    listed = ", ".join(f"{_CTE}{name} AS ({sql})" for name, sql in parts.items() if sql)
    counted = f" RETURNING (SELECT count(*) FROM {_CTE}version_row)" if also else ""
    return f"WITH {listed} {log}{counted}" if listed else log


def _write(connection: Connection, statements: tuple[str, str], also: str = "") -> int:
    """Execute as it stands: literals are the same for every driver, and nothing is compiled."""
    if not also:
        direct.execute(connection, _together(*statements))
        return 0
    # Three statements in a message take PostgreSQL half as long as one of three parts.
    changed = direct.changed_by_last(connection, (*statements, also))
    if changed is None:
        changed = int(direct.scalar(connection, _together(*statements, also)))
    return changed


def _escape_colons(sql: str) -> str:
    """A colon in a quoted name must not be read as a parameter."""
    return sql.replace(":", "\\:")


def _run(connection: Connection, sql: str, values: dict[str, Any]) -> Any:
    """Execute with SQLAlchemy's :name parameters, which every driver understands."""
    from sqlalchemy import text

    return connection.execute(text(sql), values)
