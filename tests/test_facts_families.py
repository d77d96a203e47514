"""Facts of every kind: read, told apart, made again, changed back, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from alembic_rollback.catalog.facts.comparison import compare
from alembic_rollback.catalog.facts.model import Fact, Snapshot
from alembic_rollback.catalog.facts.reading import read
from alembic_rollback.catalog.facts.registry import KINDS, NotRestorable
from alembic_rollback.catalog.facts.restoring import restore

OWNER, READER = "facts_owner", "facts Reader"

# Nothing is committed, not even roles.
BASE = f"""
CREATE ROLE {OWNER}; CREATE ROLE "{READER}";
CREATE SCHEMA app;
CREATE SCHEMA "Odd ""x y";
CREATE TABLE app.customers (id integer PRIMARY KEY, name text NOT NULL, region text);
CREATE TABLE app.orders (id integer PRIMARY KEY, customer integer, total numeric,
    made timestamptz, "No:te %s" text);
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
PARTITIONED = """
CREATE TABLE app.events (id integer, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE app.events_new PARTITION OF app.events DEFAULT;
"""


@dataclass(frozen=True)
class Case:
    """What there is; what is done to it; which kinds of fact differ then.

    changes: all of them are changed back in place; else what differs is dropped and made.
    """

    make: str
    do: str
    kinds: tuple[str, ...]
    changes: bool = False
    since: int = 14


def dropped(make: str, drop: str, *kinds: str, since: int = 14) -> Case:
    """Objects that go, with their aspects."""
    return Case(make, drop, kinds, since=since)


def changed(make: str, do: str, *kinds: str, since: int = 14) -> Case:
    """Objects that are changed in place, here and there."""
    return Case(make, do, kinds, changes=True, since=since)


