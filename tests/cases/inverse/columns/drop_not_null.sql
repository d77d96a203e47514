ALTER TABLE orders ALTER COLUMN total DROP NOT NULL;
-- expect irreversible: 1: whether column total was NOT NULL before, and what to put where it is NULL now
