CREATE SEQUENCE app_seq START 5;
ALTER SEQUENCE app_seq INCREMENT 2;
SELECT setval('app_seq', 100);
SELECT nextval('app_seq');
-- expect down
DROP SEQUENCE IF EXISTS app_seq;
