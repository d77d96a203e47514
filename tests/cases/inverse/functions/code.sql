DO $$ BEGIN RAISE NOTICE 'x'; END $$;
CALL "Do it"(1);
SELECT app.migrate_everything();
-- expect irreversible: 1: what the DO block changed: its text does not tell, only running it does
-- expect irreversible: 2: what procedure "Do it" changed: its call does not tell, only running it does
-- expect irreversible: 3: what function app.migrate_everything changed, if it did: its call does not tell
