CREATE TABLE old_name (id int);
ALTER TABLE old_name RENAME TO "New Name";
INSERT INTO "New Name" VALUES (1);
-- expect down
ALTER TABLE "New Name" RENAME TO old_name;
DROP TABLE IF EXISTS old_name CASCADE;
