"""The same projects, driven through the same Alembic commands with and without the plugin.

Both end with the same catalog, version rows, executed steps, output and exit codes, after every
command. Two processes and two databases a project: see `differential_driver`.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from alembic_rollback.errors import FAILED, STOPPED_PART_WAY
from tests import forking
from tests.project import ENV, Project

Commands = list[list[str]]
Records = list[dict[str, Any]]
Shape = Callable[["History"], None]
NOT_RUN = "not run"
"""The driver's answer where no script can be made."""
WRITING = ("upgrade", "downgrade", "stamp", "@sql")

# --- histories --------------------------------------------------------------------------------


@dataclass
class History:
    """A graph of `.py` revisions under construction; names are for us, ids are as Alembic's."""

    rng: random.Random
    ids: dict[str, str] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    depends: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    breaks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name → (`up` or `down`, the line that fails)."""

    def add(
        self,
        name: str,
        *parents: str,
        depends: Sequence[str] = (),
        label: str | None = None,
        breaks: tuple[str, str] | None = None,
    ) -> str:
        self.ids[name] = f"{self.rng.getrandbits(48):012x}"
        self.parents[name], self.depends[name] = parents, tuple(depends)
        if label:
            self.labels[name] = label
        if breaks:
            self.breaks[name] = breaks
        return name

    def chain(self, names: str, *parents: str, label: str | None = None) -> str:
        """Add one revision after the other; return the last."""
        for name in names.split():
            parents = (self.add(name, *parents, label=label),)
            label = None
        return parents[0]

    def write(self, project: Project) -> None:
        """Write the files."""
        for name, version in self.ids.items():
            up, down = self._bodies(name)
            project.script(
                version,
                _one_or_many([self.ids[parent] for parent in self.parents[name]]),
                "\n    ".join(up),
                "\n    ".join(down),
                depends=_one_or_many([self.ids[other] for other in self.depends[name]]),
                labels=self.labels.get(name),
                message=name,
            )

    def _bodies(self, name: str) -> tuple[list[str], list[str]]:
        up = [f"op.create_table('t_{name}', sa.Column('id', sa.Integer, primary_key=True))"]
        down = [f"op.drop_table('t_{name}')"]
        for parent in (*self.parents[name][:1], *self.depends[name]):
            column, index = f"by_{name}", f"ix_{parent}_{name}"
            up += [
                f"op.add_column('t_{parent}', sa.Column('{column}', sa.Text, server_default='x'))",
                f"op.create_index('{index}', 't_{parent}', ['{column}'])",
            ]
            down += [
                f"op.drop_index('{index}', 't_{parent}')",
                f"op.drop_column('t_{parent}', '{column}')",
            ]
        up, down = _journal("up", name) + up, _journal("down", name) + down
        where, line = self.breaks.get(name, ("", ""))
        return up + [line] * (where == "up"), down + [line] * (where == "down")


def _journal(direction: str, name: str) -> list[str]:
    return [f"op.execute(\"INSERT INTO journal (entry) VALUES ('{direction} {name}')\")"]


def _one_or_many(versions: Sequence[str]) -> str | tuple[str, ...] | None:
    return tuple(versions) if len(versions) > 1 else versions[0] if versions else None


def linear(history: History) -> None:
    history.chain("a b c d e f")


def branches(history: History) -> None:
    trunk = history.chain("a b")
    history.chain("c d e", trunk, label="left")
    history.chain("f g", trunk, label="right")


def merges(history: History) -> None:
    trunk = history.chain("a")
    one, other = history.chain("b c", trunk, label="left"), history.chain("d", trunk)
    merged = history.add("m", one, other)
    history.chain("e", merged)
    history.chain("f g", merged, label="late")


def dependencies(history: History) -> None:
    core = history.chain("a b c", label="core")
    shop = history.chain("p q", label="shop")
    history.add("r", shop, depends=["b"])
    history.add("s", "r", depends=[core])
    history.add("x", depends=["q"], label="stock")


def bases(history: History) -> None:
    history.chain("a b c", label="one")
    history.chain("p q", label="two")
    history.chain("x", label="three")


def failing(history: History) -> None:
    trunk = history.chain("a b")
    history.add("c", trunk, breaks=("up", "op.execute('SELECT 1/0')"))
    history.chain("d", "c")
    history.chain("p", trunk, label="side")
    history.add("q", "p", breaks=("down", "raise RuntimeError('broken')"))


def tangled(history: History) -> None:
    """Anything: each revision on one or two earlier ones, some with a dependency."""
    rng, names = history.rng, "abcdefghij"
    for place, name in enumerate(names):
        earlier = names[:place]
        parents = rng.sample(earlier, min(len(earlier), rng.choice((0, 1, 1, 1, 1, 2))))
        others = [n for n in earlier if n not in parents]
        depends = rng.sample(others, 1) if others and rng.random() < 0.3 else []
        history.add(name, *parents, depends=depends, label=None if parents else f"l{name}")


SHAPES = (linear, branches, merges, dependencies, bases, failing, tangled)
OPTIONS = {
    "plain": "{}",
    "each": "{'transaction_per_migration': True}",
    "schema": "{'version_table_schema': 'meta'}",
    "table": "{'version_table': 'my_versions'}",
}
VERSION_TABLES = {
    "schema": "meta.alembic_version",
    "metadata-schema": "meta.alembic_version",
    "table": "public.my_versions",
}
METADATA = {
    "metadata": "{'target_metadata': __import__('sqlalchemy').MetaData()}",
    "metadata-schema": "{'target_metadata': __import__('sqlalchemy').MetaData(), "
    "'version_table_schema': 'meta', 'include_schemas': True}",
}
"""Empty metadata: autogenerate drops every table that it sees."""
ENVS = {
    "external": ENV.replace(".connect() as", ".begin() as"),
    "autocommit": ENV.replace("poolclass=NullPool)", "poolclass=NullPool, %s)").replace(
        "%s", "isolation_level='AUTOCOMMIT'"
    ),
}

# --- sequences --------------------------------------------------------------------------------


def sequence(history: History, length: int) -> Commands:
    """Random commands: most of them make sense somewhere in the graph, some nowhere."""
    makers: tuple[tuple[int, Callable[[History], list[str]]], ...] = (
        (9, _upgrade),
        (6, _downgrade),
        (4, _stamp),
        (3, _offline),
        (2, _read),
        (1, _merge),
    )
    weights = [weight for weight, _ in makers]
    chosen = history.rng.choices([maker for _, maker in makers], weights, k=length)
    return [maker(history) for maker in chosen]


def _revision(history: History) -> str:
    """A revision as a user names it: in full, or its first characters."""
    version = history.rng.choice(list(history.ids.values()))
    return history.rng.choice((version, version, version[:5]))


def _label(history: History) -> str:
    return history.rng.choice(list(history.labels.values()) or ["nowhere"])


def _upgrade(history: History) -> list[str]:
    named, label = _revision(history), _label(history)
    targets = ["head", "heads", "heads", "+1", "+2", named, named, f"{named}+1"]
    targets += [f"{label}@head", f"{label}@+1", "nonsense"]
    return ["upgrade", history.rng.choice(targets)]


def _downgrade(history: History) -> list[str]:
    named, label = _revision(history), _label(history)
    targets = ["-1", "-1", "-2", "base", named, named, f"{named}-1"]
    targets += [f"{label}@base", f"{label}@-1", "nonsense"]
    return ["downgrade", history.rng.choice(targets)]


def _stamp(history: History) -> list[str]:
    one, other, label = _revision(history), _revision(history), _label(history)
    targets = [["head"], ["heads"], ["base"], [one], [one], [one, other], [f"{label}@head"]]
    purge = ["--purge"] if history.rng.random() < 0.3 else []
    return ["stamp", *purge, *history.rng.choice(targets)]


def _offline(history: History) -> list[str]:
    if history.rng.random() < 0.4:
        return ["@sql", "downgrade", history.rng.choice(["base", _revision(history)])]
    return ["@sql", "upgrade", history.rng.choice(["head", "heads", "heads", _revision(history)])]


def _read(history: History) -> list[str]:
    commands = [["current"], ["current", "--check-heads"], ["history"], ["heads"], ["branches"]]
    return history.rng.choice([*commands, ["history", "-r", "-2:current"], ["show", "head"]])


def _merge(history: History) -> list[str]:
    version = f"{history.rng.getrandbits(48):012x}"
    return ["merge", "heads", "-m", "together", "--rev-id", version]


# --- twins ------------------------------------------------------------------------------------


@dataclass
class Twins:
    """Two copies of a project, each on a database of its own: without the plugin and with it."""

    without: Project
    plugged: Project
    version_table: str = "public.alembic_version"

    def run(self, commands: Commands, *, adopted: bool = False) -> tuple[Records, Records]:
        """Run the commands on both. adopted: the plugin is not there yet for either."""
        jobs = [(self.without, "without"), (self.plugged, "without" if adopted else "with")]
        one, other = [_run(project, mode, self.job(project, commands)) for project, mode in jobs]
        return one, other

    def job(self, project: Project, commands: Commands) -> dict[str, Any]:
        kind = project.url.get_backend_name()
        dsn = project.url.database if kind == "sqlite" else _dsn(project.url)
        return {
            "kind": kind if kind in ("postgresql", "sqlite") else "none",
            "dsn": dsn,
            "version_table": self.version_table,
            "commands": commands,
        }

    def check(self, commands: Commands, *, adopted: bool = False) -> None:
        """Both do the same, and the ledger follows."""
        without, plugged = self.run(commands, adopted=adopted)
        self.compare(without, plugged)
        if not adopted:
            self.check_ledger(plugged)
        assert _files(self.without) == _files(self.plugged)

    @staticmethod
    def compare(without: Records, plugged: Records) -> None:
        for place, (one, other) in enumerate(zip(without, plugged, strict=True)):
            before = [" ".join(record["argv"]) for record in without[:place]]
            assert _code(one) == _code(other), _difference("code", before, one, other)
            assert _out(one) == _out(other), _difference("out", before, one, other)
            for key, found in one["database"].items():
                if key != "ledger":
                    assert found == other["database"][key], _difference(key, before, one, other)

    def check_ledger(self, records: Records) -> None:
        """Without rollback-db there are no holes: the ledger is what the version rows cover."""
        scripts = ScriptDirectory.from_config(self.plugged.config)
        if "ledger" not in records[0]["database"]:
            return
        before = records[0]
        for place, record in enumerate(records[1:], 1):
            if _wrote(record) and (record["argv"][0] != "@sql" or not _stale(scripts, before)):
                told = [" ".join(earlier["argv"]) for earlier in records[: place + 1]]
                covered = _covered(scripts, record["database"]["versions"])
                assert set(record["database"]["ledger"]) == covered, told
            before = record


def _wrote(record: dict[str, Any]) -> bool:
    return record["code"] == 0 and record["argv"][0] in WRITING and record["out"] != NOT_RUN


def _stale(scripts: ScriptDirectory, record: dict[str, Any]) -> bool:
    """Plain Alembic left a ledger behind that says too much; a script cannot know it."""
    found = record["database"]
    return bool(found["ledger"]) and set(found["ledger"]) != _covered(scripts, found["versions"])


def _code(record: dict[str, Any]) -> int:
    """The exit code; 5 is ours for a failure after commits, where Alembic's is 1 as for any."""
    return 1 if record["code"] == STOPPED_PART_WAY else int(record["code"])


