PREPARE p AS DELETE FROM t;
EXECUTE p;
EXPLAIN ANALYZE DELETE FROM t;
-- expect irreversible: 2: what prepared statement p changed
-- expect irreversible: 3: what EXPLAIN ANALYZE changed by running the statement
