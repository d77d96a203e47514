-- before
CREATE TYPE size AS ENUM ('s', 'm', 'l');
CREATE TABLE shirt (size size DEFAULT 'm');
-- up
ALTER TYPE size RENAME VALUE 'm' TO 'medium';
ALTER TYPE size RENAME TO shirt_size;
-- expect down
ALTER TYPE shirt_size RENAME TO size;
ALTER TYPE size RENAME VALUE 'medium' TO 'm';
-- expect how: text
