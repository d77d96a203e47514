-- case: a trigger
-- do
CREATE TRIGGER "t:%s" BEFORE INSERT OR UPDATE OF note, total ON app.orders FOR EACH ROW
    WHEN (NEW.total > 5) EXECUTE FUNCTION app.touch('a', 'b''c');

-- case: a trigger's time
CREATE TRIGGER t BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
CREATE OR REPLACE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();

-- case: a trigger's level
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
CREATE OR REPLACE TRIGGER t AFTER INSERT ON app.orders FOR EACH STATEMENT
    EXECUTE FUNCTION app.touch();

-- case: a trigger's condition
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
CREATE OR REPLACE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW WHEN (NEW.id > 5)
    EXECUTE FUNCTION app.touch();

-- case: a trigger's arguments
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch('a');
-- do
CREATE OR REPLACE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch('b');

-- case: a trigger's tables of rows
CREATE TRIGGER t AFTER UPDATE ON app.orders EXECUTE FUNCTION app.touch();
-- do
CREATE OR REPLACE TRIGGER t AFTER UPDATE ON app.orders REFERENCING NEW TABLE AS fresh
    OLD TABLE AS stale EXECUTE FUNCTION app.touch();

-- case: a trigger's function
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE FUNCTION app.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- do
CREATE OR REPLACE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.other();

-- case: a trigger disabled
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
ALTER TABLE app.orders DISABLE TRIGGER t;

-- case: a trigger in replicas
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders ENABLE REPLICA TRIGGER t;
-- do
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER t;

-- case: a trigger renamed
CREATE TRIGGER t AFTER INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
COMMENT ON TRIGGER t ON app.orders IS 't';
-- do
ALTER TRIGGER t ON app.orders RENAME TO u;

-- case: a constraint trigger
-- do
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON app.orders FROM app.customers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();

-- case: a constraint trigger deferred
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON app.orders DEFERRABLE
    FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
DROP TRIGGER t ON app.orders;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON app.orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION app.touch();

-- case: a trigger of a partitioned table
CREATE TABLE app.e (id integer) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e DEFAULT;
-- do
CREATE TRIGGER t AFTER INSERT ON app.e FOR EACH ROW EXECUTE FUNCTION app.touch();

-- case: a trigger of a partition disabled
CREATE TABLE app.e (id integer) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e DEFAULT;
CREATE TRIGGER t AFTER INSERT ON app.e FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
ALTER TABLE app.e1 DISABLE TRIGGER t;

-- case: a trigger of a partitioned table renamed
CREATE TABLE app.e (id integer) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e DEFAULT;
CREATE TRIGGER t AFTER INSERT ON app.e FOR EACH ROW EXECUTE FUNCTION app.touch();
-- do
ALTER TRIGGER t ON app.e RENAME TO u;

-- case: a foreign key's triggers disabled
-- pg_dump: it leaves out triggers that PostgreSQL made
-- facts: the triggers of a foreign key are PostgreSQL's own
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;
-- do
ALTER TABLE app.orders DISABLE TRIGGER ALL;

-- case: an event trigger
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- do
CREATE EVENT TRIGGER app_watch ON ddl_command_end WHEN TAG IN ('CREATE RULE', 'DROP RULE')
    EXECUTE FUNCTION app.watch();

-- case: an event trigger's state
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER app_watch ON sql_drop EXECUTE FUNCTION app.watch();
-- do
ALTER EVENT TRIGGER app_watch DISABLE;

-- case: an event trigger's event
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER app_watch ON sql_drop EXECUTE FUNCTION app.watch();
COMMENT ON EVENT TRIGGER app_watch IS 'w';
-- do
DROP EVENT TRIGGER app_watch;
CREATE EVENT TRIGGER app_watch ON table_rewrite EXECUTE FUNCTION app.watch();
COMMENT ON EVENT TRIGGER app_watch IS 'w';
