-- before
CREATE TABLE m (id int, kind text) PARTITION BY LIST (kind);
CREATE TABLE m_a PARTITION OF m FOR VALUES IN ('a', NULL);
ALTER TABLE m_a ADD CHECK (id > 0);
CREATE INDEX m_id ON m (id);
-- up
CREATE TABLE m_b PARTITION OF m FOR VALUES IN ('b') PARTITION BY HASH (id);
CREATE TABLE m_b_0 PARTITION OF m_b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
DROP TABLE m_a;
-- expect down
CREATE TABLE m_a (
    id integer,
    kind text,
    CONSTRAINT m_a_id_check CHECK ((id > 0))
);
CREATE INDEX m_a_id_idx ON m_a (id);
ALTER TABLE m ATTACH PARTITION m_a FOR VALUES IN ('a', NULL);
ALTER INDEX m_id ATTACH PARTITION m_a_id_idx;
DROP TABLE IF EXISTS m_b_0 CASCADE;
DROP TABLE IF EXISTS m_b CASCADE;
-- expect how: statements
-- expect rows: 3: the rows of table m_a: they are gone with it
