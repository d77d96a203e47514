"""What the columns of a table can be filled with, in groups of those that depend on each other.

Columns are of one group where a condition or a foreign key connects them. The values of a group
are chosen by the server: the combinations of candidates for which no condition is false.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from alembic_rollback.seeding.candidates import suggested
from alembic_rollback.seeding.conditions import Condition, conditions
from alembic_rollback.seeding.facts import Column, Table, Type, query
from alembic_rollback.seeding.values import Values
from alembic_rollback.sql.names import quote_always, quote_literal

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

Row = dict[str, str | None]
"""Values by column, as text; what is not in it is left to the default."""

Text = TypeVar("Text", str, None)

_COMBINATIONS = 20_000
"""How many combinations of one group the server tries."""
_MANY = 300
"""Candidates for one column."""
_FULL, _NULL = 150, 50
"""Combinations that are looked at further: with few NULLs, and with many."""


@dataclass
class Source:
    """Columns that get their values together: one column, or a key of another table."""

    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]


@dataclass
class Group:
    """Columns that depend on each other."""

    columns: set[str]
    sources: list[Source] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """What a group can be filled with: those with the fewest NULLs first; those with the most."""

    full: Sequence[Row]
    null: Sequence[Row]


class Chooser:
    """Finds the options for the groups of tables."""

    def __init__(self, connection: Connection, types: Mapping[int, Type]) -> None:
        self._connection, self._types = connection, types
        self.values = Values(types, self._constrained)
        self.values.unreadable = self._unreadable()
        self._domains: dict[tuple[int, int, int], list[str]] = {}
        self._nulls: dict[int, bool] = {}
        self._chosen_before: dict[str, list[Any]] = {}
        """By query: the same columns and checks stand in many tables."""

    def options(
        self,
        table: Table,
        columns: Iterable[str],
        given: Iterable[Source],
        first: int,
        count: int,
        *,
        checked: bool = True,
    ) -> list[Options]:
        """By group, what the columns can be filled with.

        given: what is known already: keys of other tables, or this table's own. Everything else
        is made: `count` values from number `first` on. checked: only what satisfies the checks.
        """
        required = tuple(_conditions(table)) if checked else ()
        groups = _groups(table, list(columns), list(given), required)
        return [self._group(table, group, first, count) for group in groups]

    def nullable(self, column: Column) -> bool:
        """Whether the column's and its type's NOT NULL allow NULL."""
        return not column.required and self.values.nullable(column.type) and self._null(column.type)

    def _unreadable(self) -> set[int]:
        """Base types whose values this server does not read: xml where it is built without."""
        known = [one for one in self._types.values() if one.kind == "b" and not one.is_array]
        samples = {one: self.values.texts(one.oid, -1, 1, 1) for one in known}
        casts = {one.oid: _cast(text[0], one.shown) for one, text in samples.items() if text}
        if not casts or self._works(f"SELECT {', '.join(casts.values())}"):
            return set()
        return {oid for oid, cast in casts.items() if not self._works(f"SELECT {cast}")}

    def _works(self, sql: str) -> bool:
        from sqlalchemy.exc import DBAPIError

        try:
            with self._connection.begin_nested():
                query(self._connection, sql)
        except DBAPIError:
            return False
        return True

    def _group(self, table: Table, group: Group, first: int, count: int) -> Options:
        known = {column for source in group.sources for column in source.columns}
        open_columns = sorted(group.columns - known, key=list(table.columns).index)
        if not group.conditions and len(group.sources) + len(open_columns) == 1:
            if group.sources:
                (source,) = group.sources
            else:
                source = self._made(table.columns[open_columns[0]], first, count)
            return _options([_row(source, row) for row in source.rows])
        room = _room(group.sources, len(open_columns))
        for name in open_columns:
            column = table.columns[name]
            constants = dict.fromkeys(
                one
                for condition in group.conditions
                if name in _inputs(table, condition.columns)
                for one in condition.constants
            )
            group.sources.append(self._suggested(column, constants, first, count, room))
        return self._chosen(table, group)

    def _made(self, column: Column, first: int, count: int) -> Source:
        texts: list[str | None] = [*self._texts(column, first, count)]
        if self.nullable(column):
            texts.append(None)
        return Source((column.name,), [(text,) for text in texts])

    def _texts(self, column: Column, first: int, count: int) -> list[str]:
        found = self.values.texts(column.type, column.modifier, first, count)
        if not found and not self.nullable(column):
            return [str(number) for number in range(first, first + count)]  # worth a try
        return found

    def _suggested(
        self, column: Column, constants: Collection[str], first: int, count: int, room: int
    ) -> Source:
        kind, modifier = self.values.basic(column.type, column.modifier)
        near = suggested(kind, modifier, constants, count)
        near = self._satisfying(self._types[column.type], near)
        exact = [one for one in near if one in constants]
        every = [*exact, *self._texts(column, first, count), *near]
        made: list[str | None] = [*_some(every, len(exact), room)]
        if self.nullable(column):
            made = [*made[: room - 1], None]
        return Source((column.name,), [(text,) for text in dict.fromkeys(made)])

    def _chosen(self, table: Table, group: Group) -> Options:
        from sqlalchemy.exc import DBAPIError

        if not all(source.rows for source in group.sources):
            return Options([], [])
        sql = _choice(table, group)
        if sql not in self._chosen_before:
            try:
                with self._connection.begin_nested():
                    self._chosen_before[sql] = query(self._connection, sql)
            except DBAPIError:
                # A condition that raises for one combination says nothing about the others.
                return _options(list(_aligned(group.sources)))
        numbers = self._chosen_before[sql]
        return _options([_together(group.sources, row) for row in numbers])

    def _constrained(self, domain: Type, first: int, count: int) -> list[str]:
        key = domain.oid, first, count
        if key not in self._domains:
            self._domains[key] = self._of_domain(domain, first, count)
        return self._domains[key]

    def _of_domain(self, domain: Type, first: int, count: int) -> list[str]:
        made = self.values.plain(domain, first, count)
        known = [one for check in domain.checks for one in conditions(check)]
        if not known:
            return made
        constants = dict.fromkeys(constant for one in known for constant in one.constants)
        kind, modifier = self.values.basic(domain.base, domain.base_modifier)
        near = suggested(kind, modifier, constants, count)
        exact = [one for one in near if one in constants]
        among = list(dict.fromkeys([*made, *exact, *near]))[:_MANY]
        return self._satisfying(domain, among)[: max(count, len(exact))]

    def _null(self, oid: int) -> bool:
        """Whether the checks of the type's domains allow NULL."""
        if oid not in self._nulls:
            self._nulls[oid] = bool(self._satisfying(self._types[oid], [None]))
        return self._nulls[oid]

    def _satisfying(self, domain: Type, among: list[Text]) -> list[Text]:
        """The values that a domain and those below it allow; all where it is another type."""
        from sqlalchemy.exc import DBAPIError

        checks: list[str] = []
        while domain.kind == "d":
            checks += domain.checks
            domain = self._types[domain.base]
        if not checks or not among:
            return among
        rows = ", ".join(
            f"({number}, {_cast(text, domain.shown)})" for number, text in enumerate(among)
        )
        tests = " AND ".join(f"({check}) IS NOT FALSE" for check in checks)
        sql = f"""SELECT " n" FROM (VALUES {rows}) AS d (" n", value) WHERE {tests} ORDER BY 1"""
        try:
            with self._connection.begin_nested():
                return [among[number] for (number,) in query(self._connection, sql)]
        except DBAPIError:
            return among


