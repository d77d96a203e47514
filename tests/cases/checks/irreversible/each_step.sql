-- revisions
{"irreversible": ["rows"]}
{}
{"irreversible": ["more rows"]}

-- down
-- down
-- down

-- expect
-- 1 is marked irreversible: rows.
-- 3 is marked irreversible: more rows.
