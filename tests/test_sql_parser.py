"""The SQL room: statements and their places, what can run, what runs outside, quoting, effects."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg2
import pytest
from postgast import parse as parse_tree

from alembic_rollback.errors import ScriptSyntaxError
from alembic_rollback.sql import outside
from alembic_rollback.sql.effects import Loss, effects
from alembic_rollback.sql.names import quote_identifier, quote_literal, quote_name
from alembic_rollback.sql.parser import parse
from alembic_rollback.sql.script import read_script

FILE = Path("/x/a.up.sql")
ACTIVE_TRANSACTION = "25001"


def split(text: str) -> list[tuple[str, int, int]]:
    """Each statement's text, line and column."""
    return [(one.text, one.where.line, one.where.column) for one in parse(text, FILE)]


def refused(text: str) -> str:
    with pytest.raises(ScriptSyntaxError) as caught:
        read_script(text, FILE)
    return str(caught.value)


def texts(text: str) -> list[str]:
    return [one.text for one in read_script(text, FILE).statements]


# Splitting and places


def test_statements_are_split_without_their_semicolons():
    assert split("SELECT 1;SELECT 2 ;") == [("SELECT 1", 1, 1), ("SELECT 2", 1, 10)]


def test_a_last_statement_needs_no_semicolon():
    assert split("SELECT 1;\nSELECT 2\n") == [("SELECT 1", 1, 1), ("SELECT 2", 2, 1)]


@pytest.mark.parametrize(
    "text", ["", "\n \t\r\n", "-- only\n", "/* a /* b */ c */", ";;;", "; -- x"]
)
def test_a_file_without_a_statement_has_none(text):
    assert split(text) == []


def test_empty_statements_are_left_out_and_move_no_place():
    assert split(";;\n;SELECT 1;;SELECT 2") == [("SELECT 1", 2, 2), ("SELECT 2", 2, 12)]


def test_comments_before_a_statement_are_not_part_of_it():
    text = "-- one\n/* two\n /* nested */ */ SELECT 1;\n  -- three ;\n  SELECT 2;"
    assert split(text) == [("SELECT 1", 3, 18), ("SELECT 2", 5, 3)]


def test_comments_within_a_statement_are_kept():
    assert split("SELECT /* ; */ 1 -- ;\n + 2;")[0][0] == "SELECT /* ; */ 1 -- ;\n + 2"


def test_a_comment_between_statement_and_semicolon_is_kept():
    assert split("SELECT 1 -- one\n; SELECT 2")[1] == ("SELECT 2", 2, 3)


def test_comments_after_a_last_statement_without_semicolon_are_left_out():
    assert split("SELECT 1 -- é ;\n/* that /* is */ all */\n") == [("SELECT 1", 1, 1)]


def test_columns_are_counted_in_characters():
    assert split("SELECT 'größe 漢字 🐘'; SELECT 2")[1] == ("SELECT 2", 1, 22)


def test_multi_byte_comments_move_no_place():
    assert split("-- größe 漢字\n/* 🐘 */ SELECT 1;") == [("SELECT 1", 2, 9)]


def test_windows_line_ends_count_once_and_are_kept():
    text = "SELECT 1;\r\n\r\nSELECT 'a\r\nb',\r\n 2;\r\nSELECT 3;"
    assert split(text) == [
        ("SELECT 1", 1, 1),
        ("SELECT 'a\r\nb',\r\n 2", 3, 1),
        ("SELECT 3", 6, 1),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $body$ SELECT 1; SELECT $$a;b$$; $body$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (1); END",
        "SELECT 'it''s; fine', \"od;d\", E'\\'; x', U&'\\0041;'",
        "SELECT $$;$$, $größe$;$größe$",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)",
        "SELECT a ? 'b', c @> '{}'::jsonb, d % 2 FROM t",
    ],
)
def test_a_semicolon_inside_a_statement_does_not_end_it(statement):
    text = f"-- é\nSELECT 0;\n{statement};\nSELECT 9;"
    assert split(text) == [("SELECT 0", 2, 1), (statement, 3, 1), ("SELECT 9", 4, 1)]