def _out(record: dict[str, Any]) -> list[str]:
    """The words printed, in no order: Alembic prints sets of labels, heads and branches."""
    return sorted(re.split(r"[\s,()]+", record["out"]))


def _difference(key: str, before: Sequence[str], *records: dict[str, Any]) -> str:
    shown = [
        f"{mode}: code {record['code']}, out {record['out']!r}\n{record['trace'][-1500:]}"
        for mode, record in zip(("without", "with"), records, strict=True)
    ]
    return "\n".join([f"{key} of {records[0]['argv']} after {before}", *shown])


def _run(project: Project, mode: str, job: dict[str, Any]) -> Records:
    given, env = json.dumps(job), project.env()
    module = "tests.differential_driver"
    code, out, err = forking.run([mode], project.root, env, given, module=module)
    assert code == 0, err
    found: Records = json.loads(out)
    return found


def _dsn(url: URL) -> str:
    parts = {"dbname": url.database, "user": url.username, "password": url.password}
    parts |= {"host": url.query.get("host", url.host), "port": url.query.get("port", url.port)}
    return " ".join(f"{key}='{value}'" for key, value in parts.items() if value)


def _files(project: Project) -> dict[str, str]:
    return {path.name: path.read_text() for path in project.versions.glob("*.py")}


def _covered(scripts: ScriptDirectory, versions: Sequence[str]) -> set[str]:
    covered: set[str] = set()
    waiting = list(versions)
    while waiting:
        script = scripts.get_revision(waiting.pop())
        assert script is not None
        if script.revision not in covered:
            covered.add(script.revision)
            waiting += [*script._versioned_down_revisions, *script._resolved_dependencies]
    return covered


