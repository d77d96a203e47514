"""One runner at a time: advisory locks on the connection of the run.

Normally the transaction's own (pg_try_advisory_xact_lock): env.py commits after run_migrations has
returned, so a session lock released there would let the next runner see the state before; and
behind a pooler in transaction mode, a session lock stays on a connection that is somebody else's
by then. Only where the run commits in between, a session lock holds over the gaps (PostgreSQL,
13.3.5 Advisory Locks).

Whoever has to wait asks again and again. Inside a lock function that waits, a snapshot would be
held all the time: the other runner's CREATE INDEX CONCURRENTLY waits for every older snapshot, and
we for its lock, until PostgreSQL kills one of both.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import Blocked, RollbackError
from alembic_rollback.settings import shown_seconds
from alembic_rollback.sql.names import quote_literal

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

log = logging.getLogger("alembic.rollback")

# Short against idle_in_transaction_session_timeout, where the transaction isn't ours to end.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5

# A function of pg_locks and pg_stat_activity, which show the present in any snapshot. Of another
# user's session, a role without pg_read_all_stats sees the name only. client_port: -1 for a socket.
_HOLDER = """
SELECT l.pid, a.usename::text,
       CASE WHEN a.client_port = -1 THEN 'local' ELSE 'from ' || host(a.client_addr) END,
       a.application_name,
       CASE WHEN a.xact_start IS NOT NULL THEN 'in a transaction since ' ELSE 'connected since ' END
       || to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC',
                  'YYYY-MM-DD HH24:MI:SS') || ' UTC',
       pg_backend_pid() = ANY (pg_blocking_pids(l.pid))
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = {high}::oid AND l.objid = {low}::oid
  AND l.pid IS DISTINCT FROM pg_backend_pid()