def _conditions(table: Table) -> Iterator[Condition]:
    for expression in (*table.checks, *((table.bound,) if table.bound else ())):
        yield from conditions(expression)


def bound_columns(table: Table) -> frozenset[str]:
    """The columns that say which partition a row belongs to."""
    known = conditions(table.bound) if table.bound else ()
    return frozenset(column for one in known for column in one.columns)


def _groups(
    table: Table, columns: list[str], given: list[Source], required: Sequence[Condition]
) -> list[Group]:
    groups = [Group({column}) for column in columns]
    for source in given:
        _join(groups, source.columns).sources.append(source)
    for condition in required:
        inputs = _inputs(table, condition.columns)
        # What speaks of a default's value is left to the server.
        if inputs and inputs <= set(columns):
            _join(groups, inputs).conditions.append(condition)
    return groups


def _inputs(table: Table, columns: Iterable[str]) -> set[str]:
    """The columns, instead of a generated one those that it is generated from."""
    found = set()
    for name in columns:
        expression = table.columns[name].generated if name in table.columns else ""
        if not expression:
            found.add(name)
        for one in conditions(expression) if expression else ():
            found |= one.columns
    return found


def _join(groups: list[Group], columns: Iterable[str]) -> Group:
    wanted = set(columns)
    first, *others = [group for group in groups if group.columns & wanted]
    for other in others:
        first.columns |= other.columns
        first.sources += other.sources
        first.conditions += other.conditions
        groups.remove(other)
    return first


