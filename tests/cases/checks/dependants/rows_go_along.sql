-- setup
CREATE TYPE mood AS ENUM ('good');
CREATE SCHEMA "App";
CREATE TABLE "App".days (day int, "Mood" mood, none mood);
INSERT INTO "App".days VALUES (1, 'good', NULL), (2, 'good', NULL);
CREATE MATERIALIZED VIEW moods AS SELECT "Mood" FROM "App".days;
CREATE TABLE parent (id int);
CREATE TABLE heir (x int) INHERITS (parent);
INSERT INTO heir VALUES (1, 1);

-- down
DROP TYPE mood CASCADE;
DROP TABLE parent CASCADE;

-- expect
-- CASCADE also drops column none of table "App".days, which is not part of this rollback.
--   Its definition is kept in the log and restored when the revision is applied again.
-- CASCADE also drops column Mood of table "App".days (2 values), which is not part of this rollback.
--   Its definition is kept in the log and restored when the revision is applied again; its values are not.
-- CASCADE also drops materialized view moods (2 rows), which is not part of this rollback.
--   Its definition is kept in the log and restored when the revision is applied again.
-- CASCADE also drops table heir (1 row), which is not part of this rollback.
--   Its definition is kept in the log and restored when the revision is applied again; its rows are not.
