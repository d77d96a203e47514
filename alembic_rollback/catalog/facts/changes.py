"""Which objects have to be read again, from what the catalogs were like at two moments.

What PostgreSQL prints of an object depends on the object's own rows, on the names of what it needs,
on which names there are in search_path, and, where it is a query, on the columns that the tables in
it have. So an object is read again if a row of it, or of something that a query of it is about, is
another than before. Where a name means something else than before, everything is read again; so it
is for all that is rare.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from alembic_rollback.catalog.facts.stamps import KEYED, Rows, Stamps, different

if TYPE_CHECKING:
    from alembic_rollback.catalog.facts.asking import Asking
    from alembic_rollback.catalog.facts.model import Fact

# What needs the objects given, directly or not, and which relation or type is read for it. Another
# table's foreign key needs nothing of a table but names. OFFSET 0: found by its index, row by row.
_REACHED = """
    WITH RECURSIVE given (classid, objid) AS (
        SELECT class.oid, one FROM unnest($1) AS one
        CROSS JOIN (VALUES (CAST(1259 AS oid)), (1247), (1255)) AS class (oid)
        UNION ALL SELECT 1259, indrelid FROM pg_index WHERE indexrelid = ANY ($1)
        UNION ALL SELECT 1247, reltype FROM pg_class WHERE oid = ANY ($1) AND reltype <> 0
        UNION ALL SELECT 1259, typrelid FROM pg_type WHERE oid = ANY ($1) AND typrelid <> 0
        UNION ALL SELECT 1247, typelem FROM pg_type WHERE oid = ANY ($1) AND typelem >= 16384
        UNION ALL SELECT 1259, refobjid FROM pg_depend WHERE classid = 1259 AND objid = ANY ($1)
            AND refclassid = 1259 AND (deptype = 'i' OR deptype = 'a' AND refobjsubid > 0)),
    reached (classid, objid) AS (
        SELECT classid, objid FROM given
        UNION
        SELECT d.classid, d.objid FROM reached r
        CROSS JOIN LATERAL (SELECT d.classid, d.objid FROM pg_depend d
            WHERE d.refclassid = r.classid AND d.refobjid = r.objid OFFSET 0) d
        LEFT JOIN pg_constraint k ON d.classid = 2606 AND k.oid = d.objid AND k.contype = 'f'
        WHERE d.objid >= 16384 AND (k.oid IS NULL OR k.conrelid = r.objid))
    SELECT CAST(objid AS bigint) FROM reached
    UNION SELECT ev_class FROM reached JOIN pg_rewrite ON classid = 2618 AND oid = objid
    UNION SELECT adrelid FROM reached JOIN pg_attrdef ON classid = 2604 AND oid = objid
    UNION SELECT greatest(conrelid, contypid) FROM reached JOIN pg_constraint
        ON classid = 2606 AND oid = objid
    UNION SELECT tgrelid FROM reached JOIN pg_trigger ON classid = 2620 AND oid = objid
    UNION SELECT polrelid FROM reached JOIN pg_policy ON classid = 3256 AND oid = objid
    UNION SELECT indrelid FROM reached JOIN pg_index ON classid = 1259 AND indexrelid = objid
"""
_NAMED = {name: one for name, one in KEYED.items() if one.name}
# Whether something in search_path goes by one of these names, but for what is new.
_TAKEN = (
    "WITH path AS MATERIALIZED (SELECT oid FROM pg_namespace "
    "WHERE nspname = ANY (current_schemas(true))) SELECT "
) + " OR ".join(
    f"EXISTS (SELECT FROM {name} WHERE {one.schema} IN (SELECT oid FROM path) "
    f"AND {one.name} = ANY (ARRAY(SELECT CAST(convert_from(decode(one, 'hex'), 'UTF8') AS name) "
    f"FROM unnest(${place}) AS one)) AND oid <> ALL ($1))"
    for place, (name, one) in enumerate(_NAMED.items(), 2)
)


def changed(asking: Asking, before: Stamps, now: Stamps) -> frozenset[int] | None:
    """The oids of all that has to be read again; None where everything has to be."""
    names = before.differs(now)
    if before.setting != now.setting or not names <= KEYED.keys():
        return None
    rows = {name: different(before.rows[name], now.rows[name]) for name in names}
    oids = {oid for old, new in rows.values() for oid in (*old, *new)}
    named = {name: rows[name] for name in names & _NAMED.keys()}
    if not oids or _ambiguous(asking, named):
        return None
    return frozenset(row[0] for row in asking.rows("reached", _REACHED, [oids], ["oid[]"])) | oids


def _ambiguous(asking: Asking, rows: Mapping[str, tuple[Rows, Rows]]) -> bool:
    """Whether a name was given to something else, or names one more or one less than before.

    rows: what was and what is of the objects that differ, by catalog.
    """
    added: set[int] = set()
    given: dict[str, set[str]] = {}
    for catalog, (old, new) in rows.items():
        if any(old[one][1:] != new[one][1:] for one in old.keys() & new.keys()):
            return True
        came = [new[one][1] for one in new.keys() - old.keys()]
        went = [old[one][1] for one in old.keys() - new.keys()]
        if len({*came}) < len(came) or len({*went}) < len(went):
            return True
        added |= new.keys() - old.keys()
        given[catalog] = {*came, *went}
    if not any(given.values()):
        return False
    names = [[one.encode().hex() for one in given.get(catalog, ())] for catalog in _NAMED]
    types = ["oid[]", *("text[]" for _ in names)]
    return bool(asking.rows("names taken", _TAKEN, [added, *names], types)[0][0])


def unsettles(old: Fact, new: Fact) -> bool:
    """Whether what other facts say may follow from the difference of two readings of an object."""
    if (old.key, old.name) != (new.key, new.name):
        return True
    if old.kind == "composite type":
        return old.details != new.details
    if old.kind == "enum":
        return not _set(old.details["labels"]) <= _set(new.details["labels"])
    if old.kind in ("view", "materialized view"):
        before, after = (
            [one["name"] for one in f.details.get("columns") or ()] for f in (old, new)
        )
        return after[: len(before)] != before
    return False


def _set(labels: Collection[str]) -> set[str]:
    return {*labels}
