-- before
CREATE TABLE invoice (id int, total int NOT NULL DEFAULT 0);
CREATE INDEX invoice_total ON invoice (total);
-- up
ALTER TABLE invoice ADD COLUMN total_new bigint;
UPDATE invoice SET total_new = total;
ALTER TABLE invoice DROP COLUMN total;
ALTER TABLE invoice RENAME COLUMN total_new TO total;
ALTER TABLE invoice ALTER total SET NOT NULL;
-- expect down
ALTER TABLE invoice ALTER COLUMN total DROP NOT NULL;
ALTER TABLE invoice RENAME COLUMN total TO total_new;
ALTER TABLE invoice ADD COLUMN total integer DEFAULT 0 NOT NULL;
CREATE INDEX invoice_total ON invoice (total);
ALTER TABLE invoice DROP COLUMN total_new;
-- expect how: statements
-- expect rows: 3: the values of column invoice.total: they are gone with it
