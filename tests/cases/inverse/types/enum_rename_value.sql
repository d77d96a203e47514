-- setup
CREATE TYPE mood AS ENUM ('it''s', 'ok');
-- up
ALTER TYPE mood RENAME VALUE 'it''s' TO 'it\is';
-- expect down
ALTER TYPE mood RENAME VALUE E'it\\is' TO 'it''s';
