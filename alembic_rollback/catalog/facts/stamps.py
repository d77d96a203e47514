"""Whether the catalogs are as they were at an earlier reading, without printing anything.

A row of a catalog is as it was while it is the same version of the row: its xmin and ctid are. No
other one ever has both, within one transaction neither: what it writes is removed at its end only,
and what a savepoint takes back had an xmin of its own. What PostgreSQL changes in place, such as
estimates, is no fact. So a sum over xmin and ctid tells whether a catalog has changed, and after a
rollback to a savepoint it is what it was before.

Objects whose oids follow each other share a bucket, and each bucket of a catalog has its own sum:
only in the buckets that differ is it looked which rows do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.asking import Asking

# Of all that makes a number of an xid, age() alone takes no detour by a text. Counted from any xid
# it is always the same: PostgreSQL keeps what it counts to as long as the transaction lasts.
_XMIN = "age(xmin) - (SELECT CAST(age(CAST('3' AS xid)) AS bigint))"
_ROW = f"hashtidextended(ctid, {_XMIN})"
# No two rows of a catalog have one ctid, so that none can hide another from the sum. Rows that came
# with the server (xmin 1, which has no age) can only go; their number tells whether any has.
_SUM = f"bit_xor({_ROW})"
_BUILT_IN_SUM = f"concat(count(*), ' ', {_SUM} FILTER (WHERE xmin <> '1'))"
_BITS = 6
_OWN = "{} >= 16384"


class Keyed(NamedTuple):
    """A catalog whose rows belong to objects, which are read again by themselves."""

    key: str
    """SQL for the oid of the object."""
    where: str = ""
    """SQL for which rows count, if not those of objects that somebody has made."""
    name: str = ""
    """The columns of name and schema, where texts that PostgreSQL prints depend on which names
    there are: a schema is named only where another has such an object, too."""
    schema: str = ""

    @property
    def rows(self) -> str:
        """SQL for which rows count."""
        return self.where or _OWN.format(self.key)


KEYED: dict[str, Keyed] = {
    "pg_class": Keyed("oid", name="relname", schema="relnamespace"),
    "pg_type": Keyed("oid", name="typname", schema="typnamespace"),
    "pg_proc": Keyed("oid", name="proname", schema="pronamespace"),
    "pg_attribute": Keyed("attrelid", "attrelid >= 16384 AND attnum > 0"),
    "pg_attrdef": Keyed("adrelid"),
    "pg_constraint": Keyed("greatest(conrelid, contypid)", "oid >= 16384"),
    "pg_depend": Keyed("objid"),
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
    """Of each catalog a text that tells it from any other content; of those of KEYED all sums."""
    rows: Mapping[str, Buckets] = field(default_factory=dict)
    """Of the catalogs of KEYED."""

    def differs(self, other: Stamps) -> set[str]:
        """The catalogs that aren't as they were at another moment."""
        names = self.totals.keys() | other.totals.keys()
        return {one for one in names if self.totals.get(one) != other.totals.get(one)}

    def buckets(self, other: Stamps) -> set[int]:
        """Where the catalogs of KEYED aren't as they were at another moment."""
        names = self.differs(other) & KEYED.keys()
        found = (one for name in names for one in self._sums[name] ^ other._sums[name])
        return {int(one.split(" ")[0]) for one in found}

    @cached_property
    def _sums(self) -> Mapping[str, frozenset[str]]:
        """Of the catalogs of KEYED: `bucket sum`."""
        texts = {name: self.totals[name] for name in KEYED}
        return {name: frozenset(filter(None, text.split(","))) for name, text in texts.items()}


def stamps(asking: Asking) -> Stamps:
    """What the catalogs are like now, without rows: one query, and as many rows as catalogs."""
    parts = [f"SELECT 'setting', {_SETTING}"]
    parts += [_sums(name, one) for name, one in KEYED.items()]
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


def _sums(name: str, one: Keyed) -> str:
    bucket = f"CAST({one.key} AS bigint) >> {_BITS}"
    source = f"SELECT {bucket}, {_SUM} FROM {name} WHERE {one.rows} GROUP BY 1"
    listed = "coalesce(string_agg(concat(bucket, ' ', total), ',' ORDER BY bucket), '')"
    return f"SELECT '{name}', {listed} FROM ({source}) AS one (bucket, total)"


def _total(name: str, source: str) -> str:
    return f"SELECT '{name}', {_BUILT_IN_SUM} {source}"


def with_rows(asking: Asking, found: Stamps, before: Stamps | None = None) -> Stamps:
    """The same with the rows of the catalogs of KEYED.

    before: has them already; only where it differs they are read.
    """
    if before is None:
        sql = " UNION ALL ".join(_listed(name, _rows(name, one)) for name, one in KEYED.items())
        return replace(found, rows=_bucketed(asking.rows("rows", sql)))
    sql = " UNION ALL ".join(_listed(name, _rows_again(name, one)) for name, one in KEYED.items())
    buckets = found.buckets(before)
    new = _bucketed(asking.rows("rows again", sql, [buckets], ["bigint[]"]))
    return replace(
        found,
        rows={
            name: {**old, **{one: new[name].get(one, {}) for one in buckets}}
            for name, old in before.rows.items()
        },
    )


def _listed(name: str, source: str) -> str:
    """SQL for one row: the columns of the rows of a catalog, each as a list."""
    lists = ", ".join(f"array_agg(CAST({letter} AS bigint))" for letter in "kabc")
    return f"SELECT '{name}', {lists} FROM ({source}) AS one (k, a, b, c)"


def _bucketed(listed: Iterable[Sequence[Any]]) -> dict[str, Buckets]:
    found: dict[str, Buckets] = {}
    for name, oids, *columns in listed:
        buckets: dict[int, dict[int, tuple[Any, ...]]] = defaultdict(dict)
        rows = zip(*columns, strict=True) if oids else ()
        for oid, row in zip(oids or (), rows, strict=True):
            buckets[oid >> _BITS][oid] = row
        found[name] = dict(buckets)
    return found


def _rows(name: str, one: Keyed) -> str:
    return _selected(name, one, one.rows)


def _rows_again(name: str, one: Keyed) -> str:
    ends = f"CAST(bucket << {_BITS} AS oid) AND CAST((bucket + 1 << {_BITS}) - 1 AS oid)"
    where = f"{one.key} BETWEEN {ends}" + (f" AND {one.where}" if one.where else "")
    # OFFSET 0: found by an index, bucket by bucket.
    return (
        "SELECT one.* FROM unnest($1) AS bucket "
        f"CROSS JOIN LATERAL ({_selected(name, one, where)} OFFSET 0) AS one"
    )


def _selected(name: str, one: Keyed, where: str) -> str:
    """SQL for object, sum, name and schema."""
    if one.name:
        columns = f"{_ROW}, hashnameextended({one.name}, 0), {one.schema}"
        return f"SELECT {one.key}, {columns} FROM {name} WHERE {where}"
    return f"SELECT {one.key}, {_SUM}, NULL, NULL FROM {name} WHERE {where} GROUP BY 1"
