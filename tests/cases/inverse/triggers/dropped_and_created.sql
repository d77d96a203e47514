DROP TRIGGER IF EXISTS touch ON orders;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- expect irreversible: 1: whether it was there, and the definition of trigger touch ON orders: DROP TRIGGER does not keep it
-- expect down
DROP TRIGGER IF EXISTS touch ON orders;
