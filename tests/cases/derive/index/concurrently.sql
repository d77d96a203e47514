-- before
CREATE TABLE t (a int, b text);
CREATE INDEX old ON t (a);
CREATE UNIQUE INDEX older ON t (lower(b));
-- up
CREATE INDEX CONCURRENTLY new ON t (a, b);
DROP INDEX CONCURRENTLY old;
DROP INDEX CONCURRENTLY IF EXISTS older;
-- expect down
CREATE UNIQUE INDEX CONCURRENTLY older ON t (lower(b));
CREATE INDEX CONCURRENTLY old ON t (a);
DROP INDEX CONCURRENTLY IF EXISTS new;
-- expect how: statements