def test_a_string_that_looks_like_a_comment_is_not_one():
    assert split("SELECT '--', '/*'; SELECT 2")[1] == ("SELECT 2", 1, 20)


def test_a_comment_ends_at_a_carriage_return_as_it_does_for_the_server():
    found = [text for text, _, _ in split("-- one\rSELECT 1; -- two\rSELECT 2 -- three\r;")]
    assert found == ["SELECT 1", "SELECT 2"]


def test_copy_with_its_data_is_named_behind_text_that_is_not_ascii():
    assert "is psql's" in refused("-- größe 漢字漢字漢字\nCOPY t FROM stdin;\n1\tone\n\\.\n")


def test_only_white_space_of_sql_is_taken_off_a_statement():
    assert split("SELECT 1 AS a\u00a0;")[0][0] == "SELECT 1 AS a\u00a0"


def test_a_place_within_a_statement_is_found_by_character():
    (one,) = parse("\n  SELECT 'é',\r\n       x", FILE)
    position = one.text.index("x") + 1
    assert str(one.locate(position)) == "/x/a.up.sql:3:8"


def test_a_place_on_the_first_line_of_a_statement_counts_from_the_lines_begin():
    (_, one) = parse("SELECT 'é'; SELECT x", FILE)
    assert str(one.locate(8)) == "/x/a.up.sql:1:20"


# What does not parse


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT 1;\nSELEC 2;", '/x/a.up.sql:2:1: syntax error at or near "SELEC".'),
        pytest.param(
            *("SELECT 'größe', 漢 FRM t WHERE;", '/x/a.up.sql:1:23: syntax error at or near "t".'),
        ),
        ("SELECT 1;\r\n  CREATE TABEL t ();", '/x/a.up.sql:2:10: syntax error at or near "TABEL".'),
        ("SELECT (1", "/x/a.up.sql:1:10: syntax error at end of input."),
    ],
)
def test_a_syntax_error_has_line_and_column(text, told):
    assert refused(text) == told


@pytest.mark.parametrize(
    ("text", "place", "start"),
    [
        ("SELECT 1;\nSELECT 'abc;\n", "2:8", "unterminated quoted string"),
        ("SELECT 1;\n/* abc", "2:1", "unterminated /* comment"),
        ("SELECT $a$ x", "1:8", "unterminated dollar-quoted string"),
    ],
)
def test_what_is_not_closed_is_placed_where_it_opens(text, place, start):
    assert refused(text).startswith(f"/x/a.up.sql:{place}: {start}")


@pytest.mark.parametrize(
    ("text", "place", "command"),
    [
        ("\\c other\nSELECT 1;", "1:1", "\\c other"),
        pytest.param(
            *("SELECT 'é';\n  \\i more.sql\nSELECT 1;", "2:3", "\\i more.sql"),
        ),
        ("SELECT 1 \\gset\n", "1:10", "\\gset"),
        ("\\set ON_ERROR_STOP on\r\nSELECT 1;", "1:1", "\\set ON_ERROR_STOP on"),
    ],
)
def test_a_command_of_psql_is_named(text, place, command):
    assert refused(text) == (
        f"/x/a.up.sql:{place}: {command} is a command of psql, not SQL. Remove it; a script is "
        "sent to the server as it stands."
    )


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("1\tone\n\\.\n", "2:1"),
        ("one\t1\n\\.\n", "2:1"),
        ("\\.\n", "2:1"),
        ("\\N\t1\n\\.\n", "2:1"),
    ],
)
def test_copy_with_its_data_in_the_file_is_named(data, place):
    assert refused(f"COPY t (a, b) FROM stdin;\n{data}SELECT 1;") == (
        f"/x/a.up.sql:{place}: COPY … FROM stdin with its data in the file is psql's; no driver "
        "can run it. Write INSERT statements (pg_dump --inserts), or COPY FROM a server file."
    )


