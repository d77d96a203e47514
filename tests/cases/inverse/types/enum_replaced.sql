ALTER TYPE mood RENAME TO mood_old;
CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TABLE people ALTER COLUMN m TYPE mood USING m::text::mood;
DROP TYPE mood_old;
-- expect irreversible: 3: the type of column m before, and what the conversion lost of its values
-- expect irreversible: 4: the definition of type mood_old: DROP TYPE does not keep it
-- expect down
DROP TYPE IF EXISTS mood;
ALTER TYPE mood_old RENAME TO mood;
