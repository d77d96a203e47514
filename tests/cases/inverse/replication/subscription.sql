-- not run: needs a publisher
-- up
CREATE SUBSCRIPTION s CONNECTION 'host=x password=secret' PUBLICATION p;
-- expect down
DROP SUBSCRIPTION IF EXISTS s;
