ALTER FUNCTION add(int, int) SECURITY DEFINER;
-- expect irreversible: 1: the properties of function add(int, int) before
