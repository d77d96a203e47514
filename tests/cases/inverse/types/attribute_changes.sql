ALTER TYPE pair DROP ATTRIBUTE a;
ALTER TYPE pair ALTER ATTRIBUTE b TYPE int;
-- expect irreversible: 1: the type of attribute a: DROP ATTRIBUTE does not keep it
-- expect irreversible: 2: the type of attribute b before
