CREATE SCHEMA AUTHORIZATION CURRENT_USER;
-- expect irreversible: 1: the name of the schema: it is that of the role that ran CREATE SCHEMA
