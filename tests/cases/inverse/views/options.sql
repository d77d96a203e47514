ALTER VIEW v SET (security_barrier = true);
ALTER VIEW v ALTER COLUMN a SET DEFAULT 1;
-- expect irreversible: 1: the storage parameters of view v before
-- expect irreversible: 2: the default of column a before, if it had one
