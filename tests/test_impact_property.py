"""The predicted impact against what PostgreSQL then does, on random schemas and random downs.

Each case: a random schema, a random plan of down scripts, the prediction, the plan run for real in
a transaction that is rolled back, and the difference of the catalog before and after.
ALEMBIC_ROLLBACK_IMPACT_CASES says how many (default 2,000), ALEMBIC_ROLLBACK_IMPACT_SEED the first.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alembic_rollback.catalog import objects
from alembic_rollback.catalog.counting import Budget
from alembic_rollback.catalog.dependencies import PG_ATTRDEF, PG_CLASS, PG_CONSTRAINT, Address
from alembic_rollback.checks.impact import assess
from alembic_rollback.model import Plan, Revision
from alembic_rollback.sql.script import read_script
from tests.random_schema import RandomSchema

CASES = int(os.environ.get("ALEMBIC_ROLLBACK_IMPACT_CASES", "2000"))
FIRST = int(os.environ.get("ALEMBIC_ROLLBACK_IMPACT_SEED", "1"))
_DEPENDENCY = {
    "0A000", "22023", "2BP01", "3F000", "42601", "42611", "42703", "42704", "42710", "42804",
    "42809", "42830", "42883", "42P01", "42P06", "42P07", "42P16", "42P17", "55000",
}  # fmt: skip
"""Errors for want of an object, because of one in the way, or of one that is something else."""

_RELATIONS = ("table public", 'table "App"', "view", "materialized view")

# Every object of the database with a text that changes where it does, without names of others.
SNAPSHOT = """
SELECT 1259, oid, 0, concat_ws('|', relname, relnamespace, relrowsecurity, relforcerowsecurity,
    relpersistence, relreplident, reloptions,
    (SELECT string_agg(inhparent::text, ',' ORDER BY inhseqno)
    FROM pg_inherits WHERE inhrelid = c.oid))
    FROM pg_class c WHERE oid >= 16384
UNION ALL SELECT 1259, attrelid, attnum, concat_ws('|', attname, atttypid, atttypmod, attnotnull,
    attidentity, attgenerated, attstorage, attcollation)
    FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 2604, oid, 0, md5(adbin::text) FROM pg_attrdef WHERE oid >= 16384
UNION ALL SELECT 2606, oid, 0, concat_ws('|', conname, contype, conrelid, confrelid, conkey,
    convalidated, condeferrable, conparentid) FROM pg_constraint WHERE oid >= 16384
UNION ALL SELECT 2620, oid, 0, concat_ws('|', tgname, tgrelid, tgfoid, tgenabled, tgtype)
    FROM pg_trigger WHERE oid >= 16384 AND NOT tgisinternal
UNION ALL SELECT 3256, oid, 0, concat_ws('|', polname, polrelid, polcmd, polpermissive, polroles,
    md5(polqual::text)) FROM pg_policy WHERE oid >= 16384
UNION ALL SELECT 2618, oid, 0, concat_ws('|', rulename, ev_class, ev_type)
    FROM pg_rewrite WHERE oid >= 16384
UNION ALL SELECT 1247, oid, 0, concat_ws('|', typname, typnamespace,
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder)
    FROM pg_enum WHERE enumtypid = t.oid))
    FROM pg_type t WHERE oid >= 16384
UNION ALL SELECT 1255, oid, 0, concat_ws('|', proname, pronamespace, prosrc, proargtypes,
    provolatile)
    FROM pg_proc WHERE oid >= 16384
UNION ALL SELECT 2615, oid, 0, nspname FROM pg_namespace WHERE oid >= 16384
    AND nspname !~ '^pg_(toast_)?temp'
UNION ALL SELECT 6104, oid, 0, concat_ws('|', pubname, puballtables) FROM pg_publication
UNION ALL SELECT 6106, oid, 0, concat_ws('|', prpubid, prrelid) FROM pg_publication_rel
UNION ALL SELECT 3381, oid, 0, concat_ws('|', stxname, stxnamespace) FROM pg_statistic_ext
UNION ALL SELECT 3456, oid, 0, collname FROM pg_collation WHERE oid >= 16384
"""


@dataclass
class Outcome:
    """What differed before and after: the objects that went, and those that changed."""

    dropped: set[str] = field(default_factory=set)
    recreated: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    constraints: set[str] = field(default_factory=set)
    """Those that changed; their tables are among the changed."""
    replaced: set[str] = field(default_factory=set)
    """Defaults in whose place there is another one; their tables are among the changed."""


def snapshot(connection):
    return {Address(*row[:3]): row[3] for row in connection.exec_driver_sql(SNAPSHOT)}


def keys(connection, addresses):
    """(kind, identity) of each object that isn't made by PostgreSQL itself."""
    described = objects.describe(connection, addresses)
    return {a: f"{d.kind} {d.identity}" for a, d in described.items() if not d.hidden}


