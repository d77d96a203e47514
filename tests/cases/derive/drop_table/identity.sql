-- before
CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY, at timestamptz DEFAULT now());
-- up
DROP TABLE visit;
-- expect down
CREATE TABLE visit (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5),
    at timestamp with time zone DEFAULT now(),
    PRIMARY KEY (id)
);
-- expect how: statements
-- expect rows: 1: the rows of table visit: they are gone with it
