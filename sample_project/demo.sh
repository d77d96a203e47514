#!/bin/sh
# The main job in one transcript. Safe to run again: it starts from an empty database.
set -e
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}
alembic -q rollback-db --all --yes >/dev/null 2>&1 || true
show alembic -q upgrade head
show python -m sample_project.seed
show alembic migration-status
show alembic rollback-db 20260112_001 --dry-run
show alembic rollback-db 20260112_001 --yes
show alembic migration-status