@pytest.mark.parametrize(
    "text", ["COPY t FROM stdin;", "COPY t TO stdout", "COPY (SELECT 1) TO STDOUT"]
)
def test_copy_through_the_client_is_refused(text):
    assert refused(f"SELECT 1;\n{text}") == (
        "/x/a.up.sql:2:1: COPY through the client needs psql; no migration can run it. Write "
        "INSERT statements, or COPY with a file on the server."
    )


@pytest.mark.parametrize("text", ["COPY t FROM '/a.csv'", "COPY t TO PROGRAM 'gzip'"])
def test_copy_on_the_server_is_allowed(text):
    assert texts(text) == [text]


# Transaction control


@pytest.mark.parametrize("begin", ["BEGIN", "begin transaction", "BEGIN WORK", "START TRANSACTION"])
@pytest.mark.parametrize("commit", ["COMMIT", "END", "commit work", "COMMIT AND NO CHAIN"])
def test_a_transaction_around_everything_is_unwrapped(begin, commit):
    assert texts(f"-- x\n{begin};\nSELECT 1;\nSELECT 2;\n{commit};\n-- y") == [
        "SELECT 1",
        "SELECT 2",
    ]


def test_an_empty_transaction_is_an_empty_script():
    assert texts("BEGIN; COMMIT;") == []


def test_unwrapping_moves_no_place():
    (one,) = read_script("BEGIN;\n  SELECT 1;\nCOMMIT;", FILE).statements
    assert str(one.where) == "/x/a.up.sql:2:3"


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN; SELECT 1; COMMIT;\nBEGIN; SELECT 2; END;",
        "SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;",
        "START TRANSACTION;\nSELECT 1;\nCOMMIT;\nSELECT 2;",
        "BEGIN; SELECT 1; COMMIT; BEGIN; COMMIT; SELECT 2",
    ],
)
def test_several_whole_transactions_are_one(text):
    script = read_script(text, FILE)
    assert [one.text for one in script.statements] == ["SELECT 1", "SELECT 2"]
    assert script.joined
    assert script.transactional


def test_one_transaction_around_everything_is_not_several():
    assert not read_script("BEGIN; SELECT 1; SELECT 2; COMMIT;", FILE).joined
    assert not read_script("SELECT 1", FILE).joined


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("SET LOCAL search_path = a", "SET LOCAL"),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION"),
        ("SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS"),
        ("SELECT Set_Config('a.b', 'c', true)", "set_config"),
        ("ALTER TYPE a ADD VALUE 'b'", "ADD VALUE"),
        ("CREATE TEMP TABLE t (id int) ON COMMIT DROP", "ON COMMIT"),
        ("CREATE TEMP TABLE t ON COMMIT DELETE ROWS AS SELECT 1", "ON COMMIT"),
        ("DECLARE c CURSOR FOR SELECT 1", "DECLARE"),
        ("CREATE INDEX CONCURRENTLY ON t (id)", "CREATE INDEX CONCURRENTLY"),
    ],
)
def test_what_is_of_one_of_several_transactions_is_refused(statement, word):
    with pytest.raises(ScriptSyntaxError) as caught:
        read_script(f"BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\n{statement};\nCOMMIT;", FILE)
    assert str(caught.value) == (
        f"/x/a.up.sql:5:1: {word} here is of one of the file's transactions, and they are run as "
        "one. Split the file into one pair per transaction."
    )
    assert texts(f"BEGIN; {statement}; COMMIT") == [statement]


@pytest.mark.parametrize(
    "statement",
    [
        "SET search_path = a",
        "ALTER TYPE a RENAME VALUE 'b' TO 'c'",
        "CREATE TABLE t (id int)",
        "CREATE TEMP TABLE t ON COMMIT PRESERVE ROWS AS SELECT 1",
    ],
)
def test_what_lasts_longer_than_a_transaction_may_stand_in_one_of_several(statement):
    assert texts(f"BEGIN; SELECT 1; COMMIT; BEGIN; {statement}; COMMIT;")[1:] == [statement]


def test_several_transactions_are_not_taken_apart_where_nothing_is_run_in_one():
    text = "BEGIN; SELECT 1; COMMIT;\nBEGIN; SELECT 2; COMMIT;"
    with pytest.raises(ScriptSyntaxError, match=f"1:1: BEGIN {SPLIT_IT}"):
        read_script(text, FILE, no_transaction=True)


