-- setup
CREATE TABLE orders (id int);
-- up
CREATE RULE nothing AS ON DELETE TO orders DO INSTEAD NOTHING;
ALTER TABLE orders DISABLE RULE nothing;
-- expect down
ALTER TABLE orders ENABLE RULE nothing;
DROP RULE IF EXISTS nothing ON orders;