VIEW = "CREATE VIEW app.v AS SELECT id, name FROM app.customers;"
FUNCTION = "CREATE FUNCTION app.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
TRIGGER = """
CREATE TRIGGER "Tr %s" AFTER INSERT ON app.orders FOR EACH ROW WHEN (NEW.total > 1)
    EXECUTE FUNCTION app.touch('a:b');
"""
POLICY = f"""
CREATE POLICY "p:%s" ON app.orders AS RESTRICTIVE FOR UPDATE TO "{READER}", {OWNER}
    USING (total > 1) WITH CHECK (total > 2);
"""
MATERIALIZED = """
CREATE MATERIALIZED VIEW app.kept ("Key", note) WITH (fillfactor = 50,
    toast.autovacuum_enabled = false) AS SELECT id, 'x'::text FROM app.orders;
ALTER MATERIALIZED VIEW app.kept ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER MATERIALIZED VIEW app.kept ALTER COLUMN note SET COMPRESSION pglz;
ALTER MATERIALIZED VIEW app.kept ALTER COLUMN note SET STATISTICS 50;
ALTER MATERIALIZED VIEW app.kept ALTER COLUMN "Key" SET (n_distinct = 5);
"""
AGGREGATES = """
CREATE AGGREGATE app."Coun:t"(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
CREATE AGGREGATE app.highest(int4) (SFUNC = int4larger, STYPE = int4, SORTOP = >,
    PARALLEL = SAFE, SSPACE = 64, COMBINEFUNC = int4larger);
CREATE AGGREGATE app.middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition,
    STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE app.ranked(VARIADIC "any" ORDER BY VARIADIC "any") (
    SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final,
    FINALFUNC_EXTRA, HYPOTHETICAL);
"""
OPERATORS = """
CREATE FUNCTION app.same(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS 'SELECT ($1).a = ($2).a';
CREATE FUNCTION app.other(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS 'SELECT ($1).a <> ($2).a';
CREATE FUNCTION app.negative(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE
    AS 'SELECT - ($1).a';
CREATE FUNCTION app.order(app.pair, app.pair) RETURNS integer LANGUAGE sql IMMUTABLE
    AS 'SELECT 1';
CREATE OPERATOR app.=== (FUNCTION = app.same, LEFTARG = app.pair, RIGHTARG = app.pair,
    COMMUTATOR = OPERATOR(app.===), NEGATOR = OPERATOR(app.<=>), RESTRICT = eqsel,
    JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR app.<=> (FUNCTION = app.other, LEFTARG = app.pair, RIGHTARG = app.pair,
    COMMUTATOR = OPERATOR(app.<=>), NEGATOR = OPERATOR(app.===));
CREATE OPERATOR app.!- (FUNCTION = app.negative, RIGHTARG = app.pair);
"""
PAIR = "CREATE TYPE app.pair AS (a integer);"
CLASSES = """
CREATE OPERATOR FAMILY app.pairs USING hash;
CREATE FUNCTION app.hashed(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OPERATOR CLASS app."Pair:s" DEFAULT FOR TYPE app.pair USING hash FAMILY app.pairs AS
    OPERATOR 1 app.===, FUNCTION 1 app.hashed(app.pair);
CREATE OPERATOR CLASS app.plain FOR TYPE app.pair USING btree AS FUNCTION 1 app.order(
    app.pair, app.pair);
"""
FOREIGN = f"""
CREATE FOREIGN DATA WRAPPER "Wra:p" VALIDATOR postgresql_fdw_validator;
CREATE FOREIGN DATA WRAPPER plain OPTIONS (debug 'tr''ue');
CREATE SERVER far TYPE 'x''y' VERSION '1' FOREIGN DATA WRAPPER plain OPTIONS (host 'a', "B" 'b');
CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (password 'secret');
CREATE USER MAPPING FOR PUBLIC SERVER far;
CREATE USER MAPPING FOR "{READER}" SERVER far OPTIONS (name 'it''s');
"""
SEARCH = """
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken,
    END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE app.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY app.small (TEMPLATE = app.plain, ACCEPT = false, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION app.search (PARSER = app.words);
ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR word, asciiword WITH app.small, simple;
"""
LANGUAGE = """
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.inliner(internal) RETURNS void LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION app.validator(oid) RETURNS void LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE "L:ang" HANDLER app.handler INLINE app.inliner VALIDATOR app.validator;
"""
CASES = {
    "schema": dropped(
        f"""CREATE SCHEMA "Sche""ma %s" AUTHORIZATION {OWNER};
        GRANT USAGE ON SCHEMA "Sche""ma %s" TO "{READER}";
        COMMENT ON SCHEMA "Sche""ma %s" IS 'it''s';""",
        'DROP SCHEMA "Sche""ma %s"',
        "schema",
        "owner",
        "privileges",
        "comment",
    ),
    "public": dropped(
        "COMMENT ON SCHEMA public IS 'ours'; GRANT CREATE ON SCHEMA public TO PUBLIC;",
        "COMMENT ON SCHEMA public IS NULL; REVOKE ALL ON SCHEMA public FROM PUBLIC;"
        "ALTER SCHEMA public OWNER TO CURRENT_USER",
        "privileges",
        "comment",
        "owner",
    ),
    "extension": dropped(
        "CREATE EXTENSION pg_trgm SCHEMA app;"
        + FUNCTION
        + TRIGGER
        + """CREATE MATERIALIZED VIEW app.m AS SELECT 1 AS x;
        ALTER FUNCTION app.f(integer) DEPENDS ON EXTENSION pg_trgm;
        ALTER TRIGGER "Tr %s" ON app.orders DEPENDS ON EXTENSION pg_trgm;
        ALTER MATERIALIZED VIEW app.m DEPENDS ON EXTENSION pg_trgm;
        ALTER INDEX app.orders_pkey DEPENDS ON EXTENSION plpgsql;""",
        "ALTER FUNCTION app.f(integer) NO DEPENDS ON EXTENSION pg_trgm;"
        'ALTER TRIGGER "Tr %s" ON app.orders NO DEPENDS ON EXTENSION pg_trgm;'
        "ALTER MATERIALIZED VIEW app.m NO DEPENDS ON EXTENSION pg_trgm; DROP EXTENSION pg_trgm",
        "extension",
        *["extension dependency"] * 3,
        "comment",
    ),
    "extension elsewhere": changed(
        "CREATE EXTENSION pg_trgm SCHEMA app VERSION '1.5';",
        "ALTER EXTENSION pg_trgm SET SCHEMA public",
        "extension",
    ),
    "functions": dropped(
        f"""
        CREATE FUNCTION app."Fun:c %s"(a integer, VARIADIC b text[] DEFAULT ARRAY['x;']::text[])
            RETURNS TABLE (c integer, "D" text) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = app, "$user" COST 7 ROWS 5 AS $$ SELECT 1, 'a:b %s'::text; $$;
        CREATE FUNCTION app.atomic(o app.orders) RETURNS numeric LANGUAGE sql IMMUTABLE
            BEGIN ATOMIC SELECT o.total; END;
        CREATE FUNCTION app.numbered() RETURNS bigint LANGUAGE internal WINDOW
            AS 'window_row_number';
        CREATE PROCEDURE app.run(INOUT n integer) LANGUAGE plpgsql AS $x$ BEGIN

            n := n + 1; END $x$;
        ALTER FUNCTION app.numbered() OWNER TO {OWNER};
        REVOKE EXECUTE ON FUNCTION app.numbered() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION app.numbered() TO "{READER}" WITH GRANT OPTION;
        GRANT EXECUTE ON PROCEDURE app.run TO {OWNER};
        COMMENT ON PROCEDURE app.run IS 'runs';
        """,
        'DROP FUNCTION app."Fun:c %s", app.atomic, app.numbered; DROP PROCEDURE app.run',
        "function",
        "function",
        "function",
        "procedure",
        "comment",
        *["privileges"] * 2,
        *["owner"] * 4,
    ),
    "function's body": changed(
        FUNCTION,
        """CREATE OR REPLACE FUNCTION app.f(a integer) RETURNS integer LANGUAGE plpgsql
        STRICT COST 9 SET work_mem = '1MB' AS 'BEGIN RETURN 2; END'""",
        "function",
    ),
    "function's result": dropped(
        FUNCTION,
        "DROP FUNCTION app.f; CREATE FUNCTION app.f(a integer) RETURNS bigint LANGUAGE sql "
        "AS 'SELECT 1'",
        "function",
    ),
    "function's argument": dropped(
        FUNCTION,
        "DROP FUNCTION app.f; CREATE FUNCTION app.f(b integer) RETURNS integer LANGUAGE sql "
        "AS 'SELECT 1'",
        "function",
    ),
    "function's default": dropped(
        FUNCTION,
        "CREATE OR REPLACE FUNCTION app.f(a integer DEFAULT 5) RETURNS integer LANGUAGE sql "
        "AS 'SELECT 1'",
        "function",
    ),
    "aggregates": dropped(
        AGGREGATES
        + f"""
        ALTER AGGREGATE app."Coun:t"(*) OWNER TO {OWNER};
        REVOKE EXECUTE ON FUNCTION app."Coun:t"() FROM PUBLIC;
        ALTER AGGREGATE app.middle(float8 ORDER BY anyelement) OWNER TO {OWNER};
        COMMENT ON AGGREGATE app."Coun:t"(*) IS 'counts';
        COMMENT ON AGGREGATE app.middle(float8 ORDER BY anyelement) IS 'middle';
        """,
        """DROP AGGREGATE app."Coun:t"(*); DROP AGGREGATE app.highest(int4);
        DROP AGGREGATE app.middle(float8 ORDER BY anyelement);
        DROP AGGREGATE app.ranked(VARIADIC "any" ORDER BY VARIADIC "any")""",
        *["aggregate"] * 4,
        *["owner"] * 4,
        "comment",
        "comment",
        "privileges",
    ),
    "aggregate's start": changed(
        AGGREGATES,
        """CREATE OR REPLACE AGGREGATE app."Coun:t"(*) (SFUNC = int8inc, STYPE = int8,
        INITCOND = '5')""",
        "aggregate",
    ),
    "views": dropped(
        f"""
        CREATE VIEW app.totals WITH (security_barrier) AS SELECT customer, sum(total) AS "Sum:x"
            FROM app.orders WHERE made < '2026-05-05 01:00Z' GROUP BY customer;
        CREATE VIEW "Odd ""x y"."v:iew %s" ("co:l", "A ""b"" x") AS
            SELECT t.customer, t."Sum:x" FROM app.totals t;
        CREATE VIEW app.checked AS SELECT * FROM app.customers WHERE id > 0
            WITH CASCADED CHECK OPTION;
        CREATE VIEW app.by_key AS SELECT c.*, count(*) AS many FROM app.customers c GROUP BY c.id;
        CREATE VIEW app.nothing AS SELECT;
        ALTER VIEW app.checked ALTER COLUMN region SET DEFAULT 'west';
        ALTER VIEW app.totals OWNER TO {OWNER};
        GRANT SELECT, UPDATE ON app.totals TO "{READER}" WITH GRANT OPTION;
        REVOKE TRUNCATE ON app.totals FROM {OWNER};
        GRANT SELECT (id, name), UPDATE (id) ON app.checked TO "{READER}";
        GRANT INSERT (id) ON app.checked TO {OWNER} WITH GRANT OPTION;
        COMMENT ON VIEW app.totals IS 'all; of ''them''';
        COMMENT ON COLUMN app.totals."Sum:x" IS 'su:m %s';
        """,
        'DROP VIEW app.totals, "Odd ""x y"."v:iew %s", app.checked, app.by_key, app.nothing',
        *["view"] * 5,
        "view default",
        *["owner"] * 5,
        *["privileges"] * 3,
        *["comment"] * 2,
    ),
    "view with another column": changed(
        "CREATE VIEW app.v AS SELECT id, name, 1 AS one FROM app.customers;",
        "DROP VIEW app.v; CREATE VIEW app.v WITH (security_barrier) AS SELECT id, region AS name "
        "FROM app.customers",
        "view",
    ),
    "view with a renamed column": changed(
        VIEW, 'ALTER VIEW app.v RENAME COLUMN name TO "Na""me"', "view"
    ),
    "view with fewer columns": dropped(
        VIEW, "CREATE OR REPLACE VIEW app.v AS SELECT id, name, region FROM app.customers", "view"
    ),
    "view with another type": dropped(
        VIEW,
        "DROP VIEW app.v; CREATE VIEW app.v AS SELECT 1::bigint AS id, ''::text AS name",
        "view",
    ),
    "view's options": changed(
        VIEW + "ALTER VIEW app.v SET (check_option = local);",
        "ALTER VIEW app.v RESET (check_option); ALTER VIEW app.v SET (security_barrier = true)",
        "view",
    ),
    "view's default": changed(
        VIEW + "ALTER VIEW app.v ALTER COLUMN name SET DEFAULT 'a';",
        "ALTER VIEW app.v ALTER COLUMN name SET DEFAULT 'b'",
        "view default",
    ),
    "view's default gone": dropped(
        VIEW + "ALTER VIEW app.v ALTER COLUMN name SET DEFAULT 'a';",
        "ALTER VIEW app.v ALTER COLUMN name DROP DEFAULT",
        "view default",
    ),
    "security invoker": changed(
        VIEW + "ALTER VIEW app.v SET (security_invoker = true);",
        "ALTER VIEW app.v SET (security_invoker = false)",
        "view",
        since=15,
    ),
    "materialized views": dropped(
        MATERIALIZED
        + f"""
        CREATE UNIQUE INDEX kept_key ON app.kept ("Key");
        ALTER MATERIALIZED VIEW app.kept CLUSTER ON kept_key;
        CREATE MATERIALIZED VIEW app.empty AS SELECT * FROM app.kept WITH NO DATA;
        ALTER MATERIALIZED VIEW app.kept OWNER TO {OWNER};
        GRANT SELECT ("Key") ON app.kept TO "{READER}";
        COMMENT ON MATERIALIZED VIEW app.kept IS 'kept';
        COMMENT ON COLUMN app.kept."Key" IS 'key';
        """,
        "DROP MATERIALIZED VIEW app.kept CASCADE",
        *["materialized view"] * 2,
        "index",
        "clustering",
        *["owner"] * 2,
        "privileges",
        *["comment"] * 2,
    ),
    "materialized view's storage": changed(
        MATERIALIZED,
        """REFRESH MATERIALIZED VIEW app.kept WITH NO DATA;
        ALTER MATERIALIZED VIEW app.kept RESET (fillfactor, toast.autovacuum_enabled);
        ALTER MATERIALIZED VIEW app.kept SET (autovacuum_enabled = false);
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN note SET STORAGE EXTENDED;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN note SET STATISTICS -1;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN "Key" SET STORAGE PLAIN;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN "Key" RESET (n_distinct);""",
        "materialized view",
    ),
    "materialized view's query": dropped(
        MATERIALIZED,
        "DROP MATERIALIZED VIEW app.kept; CREATE MATERIALIZED VIEW app.kept AS SELECT 1 AS x",
        "materialized view",
    ),
    "rules": dropped(
        """
        CREATE RULE "Ru:le" AS ON UPDATE TO app.orders WHERE OLD.total > 5 DO ALSO
            (UPDATE app.customers SET region = 'r;' WHERE id = OLD.customer;
             DELETE FROM app.customers WHERE id < 0);
        ALTER TABLE app.orders DISABLE RULE "Ru:le";
        COMMENT ON RULE "Ru:le" ON app.orders IS 'a rule';
        """,
        'DROP RULE "Ru:le" ON app.orders',
        "rule",
        "comment",
    ),
    "rule's state and text": changed(
        "CREATE RULE r AS ON DELETE TO app.orders DO INSTEAD NOTHING;"
        "ALTER TABLE app.orders ENABLE ALWAYS RULE r;",
        "CREATE OR REPLACE RULE r AS ON DELETE TO app.orders DO ALSO NOTHING;"
        "ALTER TABLE app.orders ENABLE REPLICA RULE r",
        "rule",
    ),
    "triggers": dropped(
        TRIGGER
        + """
        CREATE TRIGGER "Off:" AFTER DELETE ON app.orders EXECUTE FUNCTION app.touch();
        CREATE TRIGGER replica AFTER UPDATE ON app.orders REFERENCING OLD TABLE AS "Old"
            FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.orders FROM app.customers
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();
        ALTER TABLE app.orders DISABLE TRIGGER "Off:";
        ALTER TABLE app.orders ENABLE REPLICA TRIGGER replica;
        ALTER TABLE app.orders ENABLE ALWAYS TRIGGER late;
        COMMENT ON TRIGGER late ON app.orders IS 'late';
        """,
        """DROP TRIGGER "Tr %s" ON app.orders; DROP TRIGGER "Off:" ON app.orders;
        DROP TRIGGER replica ON app.orders; DROP TRIGGER late ON app.orders""",
        *["trigger"] * 4,
        "comment",
    ),
    "trigger's state": changed(TRIGGER, "ALTER TABLE app.orders DISABLE TRIGGER ALL", "trigger"),
    "trigger's text": changed(
        TRIGGER + 'ALTER TABLE app.orders ENABLE ALWAYS TRIGGER "Tr %s";',
        """CREATE OR REPLACE TRIGGER "Tr %s" BEFORE DELETE ON app.orders FOR EACH ROW
        EXECUTE FUNCTION app.touch()""",
        "trigger",
    ),
    "constraint trigger's text": dropped(
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.orders FOR EACH ROW "
        "EXECUTE FUNCTION app.touch();",
        "DROP TRIGGER late ON app.orders; CREATE CONSTRAINT TRIGGER late AFTER UPDATE "
        "ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch()",
        "trigger",
    ),
    "trigger of a view": dropped(
        VIEW + "CREATE TRIGGER instead INSTEAD OF UPDATE ON app.v FOR EACH ROW "
        "EXECUTE FUNCTION app.touch();",
        "DROP TRIGGER instead ON app.v",
        "trigger",
    ),
    "trigger of a partitioned table": dropped(
        PARTITIONED
        + """CREATE TRIGGER every AFTER INSERT ON app.events FOR EACH ROW
            EXECUTE FUNCTION app.touch();
        ALTER TABLE app.events DISABLE TRIGGER every;
        ALTER TABLE app.events_new ENABLE ALWAYS TRIGGER every;""",
        "DROP TRIGGER every ON app.events",
        "trigger",
        "trigger state",
    ),
    "state of a partition's trigger": changed(
        PARTITIONED
        + """CREATE TRIGGER every AFTER INSERT ON app.events FOR EACH ROW
            EXECUTE FUNCTION app.touch();
        ALTER TABLE app.events_new ENABLE ALWAYS TRIGGER every;""",
        "ALTER TABLE app.events_new DISABLE TRIGGER every",
        "trigger state",
    ),
    "state of a partition's trigger alone": dropped(
        PARTITIONED
        + """CREATE TRIGGER every AFTER INSERT ON app.events FOR EACH ROW
            EXECUTE FUNCTION app.touch();
        ALTER TABLE app.events_new ENABLE ALWAYS TRIGGER every;""",
        "ALTER TABLE app.events_new ENABLE TRIGGER every",
        "trigger state",
    ),
    "event trigger": dropped(
        """
        CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER "Ev:ent" ON ddl_command_start WHEN TAG IN ('CREATE RULE')
            EXECUTE FUNCTION app.watch();
        ALTER EVENT TRIGGER "Ev:ent" DISABLE;
        COMMENT ON EVENT TRIGGER "Ev:ent" IS 'event';
        """,
        'DROP EVENT TRIGGER "Ev:ent"',
        "event trigger",
        "owner",
        "comment",
    ),
    "event trigger's state": changed(
        """
        CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION app.watch();
        """,
        "ALTER EVENT TRIGGER watch ENABLE REPLICA",
        "event trigger",
    ),
    "policies": dropped(
        POLICY
        + """
        CREATE POLICY everybody ON app.orders USING (customer IN (SELECT id FROM app.customers));
        COMMENT ON POLICY everybody ON app.orders IS 'open';
        """,
        'DROP POLICY "p:%s" ON app.orders; DROP POLICY everybody ON app.orders',
        "policy",
        "policy",
        "comment",
    ),
    "policy's roles and conditions": changed(
        POLICY,
        'ALTER POLICY "p:%s" ON app.orders TO PUBLIC USING (total > 3) WITH CHECK (true)',
        "policy",
    ),
    "policy's condition less": dropped(
        "CREATE POLICY p ON app.orders USING (total > 1);",
        "ALTER POLICY p ON app.orders WITH CHECK (total > 2)",
        "policy",
    ),
    "statistics": dropped(
        f"""
        CREATE STATISTICS app."Sta:t" (ndistinct, mcv) ON customer, made, (total * 2)
            FROM app.orders;
        ALTER STATISTICS app."Sta:t" SET STATISTICS 55;
        ALTER STATISTICS app."Sta:t" OWNER TO {OWNER};
        COMMENT ON STATISTICS app."Sta:t" IS 'stats';
        """,
        'DROP STATISTICS app."Sta:t"',
        "statistics",
        "owner",
        "comment",
    ),
    "statistics' target": changed(
        "CREATE STATISTICS app.s ON customer, made FROM app.orders;",
        "ALTER STATISTICS app.s SET STATISTICS 55",
        "statistics",
    ),
    "owner": changed(
        FUNCTION + VIEW,
        f"""ALTER FUNCTION app.f OWNER TO {OWNER}; ALTER VIEW app.v OWNER TO "{READER}";
        ALTER TABLE app.orders OWNER TO {OWNER}; ALTER SCHEMA app OWNER TO {OWNER}""",
        *["owner"] * 4,
    ),
    "owners of others": changed(
        f"CREATE DOMAIN app.amount AS integer; ALTER DOMAIN app.amount OWNER TO {OWNER};"
        f"CREATE TYPE app.span AS RANGE (SUBTYPE = integer); CREATE SEQUENCE app.free;"
        + PAIR
        + OPERATORS
        + CLASSES
        + FOREIGN
        + SEARCH
        + LANGUAGE,
        f"""ALTER DOMAIN app.amount OWNER TO CURRENT_USER; ALTER TYPE app.span OWNER TO {OWNER};
        ALTER TYPE app.pair OWNER TO {OWNER}; ALTER SEQUENCE app.free OWNER TO {OWNER};
        ALTER OPERATOR app.=== (app.pair, app.pair) OWNER TO {OWNER};
        ALTER OPERATOR app.!- (NONE, app.pair) OWNER TO {OWNER};
        ALTER OPERATOR CLASS app."Pair:s" USING hash OWNER TO {OWNER};
        ALTER OPERATOR FAMILY app.pairs USING hash OWNER TO {OWNER};
        ALTER SERVER far OWNER TO {OWNER}; ALTER LANGUAGE "L:ang" OWNER TO {OWNER};
        ALTER TEXT SEARCH DICTIONARY app.small OWNER TO {OWNER};
        ALTER TEXT SEARCH CONFIGURATION app.search OWNER TO {OWNER};""",
        *["owner"] * 12,
    ),
    "privileges": dropped(
        f"""CREATE SEQUENCE app.free; CREATE TYPE app.mood AS ENUM ('x');
        GRANT SELECT, INSERT ON app.orders TO "{READER}" WITH GRANT OPTION;
        GRANT UPDATE ON app.orders TO {OWNER}, PUBLIC;
        REVOKE DELETE ON app.orders FROM CURRENT_USER;
        GRANT SELECT (id), UPDATE (id, "No:te %s") ON app.orders TO "{READER}" WITH GRANT OPTION;
        GRANT USAGE ON SEQUENCE app.free TO "{READER}";
        REVOKE USAGE ON TYPE app.mood FROM PUBLIC;
        GRANT USAGE ON SCHEMA app TO "{READER}";""",
        f"""REVOKE ALL ON app.orders FROM "{READER}", {OWNER}, PUBLIC;
        GRANT DELETE ON app.orders TO CURRENT_USER;
        REVOKE ALL ON SEQUENCE app.free FROM "{READER}"; GRANT USAGE ON TYPE app.mood TO PUBLIC;
        REVOKE ALL ON SCHEMA app FROM "{READER}" """,
        *["privileges"] * 6,
    ),
    "other privileges": changed(
        f"""GRANT SELECT, INSERT ON app.orders TO "{READER}" WITH GRANT OPTION;
        GRANT SELECT (id) ON app.orders TO {OWNER}; GRANT UPDATE ON app.orders TO {OWNER};""",
        f"""REVOKE GRANT OPTION FOR SELECT ON app.orders FROM "{READER}";
        REVOKE INSERT ON app.orders FROM "{READER}"; GRANT DELETE ON app.orders TO PUBLIC;
        GRANT SELECT (id) ON app.orders TO {OWNER} WITH GRANT OPTION""",
        *["privileges"] * 2,
    ),
    "privileges that others granted": changed(
        f'GRANT SELECT ON app.orders TO "{READER}";',
        f"""GRANT SELECT ON app.orders TO "{READER}" WITH GRANT OPTION;
        GRANT USAGE ON SCHEMA app TO "{READER}"; SET ROLE "{READER}";
        GRANT SELECT ON app.orders TO {OWNER}; RESET ROLE;
        REVOKE USAGE ON SCHEMA app FROM "{READER}" """,
        "privileges",
    ),
    "owner's privileges": changed(
        f"GRANT SELECT ON app.orders TO {OWNER}; REVOKE DELETE ON app.orders FROM CURRENT_USER;",
        f'ALTER TABLE app.orders OWNER TO "{READER}"',
        "owner",
    ),
    "an object with default privileges": dropped(
        f"""ALTER DEFAULT PRIVILEGES GRANT SELECT, UPDATE ON TABLES TO {OWNER};
        ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO "{READER}";
        {VIEW} CREATE VIEW app.w AS SELECT 1 AS x; REVOKE ALL ON app.w FROM {OWNER}, "{READER}";
        REVOKE UPDATE ON app.v FROM {OWNER};""",
        "DROP VIEW app.v, app.w",
        "view",
        "view",
        "owner",
        "owner",
        "privileges",
    ),
    "default privileges": dropped(
        f"""ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "{READER}" WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA app GRANT EXECUTE ON FUNCTIONS
            TO "{READER}";
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT CREATE ON SCHEMAS TO PUBLIC;""",
        f"""ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM "{READER}";
        ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA app REVOKE EXECUTE ON FUNCTIONS
            FROM "{READER}";
        ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
        ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SEQUENCES FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES REVOKE CREATE ON SCHEMAS FROM PUBLIC;""",
        *["default privileges"] * 5,
    ),
    "other default privileges": changed(
        f'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "{READER}" WITH GRANT OPTION;',
        f"""ALTER DEFAULT PRIVILEGES REVOKE GRANT OPTION FOR SELECT ON TABLES FROM "{READER}";
        ALTER DEFAULT PRIVILEGES GRANT UPDATE ON TABLES TO PUBLIC""",
        "default privileges",
    ),
    "comments": dropped(
        VIEW
        + PAIR
        + POLICY
        + TRIGGER
        + FUNCTION
        + SEARCH
        + FOREIGN
        + OPERATORS
        + CLASSES
        + LANGUAGE
        + """
        CREATE DOMAIN app.amount AS integer CONSTRAINT above CHECK (VALUE > 0);
        CREATE INDEX by_total ON app.orders (total);
        CREATE STATISTICS app.s ON customer, made FROM app.orders;
        CREATE PUBLICATION pub; CREATE SEQUENCE app.free;
        CREATE CAST (app.pair AS app.orders) WITH INOUT;
        CREATE COLLATION app.plain FROM "C";
        CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
        COMMENT ON TABLE app.orders IS 'c'; COMMENT ON COLUMN app.orders."No:te %s" IS 'c';
        COMMENT ON VIEW app.v IS 'c'; COMMENT ON COLUMN app.v.name IS 'c';
        COMMENT ON TYPE app.pair IS 'c'; COMMENT ON COLUMN app.pair.a IS 'c';
        COMMENT ON DOMAIN app.amount IS 'c';
        COMMENT ON CONSTRAINT above ON DOMAIN app.amount IS 'c';
        COMMENT ON CONSTRAINT orders_pkey ON app.orders IS 'c';
        COMMENT ON INDEX app.orders_pkey IS 'c'; COMMENT ON INDEX app.by_total IS 'c';
        COMMENT ON POLICY "p:%s" ON app.orders IS 'c'; COMMENT ON TRIGGER "Tr %s" ON app.orders IS
            'c'; COMMENT ON FUNCTION app.f IS 'c'; COMMENT ON SEQUENCE app.free IS 'c';
        COMMENT ON STATISTICS app.s IS 'c'; COMMENT ON PUBLICATION pub IS 'c';
        COMMENT ON CAST (app.pair AS app.orders) IS 'c'; COMMENT ON COLLATION app.plain IS 'c';
        COMMENT ON CONVERSION app.conv IS 'c'; COMMENT ON SCHEMA app IS 'c';
        COMMENT ON OPERATOR app.=== (app.pair, app.pair) IS 'c';
        COMMENT ON OPERATOR app.!- (NONE, app.pair) IS 'c';
        COMMENT ON OPERATOR CLASS app."Pair:s" USING hash IS 'c';
        COMMENT ON OPERATOR FAMILY app.pairs USING hash IS 'c';
        COMMENT ON FOREIGN DATA WRAPPER "Wra:p" IS 'c'; COMMENT ON SERVER far IS 'c';
        COMMENT ON TEXT SEARCH PARSER app.words IS 'c';
        COMMENT ON TEXT SEARCH TEMPLATE app.plain IS 'c';
        COMMENT ON TEXT SEARCH DICTIONARY app.small IS 'c';
        COMMENT ON TEXT SEARCH CONFIGURATION app.search IS 'c';
        COMMENT ON LANGUAGE "L:ang" IS 'c';
        """,
        "DELETE FROM pg_description WHERE description = 'c'",
        *["comment"] * 32,
    ),
    "parts that are no facts": dropped(
        PARTITIONED
        + f"""CREATE TABLE app.counted (id integer GENERATED ALWAYS AS IDENTITY);
        GRANT USAGE ON SEQUENCE app.counted_id_seq TO "{READER}";
        COMMENT ON SEQUENCE app.counted_id_seq IS 'c';
        CREATE TRIGGER every AFTER INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
        COMMENT ON TRIGGER every ON app.events_new IS 'c';""",
        f"""REVOKE ALL ON SEQUENCE app.counted_id_seq FROM "{READER}";
        COMMENT ON SEQUENCE app.counted_id_seq IS NULL;
        COMMENT ON TRIGGER every ON app.events_new IS NULL""",
        "privileges",
        *["comment"] * 2,
    ),
    "comment on not null": changed(
        "ALTER TABLE app.orders ADD CONSTRAINT must NOT NULL total;"
        "COMMENT ON CONSTRAINT must ON app.orders IS 'c';",
        "COMMENT ON CONSTRAINT must ON app.orders IS 'd'",
        "comment",
        since=18,
    ),
    "another comment": changed(
        "COMMENT ON TABLE app.orders IS E'it''s \\\\ 100%';",
        "COMMENT ON TABLE app.orders IS 'else'",
        "comment",
    ),
    "publication": dropped(
        f"""CREATE PUBLICATION "Pub:" FOR TABLE app.orders, app.customers
            WITH (publish = 'insert, delete', publish_via_partition_root = true);
        CREATE PUBLICATION everything FOR ALL TABLES;
        ALTER PUBLICATION "Pub:" OWNER TO {OWNER}; COMMENT ON PUBLICATION "Pub:" IS 'p';""",
        'DROP PUBLICATION "Pub:", everything',
        "publication",
        "publication",
        *["publication table"] * 2,
        "owner",
        "owner",
        "comment",
    ),
    "publication's settings": changed(
        "CREATE PUBLICATION pub WITH (publish = 'insert, delete');",
        "ALTER PUBLICATION pub SET (publish = 'update', publish_via_partition_root = true)",
        "publication",
    ),
    "publication's generated columns": changed(
        "CREATE PUBLICATION pub WITH (publish_generated_columns = stored);",
        "ALTER PUBLICATION pub SET (publish_generated_columns = none)",
        "publication",
        since=18,
    ),
    "publication's tables": dropped(
        "CREATE PUBLICATION pub FOR TABLE app.orders, app.customers;",
        "ALTER PUBLICATION pub DROP TABLE app.customers",
        "publication table",
    ),
    "publication's parts": dropped(
        """CREATE PUBLICATION pub FOR TABLE app.orders (id, "No:te %s") WHERE (id > 1);
        CREATE PUBLICATION whole FOR TABLES IN SCHEMA app;""",
        "ALTER PUBLICATION pub DROP TABLE app.orders;"
        "ALTER PUBLICATION whole DROP TABLES IN SCHEMA app",
        "publication table",
        "publication schema",
        since=15,
    ),
    "publication's other parts": changed(
        'CREATE PUBLICATION pub FOR TABLE app.orders (id, "No:te %s") WHERE (id > 1);',
        "ALTER PUBLICATION pub SET TABLE app.orders WHERE (id > 2)",
        "publication table",
        since=15,
    ),
    "foreign objects": dropped(
        FOREIGN
        + f"""GRANT USAGE ON FOREIGN DATA WRAPPER plain TO "{READER}";
        GRANT USAGE ON FOREIGN SERVER far TO "{READER}";""",
        'DROP FOREIGN DATA WRAPPER plain CASCADE; DROP FOREIGN DATA WRAPPER "Wra:p"',
        *["foreign data wrapper"] * 2,
        "server",
        *["user mapping"] * 3,
        *["owner"] * 3,
        *["privileges"] * 2,
    ),
    "foreign options": changed(
        FOREIGN,
        """ALTER FOREIGN DATA WRAPPER plain VALIDATOR postgresql_fdw_validator OPTIONS (DROP debug);
        ALTER FOREIGN DATA WRAPPER "Wra:p" NO VALIDATOR;
        ALTER SERVER far VERSION '2' OPTIONS (DROP "B", DROP host, ADD port '1',
            ADD host 'c');
        ALTER USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (SET password 'other', ADD "user"
            'me')""",
        *["foreign data wrapper"] * 2,
        "server",
        "user mapping",
    ),
    "text search": dropped(
        SEARCH,
        "DROP TEXT SEARCH PARSER app.words CASCADE; DROP TEXT SEARCH TEMPLATE app.plain CASCADE",
        "text search parser",
        "text search template",
        "text search dictionary",
        "text search configuration",
        "owner",
        "owner",
    ),
    "text search mappings": changed(
        SEARCH,
        """ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR word;
        ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword WITH simple;
        ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR email WITH simple""",
        "text search configuration",
    ),
    "text search dictionary's options": dropped(
        "CREATE TEXT SEARCH DICTIONARY app.alone (TEMPLATE = simple, STOPWORDS = english);",
        "ALTER TEXT SEARCH DICTIONARY app.alone (STOPWORDS, ACCEPT = true)",
        "text search dictionary",
    ),
    "operators": dropped(
        PAIR + OPERATORS,
        """DROP OPERATOR app.=== (app.pair, app.pair); DROP OPERATOR app.<=> (app.pair, app.pair);
        DROP OPERATOR app.!- (NONE, app.pair)""",
        *["operator"] * 3,
        *["owner"] * 3,
    ),
    "operator's estimators": changed(
        PAIR + OPERATORS,
        "ALTER OPERATOR app.=== (app.pair, app.pair) SET (RESTRICT = NONE, JOIN = neqjoinsel)",
        "operator",
    ),
    "operator classes": dropped(
        PAIR
        + OPERATORS
        + CLASSES
        + """CREATE OPERATOR CLASS app.near FOR TYPE point USING gist AS
            OPERATOR 15 <-> (point, point) FOR ORDER BY float_ops, FUNCTION 1
            gist_point_consistent(internal, point, smallint, oid, internal),
            FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5
            gist_box_penalty(internal, internal, internal), FUNCTION 6
            gist_box_picksplit(internal, internal), FUNCTION 7
            gist_box_same(box, box, internal), STORAGE box;""",
        """DROP OPERATOR FAMILY app.pairs USING hash CASCADE;
        DROP OPERATOR FAMILY app.plain USING btree CASCADE;
        DROP OPERATOR FAMILY app.near USING gist CASCADE;""",
        *["operator class"] * 3,
        *["operator family"] * 3,
        *["owner"] * 6,
    ),
    "operator family": changed(
        PAIR + OPERATORS + CLASSES + "CREATE OPERATOR FAMILY app.loose USING hash;"
        "ALTER OPERATOR FAMILY app.loose USING hash ADD OPERATOR 1 app.=== (app.pair, app.pair),"
        "FUNCTION 1 (app.pair) app.hashed(app.pair);",
        "ALTER OPERATOR FAMILY app.loose USING hash DROP OPERATOR 1 (app.pair, app.pair)",
        "operator family",
    ),
    "casts": dropped(
        PAIR
        + """CREATE FUNCTION app.to_int(app.pair) RETURNS integer LANGUAGE sql AS 'SELECT ($1).a';
        CREATE CAST (app.pair AS integer) WITH FUNCTION app.to_int(app.pair) AS IMPLICIT;
        CREATE CAST (app.pair AS app.orders) WITH INOUT AS ASSIGNMENT;
        CREATE TYPE app.twin AS ENUM ('a'); CREATE TYPE app.sister AS ENUM ('a');
        CREATE CAST (app.twin AS app.sister) WITH INOUT;""",
        """DROP CAST (app.pair AS integer); DROP CAST (app.pair AS app.orders);
        DROP CAST (app.twin AS app.sister)""",
        *["cast"] * 3,
    ),
    "cast's context": dropped(
        PAIR + "CREATE CAST (app.pair AS app.orders) WITH INOUT AS ASSIGNMENT;",
        "DROP CAST (app.pair AS app.orders); CREATE CAST (app.pair AS app.orders) WITH INOUT",
        "cast",
    ),
    "transform": dropped(
        PAIR
        + """CREATE FUNCTION app.seen(internal) RETURNS internal LANGUAGE internal IMMUTABLE
            AS 'textoverlay_no_len';
        CREATE TRANSFORM FOR app.pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION app.seen(internal));
        COMMENT ON TRANSFORM FOR app.pair LANGUAGE plpgsql IS 'seen';""",
        "DROP TRANSFORM FOR app.pair LANGUAGE plpgsql",
        "transform",
        "comment",
    ),
    "collations": dropped(
        """CREATE COLLATION app.plain FROM "C"; CREATE COLLATION app."P:x" (locale = 'POSIX');
        CREATE COLLATION app.parts (lc_collate = 'C', lc_ctype = 'POSIX');""",
        'DROP COLLATION app.plain, app."P:x", app.parts',
        *["collation"] * 3,
        *["owner"] * 3,
    ),
    "built-in collation": dropped(
        "CREATE COLLATION app.fast (provider = builtin, locale = 'C.UTF-8');",
        "DROP COLLATION app.fast",
        "collation",
        "owner",
        since=17,
    ),
    "conversion": dropped(
        f"""CREATE DEFAULT CONVERSION app."Con:v" FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
        ALTER CONVERSION app."Con:v" OWNER TO {OWNER};""",
        'DROP CONVERSION app."Con:v"',
        "conversion",
        "owner",
    ),
    "language": dropped(LANGUAGE, 'DROP LANGUAGE "L:ang"', "language", "owner"),
    "language's functions": changed(
        LANGUAGE,
        'CREATE OR REPLACE LANGUAGE "L:ang" HANDLER app.handler',
        "language",
    ),
    "access method": dropped(
        """CREATE ACCESS METHOD "Meth:od" TYPE TABLE HANDLER heap_tableam_handler;
        CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler;
        COMMENT ON ACCESS METHOD tree IS 'tree';""",
        'DROP ACCESS METHOD "Meth:od"; DROP ACCESS METHOD tree',
        "access method",
        "access method",
        "comment",
    ),
}
RENAMES = {
    "schema": 'ALTER SCHEMA app RENAME TO "New ""name"',
    "view": "ALTER VIEW app.v RENAME TO w; ALTER VIEW app.w SET SCHEMA public",
    "function": "ALTER FUNCTION app.f(integer) RENAME TO g;"
    "ALTER FUNCTION app.g(integer) SET SCHEMA public",
    "aggregate": 'ALTER AGGREGATE app."Coun:t"(*) RENAME TO "B:";'
    'ALTER AGGREGATE app."B:"(*) SET SCHEMA public',
    "materialized view": "ALTER MATERIALIZED VIEW app.kept RENAME TO m",
    "trigger": 'ALTER TRIGGER "Tr %s" ON app.orders RENAME TO t',
    "policy": 'ALTER POLICY "p:%s" ON app.orders RENAME TO p',
    "rule": "ALTER RULE r ON app.orders RENAME TO s",
    "operator": "ALTER OPERATOR app.!- (NONE, app.pair) SET SCHEMA public",
    "operator class": 'ALTER OPERATOR CLASS app."Pair:s" USING hash RENAME TO p;'
    "ALTER OPERATOR CLASS app.p USING hash SET SCHEMA public",
    "operator family": "ALTER OPERATOR FAMILY app.pairs USING hash RENAME TO p",
    "text search configuration": "ALTER TEXT SEARCH CONFIGURATION app.search RENAME TO s",
    "text search dictionary": "ALTER TEXT SEARCH DICTIONARY app.small SET SCHEMA public",
    "foreign data wrapper": "ALTER FOREIGN DATA WRAPPER plain RENAME TO w",
    "server": "ALTER SERVER far RENAME TO near",
    "language": 'ALTER LANGUAGE "L:ang" RENAME TO l',
    "statistics": "ALTER STATISTICS app.s RENAME TO t",
    "publication": "ALTER PUBLICATION pub RENAME TO p",
    "collation": "ALTER COLLATION app.plain RENAME TO p; ALTER COLLATION app.p SET SCHEMA public",
    "event trigger": "ALTER EVENT TRIGGER watch RENAME TO w",
}
RENAMED = (
    VIEW
    + FUNCTION
    + AGGREGATES
    + MATERIALIZED
    + TRIGGER
    + POLICY
    + PAIR
    + OPERATORS
    + CLASSES
    + SEARCH
    + FOREIGN
    + LANGUAGE
    + """
    CREATE RULE r AS ON DELETE TO app.orders DO ALSO NOTHING;
    CREATE STATISTICS app.s ON customer, made FROM app.orders;
    CREATE PUBLICATION pub; CREATE COLLATION app.plain FROM "C";
    CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION app.watch();
    """
)


