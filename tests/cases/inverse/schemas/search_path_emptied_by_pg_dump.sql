SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.t (id int);
ALTER TABLE public.t OWNER TO CURRENT_USER;
-- expect down
DROP TABLE IF EXISTS public.t CASCADE;
