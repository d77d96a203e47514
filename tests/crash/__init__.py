"""Kills client, backend and server at every statement boundary of a command, and looks.

`boundaries` stops a command at a chosen place, `process` runs commands, `server` is a PostgreSQL
that can be crashed, `scenarios` lists what is killed, `checks` says what must hold afterwards, and
`harness` runs the cases. `python -m tests.crash --help`; `make crash` runs all of them.
"""
