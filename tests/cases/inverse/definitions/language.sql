CREATE LANGUAGE mine HANDLER plpgsql_call_handler;
-- expect down
DROP LANGUAGE IF EXISTS mine;
