"""The built-in checks, one a file. A check's id is its file's name; `check(subject)` yields Said."""
