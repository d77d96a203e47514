DROP SCHEMA app CASCADE;
-- expect irreversible: 1: the definition of schema app and of what was in it: DROP SCHEMA keeps neither, nor what CASCADE took with it
