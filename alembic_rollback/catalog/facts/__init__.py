"""The schema of a database as facts at the grain of pg_catalog: read, compared, made again.

A fact is one thing that a statement can make, change or take away: a table, a column, its default,
a comment, a grant. Each kind of fact has a file, with the query that reads it and the SQL that
makes, changes and drops it. `reading.read` takes a snapshot, `comparison.compare` says in which
facts two of them differ, `restoring.restore` turns a database back into a snapshot.
"""