"""

# The lock, and whether nobody has committed since this transaction's snapshot was taken: neither
# who was running then (xip), nor who has begun since (from xmax up to us, who begin now). CASE
# looks after the lock is there; so whatever the runner before us did is in the snapshot.
_LOCK_AND_FRESHNESS = """
SELECT CASE WHEN pg_try_advisory_xact_lock({key}) THEN NOT EXISTS (
    SELECT FROM (
        SELECT pg_snapshot_xip(pg_current_snapshot()) AS xid
        UNION ALL
        SELECT number::text::xid8
        FROM generate_series(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                             pg_current_xact_id()::text::bigint - 1) AS number
    ) AS later
    WHERE pg_xact_status(xid) = 'committed'
) ELSE false END
"""

# What SET LOCAL may have changed. Settings of the user's own (app.tenant) PostgreSQL doesn't list.
_SETTINGS = """
SELECT name, setting FROM pg_settings WHERE source = 'session'
AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
UNION ALL SELECT 'role', current_setting('role')
"""


@dataclass(frozen=True)
class Holder:
    """The session that has the lock, as far as this role may know it."""

    pid: int | None
    """None: a prepared transaction."""
    facts: tuple[str, ...]
    waits_for_us: bool

    def __str__(self) -> str:
        name = f"pid {self.pid}" if self.pid else "a prepared transaction (pg_prepared_xacts)"
        return f"{name} ({', '.join(self.facts)})" if self.facts else name


class RunnerLock:
    """The lock of one run of migrations."""

    def __init__(
        self, context: MigrationContext, key: int, *, session: bool, wait: float | None = None
    ) -> None:
        """session: the run commits in between, so the lock must outlive a transaction.

        wait: for how many seconds another runner is waited for; None: for ever.
        """
        self.context, self.key, self.session, self.wait = context, key, session, wait
        self._pid: int | None = None
        self._local: dict[str, str] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lock, waiting for whoever has it, and keep it for the run.

        Raises Blocked when the time is up.
        """
        try:
            self._take()
        except BaseException as error:
            if self._is_interrupt(error):
                raise RollbackError(
                    "Interrupted while waiting for another runner.", state="Nothing was changed."
                ) from None
            raise
        try:
            yield
        finally:
            if self.session:
                # On a dead connection the server has let go already.
                with suppress(Exception):
                    self._unlock()

    @contextmanager
    def bridged(self) -> Iterator[None]:
        """Keep the lock over an autocommit block, which commits the transaction that holds it."""
        if self.session:
            yield
            return
        taken = self._lock_session()
        try:
            yield
        finally:
            # The block has left a new transaction: the lock goes over into it. Tried, not waited
            # for: behind a pooler, it may be our own session lock that is in the way.
            with suppress(Exception):
                self._ask(f"SELECT pg_try_advisory_xact_lock({self.key})")
                if taken:
                    self._unlock()

    def _take(self) -> None:
        above = self._sees_old_state()
        told: int | None = -1
        pause, end = _FIRST_PAUSE, time.monotonic() + (math.inf if self.wait is None else self.wait)
        while not self._taken(above):
            holder, left = self._holder(), end - time.monotonic()
            if holder:
                self._give_up_if_over(holder, left)
                if holder.pid != told:
                    log.warning("Waiting for another runner: %s; %s.", holder, self._limit)
                told = holder.pid
            if above or self.session or (holder and holder.waits_for_us):
                self._begin_anew()
            time.sleep(max(min(pause, left), 0.01))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        if self.session:
            self._begin_anew()
        self._set_again()

    def _taken(self, above: bool) -> bool:
        """Whether the lock is ours now, and what was committed under it before can be seen."""
        if self.session:
            return self._lock_session()
        if above:
            return bool(self._ask(_LOCK_AND_FRESHNESS.format(key=self.key)))
        return bool(self._ask(f"SELECT pg_try_advisory_xact_lock({self.key})"))

    def _sees_old_state(self) -> bool:
        """Above READ COMMITTED the snapshot may be older than the lock, and is held meanwhile.

        Then the transaction is begun anew between two questions; but not a caller's, which is not
        ours to end: it keeps what it sees.
        """
        if self.context._in_external_transaction:
            return False
        return bool(self._ask("SHOW transaction_isolation") != "read committed")

    def _holder(self) -> Holder | None:
        """Who has the lock; None where it has just been let go."""
        unsigned = self.key % 2**64
        high, low = divmod(unsigned, 2**32)
        sql = _HOLDER.format(high=high, low=low)
        row = self._connection.exec_driver_sql(sql).first()
        if row is None:
            return None
        pid, user, host, application, since, waits_for_us = row
        known = (
            user and f"user {user}",
            host,
            application and f"application {application}",
            since,
        )
        return Holder(pid, tuple(fact for fact in known if fact), bool(waits_for_us))

    def _give_up_if_over(self, holder: Holder, left: float) -> None:
        """Stop waiting when the time is up, and where waiting would never end.

        In READ COMMITTED a transaction can be waited for, too, though it holds no snapshot between
        two questions: CREATE INDEX CONCURRENTLY may have come just while one was being answered.
        """
        advice = "Wait for it"
        if holder.pid:
            advice += f"; or end it: SELECT pg_terminate_backend({holder.pid})"
        if holder.waits_for_us and self.context._in_external_transaction:
            raise Blocked(
                f"Another runner has the lock and waits for this very transaction: {holder}.",
                state="Nothing was changed.",
                next_step=f"{advice}. Or run it through a connection that is not in a transaction.",
            )
        if self.wait is not None and left <= 0:
            raise Blocked(
                f"Waited {shown_seconds(self.wait)} for another runner: {holder}.",
                state="Nothing was changed.",
                next_step=f"{advice}; or wait longer: lock_wait = … in [alembic_rollback], "
                "--lock-wait for rollback-db.",
            )

    @property
    def _limit(self) -> str:
        if self.wait is None:
            return "as long as it takes, as lock_wait = 0 says"
        return f"at most {shown_seconds(self.wait)}, as lock_wait says"

    def _begin_anew(self) -> None:
        """Go on in a new transaction: nothing has been done in this one but waiting.

        It is committed, and not rolled back, because env.py may have SET something in it. Nothing
        is asked in the new one yet: above READ COMMITTED, that would take its snapshot.
        """
        context = self.context
        if context._transaction is None:
            if self._connection.in_transaction():
                self._connection.commit()
            return
        self._local = self._local or self._settings()
        context._transaction.commit()
        context._transaction = self._connection.begin()

    def _set_again(self) -> None:
        """What env.py has SET LOCAL, and was lost when the transaction was begun anew."""
        if not self._local:
            return
        changed = self._local.items() - self._settings().items()
        # The role last: with another one, setting the others may not be allowed.
        for name, value in sorted(changed, key=lambda one: one[0] == "role"):
            self._ask(f"SELECT set_config({quote_literal(name)}, {quote_literal(value)}, true)")

    def _settings(self) -> dict[str, str]:
        return dict(tuple(row) for row in self._connection.exec_driver_sql(_SETTINGS))

    def _lock_session(self) -> bool:
        sql = f"SELECT pg_try_advisory_lock({self.key}), pg_backend_pid()"
        taken, self._pid = self._connection.exec_driver_sql(sql).one()
        return bool(taken)

    def _unlock(self) -> None:
        if not self._ask(f"SELECT pg_advisory_unlock({self.key})"):
            log.warning(
                "The runner lock stays on pid %s: a pooler in transaction mode has changed the "
                "connection. Run what commits in between past the pooler. Free it now: "
                "SELECT pg_terminate_backend(%s)",
                self._pid,
                self._pid,
            )

    def _is_interrupt(self, error: BaseException) -> bool:
        """Ctrl-C under the command line; in code it stays what it is.

        asyncio.run turns it into the cancellation of its task.
        """
        from asyncio import CancelledError

        config = self.context.config
        at_command_line = config is not None and config.cmd_opts is not None
        return at_command_line and isinstance(error, (KeyboardInterrupt, CancelledError))

    @property
    def _connection(self) -> Any:
        return self.context.connection

    def _ask(self, sql: str) -> Any:
        return self._connection.exec_driver_sql(sql).scalar_one()
