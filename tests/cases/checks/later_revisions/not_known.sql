-- setup
CREATE TABLE a (id int PRIMARY KEY);

-- down
DROP TABLE a;

-- later python

-- expect
-- 2 stays applied; whether it uses what goes is not known.
--   If it does, roll it back, too: name its version as well.
