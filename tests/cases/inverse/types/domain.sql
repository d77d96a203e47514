CREATE DOMAIN positive AS int CHECK (VALUE > 0);
-- expect down
DROP DOMAIN IF EXISTS positive;
