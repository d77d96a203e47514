"""Plain Alembic and the plugin in turns on random histories: the ledger always tells the truth.

Each revision makes a table of its own name, so that the database itself knows what is applied.
ALEMBIC_ROLLBACK_GRAPHS is how many random histories are tried (40 by default), from the seed
ALEMBIC_ROLLBACK_SEED (1 by default).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic_rollback import commands
from alembic_rollback.host import migrations
from alembic_rollback.planning import Request
from tests.project import Project

GRAPHS = int(os.environ.get("ALEMBIC_ROLLBACK_GRAPHS", "40"))
SEED = int(os.environ.get("ALEMBIC_ROLLBACK_SEED", "1"))
OPERATIONS = 6
LENIENT = "TEST_RECONCILE_LENIENT"

ENV = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

with create_engine({url!r}, poolclass=NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
# Where plain Alembic runs over holes, or after a stamp, a table may be there already, or not yet.
UP = """op.execute(f"CREATE TABLE {{'IF NOT EXISTS' if {lenient} else ''}} m_{version} ()")"""
DOWN = """op.execute(f"DROP TABLE {{'IF EXISTS' if {lenient} else ''}} m_{version}")"""
ASKED = f"__import__('os').environ.get({LENIENT!r})"

Parents = dict[str, tuple[str, ...]]
PLAIN = "plain "


@dataclass
class World:
    """A project with a random history, and what its database says."""

    project: Project
    down_revisions: Parents
    depends_on: Parents
    done: list[str] = field(default_factory=list)
    stamped: bool = False
    lowered: bool = False
    """Plain Alembic has downgraded since the last run of the plugin."""

    def __post_init__(self) -> None:
        self.engine = create_engine(self.project.url, poolclass=NullPool)
        self.project.write_env(ENV.format(url=self.project.shown_url))
        for version, below in self.down_revisions.items():
            self.project.script(
                version,
                below if len(below) > 1 else below[0] if below else None,
                UP.format(lenient=ASKED, version=version),
                DOWN.format(lenient=ASKED, version=version),
                depends=self.depends_on[version] or None,
            )

    @property
    def versions(self) -> list[str]:
        return list(self.down_revisions)

    def cov(self, versions: Iterable[str]) -> set[str]:
        """The versions with all their ancestors, dependencies included."""
        found: set[str] = set()
        for version in versions:
            below = self.down_revisions[version] + self.depends_on[version]
            found |= {version} | self.cov(below)
        return found

    def maximal(self, versions: Iterable[str]) -> set[str]:
        chosen = set(versions)
        return {v for v in chosen if not any(v in self.cov([c]) - {c} for c in chosen)}

    def rule(self) -> set[str]:
        """What the design says the ledger becomes before a run of the plugin."""
        ledger, heads = self.read("schema_migrations", "version"), self.heads()
        below_ledger, below_heads = self.cov(ledger), self.cov(heads)
        return (ledger | (below_heads - below_ledger)) - (below_ledger - below_heads)

    def holes(self) -> bool:
        ledger = self.read("schema_migrations", "version")
        return self.cov(ledger) != ledger

    def heads(self) -> set[str]:
        return self.read("alembic_version", "version_num")

    def read(self, table: str, column: str) -> set[str]:
        with self.engine.connect() as connection:
            if connection.exec_driver_sql(f"SELECT to_regclass('{table}')").scalar_one() is None:
                return set()
            return {row[0] for row in connection.exec_driver_sql(f"SELECT {column} FROM {table}")}

    def markers(self) -> set[str]:
        """What is applied, as the database itself knows it."""
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT substr(relname, 3) FROM pg_class WHERE relkind = 'r' AND relname ~ '^m_'"
            )
            return {row[0] for row in rows}

    def everything(self) -> tuple[set[str], set[str], set[str]]:
        return self.read("schema_migrations", "version"), self.heads(), self.markers()


def random_history(chance: random.Random) -> tuple[Parents, Parents]:
    """Branches, merges and dependencies; names say nothing about the order."""
    size = chance.randint(2, 9)
    names = [f"{number:04x}" for number in chance.sample(range(0x10000), size)]
    down_revisions: Parents = {}
    depends_on: Parents = {}

    def ancestors(version: str) -> set[str]:
        below = down_revisions[version] + depends_on[version]
        return {version}.union(*(ancestors(one) for one in below))

    for i, name in enumerate(names):
        count = chance.choices([0, 1, 2], [1 if i else 9, 6 if i else 0, 2 if i > 1 else 0])[0]
        parents = chance.sample(names[:i], count)
        # A merge of a revision with its own ancestor is none; Alembic refuses some of them.
        if any(one in ancestors(other) for one in parents for other in parents if one != other):
            parents = parents[:1]
        down_revisions[name] = tuple(parents)
        others = [v for v in names[:i] if not any(v in ancestors(p) for p in parents)]
        if len(parents) > 1:  # plain Alembic ends such an upgrade with a KeyError
            others = [v for v in others if not any(p in ancestors(v) for p in parents)]
        depends = chance.sample(others, 1) if others and chance.random() < 0.3 else []
        depends_on[name] = tuple(depends)
    return down_revisions, depends_on


Operation = tuple[str, Callable[[], Any]]


def operations(world: World, chance: random.Random) -> dict[str, Operation]:
    """One of each kind, with a random target."""
    config, version = world.project.config, chance.choice(world.versions)
    applied = sorted(world.rule()) or world.versions
    middle = chance.sample(applied, chance.randint(1, min(2, len(applied))))
    below = chance.choice([version, "base"])
    return {
        "upgrade heads": ("upgrade heads", lambda: command.upgrade(config, "heads")),
        "upgrade": (f"upgrade {version}", lambda: command.upgrade(config, version)),
        "downgrade": (f"downgrade {below}", lambda: command.downgrade(config, below)),
        "rollback": (
            f"rollback {' '.join(middle)}",
            lambda: commands.rollback(config, Request(versions=tuple(middle))),
        ),
        "last": ("rollback --last 1", lambda: commands.rollback(config, Request(last=1))),
        "stamp": (f"stamp {below}", lambda: command.stamp(config, below)),
        "stamp heads": ("stamp heads", lambda: command.stamp(config, "heads")),
        "purge": (f"stamp --purge {below}", lambda: command.stamp(config, below, purge=True)),
    }


PLUGIN = {"upgrade heads": 3, "upgrade": 3, "downgrade": 2, "rollback": 5, "last": 1}
ALEMBIC = {"upgrade heads": 2, "upgrade": 2, "downgrade": 3}
STAMPS = {"stamp": 2, "stamp heads": 1, "purge": 1}


def pick(chance: random.Random, *, stamps: bool) -> tuple[str, bool]:
    """A kind of operation, and whether plain Alembic does it."""
    plain = chance.random() < 0.4
    kinds = (ALEMBIC if plain else PLUGIN) | (STAMPS if stamps else {})
    return chance.choices(list(kinds), list(kinds.values()))[0], plain


def run_plain(world: World, run: Callable[[], Any], patch: pytest.MonkeyPatch) -> None:
    """As if the plugin were not installed. What plain Alembic cannot do, it leaves undone."""
    with patch.context() as within:
        within.setattr(migrations, "_is_ours", lambda context: False)
        within.setenv(LENIENT, "1")
        try:
            run()
        except (CommandError, KeyError, AssertionError, ValueError) as error:
            world.done.append(f"  → {type(error).__name__}: {error}")


def run_ours(world: World, run: Callable[[], Any], patch: pytest.MonkeyPatch) -> bool:
    """Whether it was done. What is refused must leave everything as it was."""
    before, expected = world.everything(), world.rule()
    (status,) = commands.status(world.project.config)
    assert {one.version for one in status.revisions if one.applied} == expected
    with patch.context() as within:
        if world.stamped:
            within.setenv(LENIENT, "1")
        try:
            run()
        except (CommandError, RuntimeError) as error:
            world.done.append(f"  → {type(error).__name__}: {error}")
            assert world.everything() == before
            return False
    return True


def play(world: World, chance: random.Random, patch: pytest.MonkeyPatch, *, stamps: bool) -> int:
    """Run random operations; return how many of the plugin's were done and looked at."""
    looked_at = 0
    for _ in range(OPERATIONS):
        kind, plain = pick(chance, stamps=stamps)
        # Down and up again over a hole leaves the version table as it was: nobody could tell.
        plain = plain and not (world.lowered and world.holes())
        name, run = operations(world, chance)[kind]
        world.done.append(PLAIN + name if plain else name)
        world.stamped |= kind in STAMPS
        world.lowered = plain and (world.lowered or not kind.startswith("upgrade"))
        if plain:
            run_plain(world, run, patch)
        elif run_ours(world, run, patch):
            looked_at += 1
            ledger, heads, markers = world.everything()
            assert world.cov(heads) == world.cov(world.maximal(ledger))
            if not world.stamped:
                assert ledger == markers
    return looked_at


def story(world: World) -> str:
    history = [
        f"{version}: down_revision {world.down_revisions[version]}, "
        f"depends_on {world.depends_on[version]}"
        for version in world.versions
    ]
    return "\n".join([*history, *world.done, f"ledger, heads, markers: {world.everything()}"])


@pytest.mark.parametrize(
    ("number", "stamps"),
    [pytest.param(number, False, id=f"{number}-runs") for number in range(GRAPHS)]
    + [pytest.param(number, True, id=f"{number}-stamps") for number in range(0, GRAPHS, 4)],
)
def test_after_every_run_of_the_plugin_the_ledger_is_what_is_applied(
    project, monkeypatch, number, stamps
):
    chance = random.Random(f"{SEED}/{number}/{stamps}")
    world = World(project, *random_history(chance))
    try:
        play(world, chance, monkeypatch, stamps=stamps)
        world.done.append("upgrade heads")
        run_ours(world, lambda: command.upgrade(project.config, "heads"), monkeypatch)
        assert world.everything()[0] == set(world.versions)
        assert world.stamped or world.markers() == set(world.versions)
    finally:
        print(story(world))  # pytest shows it where the test fails
