"""Values by type, as text that the type's input function reads; the number tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from alembic_rollback.seeding.facts import Type

_FIRST_DAY = date(2001, 1, 1)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_OF_DOMAIN = 16
"""How many values of a domain there are inside arrays and composites."""
_HEADER = 4
"""What PostgreSQL adds to the length in a type modifier (VARHDRSZ)."""

Make = Callable[[int, int], str]
"""Number and type modifier to a value."""

Constrained = Callable[[Type, int, int], list[str]]
"""A domain, the first number and how many: values that satisfy the domain's checks."""


class Values:
    """Makes values of the types that were read."""

    def __init__(self, types: Mapping[int, Type], constrained: Constrained) -> None:
        self.types, self._constrained = types, constrained
        self.unreadable: set[int] = set()
        """Types whose values the server refuses."""

    def texts(self, oid: int, modifier: int, first: int, count: int) -> list[str]:
        """Up to `count` different values, from number `first` on; none of a type not known."""
        kind = self.types[oid]
        if kind.kind == "d":
            return self._constrained(kind, first, count)
        made = [self._text(kind, modifier, number) for number in range(first, first + count)]
        return list(dict.fromkeys(one for one in made if one is not None))

    def plain(self, domain: Type, first: int, count: int) -> list[str]:
        """Values of a domain's base type."""
        return self.texts(domain.base, domain.base_modifier, first, count)

    def basic(self, oid: int, modifier: int) -> tuple[Type, int]:
        """The type below domains, and its modifier."""
        kind = self.types[oid]
        while kind.kind == "d":
            kind, modifier = self.types[kind.base], kind.base_modifier
        return kind, modifier

    def nullable(self, oid: int) -> bool:
        """Whether no domain of the type is NOT NULL."""
        kind = self.types[oid]
        while kind.kind == "d" and not kind.required:
            kind = self.types[kind.base]
        return not kind.required

    def _text(self, kind: Type, modifier: int, number: int) -> str | None:
        if kind.oid in self.unreadable:
            return None
        if kind.is_array:
            return self._array(kind, modifier, number)
        if kind.kind == "e":
            return kind.labels[number % len(kind.labels)] if kind.labels else None
        if kind.kind == "c":
            return self._composite(kind, number)
        if kind.kind == "r":
            return self._range(kind, number)
        if kind.kind == "m":
            return "{" + self._range(kind, number) + "}"
        make = _MAKERS.get(kind.name)
        return make(number, modifier) if make else None

    def _one(self, oid: int, modifier: int, number: int) -> str | None:
        if self.types[oid].kind == "d":
            found = self.texts(oid, modifier, 1, _OF_DOMAIN)
            return found[number % len(found)] if found else None
        return next(iter(self.texts(oid, modifier, number, 1)), None)

    def _array(self, kind: Type, modifier: int, number: int) -> str:
        inside = self._one(kind.base, modifier, number)
        return "{}" if inside is None else array([inside])

    def _composite(self, kind: Type, number: int) -> str:
        inside = [self._one(oid, modifier, number) for oid, modifier in kind.fields]
        return "(" + ",".join("" if one is None else _quoted(one) for one in inside) + ")"

    def _range(self, kind: Type, number: int) -> str:
        subtype = self.types[kind.base]
        if subtype.category not in "ND":
            return "empty"
        # Far enough from each other for the constraints that exclude what overlaps.
        ends = self.texts(kind.base, -1, 2 * number, 2)
        return f"[{_quoted(ends[0])},{_quoted(ends[1])})" if len(ends) == 2 else "empty"


def array(items: Sequence[str]) -> str:
    """An array's text."""
    return "{" + ",".join(_quoted(item) for item in items) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def fitted(text: str, number: int, length: int) -> str:
    """A text of at most `length` characters that still differs by the number."""
    if len(text) <= length:
        return text
    digits = ""
    while number or not digits:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits[-length:]


def length_of(modifier: int) -> int | None:
    """What varchar(n) and char(n) hold."""
    return modifier - _HEADER if modifier >= _HEADER else None


def precision_of(modifier: int) -> tuple[int, int] | None:
    """Precision and scale of numeric(p, s)."""
    if modifier < _HEADER:
        return None
    packed = modifier - _HEADER
    scale = packed & 0x7FF
    return packed >> 16, scale - 0x800 if scale >= 0x400 else scale


def _string(number: int, modifier: int) -> str:
    length = length_of(modifier)
    return fitted(f"row {number}", number, length) if length else f"row {number}"


def _char(number: int, modifier: int) -> str:
    return fitted(f"row {number}", number, length_of(modifier) or 1)


def _numeric(number: int, modifier: int) -> str:
    known = precision_of(modifier)
    if known is None:
        return f"{number}.5"
    precision, scale = known
    whole = precision - scale
    if scale <= 0:
        return str(number % 10**precision) + "0" * -scale
    if whole <= 0:
        digits = str(number % 10**precision).rjust(scale, "0")
        return f"0.{digits}"
    return f"{number % 10**whole}.{5:0<{scale}}"


def _bits(number: int, modifier: int) -> str:
    length = modifier if modifier > 0 else 1
    return f"{number % 2 ** min(length, 62):0{length}b}"


