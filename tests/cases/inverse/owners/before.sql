ALTER TABLE orders OWNER TO bob;
ALTER SCHEMA app OWNER TO bob;
ALTER FUNCTION f(int) OWNER TO bob;
REASSIGN OWNED BY a TO b;
-- expect irreversible: 1: the owner of table orders before
-- expect irreversible: 2: the owner of schema app before
-- expect irreversible: 3: the owner of function f(int) before
-- expect irreversible: 4: which objects belonged to a before
