-- before
CREATE TABLE t (a int, b int);
CREATE VIEW v WITH (security_barrier) AS SELECT a FROM t;
-- up
CREATE OR REPLACE VIEW v WITH (security_barrier) AS SELECT a FROM t WHERE b > 0;
-- expect down
CREATE OR REPLACE VIEW v (a) WITH (security_barrier=true) AS SELECT a
   FROM t;
-- expect how: statements
