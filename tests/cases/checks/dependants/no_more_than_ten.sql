-- setup
CREATE TABLE t (id int);
CREATE VIEW v01 AS SELECT id FROM t;
CREATE VIEW v02 AS SELECT id FROM t;
CREATE VIEW v03 AS SELECT id FROM t;
CREATE VIEW v04 AS SELECT id FROM t;
CREATE VIEW v05 AS SELECT id FROM t;
CREATE VIEW v06 AS SELECT id FROM t;
CREATE VIEW v07 AS SELECT id FROM t;
CREATE VIEW v08 AS SELECT id FROM t;
CREATE VIEW v09 AS SELECT id FROM t;
CREATE VIEW v10 AS SELECT id FROM t;
CREATE VIEW v11 AS SELECT id FROM t;
CREATE VIEW v12 AS SELECT id FROM t;

-- down
DROP TABLE t CASCADE;
DROP TABLE gone1;
DROP TABLE gone2;
DROP TABLE gone3;
DROP TABLE gone4;
DROP TABLE gone5;
DROP TABLE gone6;
DROP TABLE gone7;
DROP TABLE gone8;
DROP TABLE gone9;
DROP TABLE gone10;
DROP TABLE gone11;

-- expect
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- CASCADE also drops view <name>, which is not part of this rollback.
-- And 2 more.
-- migrations/versions/1.down.sql:2:1: `DROP TABLE gone1` will fail: there is no table gone1.
-- migrations/versions/1.down.sql:3:1: `DROP TABLE gone2` will fail: there is no table gone2.
-- migrations/versions/1.down.sql:4:1: `DROP TABLE gone3` will fail: there is no table gone3.
-- migrations/versions/1.down.sql:5:1: `DROP TABLE gone4` will fail: there is no table gone4.
-- migrations/versions/1.down.sql:6:1: `DROP TABLE gone5` will fail: there is no table gone5.
-- migrations/versions/1.down.sql:7:1: `DROP TABLE gone6` will fail: there is no table gone6.
-- migrations/versions/1.down.sql:8:1: `DROP TABLE gone7` will fail: there is no table gone7.
-- migrations/versions/1.down.sql:9:1: `DROP TABLE gone8` will fail: there is no table gone8.
-- migrations/versions/1.down.sql:10:1: `DROP TABLE gone9` will fail: there is no table gone9.
-- migrations/versions/1.down.sql:11:1: `DROP TABLE gone10` will fail: there is no table gone10.
-- And 1 more.