def owner_of(connection):
    """By address of a column, default or constraint: the relation that has it."""
    found = {}
    for catalog, classid, column in (
        ("pg_attrdef", PG_ATTRDEF, "adrelid"),
        ("pg_constraint", PG_CONSTRAINT, "conrelid"),
    ):
        for row in connection.exec_driver_sql(f"SELECT oid, {column} FROM {catalog}"):
            found[Address(classid, row[0])] = Address(PG_CLASS, row[1])
    return found


def columns_of_defaults(connection):
    rows = connection.exec_driver_sql("SELECT oid, adrelid, adnum FROM pg_attrdef")
    return {Address(PG_ATTRDEF, row[0]): Address(PG_CLASS, row[1], row[2]) for row in rows}


def actual(connection, before, names, owners, defaults):
    """The difference that the plan has made, at the grain at which it is predicted."""
    after = snapshot(connection)
    new_names = keys(connection, after.keys() - before.keys())
    with_default = set(columns_of_defaults(connection).values())
    owners = {**owners, **owner_of(connection)}
    gone = {a for a in before.keys() - after.keys() if a.whole == a or a.whole in after}
    outcome = Outcome()
    for address in gone & names.keys():
        again = names[address] in new_names.values()
        if names[address].startswith("index "):
            # ALTER TYPE makes it again, in the schema and under the name that it has by then.
            again = again or last_name(names[address]) in {
                last_name(one) for one in new_names.values() if one.startswith("index ")
            }
        if address.classid == PG_ATTRDEF:
            if defaults[address] not in after:
                continue  # it went with its column
            if defaults[address] in with_default:  # PostgreSQL never changes one, it makes another
                outcome.changed.add(names[defaults[address].whole])
                outcome.replaced.add(names[address])
                continue
        (outcome.recreated if again else outcome.dropped).add(names[address])
    touched = {a for a in before.keys() & after.keys() if before[a] != after[a]}
    made = {a for a in after.keys() - before.keys() if new_names.get(a) not in names.values()}
    for address in touched | made:
        top = owners.get(address, address.whole)
        if address in made and top == address:
            continue
        if top in names and top in after:
            outcome.changed.add(names[top])
        if address in touched and top != address and address in names:
            outcome.constraints.add(names[address])
    return outcome


def part_of(one):
    """The column that a default is of, the table that a column is of; else nothing."""
    for words in ("default value for ", " column "):
        if words in one:
            return (
                one.split(words)[1] if words[0] == "d" else one.split(words)[1].rpartition(".")[0]
            )
    return one.rpartition(".")[0] if one.count(".") == 2 else ""


def last_name(one):
    return one.rpartition(".")[2]


def table_of(constraint):
    return constraint.rpartition(" on ")[2]


def predicted(impact):
    outcome = Outcome()
    for step in impact.steps:
        for one in step.objects:
            getattr(outcome, one.action).add(f"{one.kind} {one.name}")
    return outcome


def run(connection, script):
    """Run the statements; the number of the one that fails and its error, or None."""
    for number, statement in enumerate(script.statements):
        try:
            connection.exec_driver_sql(statement.text, execution_options={"no_parameters": True})
        except DBAPIError as error:
            return number, error
    return None


