CREATE TABLE größe (id int);
CREATE TABLE "Änderung é" (id int);
-- expect down
DROP TABLE IF EXISTS "Änderung é" CASCADE;
DROP TABLE IF EXISTS "größe" CASCADE;
