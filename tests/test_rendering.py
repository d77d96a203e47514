"""`.py` revisions as SQL: what can be known without running them, and what is left unknown."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from alembic import context as alembic_context
from alembic import op
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, make_url, text

from alembic_rollback.host.rendering import Rendered, render

HEAD = """\
import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

revision = "x"
down_revision = None
ID = sa.column("a", sa.Integer)
URL = {url!r}
TIMED = sa.Table(
    "t",
    sa.MetaData(),
    sa.Column("id", sa.Integer),
    sa.Column("at", sa.Integer, default=1, onupdate=2),
)


def upgrade():
    op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))
"""
FIRST = HEAD.count("\n") + 3
BODY = FIRST + 1
"""The lines of `def downgrade():` and of the first statement in it."""


class Revision:
    """A project with one `.py` revision and an env.py that must never run."""

    def __init__(self, root: Path, url: str = "") -> None:
        (root / "versions").mkdir()
        (root / "env.py").write_text("raise AssertionError('env.py ran')\n")
        self.path, self.url = root / "versions" / "x.py", url
        self.config = Config()
        self.config.set_main_option("script_location", str(root))
        self.config.set_main_option("path_separator", "os")

    def write(self, source: str) -> Any:
        self.path.write_text(source)
        return ScriptDirectory.from_config(self.config).get_revision("x")

    def down(self, body: str, more: str = "", **options: Any) -> Rendered:
        """Render a downgrade() with this body."""
        source = HEAD.format(url=self.url) + "\n\ndef downgrade():\n"
        source += textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n" + more
        return render(self.write(source), "down", config=self.config, **options)

    def sql(self, body: str) -> list[str]:
        """The statements of a downgrade() that can be rendered."""
        found = self.down(body)
        assert found.script is not None, found.why
        assert not found.why
        return [" ".join(statement.text.split()) for statement in found.script.statements]

    def why(self, body: str, more: str = "") -> str:
        """Why a downgrade() cannot be rendered, without the place's path."""
        found = self.down(body, more)
        assert found.script is None
        assert "\n" not in found.why
        return found.why.replace(str(self.path), "x.py")


@pytest.fixture
def revision(tmp_path: Path) -> Revision:
    return Revision(tmp_path)


