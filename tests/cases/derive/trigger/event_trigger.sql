-- before
CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION guard();
-- up
ALTER EVENT TRIGGER watch DISABLE;
CREATE EVENT TRIGGER watch_drops ON sql_drop EXECUTE FUNCTION guard();
-- expect down
DROP EVENT TRIGGER IF EXISTS watch_drops;
ALTER EVENT TRIGGER watch ENABLE;
-- expect how: text
