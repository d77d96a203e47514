COMMENT ON TABLE app.orders IS 'x';
COMMENT ON COLUMN orders."Total" IS NULL;
COMMENT ON CONSTRAINT c ON orders IS 'x';
COMMENT ON CONSTRAINT c ON DOMAIN d IS 'x';
COMMENT ON DATABASE x IS 'y';
SECURITY LABEL FOR dummy ON TABLE orders IS 'secret';
-- expect irreversible: 1: the comment on table app.orders before, if there was one
-- expect irreversible: 2: the comment on column orders."Total" before, if there was one
-- expect irreversible: 3: the comment on constraint c ON orders before, if there was one
-- expect irreversible: 4: the comment on constraint c ON DOMAIN d before, if there was one
-- expect irreversible: 5: the comment on database x before, if there was one
-- expect irreversible: 6: the security label of table orders before, if it had one
