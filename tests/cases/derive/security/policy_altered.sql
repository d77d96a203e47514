-- before
CREATE TABLE t (a int, who text);
CREATE POLICY p ON t FOR SELECT TO derive_reader USING (a > 0);
-- up
ALTER POLICY p ON t TO derive_reader, derive_owner USING (a > 1 AND who = current_user);
-- expect down
ALTER POLICY p ON t TO derive_reader USING ((a > 0));
-- expect how: statements
