"""Who else gets what the plan does: subscribers, subscriptions, standbys; or who forbids it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic_rollback.checks.rules.lock_level import planned_locks
from alembic_rollback.checks.subject import Said, Subject
from alembic_rollback.runner import describe
from alembic_rollback.sql.locks import ACCESS_EXCLUSIVE
from alembic_rollback.sql.names import quote_identifier, quote_name

_PG_CLASS = 1259
_MOST = 5
"""Tables of one publication or subscription that are named."""


def check(subject: Subject) -> Iterator[Said]:
    """Tell what is replicated from here and to here, and whether this is a standby itself."""
    if _ask(subject, "SELECT pg_is_in_recovery()")[0][0]:
        yield Said(
            "This server is a standby: it is read only, and nothing can be rolled back here.",
            "Connect to the primary.",
        )
        return
    touched = _touched(subject)
    if touched:
        yield from _publications(subject, touched)
        yield from _subscriptions(subject, touched)
    yield from _standbys(subject)


def _touched(subject: Subject) -> dict[int, str]:
    """The tables that the plan drops or changes, by oid: `dropped` or `changed`."""
    found: dict[int, str] = {}
    for one in subject.impact.objects:
        classid, oid, part = one.address
        if classid == _PG_CLASS and oid > 0:
            dropped = one.action != "changed" and not part
            if dropped or oid not in found:
                found[oid] = "dropped" if dropped else "changed"
    return found


def _publications(subject: Subject, touched: dict[int, str]) -> Iterator[Said]:
    rows = _ask(subject, _PUBLISHED, touched)
    active = _ask(subject, _ACTIVE_SLOTS)[0][0] if rows else 0
    readers = f"{active} active replication slot{'' if active == 1 else 's'}"
    for name, tables in _grouped(rows, touched).items():
        yield Said(
            f"Publication {quote_identifier(name)} ({readers}) publishes {tables}: "
            "subscribers don't get schema changes.",
            "Make the same change there, then ALTER SUBSCRIPTION … REFRESH PUBLICATION.",
        )


def _subscriptions(subject: Subject, touched: dict[int, str]) -> Iterator[Said]:
    for name, tables in _grouped(_ask(subject, _SUBSCRIBED, touched), touched).items():
        shown = quote_identifier(name)
        yield Said(
            f"Subscription {shown} writes into {tables}: "
            "it stops with an error at the next row that doesn't fit.",
            f"Take the table out of the publication and ALTER SUBSCRIPTION {shown} REFRESH "
            f"PUBLICATION, or ALTER SUBSCRIPTION {shown} DISABLE.",
        )


def _standbys(subject: Subject) -> Iterator[Said]:
    number = _ask(subject, _STANDBYS)[0][0]
    locks = planned_locks(subject).values() if number else ()
    if any(lock.mode == ACCESS_EXCLUSIVE for lock in locks):
        verbs = "standby replays" if number == 1 else "standbys replay"
        yield Said(
            f"{number} {verbs} the rollback: queries there that use its tables are cancelled "
            "after max_standby_streaming_delay.",
        )


def _grouped(rows: Iterable[Any], touched: dict[int, str]) -> dict[str, str]:
    """By name of publication or subscription: `orders (dropped) and items (changed)`."""
    found: dict[str, list[str]] = {}
    for owner, oid, schema, name, visible in rows:
        table = quote_name((name,) if visible else (schema, name))
        found.setdefault(owner, []).append(f"{table} ({touched[oid]})")
    return {owner: _listed(tables) for owner, tables in found.items()}


def _listed(names: list[str]) -> str:
    if len(names) > _MOST:
        names = [*names[: _MOST - 1], f"{len(names) - _MOST + 1} more"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _ask(subject: Subject, sql: str, oids: Iterable[int] = ()) -> list[Any]:
    """The rows; none where this role may not see them."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    values = {"oids": ",".join(str(oid) for oid in oids)} if ":oids" in sql else {}
    try:
        with subject.connection.begin_nested():
            return list(subject.connection.execute(text(sql), values))
    except DBAPIError as error:
        if describe(error)["sqlstate"] != _INSUFFICIENT_PRIVILEGE:
            raise
        return []


_INSUFFICIENT_PRIVILEGE = "42501"
_TABLES = (
    "SELECT {0}, c.oid, n.nspname, c.relname, pg_table_is_visible(c.oid) "
    "FROM {1} WHERE c.oid = ANY (CAST(string_to_array(:oids, ',') AS oid[])) ORDER BY 1, 2"
)
# The view knows of FOR ALL TABLES, TABLES IN SCHEMA and partitions, in every version.
_PUBLISHED = _TABLES.format(
    "t.pubname",
    "pg_publication_tables t JOIN pg_namespace n ON n.nspname = t.schemaname "
    "JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename",
)
_SUBSCRIBED = _TABLES.format(
    "s.subname",
    "pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid "
    "JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace",
)
_ACTIVE_SLOTS = (
    "SELECT count(*) FROM pg_replication_slots "
    "WHERE slot_type = 'logical' AND active AND database = current_database()"
)
# A walsender is logical where it reads from a logical slot. The state of other roles' is hidden.
_STANDBYS = (
    "SELECT count(*) FROM pg_stat_replication r "
    "WHERE coalesce(r.state, 'streaming') IN ('streaming', 'catchup') AND NOT EXISTS ("
    "SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')"
)
