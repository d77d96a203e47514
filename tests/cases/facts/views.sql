-- case: a view
-- do
CREATE VIEW app.v AS SELECT id, note AS "No:te %s" FROM app.orders WHERE total > 5;

-- case: a view's query
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
-- do
CREATE OR REPLACE VIEW app.v AS SELECT id, note FROM app.orders WHERE id > 5;

-- case: a view with more columns
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
CREATE VIEW app.w AS SELECT note FROM app.v;
GRANT SELECT ON app.w TO fp_reader;
ALTER VIEW app.w OWNER TO fp_owner;
COMMENT ON COLUMN app.w.note IS 'w';
-- do
CREATE OR REPLACE VIEW app.v AS SELECT id, note, total FROM app.orders;

-- case: a view's column renamed
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
CREATE VIEW app.w AS SELECT note FROM app.v;
-- do
ALTER VIEW app.v RENAME COLUMN note TO remark;

-- case: a view renamed
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
CREATE VIEW app.w AS SELECT note FROM app.v;
-- do
ALTER VIEW app.v RENAME TO x;

-- case: two views swap their names
CREATE VIEW app.v AS SELECT id FROM app.orders;
CREATE VIEW app.w AS SELECT note FROM app.orders;
CREATE VIEW app.x AS SELECT v.id, w.note FROM app.v, app.w;
-- do
ALTER VIEW app.v RENAME TO y;
ALTER VIEW app.w RENAME TO v;
ALTER VIEW app.y RENAME TO w;

-- case: a security barrier
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
-- do
ALTER VIEW app.v SET (security_barrier = true);

-- case: a security invoker
-- since: 15
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
-- do
ALTER VIEW app.v SET (security_invoker = true);

-- case: a check option
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
-- do
CREATE OR REPLACE VIEW app.v AS SELECT id, note FROM app.orders WITH LOCAL CHECK OPTION;

-- case: a default of a view's column
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
-- do
ALTER VIEW app.v ALTER COLUMN note SET DEFAULT 'x';

-- case: a recursive view
-- do
CREATE RECURSIVE VIEW app.v (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v WHERE n < 9;

-- case: a view of a function
CREATE VIEW app.v AS SELECT app.f(id) AS f FROM app.orders;
-- do
DROP VIEW app.v;
DROP FUNCTION app.f;
CREATE FUNCTION app.f(a integer) RETURNS bigint LANGUAGE sql AS 'SELECT 1';
CREATE VIEW app.v AS SELECT app.f(id) AS f FROM app.orders;

-- case: a trigger of a view
CREATE VIEW app.v AS SELECT id, note FROM app.orders;
CREATE TRIGGER t INSTEAD OF UPDATE ON app.v FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE r AS ON DELETE TO app.v DO INSTEAD NOTHING;
-- do
DROP VIEW app.v;

-- case: a view made again with its trigger
CREATE VIEW app.v AS SELECT id, customer FROM app.orders;
CREATE TRIGGER t INSTEAD OF UPDATE ON app.v FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE r AS ON DELETE TO app.v DO INSTEAD NOTHING;
ALTER VIEW app.v ALTER COLUMN id SET DEFAULT 5;
-- do
DROP VIEW app.v;
ALTER TABLE app.orders ALTER COLUMN customer TYPE text;

-- case: a materialized view
-- do
CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.orders;
CREATE MATERIALIZED VIEW app.n AS SELECT id FROM app.m WITH NO DATA;
CREATE INDEX app_i ON app.m (id);

-- case: a materialized view's query
CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.orders;
CREATE MATERIALIZED VIEW app.n AS SELECT id FROM app.m;
CREATE UNIQUE INDEX app_i ON app.n (id);
CREATE VIEW app.v AS SELECT id FROM app.n;
GRANT SELECT ON app.n TO fp_reader;
COMMENT ON MATERIALIZED VIEW app.n IS 'n';
-- do
DROP MATERIALIZED VIEW app.m CASCADE;
CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.orders WHERE id > 5;
CREATE MATERIALIZED VIEW app.n AS SELECT id FROM app.m;
CREATE UNIQUE INDEX app_i ON app.n (id);
CREATE VIEW app.v AS SELECT id FROM app.n;
GRANT SELECT ON app.n TO fp_reader;
COMMENT ON MATERIALIZED VIEW app.n IS 'n';

-- case: a materialized view's options
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
-- do
ALTER MATERIALIZED VIEW app.m SET (fillfactor = 50, toast.autovacuum_enabled = off);

-- case: a materialized view's columns
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
-- do
ALTER MATERIALIZED VIEW app.m ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER MATERIALIZED VIEW app.m ALTER COLUMN note SET STATISTICS 50;
ALTER MATERIALIZED VIEW app.m ALTER COLUMN id SET (n_distinct = 5);

-- case: a materialized view clustered
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
CREATE INDEX app_i ON app.m (id);
-- do
ALTER MATERIALIZED VIEW app.m CLUSTER ON app_i;

-- case: a materialized view's tablespace
-- since: 15
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
-- do
ALTER MATERIALIZED VIEW app.m SET TABLESPACE fp_space;

-- case: a materialized view emptied
-- pg_dump: it fills what can be filled, whatever it is by now
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
-- do
REFRESH MATERIALIZED VIEW app.m WITH NO DATA;

-- case: a materialized view renamed
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
CREATE INDEX app_i ON app.m (id);
-- do
ALTER MATERIALIZED VIEW app.m RENAME TO n;

-- case: a materialized view's column renamed
CREATE MATERIALIZED VIEW app.m AS SELECT id, note FROM app.orders;
CREATE INDEX app_i ON app.m (note);
-- do
ALTER MATERIALIZED VIEW app.m RENAME COLUMN note TO remark;

-- case: a chain of materialized views over a column of another type
CREATE MATERIALIZED VIEW app.m AS SELECT id, customer FROM app.orders;
CREATE MATERIALIZED VIEW app.n AS SELECT customer FROM app.m WITH NO DATA;
CREATE INDEX app_i ON app.m (customer);
ALTER MATERIALIZED VIEW app.m CLUSTER ON app_i;
ALTER MATERIALIZED VIEW app.m OWNER TO fp_owner;
-- do
DROP MATERIALIZED VIEW app.m CASCADE;
ALTER TABLE app.orders ALTER COLUMN customer TYPE bigint;
CREATE MATERIALIZED VIEW app.m AS SELECT id, customer FROM app.orders;
CREATE MATERIALIZED VIEW app.n AS SELECT customer FROM app.m WITH NO DATA;

-- case: a rule
-- do
CREATE RULE r AS ON INSERT TO app.orders WHERE NEW.total < 0 DO INSTEAD
    (UPDATE app.customers SET region = 'x;' WHERE id = NEW.customer; DELETE FROM app.customers WHERE id = 0);

-- case: a rule's text
CREATE RULE r AS ON INSERT TO app.orders DO ALSO NOTHING;
-- do
CREATE OR REPLACE RULE r AS ON INSERT TO app.orders DO INSTEAD NOTHING;

-- case: a rule's state
CREATE RULE r AS ON INSERT TO app.orders DO ALSO NOTHING;
-- do
ALTER TABLE app.orders DISABLE RULE r;

-- case: a rule renamed
CREATE RULE r AS ON INSERT TO app.orders DO ALSO NOTHING;
COMMENT ON RULE r ON app.orders IS 'r';
-- do
ALTER RULE r ON app.orders RENAME TO s;