SPLIT_IT = (
    "here would end the migration's transaction. Only whole transactions, BEGIN … COMMIT, are "
    "allowed, and are run as one; split the file into one pair per transaction."
)


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("BEGIN; SELECT 1; BEGIN; SELECT 2; COMMIT; COMMIT;", "1:1", "BEGIN"),
        ("BEGIN; SELECT 1; COMMIT;\nROLLBACK;", "2:1", "ROLLBACK"),
        ("COMMIT;\nSELECT 1;\nBEGIN;", "1:1", "COMMIT"),
        ("BEGIN;\nSELECT 1;", "1:1", "BEGIN"),
        ("SELECT 1;\ncommit;", "2:1", "COMMIT"),
        ("SELECT 1;\nROLLBACK;", "2:1", "ROLLBACK"),
        ("SELECT 1;\nABORT;", "2:1", "ABORT"),
        ("BEGIN; SELECT 1; ROLLBACK;", "1:1", "BEGIN"),
        ("BEGIN; SELECT 1; COMMIT AND CHAIN;", "1:1", "BEGIN"),
        ("SELECT 1; PREPARE TRANSACTION 'x';", "1:11", "PREPARE"),
        ("COMMIT PREPARED 'x';", "1:1", "COMMIT"),
        ("ROLLBACK PREPARED 'x';", "1:1", "ROLLBACK"),
    ],
)
def test_what_would_end_the_transaction_is_refused_with_its_place(text, place, word):
    assert refused(text) == f"/x/a.up.sql:{place}: {word} {SPLIT_IT}"


@pytest.mark.parametrize(
    "begin",
    [
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "START TRANSACTION READ ONLY",
        "BEGIN TRANSACTION DEFERRABLE",
    ],
)
def test_begin_with_options_is_refused(begin):
    assert refused(f"{begin}; SELECT 1; COMMIT;") == (
        "/x/a.up.sql:1:1: BEGIN with options cannot be honoured: script, ledger and version table "
        "share one transaction. Write plain BEGIN, or nothing."
    )


def test_savepoints_are_allowed():
    text = "SAVEPOINT a; SELECT 1; ROLLBACK TO a; ROLLBACK TO SAVEPOINT a; RELEASE a"
    assert texts(text) == text.split("; ")


# What runs outside a transaction


def test_the_first_reason_is_told_with_its_line():
    text = "SELECT 1;\n\nVACUUM t;\nCREATE INDEX CONCURRENTLY i ON t (a);"
    found = read_script(text, FILE)
    assert (found.outside, found.transactional) == ("line 3: VACUUM", False)


def test_an_ordinary_script_is_transactional():
    found = read_script("CREATE TABLE t (); CREATE INDEX i ON t (a);", FILE)
    assert (found.outside, found.transactional) == (None, True)


def test_the_header_can_take_the_transaction_away():
    found = read_script("SELECT 1", FILE, no_transaction=True)
    assert (found.outside, found.transactional) == ("-- Transaction: none", False)