def run(connection: Connection, sql: str) -> Any:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def each(connection: Connection, statements: Any) -> None:
    for statement in statements:
        assert not statement.rstrip().endswith(";"), statement
        run(connection, statement)


def version(engine: Engine) -> int:
    with engine.connect():
        return int(engine.dialect.server_version_info[0])  # type: ignore[attr-defined]


def ranked(facts: Any) -> list[Fact]:
    return sorted(facts, key=lambda fact: KINDS[fact.kind].rank)


def making(wanted: Snapshot, current: Snapshot) -> list[Fact]:
    """What is missing, in an order that what it needs allows."""
    left = ranked(one for one in wanted.facts.values() if (one.kind, one.key) not in current.by_key)
    found: list[Fact] = []
    while left:
        waiting = {fact.id for fact in left}
        free = [
            one
            for one in left
            if not waiting & {*wanted.needs.get(one.id, ()), *([one.parent] if one.parent else ())}
        ]
        found.append((free or left)[0])
        left.remove(found[-1])
    return found


@pytest.mark.parametrize("name", CASES)
def test_told_apart_and_made_again(name: str, engine: Engine) -> None:
    case = CASES[name]
    if version(engine) < case.since:
        pytest.skip(f"needs PostgreSQL {case.since}")
    with engine.connect() as connection:
        run(connection, BASE + case.make)
        before = read(connection)
        assert compare(before, read(connection)) == ()
        run(connection, case.do)
        after = read(connection)
        found = [one.fact.kind for one in compare(before, after)]
        assert sorted(found) == sorted(case.kinds)
        back = connection.begin_nested()
        by_hand(connection, before, after, case)
        # A new object may have got privileges by default that it didn't have.
        by_hand(connection, before, read(connection), case)
        assert compare(before, read(connection)) == ()
        back.rollback()
        restored = restore(connection, before)
        assert (restored.failure, restored.left) == ("", ())


