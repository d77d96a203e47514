REFRESH MATERIALIZED VIEW mv WITH NO DATA;
-- expect irreversible: 1: the rows of materialized view mv: WITH NO DATA keeps none
