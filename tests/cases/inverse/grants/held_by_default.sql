GRANT EXECUTE ON FUNCTION f(int) TO PUBLIC;
GRANT USAGE ON TYPE mood TO PUBLIC, bob;
-- expect irreversible: 1: whether PUBLIC held EXECUTE on FUNCTION f(int) before: by default it does
-- expect irreversible: 2: whether PUBLIC held USAGE on TYPE mood before: by default it does