def by_hand(connection: Connection, before: Snapshot, after: Snapshot, case: Case) -> None:
    """What the kinds say, without the planner."""
    run(connection, "SET LOCAL check_function_bodies = off")
    made_again: set[tuple[str, str]] = set()
    for one in compare(before, after):
        if one.before and one.after:
            statements = KINDS[one.fact.kind].change(one.after, one.before, before)
            assert not case.changes or statements, f"{one} is not changed in place"
            if statements is None:
                each(connection, KINDS[one.fact.kind].drop(one.after, after))
                made_again.add((one.fact.kind, one.fact.key))
            else:
                each(connection, statements)
        elif one.after and not KINDS[one.fact.kind].inherent(one.after):
            each(connection, KINDS[one.fact.kind].drop(one.after, after))
    for fact in making(before, read(connection)):
        each(connection, KINDS[fact.kind].create(fact, before))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.changes])
def test_taken_away(name: str, engine: Engine) -> None:
    case = CASES[name]
    if version(engine) < case.since:
        pytest.skip(f"needs PostgreSQL {case.since}")
    with engine.connect() as connection:
        run(connection, BASE + case.make)
        full = read(connection)
        run(connection, case.do)
        wanted = read(connection)
        # Back to all of it, by what the last test has shown to work.
        assert restore(connection, full).left == ()
        restored = restore(connection, wanted)
        assert (restored.failure, restored.left) == ("", ())


