-- case: a primary key
-- do
ALTER TABLE app.orders DROP CONSTRAINT orders_pkey;

-- case: a primary key of another column
-- do
ALTER TABLE app.orders DROP CONSTRAINT orders_pkey;
ALTER TABLE app.orders ADD PRIMARY KEY (customer);

-- case: a primary key with included columns and options
-- do
ALTER TABLE app.orders DROP CONSTRAINT orders_pkey;
ALTER TABLE app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id) INCLUDE (note)
    WITH (fillfactor = 50);

-- case: a primary key renamed
-- do
ALTER TABLE app.orders RENAME CONSTRAINT orders_pkey TO orders_key;

-- case: a primary key's options
-- do
ALTER INDEX app.orders_pkey SET (fillfactor = 60);

-- case: a primary key that foreign keys refer to
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;
COMMENT ON CONSTRAINT fk ON app.orders IS 'fk';
-- do
ALTER TABLE app.customers DROP CONSTRAINT customers_pkey CASCADE;

-- case: unique
-- do
ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE (note, total);

-- case: unique with nulls that are not distinct
-- since: 15
ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE (note);
-- do
ALTER TABLE app.orders DROP CONSTRAINT one;
ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE NULLS NOT DISTINCT (note);

-- case: unique deferrable
ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE (note);
-- do
ALTER TABLE app.orders DROP CONSTRAINT one;
ALTER TABLE app.orders ADD CONSTRAINT one UNIQUE (note) DEFERRABLE INITIALLY DEFERRED;

-- case: unique without overlaps
-- since: 18
CREATE TABLE app.r (during daterange, span int4range);
-- do
ALTER TABLE app.r ADD CONSTRAINT one UNIQUE (span, during WITHOUT OVERLAPS);

-- case: a period of a foreign key
-- since: 18
CREATE TABLE app.r (during daterange, span int4range,
    CONSTRAINT r_key PRIMARY KEY (span, during WITHOUT OVERLAPS));
CREATE TABLE app.f (during daterange, span int4range);
-- do
ALTER TABLE app.f ADD CONSTRAINT fk FOREIGN KEY (span, PERIOD during)
    REFERENCES app.r (span, PERIOD during);

-- case: exclusion
CREATE TABLE app.r (during tsrange);
-- do
ALTER TABLE app.r ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (during <> 'empty');

-- case: a check
-- do
ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0 AND note IN ('a', 'b:%s'));

-- case: another check
ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0);
COMMENT ON CONSTRAINT positive ON app.orders IS 'over 0';
-- do
ALTER TABLE app.orders DROP CONSTRAINT positive;
ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 1);

-- case: a check not valid
-- do
ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;

-- case: a check validated
ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;
-- do
ALTER TABLE app.orders VALIDATE CONSTRAINT positive;

-- case: a check not enforced
-- since: 18
-- do
ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0) NOT ENFORCED;

-- case: a check that calls a function
CREATE FUNCTION app.good(a text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE app.orders ADD CONSTRAINT good CHECK (app.good(note));
-- do
ALTER TABLE app.orders DROP CONSTRAINT good;
DROP FUNCTION app.good;

-- case: a foreign key
-- do
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;

-- case: a foreign key's actions
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;
-- do
ALTER TABLE app.orders DROP CONSTRAINT fk;
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers
    MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL;

-- case: a foreign key that sets some columns
-- since: 15
CREATE TABLE app.two (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE app.of_two (a integer, b integer);
-- do
ALTER TABLE app.of_two ADD CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES app.two
    ON DELETE SET NULL (b);

-- case: a foreign key deferrable
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;
-- do
ALTER TABLE app.orders ALTER CONSTRAINT fk DEFERRABLE INITIALLY DEFERRED;

-- case: a foreign key not valid
-- do
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers NOT VALID;

-- case: a foreign key validated
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers NOT VALID;
-- do
ALTER TABLE app.orders VALIDATE CONSTRAINT fk;

-- case: a foreign key not enforced
-- since: 18
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;
-- do
ALTER TABLE app.orders ALTER CONSTRAINT fk NOT ENFORCED;

-- case: a foreign key renamed
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.customers;
-- do
ALTER TABLE app.orders RENAME CONSTRAINT fk TO other;

-- case: a comment on a constraint
-- do
COMMENT ON CONSTRAINT orders_pkey ON app.orders IS 'key';

-- case: foreign keys in a circle
-- do
CREATE TABLE app.a (id integer PRIMARY KEY, b integer);
CREATE TABLE app.b (id integer PRIMARY KEY, a integer REFERENCES app.a);
ALTER TABLE app.a ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES app.b;

-- case: foreign keys in a circle go
CREATE TABLE app.a (id integer PRIMARY KEY, b integer);
CREATE TABLE app.b (id integer PRIMARY KEY, a integer REFERENCES app.a);
ALTER TABLE app.a ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES app.b;
-- do
DROP TABLE app.a, app.b;

-- case: a table that refers to itself
-- do
CREATE TABLE app.a (id integer PRIMARY KEY, up integer REFERENCES app.a);

-- case: a constraint's index with statistics
-- pg_dump: it leaves out the targets of a constraint's index
CREATE TABLE app.r (during tsrange, n integer,
    CONSTRAINT apart EXCLUDE USING gist (tsrange(lower(during), upper(during)) WITH &&));
-- do
ALTER INDEX app.apart ALTER COLUMN 1 SET STATISTICS 55;
