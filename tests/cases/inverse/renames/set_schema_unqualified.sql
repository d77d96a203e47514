ALTER TABLE t SET SCHEMA b;
-- expect irreversible: 1: the schema that table t was in
