"""What is printed: a table with a line for each folder, then what a reader has to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.corpus.model import (
    HUMAN,
    NONE,
    OURS,
    RESTORED,
    THEIRS,
    UNPROVEN,
    UNSCORED,
    WRONG,
    Folder,
    Record,
    Wish,
)


def counts(records: Sequence[Record], wish: Wish, side: str) -> dict[str, Any]:
    """A line of the table, by column."""
    found = Counter(one.verdict for one in records)
    verdicts = THEIRS if side == HUMAN else OURS
    scored = [one for one in records if one.verdict not in UNSCORED]
    restored = [one for one in scored if one.verdict in RESTORED]
    line: dict[str, Any] = {"ups": len(records)}
    line |= {one: found[one] for one in UNSCORED}
    line |= {"scored": len(scored)} | {one: found[one] for one in verdicts}
    line["restored"] = share(len(restored), len(scored))
    if side == HUMAN:
        line |= agreement(records) if wish.verify else {}
        return line
    by_statement = sum(one.how in ("text", "statements") for one in restored)
    times = [one.ms for one in records if one.how]
    line["by statement"] = share(by_statement, len(restored))
    line["ms"] = f"{median(times):.{0 if side != NONE else 1}f}" if times else "-"
    return line


def agreement(records: Sequence[Record]) -> dict[str, int]:
    found = Counter(one.agrees for one in records if one.verified)
    return {"agrees": found[True], "disagrees": found[False], "not verified": found[None]}


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def table(lines: Mapping[str, Mapping[str, Any]]) -> str:
    """The lines under their columns; the first column holds their names."""
    columns = list(next(iter(lines.values())))
    rows = [["", *columns], *([name, *map(str, line.values())] for name, line in lines.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def remarks(record: Record) -> Iterator[str]:
    """What a reader has to look at."""
    name = f"{record.folder}/{record.title}"
    if record.verdict in (WRONG, UNPROVEN):
        how = f" ({record.how})" if record.how else ""
        yield f"{record.verdict}  {name}{how}: {record.reason}"
    if record.harm:
        yield f"HARM  {name}: changes no schema, but its down does: {record.harm}"
    if record.agrees is False:
        judged = f"{record.judged}: {record.reason or record.harm}".removesuffix(": ")
        yield f"DISAGREES  {name}: the judge says {judged}; verify-down says: {record.verified}"
    if record.verified and record.agrees is None:
        yield f"NOT VERIFIED  {name}: {record.verified}"


def shown(record: Record) -> str:
    """Everything about one migration."""
    parts = [record.verdict, record.reason, record.how, f"{record.ms:.0f} ms" if record.ms else ""]
    head = f"{record.folder}/{record.title}: {'; '.join(filter(None, parts))}"
    down = "".join(f"    {line}\n" for line in record.down.splitlines() if line)
    said = f"    verify-down: {record.verified}\n" if record.verified else ""
    return f"{head}\n{said}{down}"


def report(folders: Sequence[Folder], wish: Wish, *, show: bool) -> list[dict[str, Any]]:
    """Print everything, side by side; return it for --json."""
    found = [told(folders, wish, side, show=show) for side in wish.sides]
    stopped = [f"STOPPED  {one.name}: {one.trouble}" for one in folders if one.trouble]
    if stopped:
        print("\n".join(stopped))
    return found


def told(folders: Sequence[Folder], wish: Wish, side: str, *, show: bool) -> dict[str, Any]:
    """Print what became of one side's downs."""
    records = [record for folder in folders for record in folder.of(side)]
    if show:
        print("\n".join(map(shown, records)))
    downs = "the folders' own downs" if side == HUMAN else f"derived downs, --state {side}"
    servers = ", ".join(sorted({one.server for one in folders if one.server})) or "-"
    judges = ", ".join(sorted({one.judge for one in folders if one.judge})) or "-"
    print(f"{downs}, on PostgreSQL {servers}; judged by {judges}\n")
    lines = {one.name: counts(one.of(side), wish, side) for one in folders}
    lines["total"] = counts(records, wish, side)
    print(table(lines) + "\n")
    said = [line for record in records for line in remarks(record)]
    if said:
        print("\n".join(said) + "\n")
    return {
        "downs": downs,
        "server": servers,
        "judge": judges,
        "table": lines,
        "migrations": [asdict(record) for record in records],
    }
