-- before
CREATE TABLE wage (id int, amount int);
GRANT SELECT (amount), UPDATE (amount) ON wage TO derive_reader;
-- up
ALTER TABLE wage DROP COLUMN amount;
-- expect down
ALTER TABLE wage ADD COLUMN amount integer;
GRANT SELECT (amount), UPDATE (amount) ON TABLE wage TO derive_reader;
-- expect how: statements
-- expect rows: 1: the values of column wage.amount: they are gone with it
