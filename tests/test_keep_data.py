"""generate-down --keep-data: an up that keeps the rows it changes, and a down that puts them back.

Each case is written, applied to rows, rolled back, and every table compared with what it was.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy.engine import URL

from alembic_rollback import commands
from alembic_rollback.inverse.generate import invert
from alembic_rollback.planning import Request
from alembic_rollback.reporting import text
from alembic_rollback.reporting.style import Style
from alembic_rollback.sql.kept import kept_by
from alembic_rollback.sql.script import read_script
from tests.project import Project, ended, terminal

SCHEMA = """
CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE DOMAIN code AS varchar(10);
CREATE TABLE parents (
    id int PRIMARY KEY, name text, mood mood, code code, doc json,
    "Odd, Name" point, big bigint GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE kids (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent int REFERENCES parents ON DELETE CASCADE, note text);
CREATE TABLE toys (id int PRIMARY KEY, kid bigint REFERENCES kids ON DELETE SET NULL);
CREATE TABLE touched (id int PRIMARY KEY, note text, at timestamptz DEFAULT '2020-01-01');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN new.at := clock_timestamp(); RETURN new; END $$;
CREATE TRIGGER touching BEFORE INSERT OR UPDATE ON touched
    FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE touched ENABLE ALWAYS TRIGGER touching;
CREATE TABLE hidden (id int PRIMARY KEY, tenant text, note text);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden USING (tenant = current_setting('app.tenant', true));
CREATE TABLE parts (id int, at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE keyless (note text);
CREATE TABLE heirs_of (id int PRIMARY KEY, note text);
CREATE TABLE heir () INHERITS (heirs_of);
CREATE TABLE tree (id int PRIMARY KEY, above int REFERENCES tree ON DELETE CASCADE);
CREATE TABLE labels (name text PRIMARY KEY, note text);
CREATE TABLE defaulting (id int PRIMARY KEY, label text DEFAULT 'a' REFERENCES labels
    ON DELETE SET DEFAULT);
CREATE TABLE labelled (id int PRIMARY KEY, label text REFERENCES labels ON UPDATE CASCADE);
"""
ROWS = """
INSERT INTO parents (id, name, mood, code, doc, "Odd, Name") SELECT n, 'n' || n,
    CASE WHEN mod(n, 2) = 0 THEN 'ok' ELSE 'bad' END::mood, 'c' || n,
    '{"b": 1,  "a": 1}', point(n, n)
    FROM generate_series(1, 6) n;
INSERT INTO kids (parent, note) SELECT n, 'k' || n FROM generate_series(1, 6) n;
INSERT INTO toys SELECT n, n FROM generate_series(1, 6) n;
INSERT INTO touched (id, note) SELECT n, 't' FROM generate_series(1, 3) n;
INSERT INTO parts SELECT n, CAST('2020-06-01' AS date) + n * 100, 'p' FROM generate_series(1, 5) n;
INSERT INTO keyless VALUES ('a'), ('b');
INSERT INTO tree VALUES (1, NULL), (2, 1);
INSERT INTO labels VALUES ('a', 'x'), ('b', 'y');
INSERT INTO labelled VALUES (1, 'a'), (2, 'b');
"""
TABLES = ("parents", "kids", "toys", "touched", "parts", "keyless", "tree", "labels", "labelled")


@pytest.fixture
def app(project: Project, server_url: URL) -> Project:
    """A project with all these tables, and rows in them."""
    text = server_url.render_as_string(hide_password=False).replace("%", "%%")
    project.write_ini(f"scratch_url = {text}")
    project.pair("1_tables", SCHEMA, "-- Irreversible: not needed here\n")
    command.upgrade(project.config, "head")
    project.execute(*(one for one in ROWS.split(";\n") if one.strip()))
    return project


def contents(project: Project) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: project.query(f"SELECT CAST(t AS text) FROM {name} t ORDER BY 1") for name in TABLES
    }


def write(project: Project, up: str) -> str:
    """Write an up, rewrite it; what is said of it."""
    path = project.versions / "2_change.up.sql"
    path.write_text(up)
    found = commands.generate_down(project.config, ["2"], keep_data=True)
    return "\n".join(text.generated_lines(found, Style()))


def rollback(project: Project) -> None:
    commands.rollback(project.config, Request(versions=("2",)))


def there_and_back(project: Project) -> None:
    """Applied and rolled back, every row is as it was, and nothing is left in the archive."""
    before = contents(project)
    command.upgrade(project.config, "head")
    assert contents(project) != before
    rollback(project)
    assert contents(project) == before
    left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'rollback_archive'::regnamespace"
    assert project.query(f"{left} AND relkind = 'r'") == [(0,)]


@pytest.mark.parametrize(
    "up",
    [
        pytest.param("UPDATE parents SET name = upper(name) WHERE id > 2;", id="update"),
        pytest.param(
            "UPDATE parents AS p SET mood = 'ok', code = k.note, doc = '{}', \"Odd, Name\" = NULL\n"
            "FROM kids k WHERE k.parent = p.id AND k.id < 5 -- those only\n;",
            id="update from, every kind of type",
        ),
        pytest.param(
            "WITH few AS (SELECT id FROM parents ORDER BY id LIMIT 2)\n"
            "UPDATE parents SET name = 'few' FROM few WHERE few.id = parents.id;",
            id="update with",
        ),
        pytest.param(
            "UPDATE parents SET (name, code) = (SELECT 'x', 'y') WHERE random() < 2;",
            id="update of several at once",
        ),
        pytest.param("UPDATE touched SET note = 'new';", id="update with a trigger"),
        pytest.param("UPDATE parts SET note = 'q';", id="partitions"),
        pytest.param(
            "DELETE FROM parents USING kids WHERE kids.parent = parents.id AND parents.id < 4",
            id="delete, and what foreign keys take",
        ),
        pytest.param("DELETE FROM public.parts WHERE at > '2020-12-01';", id="of partitions"),
        pytest.param("TRUNCATE parents, kids, toys;", id="truncate several"),
        pytest.param("TRUNCATE parents CASCADE;", id="truncate cascade"),
        pytest.param(
            "UPDATE parents SET name = 'a';\nDELETE FROM toys;\nUPDATE parents SET name = 'b';\n"
            "DROP INDEX IF EXISTS none;\nALTER TABLE kids ADD COLUMN more int DEFAULT 1;\n"
            "DELETE FROM kids WHERE more = 1;",
            id="several, among other statements",
        ),
    ],
)
def test_every_row_is_as_it_was(app: Project, up: str) -> None:
    said = write(app, up)
    assert "all as they were after the down" in said or "none of which it takes" in said
    there_and_back(app)


def test_the_up_says_itself_what_it_keeps(app: Project) -> None:
    write(app, "UPDATE parents SET name = 'x', mood = 'ok';\nDELETE FROM kids;\nTRUNCATE parts;\n")
    app.alembic("generate-down", "2", "--check")


def test_row_level_security_does_not_hide_rows_from_the_down(app: Project) -> None:
    app.execute(
        "ALTER TABLE hidden NO FORCE ROW LEVEL SECURITY",
        "INSERT INTO hidden VALUES (1, 'a', 'x'), (2, 'b', 'y')",
        "ALTER TABLE hidden FORCE ROW LEVEL SECURITY",
        "CREATE ROLE keeper LOGIN NOSUPERUSER",
        "ALTER TABLE hidden OWNER TO keeper",
    )
    try:
        write(app, "SET app.tenant = 'a';\nDELETE FROM hidden;\nRESET app.tenant;")
        down = (app.versions / "2_change.down.sql").read_text()
        assert "ALTER TABLE hidden NO FORCE ROW LEVEL SECURITY;" in down
        assert down.index("NO FORCE") < down.index("INSERT INTO hidden") < down.rindex("FORCE")
    finally:
        app.execute("DROP TABLE hidden", "DROP ROLE keeper")


def test_what_was_written_since_is_not_overwritten(app: Project) -> None:
    write(app, "UPDATE parents SET name = 'new' WHERE id < 3;")
    command.upgrade(app.config, "head")
    app.execute("UPDATE parents SET name = 'newer' WHERE id = 1")
    rollback(app)
    rows = app.query("SELECT id, name FROM parents WHERE id < 3 ORDER BY id")
    assert rows == [(1, "newer"), (2, "n2")]


def test_a_row_that_came_in_its_place_stops_the_down_whole(app: Project) -> None:
    write(app, "DELETE FROM toys;")
    command.upgrade(app.config, "head")
    app.execute("INSERT INTO toys VALUES (3, NULL)")
    failed = app.alembic("rollback-db", "2", "--yes", code=1)
    assert "Key (id)=(3) already exists" in failed.text
    assert "The database is unchanged" in failed.text
    assert app.query("SELECT count(*) FROM toys") == [(1,)]


def test_a_type_that_is_made_anew_later_is_not_held_back(app: Project) -> None:
    write(app, "UPDATE parents SET mood = 'ok';")
    command.upgrade(app.config, "head")
    app.execute(
        "ALTER TYPE mood RENAME TO old_mood",
        "CREATE TYPE mood AS ENUM ('ok', 'bad', 'new')",
        "ALTER TABLE parents ALTER mood TYPE mood USING mood::text::mood",
        "DROP TYPE old_mood",
    )
    rollback(app)
    assert app.query("SELECT count(*) FROM parents WHERE mood = 'bad'") == [(3,)]


UNKEPT = [
    ("UPDATE keyless SET note = 'c'", "keyless has no key by which to find the rows again"),
    ("UPDATE parents SET id = id + 100", "the key of parents changes"),
    ("UPDATE toys SET kid = 1 RETURNING id", "it has a RETURNING of its own"),
    ("UPDATE heirs_of SET note = 'c'", "other tables inherit from heirs_of"),
    ("DELETE FROM tree", "its foreign keys ON DELETE CASCADE go round in a circle"),
    (
        "DELETE FROM labels",
        "foreign key defaulting_label_fkey sets other rows to their default",
    ),
    ("TRUNCATE labelled RESTART IDENTITY", "RESTART IDENTITY: the positions of the"),
    (
        "WITH gone AS (DELETE FROM toys RETURNING id) DELETE FROM labelled USING gone "
        "WHERE gone.id = labelled.id",
        "its WITH changes rows, too",
    ),
]


def test_what_cannot_be_kept_says_why_and_stays(app: Project) -> None:
    for number, (up, _) in enumerate(UNKEPT, 2):
        (app.versions / f"{number}_change.up.sql").write_text(f"{up};\n")
    files = [f"{number}" for number in range(2, len(UNKEPT) + 2)]
    said = app.alembic("generate-down", *files, "--keep-data", "--yes", code=1).err
    for number, (up, why) in enumerate(UNKEPT, 2):
        assert f"line 1 keeps nothing: {why}" in " ".join(said.split()), up
        assert (app.versions / f"{number}_change.up.sql").read_text() == f"{up};\n"
        down = (app.versions / f"{number}_change.down.sql").read_text()
        assert "-- Irreversible: line 1" in down, up


def test_outside_a_transaction_it_is_refused(app: Project) -> None:
    path = app.versions / "2_change.up.sql"
    path.write_text("-- Transaction: none\nDELETE FROM toys;\n")
    refused = app.alembic("generate-down", "2", "--keep-data", "--yes", code=1)
    assert "runs outside a transaction (-- Transaction: none)" in refused.err
    assert "Nothing was written." in refused.err
    assert not (app.versions / "2_change.down.sql").exists()


@pytest.mark.parametrize("options", [("--state", "none"), ("--check",)])
def test_what_does_not_go_with_it(app: Project, options: tuple[str, ...]) -> None:
    (app.versions / "2_change.up.sql").write_text("DELETE FROM toys;\n")
    refused = app.alembic("generate-down", "2", "--keep-data", *options, code=2)
    assert "--keep-data goes neither with --state none nor with --check." in refused.err


def test_nothing_to_keep_is_said(app: Project) -> None:
    said = write(app, "CREATE TABLE fresh (id int);\nINSERT INTO fresh VALUES (1);\n")
    assert "no rows to keep" in said


def test_the_rest_of_the_file_stays_as_it_is(app: Project) -> None:
    up = (
        "-- Description: Cleans up\r\n-- Author: A\r\nBEGIN;\r\n\r\n"
        "-- Tidy: 'a;b' — ünïcode\r\n  DELETE FROM toys /* all; */ WHERE true; -- gone\r\n"
        "CREATE INDEX i ON toys (kid);\r\nCOMMIT;\r\n"
    )
    path = app.versions / "2_change.up.sql"
    path.write_bytes(up.encode())
    app.alembic("generate-down", "2", "--keep-data", "--yes")
    text = path.read_bytes().decode()
    before, after = up.split("DELETE FROM toys /* all; */ WHERE true")
    assert text.startswith(before)
    assert text.endswith(after)
    assert text.count("\n") == text.count("\r\n")
    there_and_back(app)


def test_it_shows_the_difference_and_asks(app: Project) -> None:
    path = app.versions / "2_change.up.sql"
    path.write_text("DELETE FROM toys;\n")
    child = terminal(app, "generate-down", "2", "--keep-data")
    child.expect("Type 'WRITE' to confirm: ")
    assert "CREATE TABLE rollback_archive.kept_2_1_toys AS" in child.before
    child.sendline("yes")
    text, code = ended(child)
    assert (code, "Not confirmed." in text) == (4, True)
    assert path.read_text() == "DELETE FROM toys;\n"
    assert not (app.versions / "2_change.down.sql").exists()
    child = terminal(app, "generate-down", "2", "--keep-data")
    child.expect("Type 'WRITE' to confirm: ")
    child.sendline("WRITE")
    text, code = ended(child)
    assert code == 0, text
    there_and_back(app)


def test_without_a_terminal_only_the_difference_is_shown(app: Project) -> None:
    path = app.versions / "2_change.up.sql"
    path.write_text("DELETE FROM toys;\n")
    refused = app.alembic("generate-down", "2", "--keep-data", code=4)
    assert "This rewrites up files, and there is no terminal to ask on." in refused.err
    shown = app.alembic("generate-down", "2", "--keep-data", "--stdout")
    assert "-DELETE FROM toys;" in shown.out.splitlines()
    assert "+DELETE FROM toys" in shown.out.splitlines()
    assert path.read_text() == "DELETE FROM toys;\n"


def test_where_it_is_applied_already_nothing_was_kept_and_that_is_said(app: Project) -> None:
    app.pair("2_change", "DELETE FROM toys WHERE id = 1;\n", "-- Irreversible: gone\n")
    command.upgrade(app.config, "head")
    said = app.alembic("generate-down", "2", "--keep-data", "--yes", "--force")
    assert f"2 is applied in {app.url.database}, where nothing was kept" in said.err


def test_verify_down_sees_that_the_rows_survive(app: Project) -> None:
    write(app, "UPDATE parents SET name = 'x';\nDELETE FROM toys;\n")
    found = app.alembic("verify-down", "2", "--strict")
    assert "2_change: verified" in found.out
    assert "gone" not in found.out


def test_the_archive_lists_it_and_drops_it(app: Project) -> None:
    write(app, "DELETE FROM toys;\n")
    command.upgrade(app.config, "head")
    listed = app.alembic("restore-db", "--list").out
    assert "2: kept by its up for its down, since" in listed
    assert "(rollback_archive.kept_2_1_toys)" in listed
    nothing = app.alembic("restore-db", "--drop-older-than", "1d", "--yes")
    assert "There is nothing that old in the archive." in nothing.text
    app.execute("UPDATE schema_migrations SET applied_at = now() - interval '2 days'")
    dropped = app.alembic("restore-db", "--drop-older-than", "1d", "--yes")
    assert "The down of 2 fails without it, and cannot put it back." in dropped.err
    assert "Dropped 1 table of the archive" in dropped.text
    failed = app.alembic("rollback-db", "2", "--yes", code=1)
    assert 'relation "rollback_archive.kept_2_1_toys" does not exist' in failed.text


def test_with_archive_the_rollback_puts_the_rows_back_and_nothing_is_archived_twice(
    app: Project,
) -> None:
    write(app, "DELETE FROM toys;\n")
    before = contents(app)
    command.upgrade(app.config, "head")
    app.alembic("rollback-db", "2", "--archive", "--yes")
    assert contents(app) == before
    assert "Nothing is in the archive." in app.alembic("restore-db", "--list").out


@pytest.mark.parametrize(
    "up",
    [
        # A table that the script doesn't make is nobody's archive.
        "WITH kept AS (DELETE FROM a RETURNING id) INSERT INTO b (id) SELECT id FROM kept;",
        "CREATE TABLE s.b AS SELECT id FROM a WITH NO DATA;\n"
        "WITH kept AS (DELETE FROM a RETURNING id) INSERT INTO s.b SELECT id FROM kept;",
        "CREATE TABLE s.b AS SELECT id FROM a WHERE id > 1;\nTRUNCATE a;",
        "CREATE TABLE s.b AS SELECT id FROM a;\nINSERT INTO a VALUES (1);\nTRUNCATE a;",
        "CREATE TABLE s.b AS SELECT id + 1 AS id FROM a;\nTRUNCATE a;",
        "CREATE TABLE s.b AS SELECT id FROM c;\nTRUNCATE a;",
    ],
)
def test_other_statements_are_not_taken_for_kept_ones(up: str) -> None:
    script = read_script(up, Path("1_a.up.sql"))
    assert kept_by(script) == {}
    assert invert(script).irreversible


def test_a_down_that_only_puts_back_asks_nothing(app: Project) -> None:
    write(app, "DELETE FROM toys;\n")
    command.upgrade(app.config, "head")
    shown = app.alembic("rollback-db", "2", "--dry-run")
    kept = "rollback_archive.kept_2_1_toys (6 rows that the up has kept, put back before)"
    assert kept in shown.out
    assert "backup_exists" not in shown.out
    app.alembic("rollback-db", "2")
    assert app.query("SELECT count(*) FROM toys") == [(6,)]


def test_a_down_that_does_not_put_back_is_a_loss(app: Project) -> None:
    write(app, "DELETE FROM toys;\n")
    command.upgrade(app.config, "head")
    down = app.versions / "2_change.down.sql"
    down.write_text("DROP TABLE rollback_archive.kept_2_1_toys;\n")
    shown = app.alembic("rollback-db", "2", "--dry-run")
    assert "DROP TABLE rollback_archive.kept_2_1_toys (containing 6 rows)" in shown.out
    app.alembic("rollback-db", "2", code=4)
