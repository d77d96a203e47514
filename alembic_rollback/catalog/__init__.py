"""What the database itself knows (pg_catalog), read only and without locking user tables."""
