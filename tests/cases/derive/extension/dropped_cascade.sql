-- before
CREATE EXTENSION citext;
CREATE TABLE account (id int, email citext UNIQUE);
-- up
DROP EXTENSION citext CASCADE;
-- expect down
CREATE EXTENSION citext WITH SCHEMA public VERSION '1.8';
ALTER TABLE account ADD COLUMN email citext;
ALTER TABLE account ADD CONSTRAINT account_email_key UNIQUE (email);
COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';
-- expect how: statements
-- expect rows: 1: the values of column account.email: they are gone with it
