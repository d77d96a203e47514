"""Definitions of objects of every kind: read, dropped, made again, and compared with pg_dump."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from alembic_rollback.catalog.definitions import SETTINGS, Address, Definition, definitions
from alembic_rollback.embedded.binaries import environment, find_binaries

OWNER, READER = "definitions_owner", "definitions Reader"

BASE = """
CREATE SCHEMA app;
CREATE SCHEMA "Ödd ""Schema"" x";
CREATE TABLE app.customers (id integer PRIMARY KEY, name text NOT NULL, region text);
CREATE TABLE app.orders (
    id integer PRIMARY KEY, customer integer, total numeric, made timestamptz, during int4range);
INSERT INTO app.customers VALUES (1, 'one', 'north'), (2, 'two', 'south');
INSERT INTO app.orders VALUES (1, 1, 10.5, '2026-01-02 03:04Z', '[1,3)'), (2, 2, 7, NULL, '[3,5)');
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
PARTITIONED = """
CREATE TABLE app.events (id integer, day date NOT NULL, note text) PARTITION BY RANGE (day);
CREATE TABLE app.events_old PARTITION OF app.events FOR VALUES FROM (MINVALUE) TO ('2026-01-01')
    PARTITION BY LIST (id);
CREATE TABLE app.events_old_1 PARTITION OF app.events_old FOR VALUES IN (1);
CREATE TABLE app.events_new PARTITION OF app.events DEFAULT;
"""


@dataclass(frozen=True)
class Case:
    """What is made, how it goes, and which kinds of definitions that takes."""

    make: str
    drop: str
    kinds: tuple[str, ...]
    since: int = 14


