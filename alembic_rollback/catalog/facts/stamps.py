"""Whether the catalogs are as they were at an earlier reading, without printing anything.

A row of a catalog is as it was while it is the same version of the row: its xmin and ctid are. No
other one ever has both, within one transaction neither: what it writes is removed at its end only,
and what a savepoint takes back had an xmin of its own. What PostgreSQL changes in place, such as
estimates, is no fact. So a sum over xmin and ctid tells whether a catalog has changed, and after a
rollback to a savepoint it is what it was before.

Objects whose oids follow each other share a bucket. pg_class has a sum for each, which tells where
other catalogs have most likely changed, too. Whether they have elsewhere, their own sums tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import xor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.asking import Asking

# Of all that makes a number of an xid, age() alone takes no detour by a text. Counted from any xid
# it is always the same: PostgreSQL keeps what it counts to as long as the transaction lasts.
_XMIN = "age(xmin) - (SELECT CAST(age(CAST('3' AS xid)) AS bigint))"
_ROW = f"hashtidextended(ctid, {_XMIN})"
# No two rows of a catalog have one ctid, so that none can hide another from the sum. A row that
# came with the server (xmin 1, which has no age) is the same until it goes, and what is put in its
# place has another xmin: the number of rows tells whether any has gone.
_SUM = f"bit_xor({_ROW})"
_BUILT_IN_SUM = f"concat(count(*), ' ', {_SUM} FILTER (WHERE xmin <> '1'))"
_BITS = 6
"""How many of an oid's last bits a bucket leaves open."""
_FEW = 16
"""With more buckets than that, all rows are read sooner."""
_FIRST = 16384 >> _BITS
"""The bucket of the first oid that isn't built in."""
_LAST_OID = 2**32 - 1
_OWN = "{} >= 16384"
# Statistics from when there was nothing of this make an index look good.
_MANY = "CAST({} AS bigint) >= 16384"


class Keyed(NamedTuple):
    """A catalog whose rows belong to objects, which are read again by themselves."""

    key: str
    """SQL for the oid of the object."""
    where: str = ""
    """SQL for which rows count, if not those of objects that somebody has made."""
    within: str = "{key} BETWEEN {start} AND {end}"
    """SQL for the rows of some objects, as indexes have it."""
    name: str = ""
    """The columns of name and schema, where texts that PostgreSQL prints depend on which names
    there are: a schema is named only where another has such an object, too."""
    schema: str = ""

    @property
    def rows(self) -> str:
        """SQL for which rows count."""
        return self.where or _OWN.format(self.key)


KEYED: dict[str, Keyed] = {
    "pg_class": Keyed("oid", _MANY.format("oid"), name="relname", schema="relnamespace"),
    "pg_type": Keyed("oid", name="typname", schema="typnamespace"),
    "pg_proc": Keyed("oid", name="proname", schema="pronamespace"),
    "pg_attribute": Keyed(
        "attrelid",
        "attrelid >= 16384 AND attnum > 0",
        "{key} BETWEEN {start} AND {end} AND attnum > 0",
    ),
    "pg_attrdef": Keyed("adrelid"),
    "pg_constraint": Keyed(
        "greatest(conrelid, contypid)",
        "oid >= 16384",
        "(conrelid BETWEEN {start} AND {end} OR contypid BETWEEN {start} AND {end})",
    ),
    "pg_depend": Keyed(
        "objid",
        _MANY.format("objid"),
        "objid BETWEEN {start} AND {end} AND classid = ANY (ARRAY("
        "SELECT oid FROM pg_class WHERE oid < 16384 AND relkind = 'r'))",
    ),
    "pg_description": Keyed("objoid"),
    "pg_enum": Keyed("enumtypid"),
    "pg_index": Keyed("indrelid"),
    "pg_inherits": Keyed("inhrelid"),
    "pg_partitioned_table": Keyed("partrelid"),
    "pg_policy": Keyed("polrelid"),
    "pg_rewrite": Keyed("ev_class"),
    "pg_sequence": Keyed("seqrelid"),
    "pg_trigger": Keyed("tgrelid"),
}
"""Where a change leads to the objects that it is of."""

