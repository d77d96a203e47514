-- case: an index
-- do
CREATE INDEX app_i ON app.orders (note);

-- case: an index with everything
-- do
CREATE UNIQUE INDEX app_i ON app.orders USING btree (lower(note) COLLATE "C" text_pattern_ops DESC
    NULLS LAST, total) INCLUDE (made) WITH (fillfactor = 50) WHERE total > 5;

-- case: an index of another column
CREATE INDEX app_i ON app.orders (note);
COMMENT ON INDEX app.app_i IS 'i';
-- do
DROP INDEX app.app_i;
CREATE INDEX app_i ON app.orders (total);

-- case: an index of another method
CREATE INDEX app_i ON app.orders (note);
-- do
DROP INDEX app.app_i;
CREATE INDEX app_i ON app.orders USING hash (note);

-- case: an index with parameters of an operator class
CREATE TABLE app.words (w tsvector);
-- do
CREATE INDEX app_i ON app.words USING gist (w tsvector_ops (siglen = 100));

-- case: a unique index with nulls that are not distinct
-- since: 15
CREATE UNIQUE INDEX app_i ON app.orders (note);
-- do
DROP INDEX app.app_i;
CREATE UNIQUE INDEX app_i ON app.orders (note) NULLS NOT DISTINCT;

-- case: a partial index
CREATE INDEX app_i ON app.orders (note) WHERE total > 1;
-- do
DROP INDEX app.app_i;
CREATE INDEX app_i ON app.orders (note) WHERE total > 2;

-- case: an index renamed
CREATE INDEX app_i ON app.orders (note);
-- do
ALTER INDEX app.app_i RENAME TO app_j;

-- case: two indexes swap their names
CREATE INDEX app_i ON app.orders (note);
CREATE INDEX app_j ON app.orders (total);
-- do
ALTER INDEX app.app_i RENAME TO app_k;
ALTER INDEX app.app_j RENAME TO app_i;
ALTER INDEX app.app_k RENAME TO app_j;

-- case: an index's options
CREATE INDEX app_i ON app.orders (note);
-- do
ALTER INDEX app.app_i SET (fillfactor = 60, deduplicate_items = off);

-- case: an index's statistics
CREATE INDEX app_i ON app.orders (lower(note), total);
-- do
ALTER INDEX app.app_i ALTER COLUMN 1 SET STATISTICS 99;

-- case: an index's tablespace
-- since: 15
CREATE INDEX app_i ON app.orders (note);
-- do
ALTER INDEX app.app_i SET TABLESPACE fp_space;

-- case: an index that calls a function
CREATE FUNCTION app.key(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE INDEX app_i ON app.orders (app.key(note));
-- do
DROP INDEX app.app_i;
DROP FUNCTION app.key;

-- case: an index whose function has another result
CREATE FUNCTION app.key(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE INDEX app_i ON app.orders (app.key(note));
-- do
DROP INDEX app.app_i;
DROP FUNCTION app.key;
CREATE FUNCTION app.key(a text) RETURNS varchar LANGUAGE sql IMMUTABLE AS 'SELECT a';
CREATE INDEX app_i ON app.orders (app.key(note));

-- case: a comment on an index
CREATE INDEX app_i ON app.orders (note);
-- do
COMMENT ON INDEX app.app_i IS 'i';

