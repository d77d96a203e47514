import sys
from pathlib import Path
from sqlalchemy import create_engine
from alembic_rollback import embedded
from alembic_rollback.archive.keeping import Keeper
from alembic_rollback.archive.store import Archive
from alembic_rollback.ledger import Run
from alembic_rollback.sql.parser import parse
from alembic_rollback.runner import execute
SETUP="""
CREATE TYPE mood AS ENUM ('a','b'); CREATE DOMAIN pos AS int CHECK (value>0);
CREATE TABLE parents (id serial PRIMARY KEY, name text UNIQUE, m mood DEFAULT 'a', p pos, g int GENERATED ALWAYS AS (1+1) STORED, ms mood[]);
CREATE TABLE kids (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE, n text);
INSERT INTO parents (name,p,ms) SELECT 'n'||i, i, '{a,b}' FROM generate_series(1,5) i;
INSERT INTO kids (parent,n) SELECT i,'k'||i FROM generate_series(1,5) i;
CREATE VIEW pv AS SELECT id,name,m FROM parents;
CREATE VIEW pvv AS SELECT * FROM pv;
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT count(*)::int FROM parents; END;
CREATE INDEX ON parents (lower(name));
ALTER TABLE parents ENABLE ROW LEVEL SECURITY; CREATE POLICY pol ON parents USING (m = 'a');
CREATE TABLE ev (id int, d date) PARTITION BY RANGE (d);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO ev VALUES (1,'2025-05-05'),(2,'2026-05-05');
CREATE PUBLICATION pub FOR TABLE parents;
"""
with embedded.start() as server:
    e=create_engine(server.url("postgres"))
    from sqlalchemy import text
    with e.begin() as c: c.exec_driver_sql(SETUP, execution_options={"no_parameters": True})
    for sql in sys.argv[1:]:
        c=e.connect(); t=c.begin()
        a=Archive("rollback_archive","public.schema_migrations"); a.create(c)
        k=Keeper(c,a,Run("r"),"1")
        try:
            for s in parse(sql,Path("x")):
                after=k.before(s); execute(c,s,1,1); after()
            print(sql); print(k.notes)
            for i in a.items(c):
                print(" ",i.kind,i.table,i.kept_in,[ (x.name,x.type,x.key,x.after) for x in i.contents.columns], i.contents.sequences,i.contents.into,i.rows, i.bytes)
                print("   ",c.exec_driver_sql(f'select * from rollback_archive."{i.kept_in}"').all())
        except Exception as x:
            import traceback; traceback.print_exc()
        t.rollback(); c.close()
