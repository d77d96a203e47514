-- before
CREATE TABLE t (a int, b int);
GRANT SELECT, INSERT ON t TO derive_reader WITH GRANT OPTION;
-- up
REVOKE INSERT ON t FROM derive_reader;
REVOKE GRANT OPTION FOR SELECT ON t FROM derive_reader;
-- expect down
GRANT SELECT ON TABLE t TO derive_reader WITH GRANT OPTION;
GRANT INSERT ON TABLE t TO derive_reader WITH GRANT OPTION;
-- expect how: statements
