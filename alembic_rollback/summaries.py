"""Name and summary of each subcommand: what `alembic --help` shows without importing the rest."""

SUMMARIES = {
    "rollback-db": "Roll back revisions: shows what would be lost, asks, then runs the downs.",
    "apply-db": "Validate, apply and record; on failure clean up, retry or escalate.",
    "repair-db": "Mend the ledger: accept a change, forget, mark, clear; adopt another tool's.",
    "restore-db": "Put back what `rollback-db --archive` has kept.",
    "migration-status": "Show every revision: applied, pending, modified, missing.",
    "generate-down": "Write the .down.sql of a pair from its .up.sql.",
    "generate-up": "Write a new pair from a template.",
    "verify-down": "Try the downs of revisions: does the schema come back?",
    "check-pairs": "Check pairs by their files: complete, readable, versions unique.",
}