REFUSED_INSIDE = {
    "CREATE INDEX CONCURRENTLY i ON t (a)": "IndexStmt",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)": "IndexStmt",
    "DROP INDEX CONCURRENTLY t_a": "DropStmt",
    "REINDEX TABLE CONCURRENTLY t": "ReindexStmt",
    "REINDEX (VERBOSE, CONCURRENTLY) INDEX t_a": "ReindexStmt",
    "REINDEX SCHEMA public": "ReindexStmt",
    "REINDEX DATABASE {database}": "ReindexStmt",
    "REINDEX SYSTEM {database}": "ReindexStmt",
    "VACUUM": "VacuumStmt",
    "VACUUM (FULL, ANALYZE) t": "VacuumStmt",
    "CLUSTER": "ClusterStmt",
    "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY": "AlterTableStmt",
    "ALTER DATABASE {database} SET TABLESPACE pg_default": "AlterDatabaseStmt",
    "ALTER SYSTEM SET work_mem = '5MB'": "AlterSystemStmt",
    "ALTER SYSTEM RESET ALL": "AlterSystemStmt",
    "CREATE DATABASE x": "CreatedbStmt",
    "DROP DATABASE IF EXISTS x": "DropdbStmt",
    "CREATE TABLESPACE x LOCATION '/nowhere'": "CreateTableSpaceStmt",
    "DROP TABLESPACE x": "DropTableSpaceStmt",
    "DISCARD ALL": "DiscardStmt",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION p": "CreateSubscriptionStmt",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION": "AlterSubscriptionStmt",
    "ALTER SUBSCRIPTION s SET PUBLICATION q": "AlterSubscriptionStmt",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q": "AlterSubscriptionStmt",
    "DROP SUBSCRIPTION s": "DropSubscriptionStmt",
}
ALLOWED_INSIDE = [
    "CREATE INDEX i ON t (a)",
    "DROP INDEX t_a",
    "DROP TABLE t",
    "REINDEX TABLE t",
    "REINDEX INDEX t_a",
    "ANALYZE",
    "ANALYZE t",
    "CLUSTER t USING t_a",
    "ALTER TABLE p DETACH PARTITION p1",
    "ALTER TABLE t ADD COLUMN c int",
    "ALTER DATABASE {database} CONNECTION LIMIT 10",
    "ALTER DATABASE {database} SET work_mem = '5MB'",
    "ALTER DATABASE {database} OWNER TO CURRENT_USER",
    "ALTER TYPE e ADD VALUE 'b'",
    "ALTER ROLE CURRENT_USER SET work_mem = '5MB'",
    "ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default",
    "CHECKPOINT",
    "TRUNCATE t",
    "REFRESH MATERIALIZED VIEW m",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "LOCK TABLE t",
    "ALTER SUBSCRIPTION s RENAME TO s2",
    "ALTER SUBSCRIPTION s OWNER TO CURRENT_USER",
]
TOO_CAREFUL = [
    "REINDEX (CONCURRENTLY false) TABLE t",
    "DISCARD PLANS",
    "DISCARD SEQUENCES",
    "DISCARD TEMP",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
    "ALTER SUBSCRIPTION s DISABLE",
    "ALTER SUBSCRIPTION s SET (binary = true)",
    "ALTER SUBSCRIPTION s CONNECTION 'dbname=y'",
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)",
]
OBJECTS = """
CREATE TABLE t (a int);
CREATE INDEX t_a ON t (a);
CREATE TABLE p (a int) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TYPE e AS ENUM ('a');
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE UNIQUE INDEX ON m (a);
"""