@pytest.fixture
def databases(server_url: URL) -> Iterator[tuple[URL, URL]]:
    """Two fresh databases."""
    names = [f"{mode}_{uuid.uuid4().hex[:12]}" for mode in ("without", "with")]
    admin = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield server_url.set(database=names[0]), server_url.set(database=names[1])
    with admin.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def make_twins(
    directory: Path, urls: tuple[URL, URL], history: History, setup: str = "plain"
) -> Twins:
    """Write a history into two projects, each on its own database."""
    options = (OPTIONS | METADATA).get(setup, "{}")
    projects = []
    for mode, url in zip(("without", "with"), urls, strict=True):
        # What the guard adds is tests/test_guard.py's; here Alembic's command is compared.
        settings = "downgrade_guard = off"
        project = Project.create(directory / mode, url, options=options, settings=settings)
        if setup in ENVS:
            project.write_env(ENVS[setup].format(url=project.shown_url, options=options))
        _write_template_without_time(project)
        history.write(project)
        projects.append(project)
    return Twins(*projects, VERSION_TABLES.get(setup, Twins.version_table))


def _prepare(twins: Twins, *statements: str) -> None:
    for project in (twins.without, twins.plugged):
        project.execute("CREATE TABLE journal (id serial, entry text)", *statements)


