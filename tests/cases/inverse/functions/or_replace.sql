CREATE OR REPLACE FUNCTION app.add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b';
-- expect irreversible: 1: whether function app.add(int, int) was there before, and its definition: OR REPLACE keeps neither
