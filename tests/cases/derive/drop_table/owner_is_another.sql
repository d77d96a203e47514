-- before
CREATE TABLE ledger (id int);
ALTER TABLE ledger OWNER TO derive_owner;
-- up
DROP TABLE ledger;
-- expect down
CREATE TABLE ledger (
    id integer
);
ALTER TABLE ledger OWNER TO derive_owner;
-- expect how: statements
-- expect rows: 1: the rows of table ledger: they are gone with it
