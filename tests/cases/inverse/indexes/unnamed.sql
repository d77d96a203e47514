-- setup
CREATE TABLE orders (a int, b text, "C d" text);
-- up
CREATE INDEX ON orders (a);
CREATE INDEX ON orders (a);
CREATE INDEX ON orders (a, b);
CREATE INDEX ON orders (a) INCLUDE (b);
CREATE INDEX ON orders (lower(b));
CREATE INDEX ON orders ((a + 1));
CREATE INDEX ON orders ((a + 1), (a + 2));
CREATE INDEX ON orders ("C d");
CREATE INDEX ON orders (coalesce(b, ''), (a::text), (b || 'x'), (CASE WHEN a > 0 THEN a END));
CREATE INDEX ON orders ((b COLLATE "C"), (nullif(a, 1)), (greatest(a, 2)), ((a + 1)::bigint));
-- expect down
DROP INDEX IF EXISTS orders_b_nullif_greatest_int8_idx;
DROP INDEX IF EXISTS orders_coalesce_a_expr_case_idx;
DROP INDEX IF EXISTS "orders_C d_idx";
DROP INDEX IF EXISTS orders_expr_expr1_idx;
DROP INDEX IF EXISTS orders_expr_idx;
DROP INDEX IF EXISTS orders_lower_idx;
DROP INDEX IF EXISTS orders_a_b_idx1;
DROP INDEX IF EXISTS orders_a_b_idx;
DROP INDEX IF EXISTS orders_a_idx1;
DROP INDEX IF EXISTS orders_a_idx;
