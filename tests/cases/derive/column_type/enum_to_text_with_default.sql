-- before
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE diary (day date, mood mood NOT NULL DEFAULT 'ok');
-- up
ALTER TABLE diary ALTER mood DROP DEFAULT;
ALTER TABLE diary ALTER mood TYPE text USING mood::text;
ALTER TABLE diary ALTER mood SET DEFAULT 'ok';
-- expect down
ALTER TABLE diary ALTER COLUMN mood DROP DEFAULT;
ALTER TABLE diary ALTER COLUMN mood TYPE mood USING mood::text::mood;
ALTER TABLE diary ALTER COLUMN mood SET DEFAULT 'ok'::mood;
-- expect how: statements
