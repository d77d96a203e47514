-- Description: ${message}
-- Author: ${author}
-- Created: ${created}
-- Revises: ${revises or "base"}

BEGIN;


COMMIT;
