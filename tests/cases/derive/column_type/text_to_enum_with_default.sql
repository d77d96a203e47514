-- before
CREATE TABLE diary (day date, mood text DEFAULT 'ok', CONSTRAINT known CHECK (mood IN ('sad', 'ok')));
-- up
CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TABLE diary DROP CONSTRAINT known;
ALTER TABLE diary ALTER mood DROP DEFAULT, ALTER mood TYPE mood USING mood::mood, ALTER mood SET DEFAULT 'ok';
-- expect down
ALTER TABLE diary ALTER COLUMN mood DROP DEFAULT;
ALTER TABLE diary ALTER COLUMN mood TYPE text USING mood::text::text;
ALTER TABLE diary ALTER COLUMN mood SET DEFAULT 'ok'::text;
ALTER TABLE diary ADD CONSTRAINT known CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text])));
DROP TYPE IF EXISTS mood;
-- expect how: statements
