ALTER ROLE bob PASSWORD 'secret';
ALTER ROLE bob IN DATABASE d SET work_mem = '1MB';
DROP ROLE bob, "Al";
DROP OWNED BY bob;
ALTER SYSTEM SET work_mem = '1MB';
-- expect irreversible: 1: the attributes of role bob before
-- expect irreversible: 2: the setting work_mem of role bob before, if it had one
-- expect irreversible: 3: the attributes, settings and memberships of role bob: DROP ROLE keeps none of them; the attributes, settings and memberships of role "Al": DROP ROLE keeps none of them
-- expect irreversible: 4: what belonged to bob: DROP OWNED does not keep it
-- expect irreversible: 5: the value of work_mem before
