CREATE TYPE mood AS ENUM ('a');
CREATE FUNCTION to_mood(int) RETURNS mood LANGUAGE sql AS $$ SELECT 'a'::mood $$;
CREATE CAST (int AS mood) WITH FUNCTION to_mood(int);
-- expect down
DROP CAST IF EXISTS (int AS mood);
DROP FUNCTION IF EXISTS to_mood(int);
DROP TYPE IF EXISTS mood;
