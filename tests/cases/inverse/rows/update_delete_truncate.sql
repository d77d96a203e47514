UPDATE orders SET total = 0, (a, "B") = (1, 2);
DELETE FROM app.orders WHERE true;
TRUNCATE a, b;
TRUNCATE c CASCADE;
COPY orders FROM '/tmp/x.csv';
-- expect irreversible: 1: what total, a, "B" of orders held before: UPDATE keeps no old values
-- expect irreversible: 2: the deleted rows of app.orders: DELETE keeps none of them
-- expect irreversible: 3: the rows of a: TRUNCATE keeps none of them; the rows of b: TRUNCATE keeps none of them
-- expect irreversible: 4: the rows of c: TRUNCATE keeps none of them, nor those of the tables that CASCADE emptied
-- expect irreversible: 5: which rows of orders were copied in: they are not in the text
