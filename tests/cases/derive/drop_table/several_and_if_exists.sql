-- before
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int REFERENCES a);
-- up
DROP TABLE IF EXISTS b, a, never_there;
-- expect down
CREATE TABLE a (
    id integer NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE b (
    id integer
);
ALTER TABLE b ADD CONSTRAINT b_id_fkey FOREIGN KEY (id) REFERENCES a(id);
-- expect how: statements
-- expect rows: 1: the rows of table a: they are gone with it; the rows of table b: they are gone with it
