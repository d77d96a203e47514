MERGE INTO orders USING other ON orders.id = other.id WHEN MATCHED THEN DELETE;
-- expect irreversible: 1: which rows of orders were there before, and what they held: MERGE keeps neither
