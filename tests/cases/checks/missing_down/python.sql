-- revisions
{"version": "3f2a91", "name": "add supplier", "has_down": false}

-- python

-- expect
-- 3f2a91 add supplier has no down script.
--   Write its downgrade() function.