@pytest.mark.parametrize("name", RENAMES)
def test_renamed(name: str, engine: Engine) -> None:
    with engine.connect() as connection:
        run(connection, BASE + RENAMED)
        before = read(connection)
        run(connection, RENAMES[name])
        after = read(connection)
        assert compare(before, after)
        (old,) = [
            fact
            for one, fact in after.facts.items()
            if fact.kind == name and fact.key != before.facts[one].key
        ]
        statements = KINDS[name].rename(old, before.facts[old.id])
        assert statements
        each(connection, statements)
        assert compare(before, read(connection)) == ()


def test_extension_made_again_elsewhere(engine: Engine) -> None:
    with engine.connect() as connection:
        run(connection, "CREATE EXTENSION pg_trgm VERSION '1.3'")
        before = read(connection)
        run(connection, "ALTER EXTENSION pg_trgm UPDATE TO '1.5'")
        after = read(connection)
        key = ("extension", "pg_trgm")
        kind = KINDS["extension"]
        assert kind.change(before.by_key[key], after.by_key[key], after) == [
            "ALTER EXTENSION pg_trgm UPDATE TO '1.5'"
        ]
        # Nothing of an extension's members is a fact of its own.
        assert {one.kind for one in after.facts.values()} == {
            "schema",
            "extension",
            "owner",
            "comment",
            "privileges",
        }


