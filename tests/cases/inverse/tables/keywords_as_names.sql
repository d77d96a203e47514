CREATE TABLE "order" (id int);
CREATE TABLE "user" ("select" int);
-- expect down
DROP TABLE IF EXISTS "user" CASCADE;
DROP TABLE IF EXISTS "order" CASCADE;
