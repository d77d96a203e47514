"""restore-db as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from alembic_rollback.archive.store import VALUES, Item, KeptByUp
from alembic_rollback.sql.names import quote_name

if TYPE_CHECKING:
    from alembic_rollback.archive.restoring import Restoration, Restored
    from alembic_rollback.reporting.style import Style

WORD = "DROP"
"""What must be typed to drop from the archive for good."""


def list_lines(found: Sequence[Restoration], style: Style) -> Iterator[str]:
    """--list: one line for each thing that is kept, the oldest first."""
    for one in found:
        if len(found) > 1:
            yield style.paint(f"Database {one.database}", "bold")
        for item in one.items:
            yield _item_line(one, item)
        yield from (_kept_line(one, kept) for kept in one.kept_by_ups)
        if not one.items and not one.kept_by_ups:
            yield "Nothing is in the archive."


def plan_lines(found: Sequence[Restoration], style: Style) -> Iterator[str]:
    """--dry-run: what would be put back; that it fits was looked at."""
    for one in found:
        place = f" in {one.database}" if len(found) > 1 else ""
        yield f"Would put back{place} what rollbacks took:"
        yield from (f"- of {item.version}: {_what(item)}" for item in one.items)
    yield "Dry run: nothing was changed."


def done_lines(found: Sequence[Restoration], style: Style) -> Iterator[str]:
    """What is said after the commit."""
    for one in found:
        place = f" in {one.database}" if len(found) > 1 else ""
        for restored in one.restored:
            yield f"{style.sign('applied')} Restored {_came(restored)}{place}"
            if restored.kept:
                yield f"   {_number(restored.kept, 'row')} left out: something is there already."
        yield (
            f"The archive keeps its copy in {one.archive.schema}; --drop-older-than takes it away."
        )


def warning_lines(found: Sequence[Restoration], style: Style) -> Iterator[str]:
    """What is shown before anything is dropped for good."""
    yield style.paint(f"{style.sign('warning')} WARNING: Drop from the archive", "red")
    yield ""
    yield "You are about to drop for good:"
    for one in found:
        yield from (f"- {_item_line(one, item)}" for item in one.items)
        for kept in one.kept_by_ups:
            yield f"- {_kept_line(one, kept)}"
            yield f"  The down of {kept.version} fails without it, and cannot put it back."
    yield ""


def dropped_lines(found: Sequence[Restoration], style: Style) -> Iterator[str]:
    """What is said after that."""
    number = sum(len(one.items) + len(one.kept_by_ups) for one in found)
    if not number:
        yield "There is nothing that old in the archive."
        return
    yield f"{style.sign('applied')} Dropped {_number(number, 'table')} of the archive"


def restoration_data(found: Sequence[Restoration]) -> dict[str, Any]:
    """restore-db --json. Keys are stable; new ones may be added."""
    return {
        "databases": [
            {
                "database": one.database,
                "schema": one.archive.schema,
                "executed": one.executed,
                "items": [_item(item) for item in one.items],
                "kept_by_ups": [
                    {
                        "version": kept.version,
                        "kept_in": kept.kept_in,
                        "since": kept.since.isoformat(),
                        "bytes": kept.bytes,
                    }
                    for kept in one.kept_by_ups
                ],
                "restored": [
                    {"id": r.item.id, "table": r.table, "rows": r.rows, "left_out": r.kept}
                    for r in one.restored
                ],
            }
            for one in found
        ]
    }


def _item_line(one: Restoration, item: Item) -> str:
    kept = quote_name((one.archive.schema, item.kept_in))
    size = f", {_size(item.bytes)}" if item.bytes is not None else ""
    state = f", restored {item.restored_at:%Y-%m-%d}" if item.restored_at else ""
    since = f"{item.archived_at:%Y-%m-%d %H:%M}"
    return f"{item.version}: {_what(item)}, since {since}{size}{state} ({kept})"


def _kept_line(one: Restoration, kept: KeptByUp) -> str:
    name = quote_name((one.archive.schema, kept.kept_in))
    since = f"{kept.since:%Y-%m-%d %H:%M}"
    return (
        f"{kept.version}: kept by its up for its down, since {since}, {_size(kept.bytes)} ({name})"
    )


def _what(item: Item) -> str:
    return item.shown if item.rows is None else f"{item.shown}: {_number(item.rows, 'row')}"


def _came(restored: Restored) -> str:
    noun = "value" if restored.item.kind == VALUES else "row"
    return f"{_number(restored.rows, noun)} of {restored.table}"


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "version": item.version,
        "run_id": item.run_id,
        "kind": item.kind,
        "schema": item.schema,
        "table": item.table,
        "columns": [column.name for column in item.contents.columns],
        "kept_in": item.kept_in,
        "rows": item.rows,
        "bytes": item.bytes,
        "archived_at": item.archived_at.isoformat(),
        "restored_at": item.restored_at.isoformat() if item.restored_at else None,
    }


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _size(number: int) -> str:
    """`16 kB`, as pg_size_pretty."""
    size, units = float(number), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 10_240 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.0f} {units[0]}"
