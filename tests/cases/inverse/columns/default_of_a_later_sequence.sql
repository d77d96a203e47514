CREATE TABLE public.t (id int NOT NULL);
CREATE SEQUENCE public.t_id_seq;
ALTER SEQUENCE public.t_id_seq OWNED BY public.t.id;
ALTER TABLE ONLY public.t ALTER COLUMN id SET DEFAULT nextval('public.t_id_seq'::regclass);
SELECT setval('public.t_id_seq', 5, true);
-- expect down
ALTER TABLE ONLY public.t ALTER COLUMN id DROP DEFAULT;
DROP SEQUENCE IF EXISTS public.t_id_seq;
DROP TABLE IF EXISTS public.t CASCADE;