CASES = {
    "foreign key": Case(
        """
        ALTER TABLE app.orders ADD CONSTRAINT to_customer FOREIGN KEY (customer)
            REFERENCES app.customers ON UPDATE CASCADE ON DELETE SET NULL
            DEFERRABLE INITIALLY DEFERRED NOT VALID;
        COMMENT ON CONSTRAINT to_customer ON app.orders IS 'it''s "the" customer: 100%';
        """,
        "ALTER TABLE app.orders DROP CONSTRAINT to_customer",
        ("table constraint",),
    ),
    "foreign key with its unique constraint": Case(
        """
        ALTER TABLE app.orders ADD CONSTRAINT a_to_name FOREIGN KEY (customer) REFERENCES
            app.customers;
        CREATE UNIQUE INDEX one_name ON app.customers (name);
        CREATE TABLE app.notes (name text REFERENCES app.customers (name) MATCH FULL);
        """,
        "ALTER TABLE app.customers DROP CONSTRAINT customers_pkey CASCADE;"
        "DROP INDEX app.one_name CASCADE",
        ("index", "table constraint", "table constraint", "table constraint"),
    ),
    "foreign key of a partitioned table": Case(
        PARTITIONED
        + """
        ALTER TABLE app.events ADD CONSTRAINT of_order FOREIGN KEY (id) REFERENCES app.orders;
        COMMENT ON CONSTRAINT of_order ON app.events IS 'partitioned';
        """,
        "ALTER TABLE app.events DROP CONSTRAINT of_order",
        ("table constraint",),
    ),
    "foreign key to a partitioned table": Case(
        PARTITIONED
        + """
        ALTER TABLE app.events ADD UNIQUE (id, day);
        CREATE TABLE app.notes (id integer, day date,
            CONSTRAINT of_event FOREIGN KEY (id, day) REFERENCES app.events (id, day));
        CREATE TABLE app.older (id integer, day date,
            CONSTRAINT of_old FOREIGN KEY (id, day) REFERENCES app.events_old (id, day));
        """,
        "ALTER TABLE app.events DROP CONSTRAINT events_id_day_key CASCADE",
        ("table constraint", "table constraint", "table constraint"),
    ),
    "check": Case(
        """
        ALTER TABLE app.orders ADD CONSTRAINT "co:lon %s" CHECK (total > 0 AND 'a:b%' <> '');
        ALTER TABLE app.orders ADD CONSTRAINT later CHECK (total < 1e6) NO INHERIT NOT VALID;
        COMMENT ON CONSTRAINT later ON app.orders IS E'back\\\\slash';
        """,
        'ALTER TABLE app.orders DROP CONSTRAINT "co:lon %s", DROP CONSTRAINT later',
        ("table constraint", "table constraint"),
    ),
    "inherited check": Case(
        """
        CREATE TABLE app.special (extra text) INHERITS (app.orders);
        CREATE TABLE app.declared (CONSTRAINT positive CHECK (total > 0)) INHERITS (app.orders);
        ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0);
        """,
        "ALTER TABLE app.orders DROP CONSTRAINT positive;"
        "ALTER TABLE app.declared DROP CONSTRAINT positive",
        ("table constraint", "table constraint"),
    ),
    "unique and primary key": Case(
        """
        ALTER TABLE app.orders ADD CONSTRAINT "Only ""one"" x" UNIQUE (customer, made)
            INCLUDE (total) WITH (fillfactor = 70) DEFERRABLE;
        COMMENT ON INDEX app."Only ""one"" x" IS 'of the index';
        COMMENT ON CONSTRAINT "Only ""one"" x" ON app.orders IS 'of the constraint';
        COMMENT ON CONSTRAINT orders_pkey ON app.orders IS 'of the key';
        ALTER TABLE app.orders CLUSTER ON "Only ""one"" x";
        ALTER TABLE app.orders REPLICA IDENTITY USING INDEX orders_pkey;
        """,
        'ALTER TABLE app.orders DROP CONSTRAINT "Only ""one"" x", DROP CONSTRAINT orders_pkey',
        ("table constraint", "table constraint"),
    ),
    "nulls not distinct": Case(
        "ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE NULLS NOT DISTINCT (made);",
        "ALTER TABLE app.orders DROP CONSTRAINT one",
        ("table constraint",),
        since=15,
    ),
    "partitioned key": Case(
        PARTITIONED + "ALTER TABLE app.events ADD CONSTRAINT k PRIMARY KEY (id, day);",
        "ALTER TABLE app.events DROP CONSTRAINT k",
        ("table constraint",),
    ),
    "not null": Case(
        """
        ALTER TABLE app.orders ADD CONSTRAINT must NOT NULL total;
        ALTER TABLE app.orders ADD CONSTRAINT shall NOT NULL made NO INHERIT NOT VALID;
        ALTER TABLE app.orders ADD CONSTRAINT told CHECK (total > 1) NOT ENFORCED;
        """,
        "ALTER TABLE app.orders DROP CONSTRAINT must, DROP CONSTRAINT shall, DROP CONSTRAINT told",
        ("table constraint", "table constraint", "table constraint"),
        since=18,
    ),
    "exclusion": Case(
        """
        ALTER TABLE app.orders ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&)
            WITH (fillfactor = 80) WHERE (total > 1) DEFERRABLE INITIALLY DEFERRED;
        """,
        "ALTER TABLE app.orders DROP CONSTRAINT apart",
        ("table constraint",),
    ),
    "domain constraint": Case(
        """
        CREATE DOMAIN app.amount AS numeric CONSTRAINT positive CHECK (VALUE > 0);
        COMMENT ON CONSTRAINT positive ON DOMAIN app.amount IS 'above zero';
        ALTER DOMAIN app.amount ADD CONSTRAINT small CHECK (VALUE < 100) NOT VALID;
        """,
        "ALTER DOMAIN app.amount DROP CONSTRAINT positive;"
        "ALTER DOMAIN app.amount DROP CONSTRAINT small",
        ("domain constraint", "domain constraint"),
    ),
    "views": Case(
        f"""
        CREATE VIEW app.totals WITH (security_barrier) AS SELECT customer, sum(total) AS "Sum:x"
            FROM app.orders WHERE made < '2026-05-05 01:00Z' GROUP BY customer;
        CREATE VIEW "Ödd ""Schema"" x"."v:iew %s" ("co:l", "A ""b"" x", "100%") AS
            SELECT t.customer, t."Sum:x", ':no %(such)s parameter'::text FROM app.totals t
            JOIN app.customers c ON c.id = t.customer;
        CREATE VIEW app.checked AS SELECT * FROM app.customers WHERE id > 0
            WITH CASCADED CHECK OPTION;
        CREATE VIEW app.listed (a, b) AS SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS v (c, d);
        CREATE VIEW app.counted AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1
            FROM n WHERE i < 3) SELECT i FROM n;
        CREATE VIEW app.by_key AS SELECT c.*, count(*) AS many FROM app.customers c GROUP BY c.id;
        CREATE VIEW app.nothing AS SELECT;
        ALTER VIEW app.checked RENAME COLUMN name TO "Name";
        ALTER VIEW app.checked ALTER COLUMN region SET DEFAULT 'west';
        ALTER VIEW app.totals OWNER TO {OWNER};
        GRANT SELECT, UPDATE ON app.totals TO "{READER}" WITH GRANT OPTION;
        GRANT SELECT ON app.totals TO PUBLIC;
        REVOKE TRUNCATE ON app.totals FROM {OWNER};
        GRANT SELECT (id, "Name"), UPDATE (id) ON app.checked TO "{READER}";
        GRANT INSERT (id) ON app.checked TO {OWNER} WITH GRANT OPTION;
        COMMENT ON VIEW app.totals IS 'all; of ''them''';
        COMMENT ON COLUMN app.totals."Sum:x" IS 'su:m %s';
        """,
        'DROP VIEW app.totals, "Ödd ""Schema"" x"."v:iew %s", app.checked, app.listed, app.counted,'
        "app.by_key, app.nothing",
        ("default value", "view", "view", "view", "view", "view", "view", "view"),
    ),
    "view after the key that it needs": Case(
        """
        CREATE VIEW app.by_key AS SELECT c.*, count(*) AS many FROM app.customers c GROUP BY c.id;
        """,
        "ALTER TABLE app.customers DROP CONSTRAINT customers_pkey CASCADE",
        ("table constraint", "view"),
    ),
    "security invoker": Case(
        "CREATE VIEW app.mine WITH (security_invoker = true) AS SELECT * FROM app.orders;",
        "DROP VIEW app.mine",
        ("view",),
        since=15,
    ),
    "view with trigger and rule": Case(
        """
        CREATE VIEW app.v AS SELECT * FROM app.customers;
        CREATE TRIGGER instead INSTEAD OF UPDATE ON app.v FOR EACH ROW EXECUTE FUNCTION app.touch();
        CREATE RULE quiet AS ON DELETE TO app.v DO INSTEAD NOTHING;
        CREATE RULE other AS ON INSERT TO app.v DO INSTEAD
            INSERT INTO app.customers VALUES (NEW.id, NEW.name) RETURNING *;
        COMMENT ON RULE quiet ON app.v IS 'does nothing';
        COMMENT ON TRIGGER instead ON app.v IS 'does it';
        """,
        "DROP VIEW app.v",
        ("rule", "rule", "trigger", "view"),
    ),
    "materialized views": Case(
        f"""
        CREATE VIEW app.source AS SELECT * FROM app.orders;
        CREATE MATERIALIZED VIEW app.kept ("Key", amount) WITH (fillfactor = 50,
            toast.autovacuum_enabled = false) AS SELECT id, total, 'x'::text AS words
            FROM app.source;
        CREATE UNIQUE INDEX kept_key ON app.kept ("Key");
        ALTER MATERIALIZED VIEW app.kept CLUSTER ON kept_key;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN words SET STORAGE EXTERNAL;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN words SET COMPRESSION pglz;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN amount SET STATISTICS 50;
        ALTER MATERIALIZED VIEW app.kept ALTER COLUMN amount SET (n_distinct = 5);
        CREATE MATERIALIZED VIEW app.empty AS SELECT * FROM app.kept WITH NO DATA;
        ALTER MATERIALIZED VIEW app.kept OWNER TO {OWNER};
        GRANT SELECT ON app.kept TO "{READER}";
        COMMENT ON MATERIALIZED VIEW app.kept IS 'kept';
        COMMENT ON COLUMN app.kept."Key" IS 'key';
        """,
        "DROP VIEW app.source CASCADE",
        ("index", "materialized view", "materialized view", "view"),
    ),
    "indexes": Case(
        """
        CREATE INDEX "In:dex %s" ON app.orders USING btree (lower('x:' || customer) DESC, made)
            INCLUDE (total) WITH (fillfactor = 60) WHERE total > 0;
        ALTER INDEX app."In:dex %s" ALTER COLUMN 1 SET STATISTICS 77;
        COMMENT ON INDEX app."In:dex %s" IS 'an index';
        CREATE UNIQUE INDEX identity ON app.customers (name);
        ALTER TABLE app.customers REPLICA IDENTITY USING INDEX identity;
        ALTER TABLE app.customers CLUSTER ON identity;
        CREATE INDEX spatial ON app.orders USING gist (during);
        """,
        'DROP INDEX app."In:dex %s", app.identity, app.spatial',
        ("index", "index", "index"),
    ),
    "partitioned index": Case(
        PARTITIONED
        + """
        CREATE INDEX by_note ON app.events (note);
        ALTER INDEX app.events_new_note_idx RENAME TO "Named ""otherwise"" x";
        COMMENT ON INDEX app."Named ""otherwise"" x" IS 'of a partition';
        """,
        "DROP INDEX app.by_note",
        ("index",),
    ),
    "policies": Case(
        f"""
        ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY "Po:licy %s" ON app.orders AS RESTRICTIVE FOR UPDATE
            TO "{READER}", {OWNER} USING (total > 1) WITH CHECK (total > 2);
        CREATE POLICY everybody ON app.orders USING (customer IN (SELECT id FROM app.customers));
        CREATE POLICY adding ON app.orders FOR INSERT TO CURRENT_USER WITH CHECK (true);
        COMMENT ON POLICY everybody ON app.orders IS 'open';
        """,
        'DROP POLICY "Po:licy %s" ON app.orders; DROP POLICY everybody ON app.orders;'
        "DROP POLICY adding ON app.orders",
        ("policy", "policy", "policy"),
    ),
    "triggers": Case(
        """
        CREATE TRIGGER plain BEFORE INSERT OR UPDATE OF total ON app.orders FOR EACH ROW
            WHEN (NEW.total > 1) EXECUTE FUNCTION app.touch('a:b', '%s');
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
        "DROP FUNCTION app.touch() CASCADE",
        ("function", "trigger", "trigger", "trigger", "trigger"),
    ),
    "trigger of a partitioned table": Case(
        PARTITIONED
        + """
        CREATE TRIGGER every AFTER INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
        ALTER TABLE app.events DISABLE TRIGGER every;
        ALTER TABLE app.events_new ENABLE ALWAYS TRIGGER every;
        ALTER TABLE app.events_old_1 ENABLE TRIGGER every;
        """,
        "DROP TRIGGER every ON app.events",
        ("trigger",),
    ),
    "rules": Case(
        """
        CREATE RULE "Ru:le" AS ON UPDATE TO app.orders WHERE OLD.total > 5 DO ALSO
            (UPDATE app.customers SET region = 'r;' WHERE id = OLD.customer;
             DELETE FROM app.customers WHERE id < 0);
        ALTER TABLE app.orders DISABLE RULE "Ru:le";
        COMMENT ON RULE "Ru:le" ON app.orders IS 'a rule';
        """,
        'DROP RULE "Ru:le" ON app.orders',
        ("rule",),
    ),
    "default": Case(
        """
        CREATE SEQUENCE app.numbers;
        ALTER TABLE app.orders ALTER COLUMN id SET DEFAULT nextval('app.numbers');
        ALTER TABLE app.orders ALTER COLUMN total SET DEFAULT 1.5 * 2;
        CREATE TABLE app.special () INHERITS (app.orders);
        ALTER TABLE app.special ALTER COLUMN total SET DEFAULT 7;
        ALTER TABLE app.customers ALTER COLUMN name SET DEFAULT 'a:b %s ''c''';
        """,
        "DROP SEQUENCE app.numbers CASCADE; ALTER TABLE app.orders ALTER COLUMN total DROP DEFAULT;"
        "ALTER TABLE app.customers ALTER COLUMN name DROP DEFAULT",
        (*["default value"] * 5, "sequence"),
    ),
    "functions": Case(
        f"""
        CREATE VIEW app.v AS SELECT id, total FROM app.orders;
        CREATE FUNCTION app."Fun:c %s"(a integer, VARIADIC b text[] DEFAULT ARRAY['x;']::text[])
            RETURNS TABLE (c integer, "D" text) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = app, "$user" COST 7 ROWS 5
            AS $$ SELECT 1, 'a:b %s'::text; $$;
        CREATE FUNCTION app.late() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.v';
        CREATE FUNCTION app.atomic(o app.orders) RETURNS numeric LANGUAGE sql IMMUTABLE
            BEGIN ATOMIC SELECT o.total; SELECT total FROM app.v WHERE id = o.id; END;
        CREATE PROCEDURE app.run(INOUT n integer) LANGUAGE plpgsql AS $x$ BEGIN

            n := n + 1; END $x$;
        ALTER FUNCTION app.late() OWNER TO {OWNER};
        REVOKE EXECUTE ON FUNCTION app.late() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION app.late() TO "{READER}" WITH GRANT OPTION;
        GRANT EXECUTE ON PROCEDURE app.run TO {OWNER};
        COMMENT ON FUNCTION app.late() IS 'late';
        COMMENT ON PROCEDURE app.run IS 'runs';
        """,
        'DROP FUNCTION app."Fun:c %s", app.late; DROP PROCEDURE app.run; DROP VIEW app.v CASCADE',
        ("function", "function", "function", "procedure", "view"),
    ),
    "window function": Case(
        """
        CREATE FUNCTION app.numbered() RETURNS bigint LANGUAGE internal WINDOW
            AS 'window_row_number';
        """,
        "DROP FUNCTION app.numbered",
        ("function",),
    ),
    "aggregates": Case(
        f"""
        CREATE FUNCTION app.add(numeric, numeric) RETURNS numeric LANGUAGE sql STRICT
            AS 'SELECT $1 + coalesce($2, 0)';
        CREATE AGGREGATE app.total(numeric) (SFUNC = app.add, STYPE = numeric, INITCOND = '0',
            SSPACE = 64, COMBINEFUNC = app.add, PARALLEL = SAFE, MSFUNC = app.add,
            MINVFUNC = numeric_sub, MSTYPE = numeric, MINITCOND = '0');
        CREATE AGGREGATE app."Coun:t"(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
        CREATE AGGREGATE app.highest(int4) (SFUNC = int4larger, STYPE = int4, SORTOP = >);
        CREATE AGGREGATE app.middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition,
            STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA,
            FINALFUNC_MODIFY = SHAREABLE);
        CREATE AGGREGATE app.ranked(VARIADIC "any" ORDER BY VARIADIC "any") (
            SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final,
            FINALFUNC_EXTRA, HYPOTHETICAL);
        ALTER AGGREGATE app."Coun:t"(*) OWNER TO {OWNER};
        REVOKE EXECUTE ON FUNCTION app."Coun:t"() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION app."Coun:t"() TO "{READER}";
        ALTER AGGREGATE app.middle(float8 ORDER BY anyelement) OWNER TO {OWNER};
        COMMENT ON AGGREGATE app."Coun:t"(*) IS 'counts';
        COMMENT ON AGGREGATE app.total(numeric) IS 'adds';
        COMMENT ON AGGREGATE app.middle(float8 ORDER BY anyelement) IS 'middle';
        """,
        'DROP FUNCTION app.add CASCADE; DROP AGGREGATE app."Coun:t"(*);'
        "DROP AGGREGATE app.highest(int4);"
        "DROP AGGREGATE app.middle(float8 ORDER BY anyelement);"
        'DROP AGGREGATE app.ranked(VARIADIC "any" ORDER BY VARIADIC "any")',
        ("aggregate", "aggregate", "aggregate", "aggregate", "aggregate", "function"),
    ),
    "sequences": Case(
        f"""
        CREATE SEQUENCE app."Seq:%s" AS smallint INCREMENT 5 MINVALUE -10 MAXVALUE 300 START 20
            CACHE 3 CYCLE OWNED BY app.orders.total;
        CREATE SEQUENCE app.used; SELECT nextval('app.used'), nextval('app.used');
        CREATE SEQUENCE app.down INCREMENT -1;
        ALTER SEQUENCE app.used OWNER TO {OWNER};
        GRANT USAGE ON SEQUENCE app.used TO "{READER}";
        COMMENT ON SEQUENCE app.used IS 'used';
        """,
        'DROP SEQUENCE app."Seq:%s", app.used, app.down',
        ("sequence", "sequence", "sequence"),
    ),
    "unlogged sequence": Case(
        "CREATE UNLOGGED SEQUENCE app.quick;",
        "DROP SEQUENCE app.quick",
        ("sequence",),
        since=15,
    ),
    "statistics": Case(
        f"""
        CREATE STATISTICS app."Sta:t" (ndistinct, mcv) ON customer, made, (total * 2)
            FROM app.orders;
        ALTER STATISTICS app."Sta:t" SET STATISTICS 55;
        ALTER STATISTICS app."Sta:t" OWNER TO {OWNER};
        COMMENT ON STATISTICS app."Sta:t" IS 'stats';
        CREATE STATISTICS app.plain ON customer, made FROM app.orders;
        """,
        'DROP STATISTICS app."Sta:t", app.plain',
        ("statistics object", "statistics object"),
    ),
    "publication": Case(
        'CREATE PUBLICATION "Pub:" FOR TABLE app.orders, app.customers;',
        'ALTER PUBLICATION "Pub:" DROP TABLE app.orders, app.customers',
        ("publication relation", "publication relation"),
    ),
    "publication of parts": Case(
        """
        CREATE PUBLICATION parts FOR TABLE app.orders (id, total) WHERE (total > 1 AND id < 9);
        CREATE PUBLICATION whole FOR TABLES IN SCHEMA app, "Ödd ""Schema"" x";
        """,
        "ALTER PUBLICATION parts DROP TABLE app.orders;"
        'ALTER PUBLICATION whole DROP TABLES IN SCHEMA app, "Ödd ""Schema"" x"',
        ("publication namespace", "publication namespace", "publication relation"),
        since=15,
    ),
    "types": Case(
        f"""
        CREATE TYPE app."Enu:m" AS ENUM ('b;', 'a:%s', 'it''s');
        ALTER TYPE app."Enu:m" ADD VALUE 'first' BEFORE 'b;';
        CREATE TYPE app.hollow AS ENUM ();
        CREATE TYPE app.pair AS (one app."Enu:m", "Two" varchar(7) COLLATE "C", three integer[]);
        ALTER TYPE app.pair DROP ATTRIBUTE three;
        CREATE TYPE app.nested AS (a app.pair[], b numeric(4, 2));
        CREATE DOMAIN app.code AS varchar(5) COLLATE "C" DEFAULT 'a:b' NOT NULL
            CONSTRAINT "Sho:rt" CHECK (VALUE <> '%s');
        ALTER DOMAIN app.code ADD CONSTRAINT later CHECK (VALUE <> 'later') NOT VALID;
        COMMENT ON CONSTRAINT later ON DOMAIN app.code IS 'later';
        CREATE DOMAIN app.choice AS app."Enu:m";
        CREATE FUNCTION app.distance(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE
            AS 'SELECT $1 - $2';
        CREATE TYPE app.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = app.distance,
            MULTIRANGE_TYPE_NAME = app."Spa:ns");
        CREATE TYPE app.words AS RANGE (SUBTYPE = text, COLLATION = "C",
            SUBTYPE_OPCLASS = text_pattern_ops);
        ALTER TYPE app.pair OWNER TO {OWNER};
        REVOKE USAGE ON TYPE app.pair FROM PUBLIC;
        GRANT USAGE ON TYPE app.pair TO "{READER}";
        ALTER DOMAIN app.code OWNER TO {OWNER};
        GRANT USAGE ON DOMAIN app.code TO "{READER}" WITH GRANT OPTION;
        COMMENT ON TYPE app.pair IS 'two';
        COMMENT ON COLUMN app.pair."Two" IS 'second';
        COMMENT ON DOMAIN app.code IS 'a code';
        """,
        'DROP TYPE app.nested, app.pair, app."Enu:m", app.hollow, app.span, app.words, app.choice;'
        "DROP DOMAIN app.code; DROP FUNCTION app.distance",
        ("function", *["type"] * 8),
    ),
    "casts and operators": Case(
        f"""
        CREATE TYPE app.color AS ENUM ('red');
        CREATE FUNCTION app.to_number(app.color) RETURNS integer LANGUAGE sql IMMUTABLE
            AS 'SELECT 1';
        CREATE CAST (app.color AS integer) WITH FUNCTION app.to_number(app.color) AS ASSIGNMENT;
        CREATE CAST (app.color AS varchar) WITH INOUT AS IMPLICIT;
        COMMENT ON CAST (app.color AS integer) IS 'its number';
        CREATE FUNCTION app.same(app.color, app.color) RETURNS boolean LANGUAGE sql IMMUTABLE
            AS 'SELECT true';
        CREATE OPERATOR app.=== (FUNCTION = app.same, LEFTARG = app.color, RIGHTARG = app.color,
            COMMUTATOR = OPERATOR(app.===), NEGATOR = OPERATOR(app.!==), RESTRICT = eqsel,
            JOIN = eqjoinsel, HASHES, MERGES);
        CREATE OPERATOR app.!== (FUNCTION = app.same, LEFTARG = app.color, RIGHTARG = app.color,
            NEGATOR = OPERATOR(app.===));
        CREATE OPERATOR app.@#@ (FUNCTION = app.to_number, RIGHTARG = app.color);
        ALTER OPERATOR app.@#@ (NONE, app.color) OWNER TO {OWNER};
        COMMENT ON OPERATOR app.=== (app.color, app.color) IS 'same';
        """,
        "DROP TYPE app.color CASCADE",
        ("cast", "cast", "function", "function", "operator", "operator", "operator", "type"),
    ),
    "binary cast": Case(
        """
        CREATE TYPE app.raw;
        CREATE FUNCTION app.raw_in(cstring) RETURNS app.raw LANGUAGE internal IMMUTABLE STRICT
            AS 'textin';
        CREATE FUNCTION app.raw_out(app.raw) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT
            AS 'textout';
        CREATE TYPE app.raw (INPUT = app.raw_in, OUTPUT = app.raw_out, LIKE = text);
        CREATE CAST (app.raw AS text) WITHOUT FUNCTION AS IMPLICIT;
        """,
        "DROP CAST (app.raw AS text)",
        ("cast",),
    ),
    "base type": Case(
        """
        CREATE TYPE app.raw;
        CREATE FUNCTION app.raw_in(cstring) RETURNS app.raw LANGUAGE internal IMMUTABLE STRICT
            AS 'textin';
        CREATE FUNCTION app.raw_out(app.raw) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT
            AS 'textout';
        CREATE TYPE app.raw (INPUT = app.raw_in, OUTPUT = app.raw_out, LIKE = text);
        COMMENT ON FUNCTION app.raw_out IS 'out';
        CREATE TYPE app.hollow;
        """,
        "DROP TYPE app.raw CASCADE; DROP TYPE app.hollow",
        ("type", "type"),
    ),
    "rare objects": Case(
        f"""
        CREATE COLLATION app.plain FROM "C";
        CREATE SCHEMA more; GRANT USAGE ON SCHEMA more TO {OWNER};
        ALTER DEFAULT PRIVILEGES IN SCHEMA more GRANT SELECT ON TABLES TO {OWNER};
        COMMENT ON SCHEMA more IS 'more';
        CREATE FOREIGN DATA WRAPPER files; CREATE SERVER far FOREIGN DATA WRAPPER files;
        CREATE FOREIGN TABLE more.abroad (id integer NOT NULL DEFAULT 7 CHECK (id > 0),
            told text COLLATE app.plain) SERVER far;
        COMMENT ON COLUMN more.abroad.told IS 'told';
        CREATE PUBLICATION all_of_it FOR TABLE app.orders WITH (publish = 'insert');
        CREATE OPERATOR FAMILY more.fam USING btree;
        CREATE TEXT SEARCH CONFIGURATION more.words (COPY = simple);
        """,
        "DROP SCHEMA more CASCADE; DROP PUBLICATION all_of_it; DROP COLLATION app.plain;"
        "DROP FOREIGN DATA WRAPPER files CASCADE",
        (
            "collation",
            "default acl",
            "foreign table",
            "foreign-data wrapper",
            "operator family",
            "publication",
            "publication relation",
            "schema",
            "server",
            "text search configuration",
        ),
    ),
    "event trigger": Case(
        """
        CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER "Ev:ent" ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')
            EXECUTE FUNCTION app.watch();
        CREATE EVENT TRIGGER off ON sql_drop EXECUTE FUNCTION app.watch();
        ALTER EVENT TRIGGER off DISABLE;
        COMMENT ON EVENT TRIGGER "Ev:ent" IS 'watches';
        """,
        "DROP FUNCTION app.watch CASCADE",
        ("event trigger", "event trigger", "function"),
    ),
    "depends on an extension": Case(
        """
        CREATE INDEX tied ON app.orders (total);
        ALTER INDEX app.tied DEPENDS ON EXTENSION plpgsql;
        CREATE TRIGGER tied AFTER INSERT ON app.orders EXECUTE FUNCTION app.touch();
        ALTER TRIGGER tied ON app.orders DEPENDS ON EXTENSION plpgsql;
        CREATE PROCEDURE app.tied() LANGUAGE sql AS '';
        ALTER PROCEDURE app.tied() DEPENDS ON EXTENSION plpgsql;
        CREATE MATERIALIZED VIEW app.tied_view AS SELECT 1 AS x;
        ALTER MATERIALIZED VIEW app.tied_view DEPENDS ON EXTENSION plpgsql;
        """,
        "DROP INDEX app.tied; DROP TRIGGER tied ON app.orders; DROP PROCEDURE app.tied;"
        "DROP MATERIALIZED VIEW app.tied_view",
        ("index", "materialized view", "procedure", "trigger"),
    ),
    "default privileges": Case(
        f"""
        CREATE VIEW app.closed AS SELECT 1 AS x;
        CREATE FUNCTION app.open() RETURNS integer LANGUAGE sql AS 'SELECT 1';
        ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO "{READER}";
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        CREATE VIEW app.granted AS SELECT 1 AS x;
        ALTER VIEW app.granted OWNER TO {OWNER};
        """,
        "DROP VIEW app.closed, app.granted; DROP FUNCTION app.open",
        ("function", "view", "view"),
    ),
}


@pytest.fixture
def roles(engine: Engine) -> Iterator[None]:
    """An owner and a reader besides the superuser."""
    with engine.begin() as connection:
        run(connection, f'CREATE ROLE {OWNER}; CREATE ROLE "{READER}"')
    yield
    with engine.begin() as connection:
        run(connection, f'DROP OWNED BY {OWNER}, "{READER}" CASCADE')
        run(connection, f'DROP ROLE {OWNER}; DROP ROLE "{READER}"')


def run(connection: Connection, sql: str) -> Any:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def make(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        run(connection, BASE + sql)


def objects(connection: Connection) -> set[Address]:
    """Everything in the database that somebody made, parts included."""
    sql = "SELECT classid, objid, 0 FROM pg_depend WHERE objid >= 16384"
    for catalog in ("pg_namespace", "pg_publication", "pg_foreign_data_wrapper"):  # need nothing
        sql += f" UNION SELECT '{catalog}'::regclass, oid, 0 FROM {catalog} WHERE oid >= 16384"
    return {(row[0], row[1], row[2]) for row in run(connection, sql)}


def gone_with(engine: Engine, drop: str) -> set[Address]:
    """What a DROP takes away."""
    with engine.connect() as connection:
        before = objects(connection)
        run(connection, drop)
        return before - objects(connection)


def read(engine: Engine, addresses: Iterable[Address], first: str = "") -> tuple[Definition, ...]:
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        if first:
            run(connection, first)
        return definitions(connection, addresses)


def again(engine: Engine, found: Iterable[Definition]) -> None:
    with engine.begin() as connection:
        for statement in (*SETTINGS, *(sql for one in found for sql in one.statements)):
            run(connection, statement)


def dump(url: URL) -> list[str]:
    """pg_dump's output, entry for entry, in an order that doesn't depend on age."""
    host, port = url.query.get("host", url.host), url.query.get("port", url.port)
    variables = {"PGHOST": host, "PGPORT": port, "PGUSER": url.username, "PGPASSWORD": url.password}
    given = {name: str(value) for name, value in variables.items() if value}
    answer = subprocess.run(
        [str(find_binaries() / "pg_dump"), "--no-sync", str(url.database)],
        env={**environment(), **given},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in answer.stdout.splitlines() if "restrict " not in line]
    return sorted("\n".join(lines).split("\n\n"))


def version(engine: Engine) -> int:
    with engine.connect():
        return int(engine.dialect.server_version_info[0])  # type: ignore[attr-defined]


def bare(found: Iterable[Definition]) -> set[tuple[object, ...]]:
    """Definitions without what is new each time."""
    return {(one.kind, one.name, one.statements, one.missing) for one in found}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("roles")
def test_made_again(name: str, engine: Engine, database_url: URL) -> None:
    case = CASES[name]
    if version(engine) < case.since:
        pytest.skip(f"needs PostgreSQL {case.since}")
    make(engine, case.make)
    gone = gone_with(engine, case.drop)
    found = read(engine, gone)
    before = dump(database_url)
    assert sorted(one.kind for one in found) == sorted(case.kinds)
    assert not [one for one in found if one.missing or not one.statements]
    with engine.begin() as connection:
        run(connection, case.drop)
        left = objects(connection)
    assert dump(database_url) != before
    again(engine, found)
    assert dump(database_url) == before
    with engine.connect() as connection:
        assert bare(definitions(connection, objects(connection) - left)) == bare(found)


def test_a_dropped_table_takes_others_objects(engine: Engine, database_url: URL) -> None:
    make(
        engine,
        """
        CREATE TABLE app.items (id integer PRIMARY KEY, of integer REFERENCES app.orders);
        CREATE VIEW app.shown AS SELECT id, total FROM app.orders;
        CREATE VIEW app.summed AS SELECT sum(total) FROM app.shown;
        CREATE POLICY known ON app.items USING (of IN (SELECT id FROM app.orders));
        CREATE FUNCTION app.price(one app.orders) RETURNS numeric LANGUAGE sql
            BEGIN ATOMIC SELECT one.total; END;
        """,
    )
    before = dump(database_url)
    drop = "DROP TABLE app.orders CASCADE"
    found = read(engine, gone_with(engine, drop))
    table = [one for one in found if one.missing]
    others = [one for one in found if not one.missing and not one.name.endswith(" on app.orders")]
    assert [(one.kind, one.name, one.missing, one.statements) for one in table] == [
        ("table", "app.orders", "its rows are lost; restore them from a backup", ())
    ]
    with engine.begin() as connection:
        run(connection, drop)
        run(
            connection,
            "CREATE TABLE app.orders (id integer PRIMARY KEY, customer integer, total numeric, "
            "made timestamptz, during int4range);"
            "INSERT INTO app.orders VALUES (1, 1, 10.5, '2026-01-02 03:04Z', '[1,3)'), "
            "(2, 2, 7, NULL, '[3,5)')",
        )
    again(engine, others)
    assert dump(database_url) == before
    names = [one.name for one in others]
    assert names.index("app.shown") < names.index("app.summed")


def test_why_it_cannot_be_made_again(engine: Engine) -> None:
    make(
        engine,
        PARTITIONED
        + """
        CREATE TYPE app.span; CREATE FUNCTION app.canonical(app.span) RETURNS app.span
            LANGUAGE internal IMMUTABLE AS 'int4range_canonical';
        CREATE TYPE app.span AS RANGE (SUBTYPE = integer, CANONICAL = app.canonical);
        CREATE TABLE app.made (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED,
            c integer GENERATED ALWAYS AS IDENTITY);
        SELECT lo_create(424242);
        CREATE FOREIGN DATA WRAPPER files; CREATE SERVER far FOREIGN DATA WRAPPER files;
        CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (password 'x');
        CREATE INDEX invalid ON app.orders (total);
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.invalid'::regclass;
        """,
    )
    rows = "its rows are lost; restore them from a backup"
    values = "its values are lost; restore them from a backup"
    expected = {
        ("pg_class", "'app.orders'::regclass", 0): ("table", "app.orders", rows),
        ("pg_class", "'app.events'::regclass", 0): ("table", "app.events", rows),
        ("pg_class", "'app.events_old_1'::regclass", 0): ("table", "app.events_old_1", rows),
        ("pg_class", "'app.orders'::regclass", 3): ("table column", "app.orders.total", values),
        ("pg_class", "'app.invalid'::regclass", 0): (
            "index",
            "app.invalid",
            "it is invalid: CREATE INDEX CONCURRENTLY or REINDEX left it unfinished",
        ),
        ("pg_type", "'app.span'::regtype", 0): (
            "type",
            "app.span",
            "its function app.canonical needs the type before it, and it the function",
        ),
        ("pg_attrdef", "(SELECT oid FROM pg_attrdef)", 0): (
            "default value",
            "for app.made.b",
            "column b is generated from it, and goes with it: (a + 1)",
        ),
        ("pg_largeobject", "424242", 0): (
            "large object",
            "424242",
            "no definition is known for large object",
        ),
        ("pg_user_mapping", "(SELECT oid FROM pg_user_mapping)", 0): (
            "user mapping",
            "public on server far",
            "its options may hold a password, which is not kept",
        ),
        ("pg_subscription", "(SELECT oid FROM pg_subscription)", 0): (
            "subscription",
            "elsewhere",
            "how it connects is not written in the catalog for everybody",
        ),
        ("pg_proc", "'plpgsql_call_handler'::regproc", 0): (
            "function",
            "pg_catalog.plpgsql_call_handler()",
            "it belongs to extension plpgsql, which makes it",
        ),
        ("pg_class", "'short'::regclass", 0): (
            "view",
            "pg_temp.short",
            "it is temporary: it goes with its session",
        ),
        ("pg_proc", "1234567890", 0): ("routine", "", "it is not there"),
    }
    with engine.connect() as connection:
        run(connection, "CREATE TEMPORARY VIEW short AS SELECT 1 AS x")
        subscription = "CREATE SUBSCRIPTION elsewhere CONNECTION 'dbname=x' PUBLICATION p"
        run(connection, f"{subscription} WITH (connect = false, slot_name = NONE)")
        for (catalog, oid, number), (kind, name, missing) in expected.items():
            row = run(connection, f"SELECT '{catalog}'::regclass::oid, ({oid})::oid").one()
            address = (row[0], row[1], number)
            found = definitions(connection, [address])
            assert found == (Definition(address, kind, name, (), missing),)


def test_parts_have_no_definition(engine: Engine) -> None:
    make(
        engine,
        PARTITIONED
        + """
        ALTER TABLE app.orders ADD FOREIGN KEY (customer) REFERENCES app.customers;
        CREATE TABLE app.made (c integer GENERATED ALWAYS AS IDENTITY);
        CREATE VIEW app.v AS SELECT 1 AS x;
        ALTER TABLE app.events ADD FOREIGN KEY (id) REFERENCES app.orders;
        CREATE INDEX ON app.events (note);
        CREATE TYPE app.pair AS (a integer);
        CREATE TYPE app.span AS RANGE (SUBTYPE = integer);
        """,
    )
    parts = (
        "SELECT 'pg_trigger'::regclass::oid, oid FROM pg_trigger",
        "SELECT 'pg_rewrite'::regclass::oid, oid FROM pg_rewrite "
        "WHERE ev_class = 'app.v'::regclass",
        "SELECT 'pg_type'::regclass::oid, t.oid FROM pg_type t JOIN pg_namespace n "
        "ON n.oid = typnamespace WHERE nspname = 'app' AND typname NOT IN ('pair', 'span')",
        "SELECT 'pg_class'::regclass::oid, oid FROM pg_class WHERE relkind IN ('t', 'c', 'S', 'i') "
        "AND oid >= 16384",
        "SELECT 'pg_constraint'::regclass::oid, oid FROM pg_constraint WHERE conparentid <> 0",
    )
    with engine.connect() as connection:
        for query in parts:
            addresses = [(row[0], row[1], 0) for row in run(connection, query)]
            assert addresses
            assert definitions(connection, addresses) == ()


@pytest.mark.usefixtures("roles")
def test_reading_changes_nothing(engine: Engine) -> None:
    make(engine, CASES["views"].make)
    everything = gone_with(engine, "DROP SCHEMA app CASCADE")
    plain = read(engine, everything)
    assert plain
    statements = [sql for one in plain for sql in one.statements]
    assert not any(sql.endswith(";") for sql in statements)
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        run(
            connection,
            """SET LOCAL search_path = app, "Ödd ""Schema"" x"; SET LOCAL datestyle = German;
            SET LOCAL timezone = 'UTC'; SET LOCAL quote_all_identifiers = on""",
        )
        locks = _locks_taken(connection)
        assert [one.statements for one in definitions(connection, everything)] == [
            one.statements for one in read(engine, everything, "SET timezone = 'UTC'")
        ]
        assert locks <= {"AccessShareLock"}
        assert run(connection, "SHOW quote_all_identifiers").scalar() == "on"


def _locks_taken(connection: Connection) -> set[str]:
    """Filled with the modes in which relations of users are locked, after each statement."""
    modes: set[str] = set()

    def look(_connection: Any, cursor: Any, *_rest: Any) -> None:
        with cursor.connection.cursor() as other:
            other.execute(
                "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() "
                "AND locktype = 'relation' AND relation >= 16384"
            )
            modes.update(row[0] for row in other.fetchall())

    event.listen(connection, "after_cursor_execute", look)
    return modes


def test_few_queries(engine: Engine) -> None:
    views = "".join(f"CREATE VIEW app.v{i} AS SELECT {i} AS n FROM app.orders;" for i in range(50))
    make(engine, views)
    gone = gone_with(engine, "DROP TABLE app.orders CASCADE")
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    with engine.connect() as connection:
        event.listen(connection, "after_cursor_execute", counted)
        assert len(definitions(connection, gone)) >= 52
    assert count < 50


def test_no_addresses(engine: Engine) -> None:
    with engine.connect() as connection:
        assert definitions(connection, []) == ()


@pytest.mark.usefixtures("roles")
def test_read_by_somebody_else(engine: Engine) -> None:
    make(
        engine,
        CASES["sequences"].make
        + f"""
        CREATE VIEW app.v AS SELECT * FROM app.orders;
        CREATE SCHEMA closed;
        CREATE SEQUENCE closed.hidden;
        GRANT USAGE ON SCHEMA app TO {OWNER};
        """,
    )
    gone = gone_with(engine, "DROP SCHEMA app, closed CASCADE")
    with engine.connect() as connection:
        me = run(connection, "SELECT quote_ident(current_user)").scalar()
    found = {one.name: one for one in read(engine, gone, f"SET ROLE {OWNER}")}
    assert found["app.v"].statements[-1] == f"ALTER VIEW app.v OWNER TO {me}"
    assert found["app.used"].statements[-1] == "SELECT pg_catalog.setval('app.used', 2, true)"
    assert not any("OWNER" in statement for statement in found["app.used"].statements)
    unreadable = "its value can't be read: SELECT on it, or USAGE of its schema, is not granted"
    assert found["app.down"].missing == found["closed.hidden"].missing == unreadable


def test_security_labels(engine: Engine) -> None:
    make(
        engine,
        """
        CREATE VIEW app.v AS SELECT 1 AS "X";
        INSERT INTO pg_seclabel VALUES
            ('app.v'::regclass, 'pg_class'::regclass, 0, 'selinux', 'system_u:object_r'),
            ('app.v'::regclass, 'pg_class'::regclass, 1, 'selinux', 'it''s');
        """,
    )
    (found,) = read(engine, gone_with(engine, "DELETE FROM pg_seclabel; DROP VIEW app.v"))
    assert found.statements[1:] == (
        "SECURITY LABEL FOR selinux ON VIEW app.v IS 'system_u:object_r'",
        """SECURITY LABEL FOR selinux ON COLUMN app.v."X" IS 'it''s'""",
    )


@pytest.fixture
def tablespace(engine: Engine) -> Iterator[str]:
    name = f"space_{engine.url.database}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        run(connection, "SET allow_in_place_tablespaces = on")
        run(connection, f"CREATE TABLESPACE {name} LOCATION ''")
        yield name
        run(connection, "DROP SCHEMA app CASCADE")
        run(connection, f"DROP TABLESPACE {name}")


def test_tablespaces(engine: Engine, database_url: URL, tablespace: str) -> None:
    make(
        engine,
        f"""
        CREATE MATERIALIZED VIEW app.kept TABLESPACE {tablespace} AS SELECT 1 AS x;
        CREATE INDEX aside ON app.orders (total) TABLESPACE {tablespace} WHERE total > 1;
        ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE (made) USING INDEX TABLESPACE {tablespace};
        """,
    )
    drop = "DROP MATERIALIZED VIEW app.kept; DROP INDEX app.aside;"
    drop += "ALTER TABLE app.orders DROP CONSTRAINT one"
    found, before = read(engine, gone_with(engine, drop)), dump(database_url)
    with engine.begin() as connection:
        run(connection, drop)
    again(engine, found)
    assert dump(database_url) == before
