-- before
CREATE TABLE fact (id int PRIMARY KEY, x int);
CREATE TABLE fact_new (id bigint PRIMARY KEY, x int);
-- up
ALTER TABLE fact RENAME TO fact_old;
ALTER TABLE fact_new RENAME TO fact;
ALTER TABLE fact_old RENAME TO fact_new;
-- expect down
ALTER TABLE fact_new RENAME TO fact_old;
ALTER TABLE fact RENAME TO fact_new;
ALTER TABLE fact_old RENAME TO fact;
-- expect how: text
