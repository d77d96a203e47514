CREATE OR REPLACE VIEW app."V" AS SELECT 1 AS a;
-- expect irreversible: 1: whether view app."V" was there before, and its definition: OR REPLACE keeps neither
