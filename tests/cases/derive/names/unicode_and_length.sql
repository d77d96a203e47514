-- before
CREATE TABLE größe (maß int, "ключ" text);
CREATE INDEX an_index_with_a_name_that_is_just_as_long_as_postgresql_can_ta ON größe (maß);
-- up
DROP INDEX an_index_with_a_name_that_is_just_as_long_as_postgresql_can_ta;
ALTER TABLE größe DROP COLUMN "ключ";
-- expect down
ALTER TABLE "größe" ADD COLUMN "ключ" text;
CREATE INDEX an_index_with_a_name_that_is_just_as_long_as_postgresql_can_ta ON "größe" ("maß");
-- expect how: statements
-- expect rows: 2: the values of column "größe"."ключ": they are gone with it
