ALTER SEQUENCE app.s RESTART WITH 1;
ALTER SEQUENCE s OWNED BY t.id;
SELECT setval('app."S"', (SELECT max(id) FROM t));
DROP SEQUENCE s;
-- expect irreversible: 1: the options of sequence app.s before
-- expect irreversible: 2: the options and owning column of sequence s before
-- expect irreversible: 3: the value that sequence app."S" had before
-- expect irreversible: 4: the definition and the value of sequence s: DROP SEQUENCE keeps neither
