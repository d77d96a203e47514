CREATE DATABASE inverse_made;
-- expect down
DROP DATABASE IF EXISTS inverse_made;
