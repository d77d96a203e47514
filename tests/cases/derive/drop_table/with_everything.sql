-- before
CREATE TABLE shelf (id serial PRIMARY KEY, label text NOT NULL DEFAULT 'new', width numeric(6,2) CHECK (width > 0));
CREATE UNIQUE INDEX shelf_label ON shelf (lower(label)) WHERE width > 1;
COMMENT ON TABLE shelf IS 'Where books stand; it''s "here"';
COMMENT ON COLUMN shelf.label IS 'As printed';
COMMENT ON INDEX shelf_label IS 'One of each';
GRANT SELECT, INSERT (label) ON shelf TO derive_reader;
CREATE FUNCTION shelf_seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER seen BEFORE UPDATE OF label ON shelf FOR EACH ROW WHEN (OLD.label IS DISTINCT FROM NEW.label) EXECUTE FUNCTION shelf_seen();
ALTER TABLE shelf DISABLE TRIGGER seen;
-- up
DROP TABLE shelf;
-- expect down
CREATE TABLE shelf (
    id serial,
    label text DEFAULT 'new'::text NOT NULL,
    width numeric(6,2),
    CONSTRAINT shelf_width_check CHECK ((width > (0)::numeric)),
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX shelf_label ON shelf (lower(label)) WHERE (width > (1)::numeric);
CREATE TRIGGER seen BEFORE UPDATE OF label ON shelf FOR EACH ROW WHEN ((old.label IS DISTINCT FROM new.label)) EXECUTE FUNCTION shelf_seen();
ALTER TABLE shelf DISABLE TRIGGER seen;
GRANT INSERT (label) ON TABLE shelf TO derive_reader;
GRANT SELECT ON TABLE shelf TO derive_reader;
COMMENT ON COLUMN shelf.label IS 'As printed';
COMMENT ON TABLE shelf IS 'Where books stand; it''s "here"';
COMMENT ON INDEX shelf_label IS 'One of each';
-- expect how: statements
-- expect rows: 1: the rows of table shelf: they are gone with it
