"""Values that the constants of a constraint suggest. The server says which of them are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from alembic_rollback.seeding.patterns import samples
from alembic_rollback.seeding.values import array, length_of, precision_of

if TYPE_CHECKING:
    from alembic_rollback.seeding.facts import Type

_LONGEST = 2000
_WHOLE = {"int2": 2**15, "int4": 2**31, "int8": 2**63, "oid": 2**32}
# What people's own checks often ask of a text, where no constant says it.
_COMMON = ("row#@example.org", "https://example.org/#", "row-#", "ROW#", "#", "+4912345#", "")


def suggested(kind: Type, modifier: int, constants: Iterable[str], count: int) -> list[str]:
    """Values of a type near the constants, those that it cannot read left out.

    count: how many different ones to make from one constant.
    """
    known = tuple(constants)
    if kind.kind == "e":
        return list(kind.labels)
    if kind.kind == "r":
        return []
    if kind.name == "bool":
        return ["t", "f"]
    make = _MAKERS.get(kind.name) or _BY_CATEGORY.get("A" if kind.is_array else kind.category)
    if make is None:
        return []
    made = dict.fromkeys(make(known, count, kind))
    return [one for one in made if _fits(kind, modifier, one)]


def _numbers(constants: Iterable[str], count: int, kind: Type) -> Iterator[str]:
    for near in _decimals(constants):
        for step in range(count):
            yield _plain(near + step)
        yield _plain(near - 1)
        if kind.name not in _WHOLE:
            yield from (_plain(near + Decimal(step) / 8) for step in range(1, 8))
            yield _plain(near - Decimal("0.1"))


def _decimals(constants: Iterable[str]) -> Iterator[Decimal]:
    for constant in constants:
        try:
            number = Decimal(constant)
        except InvalidOperation:
            continue
        if number.is_finite():
            yield number


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _moments(constants: Iterable[str], count: int, kind: Type) -> Iterator[str]:
    step = timedelta(days=1) if kind.name == "date" else timedelta(seconds=1)
    for constant in constants:
        near = _moment(constant)
        if near is None:
            continue
        for number in range(-1, count):
            try:
                yield _written(near + number * step, kind)
            except OverflowError:
                continue
    year = datetime.now().year
    # For checks against the clock.
    for near in (datetime(year + 50, 1, 1), datetime(year - 50, 1, 1)):
        yield from (_written(near + number * step, kind) for number in range(count))


def _moment(text: str) -> datetime | None:
    # Python 3.10 does not read the offset as PostgreSQL writes it: 2026-01-01 00:00:00+00.
    for whole in (text, f"{text}:00", f"2001-01-01 {text}", f"2001-01-01 {text}:00"):
        try:
            return datetime.fromisoformat(whole)
        except ValueError:
            continue
    return None


def _written(moment: datetime, kind: Type) -> str:
    if kind.name in ("time", "timetz"):
        return str(moment.timetz())
    return str(moment.date() if kind.name == "date" else moment)


def _texts(constants: Iterable[str], count: int, kind: Type) -> Iterator[str]:
    known = tuple(constants)
    for constant in known:
        yield constant
        yield from (f"{constant}{number}" for number in range(1, min(count, 4)))
        if "%" in constant or "_" in constant:
            yield from (_like(constant, number) for number in range(1, count))
        yield from samples(constant, count)
    for length in _lengths(known):
        yield from ("row"[:length].ljust(length - len(str(n)), "x") + str(n) for n in range(count))
        yield from (f"{number:0{max(length, 1)}}" for number in range(1, count))
    for pattern in _COMMON:
        yield from (pattern.replace("#", str(number)) for number in range(1, 1 + count))


def _like(pattern: str, number: int) -> str:
    return pattern.replace("%", str(number)).replace("_", "a")


def _lengths(constants: Iterable[str]) -> Iterator[int]:
    for number in _decimals(constants):
        for length in (int(number), int(number) + 1, int(number) - 1):
            if 0 <= length <= _LONGEST:
                yield length


def _arrays(constants: Iterable[str], count: int, kind: Type) -> Iterator[str]:
    known = tuple(constants)
    yield "{}"
    for constant in known:
        yield array([constant])
    yield array(known)
    for length in _lengths(known):
        if 0 < length <= count:
            yield array(["1"] * length)


def _documents(constants: Iterable[str], count: int, kind: Type) -> Iterator[str]:
    import json

    known = tuple(constants)
    yield from ("{}", "[]")
    values: tuple[object, ...] = (1, "row", [], {}, True)
    for value in values:
        yield json.dumps(dict.fromkeys(known, value))
    for constant in known:
        yield from (json.dumps({constant: other}) for other in known)
    yield from ("[1]", "1", '"row"', "true")


def _given(constants: Iterable[str], count: int, kind: Type) -> Iterator[str]:
    # Of other types only what looks like one of them: anything else would be an error.
    for constant in constants:
        if kind.name != "uuid" or len(constant) == 36:
            yield constant


def _fits(kind: Type, modifier: int, text: str) -> bool:
    if kind.name in _WHOLE:
        limit = _WHOLE[kind.name]
        return "." not in text and -limit <= int(text) < limit
    if kind.name in ("varchar", "bpchar"):
        length = length_of(modifier)
        return length is None or len(text) <= length
    known = precision_of(modifier) if kind.name == "numeric" else None
    return known is None or abs(Decimal(text)) < Decimal(10) ** (known[0] - known[1]) - 1


_MAKERS = {"json": _documents, "jsonb": _documents, "uuid": _given, "date": _moments}
_BY_CATEGORY = {"N": _numbers, "S": _texts, "D": _moments, "A": _arrays}