def test_subscriptions_are_seen(engine: Engine) -> None:
    make = (
        "CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere dbname=x password=secret' "
        "PUBLICATION a WITH (connect = false, slot_name = NONE)"
    )
    with engine.connect() as connection:
        run(connection, make)
        before = read(connection)
        fact, kind = before.by_key["subscription", "sub"], KINDS["subscription"]
        assert "secret" not in str(fact)
        with pytest.raises(NotRestorable, match="subscription sub: how it connects"):
            kind.create(fact, before)
        run(connection, "ALTER SUBSCRIPTION sub SET PUBLICATION b, c WITH (refresh = false)")
        after = read(connection)
        statements = kind.change(after.by_key["subscription", "sub"], fact, before)
        assert statements
        each(connection, statements)
        assert compare(before, read(connection)) == ()
        each(connection, kind.drop(fact, before))
        assert ("subscription", "sub") not in read(connection).by_key
        with_slot = Fact(fact.id, fact.kind, fact.key, fact.name, None, {"slot": "sub"})
        with pytest.raises(NotRestorable, match="replication slot"):
            kind.drop(with_slot, before)


def test_security_labels(engine: Engine) -> None:
    with engine.connect() as connection:
        run(connection, BASE + 'CREATE VIEW app.v AS SELECT 1 AS "X";')
        run(
            connection,
            "INSERT INTO pg_seclabel VALUES "
            "('app.v'::regclass, 'pg_class'::regclass, 0, 'selinux', 'system_u'),"
            "('app.v'::regclass, 'pg_class'::regclass, 1, 'Se', 'it''s')",
        )
        found = read(connection)
    labels = ranked(one for one in found.facts.values() if one.kind == "security label")
    kind = KINDS["security label"]
    assert [(*kind.create(one, found), *kind.drop(one, found)) for one in labels] == [
        (
            "SECURITY LABEL FOR selinux ON VIEW app.v IS 'system_u'",
            "SECURITY LABEL FOR selinux ON VIEW app.v IS NULL",
        ),
        (
            """SECURITY LABEL FOR "Se" ON COLUMN app.v."X" IS 'it''s'""",
            """SECURITY LABEL FOR "Se" ON COLUMN app.v."X" IS NULL""",
        ),
    ]


