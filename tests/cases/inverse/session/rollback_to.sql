SAVEPOINT a;
CREATE TABLE t (id int);
ROLLBACK TO SAVEPOINT a;
-- expect irreversible: 3: which of the statements above it ROLLBACK TO left in force
-- expect down
DROP TABLE IF EXISTS t CASCADE;
