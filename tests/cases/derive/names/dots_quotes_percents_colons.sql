-- before
CREATE SCHEMA "a.b";
CREATE TABLE "a.b"."say ""hi""" ("100%s" int, ":name" text, "x'y" text CHECK ("x'y" LIKE '%(a)s :b'));
-- up
ALTER TABLE "a.b"."say ""hi""" DROP COLUMN "100%s", DROP COLUMN ":name";
ALTER TABLE "a.b"."say ""hi""" DROP COLUMN "x'y";
-- expect down
ALTER TABLE "a.b"."say ""hi""" ADD COLUMN "x'y" text;
ALTER TABLE "a.b"."say ""hi""" ADD CONSTRAINT "say ""hi""_x'y_check" CHECK (("x'y" ~~ '%(a)s :b'::text));
ALTER TABLE "a.b"."say ""hi""" ADD COLUMN "100%s" integer;
ALTER TABLE "a.b"."say ""hi""" ADD COLUMN ":name" text;
-- expect how: statements
-- expect rows: 1: the values of column "a.b"."say ""hi"""."100%s": they are gone with it; the values of column "a.b"."say ""hi""".":name": they are gone with it
-- expect rows: 2: the values of column "a.b"."say ""hi"""."x'y": they are gone with it
-- expect order: "a.b"."say ""hi"""