def _write_template_without_time(project: Project) -> None:
    path = project.root / "migrations" / "script.py.mako"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "${create_date}" not in line))


def history_of(shape: Shape, seed: int) -> History:
    history = History(random.Random(seed))
    shape(history)
    return history


# --- PostgreSQL -------------------------------------------------------------------------------

SETUPS = (*OPTIONS, *ENVS)
CASES = [
    (shape, SETUPS[(place + turn * 3) % len(SETUPS)], place + 100 * turn)
    for turn in range(2)
    for place, shape in enumerate(SHAPES)
][:12]


@pytest.mark.parametrize(
    ("shape", "setup", "seed"),
    CASES,
    ids=[f"{shape.__name__}-{setup}-{seed}" for shape, setup, seed in CASES],
)
def test_the_same_happens_with_and_without(
    tmp_path: Path, databases: tuple[URL, URL], shape: Shape, setup: str, seed: int
) -> None:
    history = history_of(shape, seed)
    twins = make_twins(tmp_path, databases, history, setup)
    _prepare(twins, "CREATE SCHEMA meta")
    twins.check(sequence(history, 12))


@pytest.mark.parametrize(
    ("shape", "setup", "seed"),
    [(branches, "plain", 20), (dependencies, "each", 21), (tangled, "table", 22)],
)
def test_the_plugin_may_come_and_go(
    tmp_path: Path, databases: tuple[URL, URL], shape: Shape, setup: str, seed: int
) -> None:
    history = history_of(shape, seed)
    twins = make_twins(tmp_path, databases, history, setup)
    _prepare(twins, "CREATE SCHEMA meta")
    for adopted in (True, False, True, False):
        twins.check(sequence(history, 6), adopted=adopted)


