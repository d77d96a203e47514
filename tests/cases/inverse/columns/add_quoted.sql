-- setup
CREATE SCHEMA app;
CREATE TABLE app."UserData" (id int);
-- up
ALTER TABLE app."UserData" ADD COLUMN "order" int;
ALTER TABLE app."UserData" ADD COLUMN größe int;
-- expect down
ALTER TABLE app."UserData" DROP COLUMN "größe";
ALTER TABLE app."UserData" DROP COLUMN "order";
