-- before
CREATE SCHEMA "My app";
CREATE TABLE "My app"."Role" ("Id" uuid PRIMARY KEY, name text);
-- up
SET search_path TO "My app";
INSERT INTO "Role" VALUES ('c1b2a3d4-0000-0000-0000-000000000001', '100% :x');
RESET search_path;
-- expect how: text
-- expect rows: 2: the key by which to delete the rows inserted into "Role": it is not in the text