@pytest.fixture
def inside(connection):
    """Run a statement inside a transaction block; return its SQLSTATE, None where it succeeded."""
    database = connection.info.dbname
    subscription = f"s_{database}"
    cursor = connection.cursor()
    cursor.execute(OBJECTS)
    made = []

    def run(statement: str) -> str | None:
        if re.search(r"SUBSCRIPTION s\b", statement) and not made:
            cursor.execute(
                f"CREATE SUBSCRIPTION {subscription} CONNECTION 'dbname=x' PUBLICATION p "
                "WITH (connect = false)"
            )
            cursor.execute(f"ALTER SUBSCRIPTION {subscription} ENABLE")
            cursor.execute(f"ALTER SUBSCRIPTION {subscription} DISABLE")
            if "REFRESH" in statement or "PUBLICATION q" in statement:
                cursor.execute(f"ALTER SUBSCRIPTION {subscription} ENABLE")
            made.append(subscription)
        text = re.sub(r"SUBSCRIPTION ([sx])\b", rf"SUBSCRIPTION \1_{database}", statement)
        cursor.execute("BEGIN")
        try:
            cursor.execute(text.format(database=database))
        except psycopg2.Error as error:
            return str(error.pgcode)
        finally:
            cursor.execute("ROLLBACK")
        return None

    yield run
    for name in made:
        cursor.execute(f"ALTER SUBSCRIPTION {name} DISABLE")
        cursor.execute(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
        cursor.execute(f"DROP SUBSCRIPTION {name}")


def test_every_rule_has_a_statement_that_is_tried_on_the_server():
    assert set(REFUSED_INSIDE.values()) == set(outside._RULES)


@pytest.mark.parametrize("statement", REFUSED_INSIDE)
def test_what_the_server_refuses_in_a_transaction_runs_outside_one(inside, statement):
    (one,) = parse(statement.replace("{database}", "x"), FILE)
    assert one.kind == REFUSED_INSIDE[statement]
    assert outside.why_outside_transaction(one.node) is not None
    assert inside(statement) == ACTIVE_TRANSACTION


@pytest.mark.parametrize("statement", ALLOWED_INSIDE + TOO_CAREFUL)
def test_the_server_allows_the_neighbours_in_a_transaction(inside, statement):
    assert inside(statement) is None


@pytest.mark.parametrize("statement", ALLOWED_INSIDE)
def test_what_the_server_allows_in_a_transaction_stays_in_it(statement):
    (one,) = parse(statement.replace("{database}", "x"), FILE)
    assert outside.why_outside_transaction(one.node) is None


@pytest.mark.parametrize("statement", TOO_CAREFUL)
def test_what_looks_like_its_refused_neighbour_stays_in_the_transaction(statement):
    (one,) = parse(statement, FILE)
    assert outside.why_outside_transaction(one.node) is None


# Quoting

ODD_NAMES = [
    "UserData",
    "user data",
    'a"b',
    '"',
    "é",
    "größe",
    "漢字",
    "a.b",
    "a-b",
    "1a",
    "_",
    "_1",
    "a1",
    "a;b",
    "a'b",
    "a\\b",
    "a:b",
    "a%sb",
    " ",
    "--",
    "a\nb",
    "🐘",
    "İ",
]


@pytest.fixture
def quote_ident(connection):
    def quoted(name: str) -> str:
        cursor = connection.cursor()
        cursor.execute("SELECT quote_ident(%s)", (name,))
        return str(cursor.fetchone()[0])

    return quoted


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_name_is_quoted_as_the_server_quotes_it(quote_ident, name):
    assert quote_identifier(name) == quote_ident(name)


def test_a_name_with_a_dollar_is_quoted_as_the_server_quotes_it(quote_ident):
    assert quote_identifier("a$b") == quote_ident("a$b")


def test_every_keyword_that_the_server_quotes_is_quoted(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT word, quote_ident(word) FROM pg_get_keywords()")
    words = dict(cursor.fetchall())
    assert len(words) > 400
    unquoted = {word for word, quoted in words.items() if word != quoted == f'"{word}"'}
    assert {word for word in unquoted if quote_identifier(word) == word} == set()


def test_a_word_that_no_grammar_reserves_is_left_alone(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT word FROM pg_get_keywords() WHERE quote_ident(word) = word")
    words = {row[0] for row in cursor.fetchall()}
    quoted = {word for word in words if quote_identifier(word) != word}
    # Between releases words become reserved: those of the parser's release may be quoted early.
    same = parse_tree("SELECT 1").version // 10000 == connection.server_version // 10000
    assert quoted == set() if same else len(quoted) < 20


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_quoted_name_names_the_same_object(connection, name):
    cursor = connection.cursor()
    cursor.execute('CREATE SCHEMA "Ä b"')
    cursor.execute(f"CREATE TABLE {quote_name(('Ä b', name))} ()".replace("%", "%"))
    cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = '\"Ä b\"'::regnamespace")
    assert cursor.fetchall() == [(name,)]


LITERALS = [
    "",
    "'",
    "''",
    "\\",
    "\\'",
    "'\\",
    "\\\\",
    "a\\nb",
    "a\nb\r\nc",
    "é漢🐘",
    "$$",
    ":x %s %(a)s ?",
    "\\'; DROP TABLE t; --",
    "\\x41 \\101 \\u0041",
]


@pytest.mark.parametrize("conforming", ["on", "off"])
@pytest.mark.parametrize("value", LITERALS)
def test_a_literal_comes_back_as_it_was(connection, value, conforming):
    cursor = connection.cursor()
    cursor.execute(f"SET standard_conforming_strings = {conforming}")
    cursor.execute("SET backslash_quote = on")
    cursor.execute(f"SELECT {quote_literal(value)}")
    assert cursor.fetchall() == [(value,)]


@pytest.mark.parametrize("value", LITERALS)
def test_a_literal_is_right_where_backslash_quotes_are_forbidden(connection, value):
    cursor = connection.cursor()
    cursor.execute("SET backslash_quote = off")
    cursor.execute(f"SELECT {quote_literal(value)}")
    assert cursor.fetchall() == [(value,)]


def test_none_is_null():
    assert quote_literal(None) == "NULL"


# Effects


def told(text: str) -> list[tuple[str, str]]:
    return [(one.shown, one.loss.value) for s in parse(text, FILE) for one in effects(s)]


ROWS, DEFINITION, UNKNOWN = Loss.ROWS.value, Loss.DEFINITION.value, Loss.UNKNOWN.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DROP TABLE t", [("DROP TABLE t", ROWS)]),
        ("drop table if exists t cascade", [("DROP TABLE t", ROWS)]),
        ("DROP TABLE a, app.b", [("DROP TABLE a", ROWS), ("DROP TABLE app.b", ROWS)]),
        ('DROP TABLE app."UserData"', [('DROP TABLE app."UserData"', ROWS)]),
        ('DROP TABLE "select"', [('DROP TABLE "select"', ROWS)]),
        ("DROP SCHEMA app CASCADE", [("DROP SCHEMA app", ROWS)]),
        ("DROP MATERIALIZED VIEW m", [("DROP MATERIALIZED VIEW m", ROWS)]),
        ("DROP FOREIGN TABLE f", [("DROP FOREIGN TABLE f", ROWS)]),
        ("DROP EXTENSION hstore", [("DROP EXTENSION hstore", DEFINITION)]),
        ("DROP TYPE app.status CASCADE", [("DROP TYPE app.status", DEFINITION)]),
        ("DROP DOMAIN positive", [("DROP DOMAIN positive", DEFINITION)]),
        ("DROP VIEW v", [("DROP VIEW v", DEFINITION)]),
        ("DROP INDEX CONCURRENTLY i", [("DROP INDEX i", DEFINITION)]),
        ("DROP SEQUENCE s", [("DROP SEQUENCE s", DEFINITION)]),
        ("DROP FUNCTION app.f(int, text)", [("DROP FUNCTION app.f", DEFINITION)]),
        ("DROP PROCEDURE p", [("DROP PROCEDURE p", DEFINITION)]),
        ("DROP STATISTICS st", [("DROP STATISTICS st", DEFINITION)]),
        ("DROP SERVER fs", [("DROP SERVER fs", DEFINITION)]),
        ("DROP FOREIGN DATA WRAPPER w", [("DROP FOREIGN DATA WRAPPER w", DEFINITION)]),
        ("DROP TEXT SEARCH CONFIGURATION c", [("DROP TEXT SEARCH CONFIGURATION c", DEFINITION)]),
        ("DROP EVENT TRIGGER e", [("DROP EVENT TRIGGER e", DEFINITION)]),
        ("DROP POLICY p ON app.t", [("DROP POLICY p ON app.t", DEFINITION)]),
        ('DROP TRIGGER "Tr" ON t', [('DROP TRIGGER "Tr" ON t', DEFINITION)]),
        ("DROP RULE r ON t", [("DROP RULE r ON t", DEFINITION)]),
        ("TRUNCATE a, app.b", [("TRUNCATE a", ROWS), ("TRUNCATE app.b", ROWS)]),
        ("DELETE FROM t WHERE a = 1", [("DELETE FROM t", ROWS)]),
        ("DELETE FROM t USING u WHERE t.a = u.a", [("DELETE FROM t", ROWS)]),
        ("UPDATE app.t SET a = 1", [("UPDATE app.t", ROWS)]),
        (
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
            [("MERGE INTO t", ROWS)],
        ),
        ("ALTER TABLE t DROP COLUMN a", [("DROP COLUMN a OF t", ROWS)]),
        (
            'ALTER TABLE app.t DROP "Total", DROP COLUMN IF EXISTS b CASCADE',
            [('DROP COLUMN "Total" OF app.t', ROWS), ("DROP COLUMN b OF app.t", ROWS)],
        ),
        ("ALTER TABLE t ALTER a TYPE int", [("CHANGE TYPE OF a IN t", ROWS)]),
        ("ALTER TABLE t DROP CONSTRAINT c", [("DROP CONSTRAINT c OF t", DEFINITION)]),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", [("DO block", UNKNOWN)]),
        ("CALL clean_up()", [("CALL clean_up", UNKNOWN)]),
        ("SELECT app.clean_up(1)", [("CALL app.clean_up", UNKNOWN)]),
        ("EXECUTE prepared(1)", [("EXECUTE a prepared statement", UNKNOWN)]),
        ("DROP OWNED BY bob", [("DROP OWNED", UNKNOWN)]),
        ("DROP ROLE bob", [("DROP ROLE", UNKNOWN)]),
        ("DROP DATABASE x", [("DROP DATABASE", UNKNOWN)]),
        (
            "WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO kept SELECT * FROM gone",
            [("DELETE FROM t", ROWS)],
        ),
        (
            "WITH a AS (UPDATE t SET a = 1 RETURNING 1), b AS (DELETE FROM u) SELECT 1",
            [("UPDATE t", ROWS), ("DELETE FROM u", ROWS)],
        ),
        ("EXPLAIN ANALYZE DELETE FROM t", [("DELETE FROM t", ROWS)]),
    ],
)
def test_what_a_statement_takes_away_is_told(text, expected):
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (a int)",
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE INDEX i ON t (lower(a))",
        "CREATE VIEW v AS SELECT count(*) FROM t",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END",
        "CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u",
        "ALTER TABLE t ADD COLUMN a int DEFAULT 1",
        "ALTER TABLE t ALTER a SET NOT NULL, ALTER b DROP DEFAULT, ALTER c DROP NOT NULL",
        "ALTER TABLE t RENAME TO u",
        "INSERT INTO t VALUES (1)",
        "GRANT SELECT ON t TO bob",
        "COMMENT ON TABLE t IS 'x'",
        "SET search_path = app",
        "SELECT 1",
    ],
)
def test_what_takes_nothing_away_has_no_effect(text):
    assert told(text) == []