@pytest.fixture
def live(tmp_path: Path, engine: Engine) -> Revision:
    """With a database that the migration could reach."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (id int)"))
    return Revision(tmp_path, engine.url.render_as_string(hide_password=False))


def test_operations_become_a_script(revision: Revision) -> None:
    found = revision.down('op.drop_table("t")\nop.execute("DELETE FROM u; DROP VIEW v;")')
    assert found.script is not None
    assert found.script.path == revision.path
    assert [s.text for s in found.script.statements] == [
        "DROP TABLE t",
        "DELETE FROM u",
        "DROP VIEW v",
    ]
    assert {str(s.where).rpartition("/")[2] for s in found.script.statements} == {f"x.py:{FIRST}:1"}
    assert found.script.transactional


def test_upgrade(revision: Revision) -> None:
    script = revision.write(HEAD.format(url=""))
    found = render(script, "up", config=revision.config)
    assert found.script is not None
    assert found.script.statements[0].text.startswith("CREATE TABLE t (")
    missing = render(script, "down", config=revision.config)
    assert missing.script is None
    assert missing.why.endswith("x.py has no downgrade()")


def test_empty_downgrade_runs_nothing(revision: Revision) -> None:
    assert revision.sql("pass") == []


RENDERED = {
    'op.drop_column("t", "a", schema="s")': ["ALTER TABLE s.t DROP COLUMN a"],
    'op.drop_constraint(op.f("t_pk"), "t", type_="primary")': [
        "ALTER TABLE t DROP CONSTRAINT t_pk"
    ],
    'op.drop_index("i", "t", postgresql_concurrently=False)': ["DROP INDEX i"],
    'op.drop_table_comment("t")': ["COMMENT ON TABLE t IS NULL"],
    'op.rename_table("a b", "t%")': ['ALTER TABLE "a b" RENAME TO "t%"'],
    'op.alter_column("t", "a", new_column_name="b", type_=sa.String(5), nullable=False)': [
        "ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(5)",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t RENAME a TO b",
    ],
    'op.add_column("t", sa.Column("n", sa.Integer, sa.Identity(always=True)))': [
        "ALTER TABLE t ADD COLUMN n INTEGER GENERATED ALWAYS AS IDENTITY"
    ],
    'op.add_column("t", sa.Column("n", sa.Integer, sa.Computed("a * 2", persisted=True)))': [
        "ALTER TABLE t ADD COLUMN n INTEGER GENERATED ALWAYS AS (a * 2) STORED"
    ],
    # Percent signs, colons and backslashes are what they are to the server.
    "op.execute(\"UPDATE t SET a = '50%', b = 7 % 2, c = '%%' WHERE d LIKE '%x'\")": [
        "UPDATE t SET a = '50%', b = 7 % 2, c = '%%' WHERE d LIKE '%x'"
    ],
    "op.execute(sa.text(\"SELECT a::int, '\\\\:x' FROM t\"))": ["SELECT a::int, ':x' FROM t"],
    'op.execute(sa.text("DELETE FROM t WHERE a = :a").bindparams(a="it\'s %\\\\"))': [
        "DELETE FROM t WHERE a = 'it''s %\\'"
    ],
    "op.execute(sa.select(ID).where(ID == sa.bindparam('b')).params(b=1))": [
        "SELECT a WHERE a = 1"
    ],
    'op.execute(sa.update(sa.table("t", sa.column("a"))).values(a=None))': ["UPDATE t SET a=NULL"],
    # A comment at the end doesn't take the next statement with it.
    'op.execute("DROP TABLE a -- old")\nop.execute("DROP TABLE b")': [
        "DROP TABLE a",
        "DROP TABLE b",
    ],
    'op.execute("-- nothing")': [],
    """
    op.bulk_insert(
        sa.table("t", sa.column("a", sa.Integer), sa.column("b", sa.String)),
        [{"a": 1, "b": "x%"}, {"a": 2, "b": None}],
    )
    """: [
        "INSERT INTO t (a, b) VALUES (1, 'x%')",
        "INSERT INTO t (a, b) VALUES (2, NULL)",
    ],
    """
    with op.batch_alter_table("t") as batch:
        batch.drop_column("a")
        batch.drop_constraint("c")
    """: ["ALTER TABLE t DROP COLUMN a", "ALTER TABLE t DROP CONSTRAINT c"],
    # Types
    'sa.Enum("a", name="e").drop(op.get_bind())': ["DROP TYPE e"],
    'sa.Enum("a", name="e", schema="s").drop(op.get_bind(), checkfirst=True)': ["DROP TYPE s.e"],
    'postgresql.ENUM("a", "b", name="e").create(op.get_bind())': [
        "CREATE TYPE e AS ENUM ('a', 'b')"
    ],
    'op.create_table("u", sa.Column("e", sa.Enum("a", name="e")))': [
        "CREATE TYPE e AS ENUM ('a')",
        "CREATE TABLE u ( e e )",
    ],
    # The connection
    'op.get_bind().execute(sa.text("DROP TABLE t"))': ["DROP TABLE t"],
    'op.get_context().connection.execute(sa.text("DROP TABLE t"))': ["DROP TABLE t"],
    'op.get_bind().exec_driver_sql("DROP TABLE t -- :x")': ["DROP TABLE t"],
    'op.get_bind().execute(sa.text("DELETE FROM t WHERE a = :a"), {"a": 1})': [
        "DELETE FROM t WHERE a = 1"
    ],
    'op.get_bind().execute(sa.table("t", ID).insert(), [{"a": 1}, {"a": 2}])': [
        "INSERT INTO t (a) VALUES (1)",
        "INSERT INTO t (a) VALUES (2)",
    ],
    'sa.Table("t", sa.MetaData()).drop(op.get_bind())': ["DROP TABLE t"],
    """
    if op.get_bind().dialect.name == op.get_context().dialect.name == "postgresql":
        op.drop_table("t")
    """: ["DROP TABLE t"],
    # The environment
    """
    assert context.get_x_argument() == []
    assert context.get_x_argument(as_dictionary=True) == {}
    assert context.config.get_main_option("script_location")
    context.get_context().execute("DROP TABLE t")
    context.execute("DROP TABLE u")
    """: ["DROP TABLE t", "DROP TABLE u"],
}


@pytest.mark.parametrize("body", RENDERED)
def test_rendered(revision: Revision, body: str) -> None:
    assert revision.sql(body) == RENDERED[body]


READS = "reads the database"
LIVE = "needs a live connection for Connection."
OFFLINE = "asks whether it runs offline"
UNPARSED = "sends what cannot be weighed: "
UNKNOWN = {
    'op.get_bind().execute(sa.text("SELECT 1")).scalar()': READS,
    'for row in op.get_bind().execute(sa.text("SELECT 1")): pass': READS,
    'if op.get_bind().execute(sa.text("SELECT 1")): pass': READS,
    'list(op.get_bind().execute(sa.text("SELECT 1")))': READS,
    'op.get_bind().execute(sa.text("DELETE FROM t")).rowcount': READS,
    'op.get_bind().scalar(sa.text("SELECT 1"))': READS,
    'op.get_context().connection.scalars(sa.text("SELECT 1"))': READS,
    'context.get_bind().scalar(sa.text("SELECT 1"))': READS,
    'Session(bind=op.get_bind()).execute(sa.text("DELETE FROM t"))': LIVE,
    "sa.inspect(op.get_bind())": f"{LIVE}engine",
    'sa.Table("t", sa.MetaData(), autoload_with=op.get_bind())': f"{LIVE}engine",
    "sa.MetaData().reflect(op.get_bind())": LIVE,
    "op.get_bind().begin_nested()": f"{LIVE}begin_nested",
    "op.get_bind().engine.connect()": f"{LIVE}engine",
    'hasattr(op.get_bind(), "closed")': f"{LIVE}closed",
    'op.get_bind().dialect.has_table(op.get_bind(), "t")': "",
    "op.get_bind().dialect.server_version_info": "asks for the server's version",
    "op.get_bind().dialect.default_schema_name": "asks for the server's default schema",
    "op.get_context().get_current_revision()": "asks for the current revision",
    "if context.is_offline_mode(): pass": OFFLINE,
    "if op.get_context().as_sql: pass": OFFLINE,
    "if context.get_context().impl.as_sql: pass": OFFLINE,
    "context.requires_connection()": OFFLINE,
    'getattr(op.get_context(), "as_sql", False)': OFFLINE,
    'raise NotImplementedError("irreversible\\nfor good")': (
        "raises NotImplementedError: irreversible"
    ),
    "assert False": "raises AssertionError",
    "raise SystemExit(3)": "raises SystemExit: 3",
    "input()": "raises EOFError",
    "context.get_revision_argument()": "raises KeyError",
    'op.get_bind().execute("DROP TABLE t")': "raises ObjectNotExecutableError",
    'op.execute("DELETE FROM t WHERE a = :a")': "gives no value for :a",
    "op.execute(\"SELECT ':x'::text\")": "gives no value for :x",
    'op.execute(sa.table("t", ID).insert().values(a=sa.bindparam("b")))': "gives no value for :b",
    'op.execute(sa.table("t", sa.column("a")).insert().values(a=1))': "raises CompileError",
    "op.execute(TIMED.insert().values(id=1))": "has Python compute a default of at",
    "op.bulk_insert(TIMED, [{'id': 1}])": "has Python compute a default of at",
    "op.execute(TIMED.update().values(id=1))": "has Python compute a default of at",
    'op.execute(sa.text("SELECT 1"), execution_options={"schema_translate_map": {}})': (
        "translates schema names"
    ),
    "op.get_bind().exec_driver_sql(\"DELETE FROM t WHERE a LIKE '%%x'\")": (
        "passes parameters to the driver"
    ),
    """op.get_bind().execute(sa.delete(sa.table("t")), {"a": 1})""": "passes parameters",
    'op.execute("DELETE FROM t WHERE a = %(a)s")': UNPARSED,
    'op.execute("DROP TABLE")': UNPARSED,
    'op.execute("/* DROP TABLE t")': UNPARSED,
    'op.execute("COPY t FROM stdin")': UNPARSED,
    'op.execute("COMMIT")': f"{UNPARSED}COMMIT here would end the migration's transaction",
    'op.execute("BEGIN; DROP TABLE t; COMMIT")': "begins and commits a transaction of its own",
    "with context.begin_transaction(): pass": f"{UNPARSED}BEGIN here",
    'with op.batch_alter_table("t", recreate="always") as b: b.drop_column("a")': (
        "raises CommandError: This operation cannot proceed in --sql mode"
    ),
}


@pytest.mark.parametrize("body", UNKNOWN)
def test_unknown(revision: Revision, body: str) -> None:
    why = revision.why(body)
    assert why.startswith(f"downgrade() {UNKNOWN[body]}")
    assert why.endswith(f"(line {BODY} of x.py)")


def test_unknown_names_the_line_that_asked(revision: Revision) -> None:
    body = 'op.drop_table("t")\nbind = op.get_bind()\nbind.scalar(sa.text("SELECT 1"))'
    assert revision.why(body) == f"downgrade() reads the database (line {BODY + 2} of x.py)"


def test_unknown_stays_unknown_whatever_is_caught(revision: Revision) -> None:
    body = """
    try:
        op.get_bind().scalar(sa.text("SELECT 1"))
    except:
        pass
    op.drop_table("t")
    """
    assert revision.why(body) == f"downgrade() reads the database (line {BODY + 1} of x.py)"


def test_arguments_are_unknown(revision: Revision) -> None:
    head = HEAD.format(url="") + "\n\n"
    for arguments in ("engine_name", "engine_name='a'", "**names"):
        script = revision.write(f"{head}def downgrade({arguments}):\n    pass\n")
        found = render(script, "down", config=revision.config)
        assert found.script is None
        assert found.why.startswith(
            f"downgrade() takes arguments, which only env.py knows (line {FIRST} "
        )


def test_plain_arguments_of_env_py_are_handed_on(revision: Revision) -> None:
    body = "def downgrade(engine_name):\n    op.drop_table(engine_name)\n"
    script = revision.write(f"{HEAD.format(url='')}\n\n{body}")
    found = render(script, "down", config=revision.config, arguments={"engine_name": "one"})
    assert found.script is not None
    assert found.script.statements[0].text == "DROP TABLE one"
    for other in ({"engine_name": object()}, {"name": "one"}, {}):
        found = render(script, "down", config=revision.config, arguments=other)
        assert "takes arguments" in found.why


def test_keyboard_interrupt_passes_and_leaves_nothing_behind(
    revision: Revision, capsys: pytest.CaptureFixture[str]
) -> None:
    before, stdin = dict(vars(op)), sys.stdin
    with pytest.raises(KeyboardInterrupt):
        revision.down("raise KeyboardInterrupt")
    assert vars(op) == before
    assert sys.stdin is stdin
    print("seen")
    assert capsys.readouterr().out == "seen\n"


def test_prints_are_swallowed(
    revision: Revision, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert revision.sql('print("noise")\nimport sys; sys.stdout.write("noise")') == []
    assert capfd.readouterr().out == ""
    assert caplog.records == []


def test_autocommit_block(revision: Revision) -> None:
    body = """
    op.drop_table("t")
    with op.get_context().autocommit_block():
        op.drop_index("i", "t", postgresql_concurrently=True)
    op.drop_table("u")
    """
    found = revision.down(body)
    assert found.script is not None, found.why
    assert [" ".join(s.text.split()) for s in found.script.statements] == [
        "DROP TABLE t",
        "DROP INDEX CONCURRENTLY i",
        "DROP TABLE u",
    ]
    assert found.script.outside == f"line {BODY + 1}: autocommit_block()"


def test_outside_a_transaction_for_its_own_sake(revision: Revision) -> None:
    found = revision.down('op.drop_table("t")\nop.execute("VACUUM t")')
    assert found.script is not None
    assert found.script.outside == f"line {BODY + 1}: VACUUM"


def test_options_reach_the_context(revision: Revision) -> None:
    body = """
    assert op.get_context().opts["marker"] == 7
    assert op.get_context().version_table == "versions"
    assert op.get_context().script.get_revision("x")
    """
    options = {"marker": 7, "version_table": "versions", "output_encoding": "utf-8"}
    found = revision.down(body, opts=options)
    assert found.script is not None, found.why


def test_x_arguments_are_the_command_lines(revision: Revision) -> None:
    from argparse import Namespace

    revision.config.cmd_opts = Namespace(x=["tenant=a"])
    body = 'op.execute("DROP SCHEMA " + context.get_x_argument(as_dictionary=True)["tenant"])'
    assert revision.sql(body) == ["DROP SCHEMA a"]


def test_decorated_function(revision: Revision) -> None:
    head = HEAD.format(url="")
    wrapper = textwrap.dedent(
        """
        import functools

        def twice(function):
            @functools.wraps(function)
            def wrapper():
                function()
                function()
            return wrapper

        @twice
        def downgrade():
            op.drop_table("t")
        """
    )
    found = render(revision.write(head + wrapper), "down", config=revision.config)
    assert found.script is not None
    assert len(found.script.statements) == 2
    lines = (head + wrapper).splitlines()
    assert found.script.statements[0].where.line == lines.index("@twice") + 1


def test_rendering_inside_a_running_migration(live: Revision, engine: Engine) -> None:
    """The outer `op` and `context` are what they were, also after a migration that raises."""
    seen = []

    def outer(heads: Any, migration: MigrationContext) -> list[Any]:
        with Operations.context(migration):
            assert live.sql('op.drop_table("t")') == ["DROP TABLE t"]
            assert "ValueError" in live.why("raise ValueError")
            op.execute("CREATE TABLE made (id int)")
            assert op.get_context() is migration
            assert not alembic_context.is_offline_mode()
            assert alembic_context.get_context() is migration
            assert alembic_context.config is config
            seen.append(op.get_bind().scalar(text("SELECT count(*) FROM made")))
        return []

    config = Config()
    directory = ScriptDirectory.from_config(live.config)
    with engine.connect() as connection, EnvironmentContext(config, directory, fn=outer) as env:
        env.configure(connection=connection)
        with env.begin_transaction():
            env.run_migrations()
    assert seen == [0]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM t")) == 0


OWN_CONNECTIONS = [
    "sa.create_engine(URL).connect()",
    "sa.create_engine(URL, poolclass=sa.pool.NullPool).raw_connection()",
    'Session(sa.create_engine(URL)).execute(sa.text("DROP TABLE t"))',
    """
    engine = sa.engine_from_config({"sqlalchemy.url": URL})
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE t"))
    except Exception:
        pass
    """,
    "sa.inspect(sa.create_engine(URL))",
]


@pytest.mark.parametrize("body", OWN_CONNECTIONS)
def test_new_connections_are_refused(live: Revision, engine: Engine, body: str) -> None:
    assert live.why(body).startswith("downgrade() connects to a database (line ")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('t')")) == "t"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('context.config.attributes["c"].execute(sa.text("DROP TABLE t"))', "uses a connection"),
        ('context.config.attributes["c"].scalar(sa.text("SELECT 1"))', "uses a connection"),
        ('context.config.attributes["c"].exec_driver_sql("DROP TABLE t")', "uses a connection"),
        ('context.config.attributes["e"].connect()', "connects to a database"),
    ],
)
def test_existing_connections_are_refused(live: Revision, body: str, what: str) -> None:
    pooled = create_engine(make_url(live.url), pool_size=2)
    with pooled.connect(), pooled.connect():
        pass  # the pool holds two open connections
    with pooled.connect() as connection:
        live.config.attributes.update(c=connection, e=pooled)
        assert live.why(body).startswith(f"downgrade() {what}")
        assert connection.scalar(text("SELECT to_regclass('t')")) == "t"
    with pooled.connect() as one, pooled.connect() as two:
        assert {c.scalar(text("SELECT 1")) for c in (one, two)} == {1}
    pooled.dispose()


def test_async_engines_are_refused(revision: Revision) -> None:
    pytest.importorskip("asyncpg")
    body = """
    import asyncio
    from sqlalchemy.ext.asyncio import create_async_engine

    async def connect():
        async with create_async_engine("postgresql+asyncpg://u:p@127.0.0.1:9/x").connect():
            pass

    asyncio.run(connect())
    """
    assert revision.why(body).startswith("downgrade() connects to a database (line ")


def test_engines_made_before_the_first_rendering_are_refused(live: Revision) -> None:
    """In a process of its own, where no listener is registered yet."""
    live.down('context.config.attributes["e"].connect()')
    program = f"""
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

