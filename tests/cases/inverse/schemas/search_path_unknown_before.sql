CREATE TABLE t (id int);
SET search_path = app;
CREATE TABLE u (id int);
INSERT INTO t VALUES (1);
-- expect irreversible: 2: the search_path before it: statements above it name objects without a schema
-- expect irreversible: 4: the key by which to delete the rows inserted into t: it is not in the text
-- expect down
SET search_path = app;
DROP TABLE IF EXISTS u CASCADE;
DROP TABLE IF EXISTS t CASCADE;
