ALTER TABLE t NOT OF;
-- expect irreversible: 1: the type that table t was of before