# What isn't told by object: what is built in, too, where it could get another name.
_LOOSE: dict[str, str] = {
    "pg_class below": "FROM pg_class WHERE oid < 16384",
    "pg_type below": "FROM pg_type WHERE oid < 16384",
    "pg_proc below": "FROM pg_proc WHERE oid < 16384",
    "pg_description below": "FROM pg_description WHERE objoid IN "
    "(SELECT 2200 UNION SELECT oid FROM pg_extension WHERE oid < 16384)",
    "members": "FROM pg_depend WHERE refclassid = 3079",
}
# Those with a column have many rows that cannot change.
_WHOLE = {
    "pg_aggregate": "CAST(aggfnoid AS oid)",
    "pg_am": "",
    "pg_amop": "oid",
    "pg_amproc": "oid",
    "pg_cast": "oid",
    "pg_collation": "",
    "pg_conversion": "oid",
    "pg_default_acl": "",
    "pg_event_trigger": "",
    "pg_extension": "",
    "pg_foreign_data_wrapper": "",
    "pg_foreign_server": "",
    "pg_foreign_table": "",
    "pg_language": "",
    "pg_namespace": "",
    "pg_opclass": "",
    "pg_operator": "",
    "pg_opfamily": "",
    "pg_publication": "",
    "pg_publication_namespace": "",
    "pg_publication_rel": "",
    "pg_range": "",
    "pg_seclabel": "",
    "pg_statistic_ext": "",
    "pg_tablespace": "",
    "pg_transform": "",
    "pg_ts_config": "",
    "pg_ts_config_map": "mapcfg",
    "pg_ts_dict": "",
    "pg_ts_parser": "",
    "pg_ts_template": "",
}
_SINCE = {"pg_publication_namespace": 15}
# Not everybody may read these catalogs, but what is read of them.
_READABLE = {
    "pg_authid": ("hashtextextended(CAST(rolname AS text), CAST(oid AS bigint))", "pg_roles"),
    "pg_user_mapping": ("hashtextextended(CAST(m AS text), 0)", "pg_user_mappings m"),
    "pg_subscription": (
        "hashtextextended(concat_ws(',', oid, subdbid, subname, subenabled, subpublications, "
        "subslotname, subbinary, substream, subsynccommit), 0)",
        "pg_subscription",
    ),
}
_GUIDE = "pg_class"
"""Hardly anything changes without it. Sums by bucket take half as long again as one for all."""
STAMPED = frozenset({*KEYED, *_WHOLE, *_READABLE})
"""Catalogs of which any change is noticed."""

# What else the printed texts depend on: who sees which schemas, in which database.
_SETTING = (
    "concat_ws(' ', (SELECT oid FROM pg_database WHERE datname = current_database()), "
    "pg_postmaster_start_time(), current_user, current_setting('search_path'), "
    "CAST(current_schemas(true) AS text), current_setting('standard_conforming_strings'), "
    "current_setting('lc_monetary'), current_setting('xmlbinary'))"
)

Rows: TypeAlias = Mapping[int, tuple[Any, ...]]
"""By object: a sum over its rows; then, of what names depend on, name and schema."""
Buckets: TypeAlias = Mapping[int, Rows]
"""By bucket, the rows of the objects in it."""


def different(before: Buckets, now: Buckets) -> tuple[Rows, Rows]:
    """What was and what is of the objects of which a row came, went or was changed."""
    old: dict[int, tuple[Any, ...]] = {}
    new: dict[int, tuple[Any, ...]] = {}
    for bucket in before.keys() | now.keys():
        one, other = before.get(bucket, {}), now.get(bucket, {})
        if one is not other and one != other:
            old.update(one.items() - other.items())
            new.update(other.items() - one.items())
    return old, new


@dataclass(frozen=True)
class Stamps:
    """What the catalogs were like at one moment."""

    setting: str
    totals: Mapping[str, str]
    """Of each catalog a text that is another when anything in it is."""
    rows: Mapping[str, Buckets] = field(default_factory=dict)
    """Of the catalogs of KEYED."""

    def differs(self, other: Stamps) -> set[str]:
        """The catalogs that aren't as they were at another moment."""
        names = self.totals.keys() | other.totals.keys()
        return {one for one in names if self.totals.get(one) != other.totals.get(one)}

    def buckets(self, other: Stamps) -> set[int]:
        """Where pg_class isn't as it was at another moment."""
        return {int(one.split(" ")[0]) for one in self._sums ^ other._sums}

    @cached_property
    def _sums(self) -> frozenset[str]:
        """Of pg_class, `bucket sum`."""
        return frozenset(filter(None, self.totals[_GUIDE].split(",")))


def stamps(asking: Asking) -> Stamps:
    """What the catalogs are like now, without rows: one query, and as many rows as catalogs."""
    parts = [f"SELECT 'setting', {_SETTING}"]
    parts += [_sum(name, one) for name, one in KEYED.items()]
    parts += [_total(name, source) for name, source in _LOOSE.items()]
    parts += [
        _total(name, f"FROM {name}" + (f" WHERE {_OWN.format(oid)}" if oid else ""))
        for name, oid in _WHOLE.items()
        if _SINCE.get(name, 0) <= asking.version
    ]
    parts += [
        f"SELECT '{name}', concat(count(*), ' ', bit_xor({content})) FROM {view}"
        for name, (content, view) in _READABLE.items()
    ]
    (_, setting), *totals = asking.rows("stamps", " UNION ALL ".join(parts))
    return Stamps(setting, dict(map(tuple, totals)))


