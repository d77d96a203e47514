SET statement_timeout = 0;
SET LOCAL lock_timeout = '1s';
SELECT set_config('app.tenant', 'x', true);
SAVEPOINT a;
RELEASE a;
SHOW work_mem;
NOTIFY something;
EXPLAIN SELECT 1;
-- expect down
