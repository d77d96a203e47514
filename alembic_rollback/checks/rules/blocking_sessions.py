"""Sessions that hold or wait for locks, right now, that the plan would have to wait for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_rollback.checks.rules.lock_level import planned_locks
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.sql.locks import ACCESS_EXCLUSIVE, MODES, conflicting, strongest
from alembic_rollback.sql.names import quote_literal, quote_name

_MOST = 5
"""Sessions, and relations of one, that are named."""
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass
class _Session:
    """A session or prepared transaction, and which of its locks are in the way."""

    row: Any
    held: dict[str, str] = field(default_factory=dict)
    """The strongest mode by relation."""
    awaited: dict[str, str] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, int]:
        """Those first that don't end by themselves, then the oldest."""
        idle = (self.row.state or "").startswith("idle in transaction")
        return (0 if idle else 1 if self.row.gid else 2, -(self.row.seconds or 0))


def check(subject: Subject) -> Iterator[Said]:
    """Name each session in the way of the plan, with what it does and how to end it."""
    sessions = sorted(_in_the_way(subject), key=lambda one: one.rank)
    for session in sessions[:_MOST]:
        yield Said(f"{_shown(session.row)} {_locks_of(session)}.", _way_out(session.row))
    if len(sessions) > _MOST:
        more = len(sessions) - _MOST
        yield Said(f"And {more} more.", "SELECT * FROM pg_locks names them all.")


def _in_the_way(subject: Subject) -> Iterable[_Session]:
    # What only the impact knows of (CASCADE, parts of what goes) is dropped or altered.
    wanted = dict.fromkeys(subject.impact.relations, ACCESS_EXCLUSIVE)
    wanted |= {lock.oid: lock.mode for lock in planned_locks(subject).values()}
    found: dict[object, _Session] = {}
    for row in _rows(subject, wanted):
        mode = mode_called(row.mode)
        if mode in conflicting(wanted[row.relation]) and not _yields(row):
            session = found.setdefault(row.gid or row.pid, _Session(row))
            locks = session.held if row.granted else session.awaited
            name = quote_name((row.relname,) if row.visible else (row.nspname, row.relname))
            locks[name] = strongest((mode, locks.get(name, mode)))
    return found.values()


def _rows(subject: Subject, wanted: Mapping[int, str]) -> Iterable[Any]:
    from sqlalchemy import text

    oids = ",".join(str(oid) for oid in wanted)
    rows: Iterable[Any] = subject.connection.execute(text(_SQL), {"oids": oids})
    return rows


# A parallel worker's locks count as its leader's. Which prepared transaction a lock belongs to, the
# lock on its number says; '-1/' and the number, as pg_locks' documentation has it, come only with a
# restart of the server.
_SQL = """
SELECT coalesce(a.leader_pid, l.pid) AS pid, l.relation, l.mode, l.granted, n.nspname, c.relname,
  pg_table_is_visible(c.oid) AS visible, coalesce(a.usename, p.owner) AS usename,
  a.application_name, host(a.client_addr) AS client, a.state, a.backend_type, a.query, p.gid,
  CAST(extract(epoch FROM clock_timestamp() - coalesce(a.state_change, p.prepared)) AS bigint)
    AS seconds
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN (
  SELECT x.virtualtransaction, p.gid, p.owner, p.prepared
  FROM pg_locks x JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
  WHERE x.locktype = 'transactionid' AND x.pid IS NULL
) p ON l.pid IS NULL AND p.virtualtransaction = l.virtualtransaction
WHERE l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relkind NOT IN ('i', 'I')  -- nobody uses one without its table
  AND l.relation = ANY (CAST(string_to_array(:oids, ',') AS oid[]))
  AND l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY l.relation, l.pid, l.mode
"""


def mode_called(name: str) -> str:
    """pg_locks' word for a mode → LOCK TABLE's: `AccessExclusiveLock` → `ACCESS EXCLUSIVE`."""
    return next(mode for mode in MODES if mode.title().replace(" ", "") + "Lock" == name)


def _yields(row: Any) -> bool:
    """Autovacuum ends itself when somebody waits for it, but not where wraparound threatens."""
    return row.backend_type == "autovacuum worker" and not _is_urgent(row)


def _is_urgent(row: Any) -> bool:
    return "to prevent wraparound" in (row.query or "")


def _shown(row: Any) -> str:
    """`Session 4711 (user app, from 10.0.0.3, idle in transaction for 12 min)`.

    Other roles' sessions show no more than a pid and a user to who isn't in pg_read_all_stats.
    """
    kind = row.backend_type if row.backend_type not in (None, "client backend") else ""
    age = "" if row.seconds is None else f" for {_duration(row.seconds)}"
    facts = (
        row.usename and f"user {row.usename}",
        row.application_name and f"application {row.application_name}",
        row.client and f"from {row.client}",
        kind,
        (row.state or (row.gid and "prepared")) and f"{row.state or 'prepared'}{age}",
    )
    shown = ", ".join(fact for fact in facts if fact)
    who = f"Session {row.pid}"
    if row.gid or row.pid is None:
        who = f"Prepared transaction {quote_literal(row.gid) if row.gid else '(unknown)'}"
    return f"{who} ({shown})" if shown else who


def _duration(seconds: int) -> str:
    """`12 min`."""
    size, unit = next(((s, u) for s, u in _UNITS if seconds >= s), _UNITS[-1])
    return f"{max(seconds, 0) // size} {unit}"


def _locks_of(session: _Session) -> str:
    """`holds ROW EXCLUSIVE on purchase_orders and waits for SHARE on suppliers`."""
    found = []
    for verb, locks in (("holds", session.held), ("waits for", session.awaited)):
        for mode in reversed(MODES):
            names = [name for name in locks if locks[name] == mode]
            if names:
                found.append(f"{verb} {mode} on {_listed(names)}")
                verb = verb if verb == "waits for" else "and"
    return ", ".join(found).replace(", and ", " and ")


def _listed(names: list[str]) -> str:
    if len(names) > _MOST:
        names = [*names[: _MOST - 1], f"{len(names) - _MOST + 1} more"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _way_out(row: Any) -> str:
    if row.gid:
        gid = quote_literal(row.gid)
        return f"Its owner ends it with COMMIT PREPARED {gid} or ROLLBACK PREPARED {gid}."
    if row.backend_type == "autovacuum worker":
        return "Wait for it: it prevents transaction ID wraparound, and would start again."
    return f"Wait for it, or end it with SELECT pg_terminate_backend({row.pid})."