def _sum(name: str, one: Keyed) -> str:
    if name != _GUIDE:
        return f"SELECT '{name}', concat({_SUM}) FROM {name} WHERE {one.rows}"
    bucket = f"CAST({one.key} AS bigint) >> {_BITS}"
    source = f"SELECT {bucket}, {_SUM} FROM {name} WHERE {one.rows} GROUP BY 1"
    listed = "concat(string_agg(concat(bucket, ' ', total), ',' ORDER BY bucket))"
    return f"SELECT '{name}', {listed} FROM ({source}) AS one (bucket, total)"


def _total(name: str, source: str) -> str:
    return f"SELECT '{name}', {_BUILT_IN_SUM} {source}"


# Rows ----------------------------------------------------------------------------------------


def with_rows(asking: Asking, found: Stamps) -> Stamps:
    """The same with the rows of all catalogs of KEYED."""
    return replace(found, rows=_rows(asking, "rows", KEYED))


def with_rows_since(asking: Asking, found: Stamps, before: Stamps) -> Stamps:
    """The same with the rows of all catalogs of KEYED, most of them from an earlier moment."""
    names = found.differs(before) & KEYED.keys()
    buckets = found.buckets(before)
    near = _rows_near(asking, before, buckets) if len(buckets) <= _FEW else {}
    rows = {**before.rows}
    for name in names:
        if name in near and _explains(near[name], found, before, name):
            rows[name] = near[name]
        else:
            rows |= _rows(asking, f"rows of {name}", [name])
    return replace(found, rows=rows)


def _explains(rows: Buckets, found: Stamps, before: Stamps, name: str) -> bool:
    """Whether all that has changed in a catalog are these rows."""
    if name == _GUIDE:
        return True
    old, new = different(before.rows[name], rows)
    sums = (one.totals[name] for one in (found, before))
    each = (int(one) for one in sums if one)
    return not reduce(xor, (row[0] for row in (*old.values(), *new.values())), reduce(xor, each, 0))


def _rows_near(asking: Asking, before: Stamps, buckets: Collection[int]) -> dict[str, Buckets]:
    """The rows of an earlier moment with those read again of some buckets.

    And of what follows, where the parts of a new relation are, and of what is youngest.
    """
    last = max([_FIRST, *(one for rows in before.rows.values() for one in rows)])
    among = {one for bucket in buckets for one in (bucket, bucket + 1) if one < last} | {last}
    starts = [one << _BITS for one in among]
    ends = [(one + 1 << _BITS) - 1 if one < last else _LAST_OID for one in among]
    arms = (_listed(name, _selected_again(name, one)) for name, one in KEYED.items())
    sql = " UNION ALL ".join(arms)
    rows = asking.rows("rows again", sql, [starts, ends], ["oid[]", "oid[]"])
    return {
        name: {**{one: old for one, old in before.rows[name].items() if one not in among}, **new}
        for name, new in _bucketed(rows).items()
    }


def _rows(asking: Asking, label: str, names: Iterable[str]) -> dict[str, Buckets]:
    arms = (_listed(name, _selected(name, KEYED[name], KEYED[name].rows)) for name in names)
    return _bucketed(asking.rows(label, " UNION ALL ".join(arms)))


def _listed(name: str, source: str) -> str:
    """SQL for one row: the columns of the rows of a catalog, each as a list."""
    types = {"oid": "bigint", "sum": "bigint", "name": "text", "schema": "bigint"}
    lists = ", ".join(f"array_agg(CAST({column} AS {kind}))" for column, kind in types.items())
    return f"SELECT '{name}', {lists} FROM ({source}) AS one ({', '.join(types)})"


def _bucketed(listed: Iterable[Sequence[Any]]) -> dict[str, Buckets]:
    found: dict[str, Buckets] = {}
    for name, oids, *columns in listed:
        buckets: dict[int, dict[int, tuple[Any, ...]]] = defaultdict(dict)
        rows = zip(*columns, strict=True) if oids else ()
        for oid, row in zip(oids or (), rows, strict=True):
            buckets[oid >> _BITS][oid] = row
        found[name] = dict(buckets)
    return found


def _selected_again(name: str, one: Keyed) -> str:
    where = one.within.format(key=one.key, start="span.start", end="span.end")
    # OFFSET 0: found by an index, where there is one.
    return (
        'SELECT one.* FROM unnest($1, $2) AS span (start, "end") '
        f"CROSS JOIN LATERAL ({_selected(name, one, where)} OFFSET 0) AS one"
    )


def _selected(name: str, one: Keyed, where: str) -> str:
    """SQL for object, sum, name and schema."""
    if one.name:
        return f"SELECT {one.key}, {_ROW}, {one.name}, {one.schema} FROM {name} WHERE {where}"
    return f"SELECT {one.key}, {_SUM}, NULL, NULL FROM {name} WHERE {where} GROUP BY 1"