@pytest.mark.parametrize(
    "text", ["DROP TABLE t CASCADE", "TRUNCATE t CASCADE", "DROP VIEW v CASCADE"]
)
def test_cascade_is_noted(text):
    (one,) = effects(parse(text, FILE)[0])
    assert one.cascade is True


@pytest.mark.parametrize("text", ["DROP TABLE t", "TRUNCATE t", "DROP VIEW v RESTRICT"])
def test_without_cascade_nothing_cascades(text):
    (one,) = effects(parse(text, FILE)[0])
    assert one.cascade is False


def test_an_effect_knows_its_statement():
    _, drop = parse("SELECT 1;\nDROP TABLE t", FILE)
    (one,) = effects(drop)
    assert (one.statement, one.statement.where.line) == (drop, 2)


def test_a_users_function_with_the_name_of_a_harmless_one_is_unknown():
    assert told("SELECT app.nextval('x')") == [("CALL app.nextval", UNKNOWN)]


def test_rows_that_an_insert_overwrites_are_told():
    text = "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2"
    assert [loss for _, loss in told(text)] == [ROWS]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(
            *("DROP OPERATOR CLASS c USING btree", "DROP OPERATOR CLASS c"),
        ),
        pytest.param(
            *("DROP OPERATOR FAMILY f USING btree", "DROP OPERATOR FAMILY f"),
        ),
        ("DROP CAST (int AS app.money)", "DROP CAST"),
    ],
)
def test_what_goes_is_told_in_the_words_of_sql(text, shown):
    assert told(text)[0][0].startswith(shown)
