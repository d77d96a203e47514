-- before
CREATE TABLE client (id serial CONSTRAINT client_pk PRIMARY KEY, name text CONSTRAINT client_name UNIQUE);
CREATE INDEX client_lower ON client (lower(name));
CREATE VIEW clients AS SELECT name FROM client;
-- up
ALTER TABLE client RENAME TO customer;
ALTER INDEX client_lower RENAME TO customer_lower;
ALTER TABLE customer RENAME CONSTRAINT client_pk TO customer_pk;
ALTER SEQUENCE client_id_seq RENAME TO customer_id_seq;
-- expect down
ALTER SEQUENCE customer_id_seq RENAME TO client_id_seq;
ALTER TABLE customer RENAME CONSTRAINT customer_pk TO client_pk;
ALTER INDEX customer_lower RENAME TO client_lower;
ALTER TABLE customer RENAME TO client;
-- expect how: text
