CREATE TYPE "Pair" AS (a int, b text);
ALTER TYPE "Pair" ADD ATTRIBUTE c int;
-- expect down
ALTER TYPE "Pair" DROP ATTRIBUTE c;
DROP TYPE IF EXISTS "Pair";
