-- revisions
{}
{"irreversible": ["rows"]}

-- down
-- later

-- expect
