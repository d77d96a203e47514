-- case: options
-- alike: their order has no meaning
-- do
ALTER TABLE app.orders SET (fillfactor = 70, autovacuum_enabled = false);

-- case: other options
ALTER TABLE app.orders SET (fillfactor = 70, parallel_workers = 2);
-- do
ALTER TABLE app.orders SET (fillfactor = 50);
ALTER TABLE app.orders RESET (parallel_workers);

-- case: toast options
-- do
ALTER TABLE app.orders SET (toast.autovacuum_enabled = false);

-- case: unlogged
-- do
ALTER TABLE app.orders SET UNLOGGED;

-- case: unlogged with a serial column
CREATE UNLOGGED TABLE app.a (id serial);
-- do
ALTER TABLE app.a SET LOGGED;

-- case: row security
-- do
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;

-- case: row security forced
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
-- do
ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;

-- case: row security off
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
-- do
ALTER TABLE app.orders DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.orders NO FORCE ROW LEVEL SECURITY;

-- case: replica identity
-- do
ALTER TABLE app.orders REPLICA IDENTITY FULL;

-- case: replica identity of none
ALTER TABLE app.orders REPLICA IDENTITY FULL;
-- do
ALTER TABLE app.orders REPLICA IDENTITY NOTHING;

-- case: replica identity by an index
CREATE UNIQUE INDEX app_by_name ON app.customers (name);
-- do
ALTER TABLE app.customers REPLICA IDENTITY USING INDEX app_by_name;

-- case: replica identity by an index that goes
-- alike: an index that is gone identifies as much as nothing
CREATE UNIQUE INDEX app_by_name ON app.customers (name);
ALTER TABLE app.customers REPLICA IDENTITY USING INDEX app_by_name;
-- do
DROP INDEX app.app_by_name;

-- case: clustered
-- do
ALTER TABLE app.orders CLUSTER ON orders_pkey;

-- case: clustered on another index
CREATE INDEX app_by_total ON app.orders (total);
ALTER TABLE app.orders CLUSTER ON orders_pkey;
-- do
ALTER TABLE app.orders CLUSTER ON app_by_total;

-- case: a table
-- do
CREATE TABLE app.a (id integer PRIMARY KEY, b text DEFAULT 'x' NOT NULL CHECK (b <> ''),
    c integer REFERENCES app.customers ON DELETE CASCADE, UNIQUE (b, c));

-- case: a table without columns
-- do
CREATE TABLE app.a ();

-- case: a table less
COMMENT ON TABLE app.orders IS 'it''s';
COMMENT ON COLUMN app.orders.id IS 'key';
COMMENT ON CONSTRAINT orders_pkey ON app.orders IS 'main';
COMMENT ON INDEX app.orders_pkey IS 'its index';
GRANT SELECT ON app.orders TO fp_reader;
GRANT UPDATE (note) ON app.orders TO fp_reader WITH GRANT OPTION;
ALTER TABLE app.orders OWNER TO fp_owner;
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON app.orders USING (id > 1);
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE r AS ON DELETE TO app.orders DO ALSO NOTHING;
CREATE INDEX app_i ON app.orders (lower(note));
CREATE STATISTICS app.s ON customer, total FROM app.orders;
CREATE VIEW app.v AS SELECT * FROM app.orders;
CREATE TABLE app.lines (o integer REFERENCES app.orders);
-- do
DROP VIEW app.v;
DROP TABLE app.lines;
DROP TABLE app.orders;

-- case: a table made again
CREATE VIEW app.v AS SELECT id FROM app.orders;
CREATE TABLE app.lines (o integer CONSTRAINT fk REFERENCES app.orders);
CREATE FUNCTION app.g(a app.orders) RETURNS integer LANGUAGE sql AS 'SELECT 1';
-- do
DROP FUNCTION app.g;
DROP VIEW app.v;
ALTER TABLE app.lines DROP CONSTRAINT fk;
DROP TABLE app.orders;
CREATE TABLE app.orders (id integer PRIMARY KEY, customer integer, total numeric(10, 2),
    made timestamptz DEFAULT now(), note text);
ALTER TABLE app.lines ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES app.orders;
CREATE VIEW app.v AS SELECT id FROM app.orders WHERE id > 5;

-- case: a table renamed
CREATE VIEW app.v AS SELECT id FROM app.orders;
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE POLICY p ON app.orders USING (id > 1);
-- do
ALTER TABLE app.orders RENAME TO "New %s";

-- case: two tables swap their names
ALTER TABLE app.orders ADD FOREIGN KEY (customer) REFERENCES app.customers;
CREATE VIEW app.v AS SELECT o.id FROM app.orders o JOIN app.customers c ON o.customer = c.id;
-- do
ALTER TABLE app.orders RENAME TO x;
ALTER TABLE app.customers RENAME TO orders;
ALTER TABLE app.x RENAME TO customers;

-- case: a table in another schema
CREATE SCHEMA app_other;
CREATE TABLE app.a (id serial PRIMARY KEY, b text UNIQUE);
CREATE INDEX app_a ON app.a (b);
COMMENT ON INDEX app.app_a IS 'a';
-- do
ALTER TABLE app.a SET SCHEMA app_other;

-- case: a table renamed and another in its place
-- do
ALTER TABLE app.orders RENAME TO old_orders;
CREATE TABLE app.orders (id bigint CONSTRAINT orders_key PRIMARY KEY);