def _varbits(number: int, modifier: int) -> str:
    return _bits(number, modifier) if modifier > 0 else f"{number:b}"


def _day(number: int, modifier: int = -1) -> str:
    return str(_FIRST_DAY + timedelta(days=number % 100_000))


def _moment(number: int, modifier: int) -> str:
    return f"{_day(number)} 12:00:00"


def _moment_with_zone(number: int, modifier: int) -> str:
    return f"{_day(number)} 12:00:00+00"


def _time(number: int, modifier: int) -> str:
    return f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"


def _time_with_zone(number: int, modifier: int) -> str:
    return f"{_time(number, modifier)}+00"


def _small(number: int, modifier: int) -> str:
    return str(number % 32767)


def _address(number: int, modifier: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _network(number: int, modifier: int) -> str:
    return f"10.{number >> 8 & 255}.{number & 255}.0/24"


def _mac(number: int, modifier: int) -> str:
    return f"08:00:2b:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def _mac8(number: int, modifier: int) -> str:
    return f"08:00:2b:01:02:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def _vector(number: int, modifier: int) -> str:
    return "[" + ",".join([str(number)] + ["1"] * (max(modifier, 1) - 1)) + "]"


def _as(pattern: str) -> Make:
    return lambda number, modifier: pattern.replace("#", str(number))


def _hex(prefix: str, width: int) -> Make:
    return lambda number, modifier: f"{prefix}{number:0{width}x}"


def _cycled(*texts: str) -> Make:
    return lambda number, modifier: texts[number % len(texts)]


# By pg_type.typname; those of extensions are below.
_MAKERS: dict[str, Make] = {
    "bit": _bits,
    "bool": _cycled("f", "t"),
    "box": _as("(#.5,#.5),(#,#)"),
    "bpchar": _char,
    "bytea": _hex("\\x", 8),
    "char": lambda number, modifier: _DIGITS[number % len(_DIGITS)],
    "cid": _as("#"),
    "cidr": _network,
    "circle": _as("<(#,#),0.25>"),
    "date": _day,
    "float4": _as("#.5"),
    "float8": _as("#.5"),
    "inet": _address,
    "int2": _small,
    "int2vector": _as("# 1"),
    "int4": _as("#"),
    "int8": _as("#"),
    "interval": _as("# days"),
    "json": _as('{"row": #}'),
    "jsonb": _as('{"row": #}'),
    "jsonpath": _as("$.row[#]"),
    "line": _as("{1,-1,#}"),
    "lseg": _as("[(#,#),(#.5,#.5)]"),
    "macaddr": _mac,
    "macaddr8": _mac8,
    "money": _as("#"),
    "name": _as("row #"),
    "numeric": _numeric,
    "oid": _as("#"),
    "oidvector": _as("# 1"),
    "path": _as("[(#,#),(#.5,1)]"),
    "pg_lsn": _hex("0/", 1),
    "pg_snapshot": _as("#:#:"),
    "point": _as("(#,#)"),
    "polygon": _as("((#,#),(#.5,#),(#.5,#.5))"),
    "refcursor": _as("row #"),
    # Things that are in every database: the catalogs of classes and types, and what is theirs.
    "regclass": _cycled("pg_catalog.pg_class", "pg_catalog.pg_type"),
    "regcollation": _cycled('pg_catalog."C"', 'pg_catalog."default"'),
    "regconfig": _cycled("pg_catalog.simple", "pg_catalog.english"),
    "regdictionary": _cycled("pg_catalog.simple", "pg_catalog.english_stem"),
    "regnamespace": _cycled("pg_catalog", "information_schema"),
    "regoper": _cycled("pg_catalog.||/", "pg_catalog.|/"),
    "regoperator": _cycled("pg_catalog.+(integer,integer)", "pg_catalog.-(integer,integer)"),
    "regproc": _cycled("pg_catalog.now", "pg_catalog.int4in"),
    "regprocedure": _cycled("pg_catalog.now()", "pg_catalog.pg_backend_pid()"),
    "regrole": _cycled("pg_monitor", "pg_read_all_data"),
    "regtype": _cycled("integer", "text"),
    "text": _string,
    "tid": _as("(0,#)"),
    "time": _time,
    "timestamp": _moment,
    "timestamptz": _moment_with_zone,
    "timetz": _time_with_zone,
    "tsquery": _as("row & word#"),
    "tsvector": _as("row word#"),
    "txid_snapshot": _as("#:#:"),
    "uuid": lambda number, modifier: f"00000000-0000-4000-8000-{number:012x}",
    "varbit": _varbits,
    "varchar": _string,
    "xid": _as("#"),
    "xid8": _as("#"),
    "xml": _as("<row>#</row>"),
    # Extensions: citext, cube, hstore, ltree, seg, PostGIS, pgvector.
    "citext": _string,
    "cube": _as("(#)"),
    "geography": _as("POINT(# 1)"),
    "geometry": _as("POINT(# 1)"),
    "halfvec": _vector,
    "hstore": _as('"row"=>"#"'),
    "lquery": _as("row.word#"),
    "ltree": _as("row.word#"),
    "ltxtquery": _as("row & word#"),
    "seg": _as("#"),
    "vector": _vector,
}
