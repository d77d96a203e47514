ALTER DATABASE d SET work_mem = '1MB';
DROP DATABASE d;
-- expect irreversible: 1: the settings of database d before
-- expect irreversible: 2: everything in database d: DROP DATABASE keeps none of it