def test_names_follow_search_path(engine: Engine) -> None:
    with engine.connect() as connection:
        run(connection, "CREATE TABLE t (a integer); CREATE VIEW v AS SELECT a FROM t;")
        run(connection, "COMMENT ON COLUMN t.a IS 'x'; GRANT SELECT (a) ON v TO PUBLIC")
        found = read(connection)
    names = {(fact.kind, fact.key): fact.name for fact in found.facts.values()}
    assert names["comment", "COLUMN public.t.a"] == "COLUMN t.a"
    assert names["owner", "VIEW public.v"] == "VIEW v"
    view = found.by_key["view", "public.v"]
    (privileges,) = found.children_of(view, "privileges")
    assert KINDS["privileges"].create(privileges, found) == [
        "GRANT SELECT (a) ON TABLE v TO PUBLIC"
    ]
    assert not any("t.a" in fact.key and "public" not in fact.key for fact in found.facts.values())
    assert len(found.by_key) == len(found.facts)


def test_read_by_somebody_else(engine: Engine) -> None:
    with engine.connect() as connection:
        run(connection, BASE + FOREIGN + VIEW)
        ours = read(connection)
        run(connection, f"SET ROLE {OWNER}")
        theirs = read(connection)
        run(connection, "RESET ROLE")
    # Options of a user mapping are only for whom they are for.
    different = [one.fact.kind for one in compare(ours, theirs)]
    assert set(different) <= {"user mapping"}
    owner = theirs.by_key["owner", "VIEW app.v"]
    assert KINDS["owner"].create(owner, theirs)
    assert not KINDS["owner"].create(ours.by_key["owner", "VIEW app.v"], ours)
