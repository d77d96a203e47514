INSERT INTO settings VALUES ('a', 1), ('b', 2);
INSERT INTO "Settings" (a) SELECT 1;
INSERT INTO settings VALUES ('a', 1) ON CONFLICT (k) DO UPDATE SET v = 2;
INSERT INTO settings DEFAULT VALUES;
-- expect irreversible: 1: the key by which to delete the rows inserted into settings: it is not in the text
-- expect irreversible: 2: which rows of "Settings" are the inserted ones: the query's result is not in the text
-- expect irreversible: 3: what the rows of settings held that ON CONFLICT updated, and which rows were new
-- expect irreversible: 4: the key by which to delete the rows inserted into settings: it is not in the text