-- case: a view in the place of a table
-- do
ALTER TABLE app.orders RENAME TO kept;
CREATE VIEW app.orders AS SELECT * FROM app.kept;

-- case: a table in the place of a view
CREATE VIEW app.v AS SELECT id FROM app.orders;
-- do
DROP VIEW app.v;
CREATE TABLE app.v (id integer);

-- case: inheritance
-- stuck: a column that has been a child's own stays its own
CREATE TABLE app.base (id integer, x text);
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.child NO INHERIT app.base;

-- case: inheritance in place
CREATE TABLE app.base (id integer, x text);
CREATE TABLE app.child (id integer, x text, y text);
-- do
ALTER TABLE app.child INHERIT app.base;

-- case: children
CREATE TABLE app.base (id integer NOT NULL, x text DEFAULT 'a', CONSTRAINT over CHECK (id > 1));
CREATE TABLE app.second (z text);
-- do
CREATE TABLE app.child (y text, x text DEFAULT 'b') INHERITS (app.base, app.second);
CREATE TABLE app.grand (id integer) INHERITS (app.child);

-- case: children go
CREATE TABLE app.base (id integer NOT NULL, x text DEFAULT 'a', CONSTRAINT over CHECK (id > 1));
CREATE TABLE app.second (z text);
CREATE TABLE app.child (y text, x text DEFAULT 'b') INHERITS (app.base, app.second);
CREATE TABLE app.grand (id integer) INHERITS (app.child);
CREATE INDEX app_g ON app.grand (id);
-- do
DROP TABLE app.base CASCADE;

-- case: a column of children
CREATE TABLE app.base (id integer NOT NULL, x text DEFAULT 'a');
CREATE TABLE app.child (y text) INHERITS (app.base);
CREATE VIEW app.v AS SELECT x FROM app.child;
-- do
DROP VIEW app.v;
ALTER TABLE app.base DROP COLUMN x;
ALTER TABLE app.base ADD COLUMN n integer NOT NULL;
ALTER TABLE app.base ALTER COLUMN id TYPE bigint;

-- case: a column of children renamed
CREATE TABLE app.base (id integer NOT NULL, x text DEFAULT 'a');
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.base RENAME COLUMN x TO renamed;

-- case: a default of a child
CREATE TABLE app.base (id integer NOT NULL, x text DEFAULT 'a');
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.child ALTER COLUMN x SET DEFAULT 'mine';

-- case: not null of a parent alone
-- before: 18
CREATE TABLE app.base (id integer, x text);
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.child ALTER COLUMN x SET NOT NULL;

-- case: a check of children
CREATE TABLE app.base (id integer, x text);
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.base ADD CONSTRAINT over CHECK (id > 1);

-- case: a check of children renamed
CREATE TABLE app.base (id integer, x text, CONSTRAINT over CHECK (id > 1));
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.base RENAME CONSTRAINT over TO above;

-- case: a check of a child too
CREATE TABLE app.base (id integer, CONSTRAINT over CHECK (id > 1));
CREATE TABLE app.child (id integer, CONSTRAINT over CHECK (id > 1));
-- do
ALTER TABLE app.child INHERIT app.base;

-- case: a check that is not inherited
CREATE TABLE app.base (id integer, x text);
CREATE TABLE app.child (y text) INHERITS (app.base);
-- do
ALTER TABLE app.base ADD CONSTRAINT over CHECK (id > 1) NO INHERIT;

-- case: of a type
CREATE TYPE app.pair AS (a integer, b text);
CREATE TABLE app.t (a integer, b text);
-- do
ALTER TABLE app.t OF app.pair;

-- case: a table of a type
CREATE TYPE app.pair AS (a integer, b text);
-- do
CREATE TABLE app.t OF app.pair (a WITH OPTIONS NOT NULL, b DEFAULT 'x', PRIMARY KEY (a));

-- case: an attribute of a type that a table is of
CREATE TYPE app.pair AS (a integer, b text);
CREATE TABLE app.t OF app.pair;
-- do
ALTER TYPE app.pair ADD ATTRIBUTE c integer CASCADE;

-- case: an access method
CREATE ACCESS METHOD app_heap TYPE TABLE HANDLER heap_tableam_handler;
-- do
CREATE TABLE app.a (id integer) USING app_heap;

-- case: another access method
-- since: 15
CREATE ACCESS METHOD app_heap TYPE TABLE HANDLER heap_tableam_handler;
-- do
ALTER TABLE app.orders SET ACCESS METHOD app_heap;

-- case: a partitioned table's access method
-- since: 17
CREATE ACCESS METHOD app_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE app.events (id integer) PARTITION BY HASH (id);
-- do
ALTER TABLE app.events SET ACCESS METHOD app_heap;

-- case: a tablespace
-- since: 15
-- do
ALTER TABLE app.orders SET TABLESPACE fp_space;
ALTER INDEX app.orders_pkey SET TABLESPACE fp_space;

-- case: a tablespace of a new table
-- since: 15
-- do
CREATE TABLE app.a (id integer PRIMARY KEY USING INDEX TABLESPACE fp_space) TABLESPACE fp_space;
CREATE INDEX app_i ON app.a (id) TABLESPACE fp_space;

-- case: a tablespace of a partitioned table
-- since: 15
CREATE TABLE app.events (id integer PRIMARY KEY) PARTITION BY HASH (id);
-- do
ALTER TABLE app.events SET TABLESPACE fp_space;