def _room(sources: Sequence[Source], columns: int) -> int:
    """How many candidates each column may have."""
    if not columns:
        return _MANY
    left = float(_COMBINATIONS)
    for source in sources:
        left /= max(len(source.rows), 1)
    return min(_MANY, max(4, int(max(left, 1.0) ** (1 / columns))))


def _some(texts: Sequence[str], kept: int, room: int) -> list[str]:
    """The first ones, and of the rest some from everywhere."""
    every = list(dict.fromkeys(texts))
    if len(every) <= room:
        return every
    head = min(kept + 3, max(room // 2, 2))
    rest = every[head:]
    places = range(room - head)
    return every[:head] + [rest[place * len(rest) // (room - head)] for place in places]


def _row(source: Source, values: Sequence[str | None]) -> Row:
    return dict(zip(source.columns, values, strict=True))


def _together(sources: Sequence[Source], numbers: Iterable[int]) -> Row:
    found: Row = {}
    for source, number in zip(sources, numbers, strict=True):
        found |= _row(source, source.rows[number])
    return found


def _aligned(sources: Sequence[Source]) -> Iterator[Row]:
    for number in range(max(len(source.rows) for source in sources)):
        yield _together(sources, [number % len(source.rows) for source in sources])


def _options(rows: list[Row]) -> Options:
    def nulls(row: Row) -> int:
        return sum(value is None for value in row.values())

    # Sorting is stable: what was in front stays there.
    most = max(map(nulls, rows), default=0)
    return Options(sorted(rows, key=nulls), [row for row in rows if nulls(row) == most])


def _choice(table: Table, group: Group) -> str:
    """The combinations as numbers into the sources, nearest to the diagonal first."""
    parts, joins, seen = [], [], dict[str, str]()
    for place, source in enumerate(group.sources):
        shown = []
        for name in source.columns:
            own = name if name not in seen else f" {place} {name}"
            shown.append(quote_always(own))
            if name in seen:
                joins.append(f"{_text(seen[name])} IS NOT DISTINCT FROM {_text(own)}")
            seen.setdefault(name, name)
        parts.append(_values(table, source, place, shown))
    for place, (name, expression) in enumerate(_generated(table, group)):
        parts.append(f'LATERAL (SELECT {expression}) AS " g{place}" ({name})')
    tests = joins + [f"({one.text}) IS NOT FALSE" for one in group.conditions]
    numbers = [f'" n{place}"' for place in range(len(group.sources))]
    nulls = " + ".join(f"num_nulls({quote_always(name)})" for name in seen)
    spread = f"greatest({', '.join(numbers)}) - least({', '.join(numbers)})"
    inner = (
        f"SELECT {', '.join(numbers)}, {nulls} AS nulls, {spread} AS spread "
        f"FROM {', '.join(parts)} WHERE {' AND '.join(tests) or 'true'}"
    )
    shown_numbers = ", ".join(numbers)
    return (
        f"WITH fit AS MATERIALIZED ({inner}), "
        f"few AS (SELECT {shown_numbers}, row_number() OVER "
        f"(ORDER BY nulls, spread, {shown_numbers}) AS place, row_number() OVER "
        f"(ORDER BY nulls DESC, spread, {shown_numbers}) AS back FROM fit) "
        f"SELECT {shown_numbers} FROM few WHERE place <= {_FULL} OR back <= {_NULL} ORDER BY place"
    )


def _cast(value: str | None, kind: str) -> str:
    return f"CAST({quote_literal(value)} AS {kind})"


def _text(column: str) -> str:
    return f"CAST({quote_always(column)} AS text)"


def _values(table: Table, source: Source, place: int, shown: Sequence[str]) -> str:
    kinds = [table.columns[name].shown_type for name in source.columns]
    rows = ", ".join(
        f"({number}, "
        + ", ".join(_cast(value, kind) for value, kind in zip(row, kinds, strict=True))
        + ")"
        for number, row in enumerate(source.rows)
    )
    return f'(VALUES {rows}) AS " {place}" (" n{place}", {", ".join(shown)})'


def _generated(table: Table, group: Group) -> Iterator[tuple[str, str]]:
    wanted = {column for one in group.conditions for column in one.columns}
    for name in sorted(wanted & set(table.columns)):
        column = table.columns[name]
        if column.generated:
            yield quote_always(name), f"CAST({column.generated} AS {column.shown_type})"
