-- before
CREATE TABLE account (id int PRIMARY KEY);
CREATE TABLE journal (account int NOT NULL REFERENCES account);
CREATE FUNCTION write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO journal VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER tr AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION write();
-- up
INSERT INTO account VALUES (7);
ALTER TABLE account ADD COLUMN note text;
-- expect down
ALTER TABLE account DROP COLUMN note;
-- expect how: statements
-- expect rows: 1: what refers to the inserted rows; without that, DELETE FROM account WHERE id = 7 would do
