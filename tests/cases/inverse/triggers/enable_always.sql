ALTER TABLE orders ENABLE ALWAYS TRIGGER touch, ENABLE REPLICA RULE r;
-- expect irreversible: 1: whether trigger touch was enabled, disabled or REPLICA before; whether rule r was enabled, disabled or ALWAYS before
