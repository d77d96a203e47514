ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'it''s ok' AFTER 'ok';
-- expect irreversible: 1: a way to remove value 'it''s ok' from type app.mood: PostgreSQL has none, and which rows hold it is not in the text
