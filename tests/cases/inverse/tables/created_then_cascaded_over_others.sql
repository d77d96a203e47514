-- setup
CREATE TABLE t (id int);
-- up
CREATE TYPE mood AS ENUM ('a');
ALTER TABLE t ADD COLUMN m mood;
DROP TYPE mood CASCADE;
-- expect irreversible: 3: the definition of type mood: DROP TYPE does not keep it, nor what CASCADE took with it
-- expect down
ALTER TABLE t DROP COLUMN m;
