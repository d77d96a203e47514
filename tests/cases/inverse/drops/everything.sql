DROP TABLE IF EXISTS a, app."B" CASCADE;
DROP VIEW v;
DROP MATERIALIZED VIEW mv;
DROP FUNCTION f(int, text[]);
DROP PROCEDURE p;
DROP TRIGGER t ON app.orders;
DROP RULE r ON orders;
DROP AGGREGATE total(*);
DROP OPERATOR app.=== (int, NONE);
DROP OPERATOR CLASS app.c USING btree;
DROP CAST (int AS mood);
DROP COLLATION german;
DROP SERVER s CASCADE;
DROP EVENT TRIGGER e;
DROP STATISTICS app.s;
DROP TEXT SEARCH CONFIGURATION c;
-- expect irreversible: 1: whether it was there, and the definition and the rows of table a: DROP TABLE keeps neither, nor what CASCADE took with it; whether it was there, and the definition and the rows of table app."B": DROP TABLE keeps neither, nor what CASCADE took with it
-- expect irreversible: 2: the definition of view v: DROP VIEW does not keep it
-- expect irreversible: 3: the definition of materialized view mv: DROP MATERIALIZED VIEW does not keep it
-- expect irreversible: 4: the definition of function f(int, text[]): DROP FUNCTION does not keep it
-- expect irreversible: 5: the definition of procedure p: DROP PROCEDURE does not keep it
-- expect irreversible: 6: the definition of trigger t ON app.orders: DROP TRIGGER does not keep it
-- expect irreversible: 7: the definition of rule r ON orders: DROP RULE does not keep it
-- expect irreversible: 8: the definition of aggregate total(*): DROP AGGREGATE does not keep it
-- expect irreversible: 9: the definition of operator app.=== (int, NONE): DROP OPERATOR does not keep it
-- expect irreversible: 10: the definition of operator class app.c USING btree: DROP OPERATOR CLASS does not keep it
-- expect irreversible: 11: the definition of cast (int AS mood): DROP CAST does not keep it
-- expect irreversible: 12: the definition of collation german: DROP COLLATION does not keep it
-- expect irreversible: 13: the definition of server s: DROP SERVER does not keep it, nor what CASCADE took with it
-- expect irreversible: 14: the definition of event trigger e: DROP EVENT TRIGGER does not keep it
-- expect irreversible: 15: the definition of statistics app.s: DROP STATISTICS does not keep it
-- expect irreversible: 16: the definition of text search configuration c: DROP TEXT SEARCH CONFIGURATION does not keep it
