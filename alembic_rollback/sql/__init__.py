"""Text → statements with positions, syntax tree → SQL, quoting.

The only room that knows the parser.
The parser (postgast, libpg_query) takes about 60 ms to import: it is imported inside the functions
that parse, so that importing this room is free.
"""
