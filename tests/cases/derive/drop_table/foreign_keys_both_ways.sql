-- before
CREATE TABLE room (id int PRIMARY KEY);
CREATE TABLE shelf (id int PRIMARY KEY, room int NOT NULL REFERENCES room ON DELETE CASCADE);
CREATE TABLE book (id int PRIMARY KEY, shelf int CONSTRAINT book_on_shelf REFERENCES shelf DEFERRABLE INITIALLY DEFERRED);
-- up
DROP TABLE shelf CASCADE;
-- expect down
CREATE TABLE shelf (
    id integer NOT NULL,
    room integer NOT NULL,
    PRIMARY KEY (id)
);
ALTER TABLE shelf ADD CONSTRAINT shelf_room_fkey FOREIGN KEY (room) REFERENCES room(id) ON DELETE CASCADE;
ALTER TABLE book ADD CONSTRAINT book_on_shelf FOREIGN KEY (shelf) REFERENCES shelf(id) DEFERRABLE INITIALLY DEFERRED;
-- expect how: statements
-- expect rows: 1: the rows of table shelf: they are gone with it
