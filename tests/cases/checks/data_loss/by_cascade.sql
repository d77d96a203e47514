-- setup
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE days (day int, mood mood, before mood);
INSERT INTO days VALUES (1, 'good', 'good'), (2, 'good', NULL);

-- down
DROP TYPE mood CASCADE;

-- expect
-- Column before of days has 1 value. This is DESTRUCTIVE.
-- Column mood of days has 2 values. This is DESTRUCTIVE.
