-- before
CREATE TABLE "Order" ("Id" int PRIMARY KEY, "user" text DEFAULT 'a', "select" int);
CREATE INDEX "Order_Idx" ON "Order" ("user");
-- up
ALTER TABLE "Order" DROP COLUMN "select";
DROP INDEX "Order_Idx";
ALTER TABLE "Order" ALTER COLUMN "user" DROP DEFAULT;
-- expect down
ALTER TABLE "Order" ALTER COLUMN "user" SET DEFAULT 'a'::text;
CREATE INDEX "Order_Idx" ON "Order" ("user");
ALTER TABLE "Order" ADD COLUMN "select" integer;
-- expect how: statements
-- expect rows: 1: the values of column "Order"."select": they are gone with it
