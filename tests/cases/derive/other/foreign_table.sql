-- before
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER away FOREIGN DATA WRAPPER w OPTIONS (host 'far');
CREATE FOREIGN TABLE f (a int OPTIONS (name 'x') NOT NULL) SERVER away OPTIONS (tab 't');
-- up
ALTER FOREIGN TABLE f ADD COLUMN b text, OPTIONS (SET tab 'u');
DROP SERVER away CASCADE;
-- expect down
CREATE SERVER away FOREIGN DATA WRAPPER w OPTIONS (host 'far');
CREATE FOREIGN TABLE f (
    a integer OPTIONS (name 'x') NOT NULL,
    b text
) SERVER away OPTIONS (tab 'u');
ALTER FOREIGN TABLE f DROP COLUMN b;
ALTER FOREIGN TABLE f OPTIONS (SET tab 't');
-- expect how: statements
-- expect rows: 2: the rows of table f: they are gone with it
