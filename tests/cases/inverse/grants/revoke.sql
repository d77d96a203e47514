REVOKE SELECT ON orders FROM bob;
REVOKE admin FROM bob;
-- expect irreversible: 1: which of SELECT bob held on orders, and from whom: REVOKE does not keep it
-- expect irreversible: 2: whether bob had admin granted, with which options and from whom: REVOKE does not keep it
