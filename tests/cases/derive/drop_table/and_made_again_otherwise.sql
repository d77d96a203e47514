-- before
CREATE TABLE setting (name text PRIMARY KEY, value text);
-- up
DROP TABLE setting;
CREATE TABLE setting (id int PRIMARY KEY, scope text NOT NULL);
CREATE INDEX setting_scope ON setting (scope);
-- expect down
DROP INDEX IF EXISTS setting_scope;
DROP TABLE IF EXISTS setting CASCADE;
CREATE TABLE setting (
    name text NOT NULL,
    value text,
    PRIMARY KEY (name)
);
-- expect how: statements
-- expect rows: 1: the rows of table setting: they are gone with it
