-- case: a partition's bound
CREATE TABLE app.e (id integer, d date) PARTITION BY RANGE (d);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- do
ALTER TABLE app.e DETACH PARTITION app.e1;
ALTER TABLE app.e ATTACH PARTITION app.e1 FOR VALUES FROM ('2026-01-01') TO ('2026-03-01');

-- case: a partition detached
CREATE TABLE app.e (id integer PRIMARY KEY, x text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
CREATE INDEX app_x ON app.e (x);
-- do
ALTER TABLE app.e DETACH PARTITION app.e1;

-- case: a partition attached
CREATE TABLE app.e (id integer PRIMARY KEY, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 (id integer PRIMARY KEY, x text);
CREATE INDEX app_x ON app.e (x);
-- do
ALTER TABLE app.e ATTACH PARTITION app.e1 FOR VALUES FROM (1) TO (10);

-- case: a new partition
CREATE TABLE app.e (id integer PRIMARY KEY, x text DEFAULT 'a') PARTITION BY LIST (id);
CREATE INDEX app_x ON app.e (x);
-- do
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES IN (1, 2);
CREATE TABLE app.e2 PARTITION OF app.e (x DEFAULT 'b') DEFAULT;

-- case: a partition less
CREATE TABLE app.e (id integer, d date, CONSTRAINT e_key PRIMARY KEY (id, d),
    c integer REFERENCES app.customers) PARTITION BY RANGE (d);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE app.e2 PARTITION OF app.e DEFAULT;
CREATE INDEX app_c ON app.e (c);
COMMENT ON INDEX app.e1_c_idx IS 'of a partition';
CREATE TRIGGER t AFTER INSERT ON app.e FOR EACH ROW EXECUTE FUNCTION app.touch();
GRANT SELECT ON app.e1 TO fp_reader;
-- do
DROP TABLE app.e1;

-- case: partitions of partitions
-- do
CREATE TABLE app.e (id integer, n integer, d date, UNIQUE (id, n)) PARTITION BY HASH (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES WITH (MODULUS 2, REMAINDER 0)
    PARTITION BY LIST (n);
CREATE TABLE app.e11 PARTITION OF app.e1 FOR VALUES IN (1, NULL);
CREATE INDEX ON app.e (d);

-- case: partitions of partitions go
CREATE TABLE app.e (id integer, n integer, d date, UNIQUE (id, n)) PARTITION BY HASH (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES WITH (MODULUS 2, REMAINDER 0)
    PARTITION BY LIST (n);
CREATE TABLE app.e11 PARTITION OF app.e1 FOR VALUES IN (1, NULL);
CREATE INDEX ON app.e (d);
ALTER TABLE app.e ADD FOREIGN KEY (n) REFERENCES app.customers;
-- do
DROP TABLE app.e;

-- case: another partition key
CREATE TABLE app.e (id integer, d date) PARTITION BY RANGE (d);
-- do
DROP TABLE app.e;
CREATE TABLE app.e (id integer, d date) PARTITION BY LIST (d);

-- case: a partition key with everything
-- do
CREATE TABLE app.e (id integer, "Na:me" text) PARTITION BY RANGE (lower("Na:me") COLLATE "C",
    id int4_ops, (id + 1));

-- case: a key of a partitioned table
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.e ADD PRIMARY KEY (id);

-- case: an index of a partitioned table
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
CREATE INDEX app_x ON app.e (x);

-- case: an index of a partitioned table less
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
CREATE INDEX app_x ON app.e (x);
COMMENT ON INDEX app.app_x IS 'x';
COMMENT ON INDEX app.e1_x_idx IS 'x of e1';
-- do
DROP INDEX app.app_x;

-- case: an index of a partitioned table alone
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
CREATE INDEX app_x ON ONLY app.e (x);

-- case: an index attached
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
CREATE INDEX app_x ON ONLY app.e (x);
CREATE INDEX app_x1 ON app.e1 (x);
-- do
ALTER INDEX app.app_x ATTACH PARTITION app.app_x1;

-- case: an index of a partition renamed
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
CREATE INDEX app_x ON app.e (x);
-- do
ALTER INDEX app.e1_x_idx RENAME TO other;

-- case: a foreign key of a partitioned table
CREATE TABLE app.e (id integer, c integer) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.e ADD CONSTRAINT fk FOREIGN KEY (c) REFERENCES app.customers;

-- case: a foreign key to a partitioned table
CREATE TABLE app.e (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer) REFERENCES app.e;

-- case: a foreign key from a partitioned table to itself less
CREATE TABLE app.e (id integer PRIMARY KEY, up integer) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
ALTER TABLE app.e ADD CONSTRAINT fk FOREIGN KEY (up) REFERENCES app.e;
-- do
DROP TABLE app.e;

-- case: a column of a partitioned table
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.e ALTER COLUMN x TYPE varchar(10);
ALTER TABLE app.e ADD COLUMN y integer DEFAULT 5;
ALTER TABLE app.e ALTER COLUMN x SET NOT NULL;

-- case: a check of a partitioned table
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.e ADD CONSTRAINT c CHECK (x <> '');

-- case: a check of a partition
CREATE TABLE app.e (id integer, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.e1 ADD CONSTRAINT c CHECK (x <> '');

-- case: a partitioned table renamed
CREATE TABLE app.e (id integer PRIMARY KEY, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
ALTER TABLE app.e RENAME TO events;

-- case: a partitioned table with identity
-- since: 17
-- do
CREATE TABLE app.e (id integer GENERATED ALWAYS AS IDENTITY, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);

-- case: a partitioned table with identity less
-- since: 17
CREATE TABLE app.e (id integer GENERATED ALWAYS AS IDENTITY, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
DROP TABLE app.e;

-- case: a partitioned table with a serial column less
CREATE TABLE app.e (id serial, x text) PARTITION BY RANGE (id);
CREATE TABLE app.e1 PARTITION OF app.e FOR VALUES FROM (1) TO (10);
-- do
DROP TABLE app.e;
