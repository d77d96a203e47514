"""Whether the catalogs are as they were at an earlier reading, without printing anything.

A row of a catalog is as it was while it is the same version of the row: its xmin and ctid are. No
other one ever has both, within one transaction neither: what it writes is removed at its end only,
and what a savepoint takes back had an xmin of its own. What PostgreSQL changes in place, such as
estimates, is no fact. So a sum over xmin and ctid tells whether a catalog has changed, and after a
rollback to a savepoint it is what it was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.asking import Asking

_ROW = "hashtidextended(ctid, CAST(CAST(xmin AS text) AS bigint))"
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
_MOST = ("pg_attribute", "pg_proc", "pg_depend")
"""Hardly anything changes without one of these; the first tells most."""
STAMPED = frozenset({*KEYED, *_WHOLE, *_READABLE})
"""Catalogs of which any change is noticed."""

# What else the printed texts depend on: who sees which schemas, in which database.
_SETTING = (
    "concat_ws(' ', (SELECT oid FROM pg_database WHERE datname = current_database()), "
    "pg_postmaster_start_time(), current_user, current_setting('search_path'), "
    "CAST(current_schemas(true) AS text), current_setting('standard_conforming_strings'), "
    "current_setting('lc_monetary'), current_setting('xmlbinary'))"
)

Rows: TypeAlias = Mapping[int, tuple[int, ...]]
"""By object: a sum over its rows; then, of what names depend on, name and schema."""


def different(before: Rows, now: Rows) -> set[int]:
    """The objects of which a row came, went or was changed."""
    known = before.get
    return {one for one, row in now.items() if known(one) != row} | (before.keys() - now.keys())


@dataclass(frozen=True)
class Stamps:
    """What the catalogs were like at one moment."""

    setting: str
    totals: Mapping[str, str]
    rows: Mapping[str, Rows]
    """Of the catalogs of KEYED."""

    def differs(self, other: Stamps) -> set[str]:
        """The catalogs that aren't as they were at another moment."""
        names = self.totals.keys() | other.totals.keys()
        return {one for one in names if self.totals.get(one) != other.totals.get(one)}

    def distance(self, other: Stamps) -> int:
        """About how much is different."""
        name = next((one for one in _MOST if one in other.rows), "")
        return len(different(self.rows[name], other.rows[name])) if name else 0


def stamps(asking: Asking) -> Stamps:
    """What the catalogs are like now, without rows: one query, and as many rows as catalogs."""
    parts = [f"SELECT 'setting', {_SETTING}"]
    parts += [_total(name, f"FROM {name} WHERE {one.rows}") for name, one in KEYED.items()]
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
    return Stamps(setting, dict(map(tuple, totals)), {})


def _total(name: str, source: str) -> str:
    return f"SELECT '{name}', concat(count(*), ' ', bit_xor({_ROW})) {source}"


def with_rows(asking: Asking, found: Stamps, names: Iterable[str]) -> Stamps:
    """The same with the rows of some catalogs."""
    return replace(found, rows={name: _rows(asking, name) for name in names})


def _rows(asking: Asking, name: str) -> Rows:
    one = KEYED[name]
    if one.name:
        columns = f"{_ROW}, hashtextextended(CAST({one.name} AS text), 0), {one.schema}"
        source = f"SELECT {one.key}, {columns} FROM {name} WHERE {one.rows}"
    else:
        source = f"SELECT {one.key}, bit_xor({_ROW}) FROM {name} WHERE {one.rows} GROUP BY 1"
    letters = "kabc"[: 4 if one.name else 2]
    listed = ", ".join(f"array_agg(CAST({letter} AS bigint))" for letter in letters)
    sql = f"SELECT {listed} FROM ({source}) AS one ({', '.join(letters)})"
    ((keys, *values),) = asking.rows(f"rows of {name}", sql)
    return dict(zip(keys or (), zip(*(one or () for one in values), strict=True), strict=True))
