"""Purchase orders: a project with raw-SQL pairs and .py revisions, to try the package on."""
