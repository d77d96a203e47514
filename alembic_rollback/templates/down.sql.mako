-- Description: Roll back: ${message}
-- Author: ${author}
-- Created: ${created}

BEGIN;


COMMIT;
