ALTER DOMAIN app.d DROP CONSTRAINT small;
ALTER DOMAIN d SET DEFAULT 1;
ALTER DOMAIN d DROP NOT NULL;
-- expect irreversible: 1: the definition of constraint small: DROP CONSTRAINT does not keep it
-- expect irreversible: 2: the default of domain d before, if it had one
-- expect irreversible: 3: whether domain d was NOT NULL before, and what to put for NULL now
