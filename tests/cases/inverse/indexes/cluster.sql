CLUSTER orders USING orders_a;
-- expect irreversible: 1: the index that table orders was clustered on before
