-- What this is for.
CREATE TABLE
    orders  -- the table
(
    id int, /* a comment; with a semicolon */
    note text DEFAULT 'a; b'
);

/* between */
CREATE INDEX orders_note
    ON orders (note);
-- expect down
DROP INDEX IF EXISTS orders_note;
DROP TABLE IF EXISTS orders CASCADE;