engine = create_engine({live.url!r}, poolclass=NullPool)
with engine.connect() as connection:
    assert connection.scalar(text("SELECT 1")) == 1
from alembic_rollback.host.rendering import render

config = Config(attributes={{"e": engine}})
config.set_main_option("script_location", {str(live.path.parent.parent)!r})
config.set_main_option("path_separator", "os")
script = ScriptDirectory.from_config(config).get_revision("x")
print(render(script, "down", config=config).why)
with engine.connect() as connection:
    assert connection.scalar(text("SELECT 1")) == 1
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("downgrade() connects to a database (line ")


def test_what_is_rendered_is_what_runs(live: Revision, engine: Engine) -> None:
    """The same function online, on a copy of the same rows, leaves the same rows."""
    body = r"""
    rows = sa.table("r", sa.column("a", sa.String))
    op.execute("CREATE TABLE r (a text)")
    op.bulk_insert(rows, [{"a": "50%"}, {"a": "back\\slash"}, {"a": "it's"}, {"a": None}])
    op.execute("INSERT INTO r SELECT 'l%' || (7 % 4) || '%%' || ' :'::text")
    op.execute(sa.text("INSERT INTO r VALUES (:a)").bindparams(a="C:\\%d"))
    op.get_bind().execute(sa.text("INSERT INTO r VALUES (:a)"), [{"a": "x\\"}, {"a": "y"}])
    op.get_bind().exec_driver_sql("INSERT INTO r VALUES ('z')")
    """
    found = live.down(body)
    assert found.script is not None, found.why
    module = ScriptDirectory.from_config(live.config).get_revision("x").module
    with engine.begin() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            module.downgrade()
        online = connection.execute(text("SELECT a FROM r")).all()
        connection.execute(text("DROP TABLE r"))
        for statement in found.script.statements:
            connection.connection.cursor().execute(statement.text)
        assert connection.execute(text("SELECT a FROM r")).all() == online
    assert len(online) == 9
