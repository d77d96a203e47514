CREATE OR REPLACE LANGUAGE mine HANDLER plpgsql_call_handler;
-- expect irreversible: 1: whether language mine was there before, and its definition: OR REPLACE keeps neither
