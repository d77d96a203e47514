"""The built-in checks, one a file, which has its id as name; `check(subject)` yields Said."""
