CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- expect irreversible: 1: whether trigger touch ON orders was there before, and its definition: OR REPLACE keeps neither
