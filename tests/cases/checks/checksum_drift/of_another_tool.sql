-- revisions
{"is_pair": true, "checksum": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ledger": "d41d8cd98f00b204e9800998ecf8427e"}

-- down

-- expect
-- 1 was changed after it was applied: its down may not fit what is in the database.
