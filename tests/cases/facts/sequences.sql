-- case: a sequence
-- do
CREATE SEQUENCE app.s;

-- case: a sequence with everything
-- do
CREATE SEQUENCE app.s AS integer INCREMENT -2 MINVALUE -100 MAXVALUE 50 START 8 CACHE 5 CYCLE;

-- case: a sequence's type
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s AS smallint;

-- case: a sequence's increment
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s INCREMENT 3;

-- case: a sequence that falls
CREATE SEQUENCE app.s;
-- do
DROP SEQUENCE app.s;
CREATE SEQUENCE app.s INCREMENT -1;

-- case: a sequence's least
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s MINVALUE -5;

-- case: a sequence's most
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s MAXVALUE 500;

-- case: a sequence's start
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s START 7;

-- case: a sequence's start and limits
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s MINVALUE 10 MAXVALUE 20 START 15 RESTART;

-- case: a sequence's cache
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s CACHE 9;

-- case: a sequence in a circle
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s CYCLE;

-- case: a sequence unlogged
-- since: 15
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s SET UNLOGGED;

-- case: a sequence renamed
CREATE SEQUENCE app.s;
ALTER TABLE app.orders ALTER COLUMN id SET DEFAULT nextval('app.s');
-- do
ALTER SEQUENCE app.s RENAME TO t;

-- case: a sequence in another schema
CREATE SCHEMA app_other;
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s SET SCHEMA app_other;

-- case: a sequence with an owner
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s OWNED BY app.orders.id;

-- case: a sequence with another owner
CREATE SEQUENCE app.s OWNED BY app.orders.id;
-- do
ALTER SEQUENCE app.s OWNED BY app.customers.id;

-- case: a sequence without its owner
CREATE SEQUENCE app.s OWNED BY app.orders.id;
-- do
ALTER SEQUENCE app.s OWNED BY NONE;

-- case: a sequence that its owner took along
CREATE SEQUENCE app.s OWNED BY app.orders.note;
GRANT USAGE ON SEQUENCE app.s TO fp_reader;
COMMENT ON SEQUENCE app.s IS 's';
-- do
ALTER TABLE app.orders DROP COLUMN note;

-- case: a sequence in a default goes
CREATE SEQUENCE app.s;
ALTER TABLE app.orders ALTER COLUMN id SET DEFAULT nextval('app.s');
-- do
DROP SEQUENCE app.s CASCADE;

-- case: a sequence's owner and privileges
CREATE SEQUENCE app.s;
-- do
ALTER SEQUENCE app.s OWNER TO fp_owner;
GRANT USAGE ON SEQUENCE app.s TO fp_reader;
COMMENT ON SEQUENCE app.s IS 's';
