CREATE ROLE inverse_old;
ALTER ROLE inverse_old RENAME TO inverse_new;
-- expect down
ALTER ROLE inverse_new RENAME TO inverse_old;
DROP ROLE IF EXISTS inverse_old;
