-- revisions
{}
{"has_down": false}

-- down
-- later

-- expect
