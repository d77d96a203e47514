-- setup
CREATE TABLE a_table_with_a_name_that_is_really_quite_long (a_column_with_an_equally_long_name int, b int);
CREATE TABLE größenänderungsverwaltungstabelle (überlängenänderungsverwaltung int);
-- up
CREATE INDEX ON a_table_with_a_name_that_is_really_quite_long (a_column_with_an_equally_long_name, b);
CREATE INDEX ON größenänderungsverwaltungstabelle (überlängenänderungsverwaltung);
-- expect down
DROP INDEX IF EXISTS "größenänderungsverwaltungs_überlängenänderungsverwalt_idx";
DROP INDEX IF EXISTS a_table_with_a_name_that_is_r_a_column_with_an_equally_long_idx;
