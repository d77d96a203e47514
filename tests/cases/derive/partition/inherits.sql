-- before
CREATE TABLE parent (id int, a text);
CREATE TABLE child (b int) INHERITS (parent);
CREATE TABLE loose (id int, a text, c int);
-- up
ALTER TABLE child NO INHERIT parent;
ALTER TABLE loose INHERIT parent;
-- expect down
ALTER TABLE loose NO INHERIT parent;
ALTER TABLE child INHERIT parent;
-- expect how: text
-- expect unproven: the catalog differs
-- expect differs: changed column public.child.a
-- expect differs: changed column public.child.id
