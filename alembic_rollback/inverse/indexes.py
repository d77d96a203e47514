"""Indexes and extended statistics, also those that PostgreSQL names."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_rollback.inverse.making import made
from alembic_rollback.inverse.registry import Missing, Part, Step, Undo, inverts
from alembic_rollback.inverse.targets import named
from alembic_rollback.sql.build import kind_of, nodes, strings
from alembic_rollback.sql.effects import relation_name
from alembic_rollback.sql.names import quote_name
from alembic_rollback.sql.naming import choose, index_addition, index_columns


@inverts("IndexStmt")
def create_index(step: Step) -> Iterator[Part]:
    """CREATE INDEX x ON y → DROP INDEX IF EXISTS x, in the schema of y."""
    node, world = step.node, step.world
    relation = relation_name(node.relation)
    table = world.find("relation", relation)
    schema = relation[:-1]
    elements = [item.index_elem for item in (*node.index_params, *node.index_including_params)]
    name = node.idxname
    if not name:
        addition = index_addition(index_columns(elements))
        name = choose(relation[-1], addition, "idx", world.names("relation", schema))
    known = world.find("relation", (*schema, name))
    if node.if_not_exists and known.born is not None and not known.gone:
        return
    # An index over columns goes with any one of them.
    used = {each.fields[-1].string.sval for each in nodes(node) if kind_of(each) == "ColumnRef"}
    used |= {element.name for element in elements if element.name}
    columns = [world.part(table, "column", each) for each in sorted(used)]
    index = world.make("relation", (*schema, name), table, *columns)
    how = "CONCURRENTLY " if node.concurrent else ""
    yield Undo(f"DROP INDEX {how}IF EXISTS {quote_name((*schema, name))}", index)


@inverts("CreateStatsStmt")
def create_statistics(step: Step) -> Iterator[Part]:
    """CREATE STATISTICS → DROP STATISTICS."""
    node, world = step.node, step.world
    name = strings(node.defnames)
    if not name:
        if node.relations[0].WhichOneof("node") != "range_var":
            yield Missing("the name of the statistics: it is not known from the text")
            return
        relation = relation_name(node.relations[0].range_var)
        columns = [item.stats_elem.name or "expr" for item in node.exprs]
        taken = world.names("statistics", relation[:-1])
        name = (*relation[:-1], choose(relation[-1], index_addition(columns), "stat", taken))
    yield made(step, named(world, "OBJECT_STATISTIC_EXT", name))


@inverts("ReindexStmt", "VacuumStmt")
def maintain(step: Step) -> Iterator[Part]:
    """REINDEX, VACUUM, ANALYZE change nothing that anybody can see."""
    yield from ()


@inverts("ClusterStmt")
def cluster(step: Step) -> Iterator[Part]:
    """CLUSTER t USING i also remembers i; without USING it only sorts."""
    if step.node.indexname:
        relation = relation_name(step.node.relation)
        fact = f"the index that table {quote_name(relation)} was clustered on before"
        yield from step.lost(step.world.find("relation", relation), fact)


@inverts("RefreshMatViewStmt")
def refresh(step: Step) -> Iterator[Part]:
    """REFRESH only derives rows again; WITH NO DATA takes them away."""
    if step.node.skip_data:
        relation = relation_name(step.node.relation)
        fact = f"the rows of materialized view {quote_name(relation)}: WITH NO DATA keeps none"
        yield from step.lost(step.world.find("relation", relation), fact)