def check(connection, seed, counts):
    rng = random.Random(seed)
    schema = RandomSchema(rng)
    for sql in schema.create():
        connection.execute(text(sql.replace(":", "\\:")))
    downs = schema.downs()
    scripts = {str(i): read_script(down, Path(f"{i}.sql")) for i, down in enumerate(downs)}
    steps = tuple(Revision(version, "", f"{version}.sql") for version in scripts)
    before = snapshot(connection)
    names, owners = keys(connection, before), owner_of(connection)
    defaults = columns_of_defaults(connection)
    impact = assess(connection, Plan(steps), scripts, Budget())
    story = "\n".join([f"seed {seed}", *(f"{s};" for s in schema.statements), "-- downs", *downs])

    failed = None
    for version, script in scripts.items():
        result = run(connection, script)
        if result:
            failed = version, *result
            break
    obstacles = [one for step in impact.steps for one in step.obstacles]
    if failed:
        version, number, error = failed
        assert error.orig.pgcode in _DEPENDENCY, f"{story}\n{error}"
        place = str(scripts[version].statements[number].where)
        assert obstacles, f"{story}\nnot foreseen: {error}"
        assert obstacles[0].where == place, f"{story}\n{obstacles}\n{error}"
        counts["failures foreseen"] += 1
        return
    assert not obstacles, f"{story}\n{obstacles}"
    found = actual(connection, before, names, owners, defaults)
    said = predicted(impact)
    said.dropped -= found.replaced
    recreated = {one.split(" ", 1)[1] for one in said.recreated}
    # What was taken from a table that goes later, and what was changed of it, went with it.
    every_gone = said.dropped | said.recreated
    lost = {one.split(" ", 1)[1] for one in every_gone if one.startswith(_RELATIONS)}
    lost |= {one.split(" column ")[1] for one in every_gone if " column " in one}
    said.dropped = {one for one in said.dropped if not {part_of(one), part_of(part_of(one))} & lost}
    partly = {part_of(part_of(one)) or part_of(one) for one in said.dropped}
    partly |= {part_of(one) for one in said.dropped}
    extra = found.recreated - said.recreated - said.changed
    # The parts of what is made again under its name are the new object's own.
    extra = {one for one in extra if not any(one.endswith(f" on {r}") for r in recreated)}
    assert found.dropped == said.dropped - found.recreated, (
        f"{story}\nnot foreseen: {found.dropped - said.dropped}\n"
        f"didn't go: {said.dropped - found.dropped}"
    )
    assert said.recreated <= found.recreated, f"{story}\n{said.recreated} {found.recreated}"
    assert not extra, f"{story}\nrecreated: {extra}"
    changed = {one for one in found.changed if one not in said.recreated}
    # A constraint that changed is told as such, or as a change of its table.
    told = {table_of(one) for one in said.changed & found.constraints}
    unsaid = {one for one in changed - said.changed if one.split(" ", 1)[1] not in told}
    assert not unsaid, f"{story}\nchanged: {unsaid}"
    unmoved = said.changed - changed - found.recreated - said.recreated - found.constraints
    unmoved = {one for one in unmoved if one.split(" ", 1)[1] not in partly}
    if story.count(" SET SCHEMA ") > 1:
        # Moved there and back: what went along is where it was.
        unmoved = {one for one in unmoved if not one.startswith(("table ", "index ", "sequence "))}
    if "ADD CONSTRAINT" in story.partition("-- downs")[2]:
        # What the plan adds may be gone again at its end, and the table as it was.
        unmoved = {one for one in unmoved if not one.startswith("table ")}
    if " DETACH PARTITION " in story and "CREATE INDEX" in story.partition("-- downs")[2]:
        # An index that the plan's own attached is on its own again.
        unmoved = {one for one in unmoved if not one.startswith("index ")}
    assert not unmoved, f"{story}\nsaid to change: {unmoved}"
    counts["equal"] += 1
    counts["objects dropped"] += len(said.dropped)
    counts["objects changed"] += len(said.changed)
    counts["objects recreated"] += len(said.recreated)
    every = [one for step in impact.steps for one in step.objects]
    counts["taken by CASCADE"] += sum(one.how == "CASCADE" for one in every)


def test_the_predicted_impact_is_what_happens(engine, record_property):
    counts = Counter()
    with engine.connect() as connection:
        for seed in range(FIRST, FIRST + CASES):
            with connection.begin() as transaction:
                check(connection, seed, counts)
                transaction.rollback()
    shown = ", ".join(f"{number} {what}" for what, number in counts.items())
    record_property("counts", f"{CASES} random plans: {shown}")
    assert counts["equal"] + counts["failures foreseen"] == CASES
    assert counts["equal"] > CASES / 3
