CREATE TABLE "UserData" ("Id" int);
-- expect down
DROP TABLE IF EXISTS "UserData" CASCADE;
