-- before
CREATE TABLE tagged (id int, tags text);
-- up
ALTER TABLE tagged ALTER tags TYPE text[] USING string_to_array(tags, ',');
-- expect down
ALTER TABLE tagged ALTER COLUMN tags TYPE text USING tags::text;
-- expect how: statements
-- expect rows: 1: the values of column tagged.tags before: what USING made of them can't be undone