@pytest.mark.parametrize("setup", ["plain", "each"])
def test_an_offline_script_may_be_the_first_thing_the_plugin_does(
    tmp_path: Path, databases: tuple[URL, URL], setup: str
) -> None:
    history = history_of(linear, 30)
    twins = make_twins(tmp_path, databases, history, setup)
    _prepare(twins)
    twins.check([["upgrade", history.ids["b"]]], adopted=True)
    twins.check([["@sql", "upgrade", history.ids["d"]], ["upgrade", "head"], ["downgrade", "base"]])


def test_an_offline_script_runs_after_plain_downgrades(
    tmp_path: Path, databases: tuple[URL, URL]
) -> None:
    twins = make_twins(tmp_path, databases, history_of(linear, 31))
    _prepare(twins)
    twins.check([["upgrade", "head"]])
    twins.check([["downgrade", "-3"]], adopted=True)
    twins.check([["@sql", "upgrade", "head"], ["downgrade", "base"]])


@pytest.mark.parametrize("setup", METADATA)
def test_autogenerate_writes_the_same(
    tmp_path: Path, databases: tuple[URL, URL], setup: str
) -> None:
    twins = make_twins(tmp_path, databases, history_of(merges, 40), setup)
    _prepare(twins, "CREATE SCHEMA meta")
    generate = ["revision", "--autogenerate", "--head", "late@head", "--rev-id", "abc", "-m", "x"]
    without, plugged = twins.run([["upgrade", "heads"], ["check"], generate])
    assert [record["code"] for record in without] == [record["code"] for record in plugged]
    assert "schema_migrations" not in plugged[2]["out"]
    # The order of the tables is that of a set, in every process another.
    one, other = [_files(project)["abc_x.py"] for project in (twins.without, twins.plugged)]
    assert sorted(one.splitlines()) == sorted(other.splitlines())
    assert "op.drop_table('t_a')" in other


# --- other databases --------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[URL, URL]:
    """Two SQLite databases."""
    one, other = [make_url(f"sqlite:///{tmp_path / mode}.db") for mode in ("without", "with")]
    return one, other


@pytest.mark.parametrize(("shape", "seed"), [(branches, 50), (dependencies, 51), (failing, 52)])
def test_sqlite_is_left_alone(
    tmp_path: Path, files: tuple[URL, URL], shape: Shape, seed: int
) -> None:
    history = history_of(shape, seed)
    twins = make_twins(tmp_path, files, history)
    _prepare(twins)
    commands = [command for command in sequence(history, 20) if command[0] != "@sql"]
    twins.check(commands)


@pytest.mark.parametrize("command", [["rollback-db", "--all"], ["migration-status"]])
def test_our_commands_say_that_they_need_postgresql(
    tmp_path: Path, files: tuple[URL, URL], command: list[str]
) -> None:
    twins = make_twins(tmp_path, files, history_of(linear, 53))
    _prepare(twins)
    twins.plugged.alembic("upgrade", "head")
    result = twins.plugged.alembic(*command, code=FAILED)
    assert "PostgreSQL" in result.err
    assert "Traceback" not in result.text


def test_a_missing_driver_is_told_as_ever(tmp_path: Path) -> None:
    if find_spec("MySQLdb"):
        pytest.skip("the driver is installed")
    url = make_url("mysql://somebody@127.0.0.1/nowhere")
    twins = make_twins(tmp_path, (url, url), history_of(linear, 54))
    without, plugged = twins.run([["current"], ["upgrade", "head"], ["history"]])
    twins.compare(without, plugged)
    assert [record["code"] for record in plugged] == [0, 1, 1, 0]
    for one, other in zip(without, plugged, strict=True):
        assert one["trace"].splitlines()[-1:] == other["trace"].splitlines()[-1:]
    assert "No module named 'MySQLdb'" in plugged[1]["trace"]
