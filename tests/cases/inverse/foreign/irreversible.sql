ALTER SERVER s OPTIONS (SET host 'x');
ALTER USER MAPPING FOR bob SERVER s OPTIONS (SET password 'secret');
DROP USER MAPPING FOR bob SERVER s;
IMPORT FOREIGN SCHEMA far FROM SERVER s INTO near;
-- expect irreversible: 1: the options of server s before
-- expect irreversible: 2: the options of user mapping FOR bob SERVER s before
-- expect irreversible: 3: the options of user mapping FOR bob SERVER s: DROP USER MAPPING does not keep them
-- expect irreversible: 4: which foreign tables came into schema near: the text doesn't name them
