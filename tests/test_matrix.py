"""The README's table of versions is what `make matrix` has recorded."""

from __future__ import annotations

import ast

from tests import matrix


def test_the_readme_shows_the_record() -> None:
    text = matrix.README.read_text()
    shown = text.split(matrix.BEGIN)[1].split(matrix.END)[0].strip().splitlines()
    assert shown == list(matrix.table(matrix.recorded()))


def test_every_axis_is_in_the_record_and_nothing_has_failed() -> None:
    results = matrix.recorded()
    assert not [one for one in results if one.failed]
    run = [one for one in results if not one.missing]
    assert {one.varied for one in run} == {
        "nothing",
        "Python",
        "Alembic",
        "SQLAlchemy",
        "PostgreSQL",
        "everything",
    }
    for column, versions in (("python", matrix.PYTHONS), ("postgresql", matrix.POSTGRESQLS)):
        found = [getattr(one, column) for one in results]
        for version in versions:
            assert any(
                one.split(".")[: version.count(".") + 1] == version.split(".") for one in found
            )


def test_the_tests_of_a_cell_exist() -> None:
    for file, names in (matrix.EVERYWHERE | matrix.OF_POSTGRESQL).items():
        tree = ast.parse((matrix.ROOT / file).read_text())
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert {name.partition("[")[0] for name in names} <= there
