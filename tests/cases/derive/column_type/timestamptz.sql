-- before
CREATE TABLE log (at timestamp DEFAULT now(), what text);
CREATE INDEX log_at ON log (at);
-- up
ALTER TABLE log ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC';
-- expect down
ALTER TABLE log ALTER COLUMN at DROP DEFAULT;
ALTER TABLE log ALTER COLUMN at TYPE timestamp without time zone;
ALTER TABLE log ALTER COLUMN at SET DEFAULT now();
-- expect how: statements
-- expect rows: 1: the values of column log.at before: what USING made of them can't be undone
