"""Settings of a project: `[alembic_rollback]` in alembic.ini, `[tool.alembic_rollback]` in TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches

from alembic_rollback.errors import SettingsError

_DURATION = re.compile(r"[0-9]{1,9}(ms|s|min|h)?")


@dataclass(frozen=True)
class Settings:
    """Every setting with its default. A key that is not here is an error, never ignored."""

    missing_down: str = "error"
    """A pair without .down.sql: `error` refuses to apply it, `warn` applies it with a warning."""

    out_of_order: str = "apply"
    """A pending revision below an applied one: `apply` it with a notice, or `error`."""

    ledger_table: str = "schema_migrations"
    """Name of the ledger; the log is named after it, with `_log`."""

    lock_timeout: str = "5s"
    """How long a rollback's statements wait for a lock; PostgreSQL's format, `0` waits for ever."""

    statement_timeout: str = "0"
    """How long one statement of a rollback may take; PostgreSQL's format, `0` for no limit."""

    count_limit: int = 1_000_000
    """Rows that are counted exactly per table; beyond it PostgreSQL's estimate is shown with ~."""

    def __post_init__(self) -> None:
        _one_of("missing_down", self.missing_down, ("error", "warn"))
        _one_of("out_of_order", self.out_of_order, ("apply", "error"))
        for name in ("lock_timeout", "statement_timeout"):
            check_duration(name, getattr(self, name))
        if not self.ledger_table or len(self.ledger_table.encode()) > 55:
            raise SettingsError("ledger_table must be 1 to 55 bytes long.")
        if self.ledger_table == "alembic_version":
            raise SettingsError("ledger_table must not be Alembic's version table.")
        if self.count_limit < 0:
            raise SettingsError("count_limit must not be negative.")


def check_duration(name: str, value: str) -> str:
    """Return `value` if PostgreSQL would read it as a duration (`5s`, `500ms`, `0`).

    Raises SettingsError naming the setting otherwise.
    """
    if not _DURATION.fullmatch(value):
        raise SettingsError(f"{name} = {value!r} is not a duration; write 500ms, 5s, 2min or 0.")
    return value


def read(values: Mapping[str, object], source: str) -> Settings:
    """Turn the keys and values of one configuration section into Settings.

    source: what to call the section in an error. Raises SettingsError.
    """
    known = {field.name: field for field in fields(Settings)}
    given: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            advice = f" Did you mean {near[0]}?" if near else f" Known are: {', '.join(known)}."
            raise SettingsError(f"{source}: unknown setting {key!r}.{advice}")
        given[key] = _typed(source, key, value, type(known[key].default))
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except SettingsError as error:
        raise SettingsError(f"{source}: {error.what}") from None


def _typed(source: str, key: str, value: object, wanted: type) -> object:
    try:
        return wanted(str(value).strip().replace("_", "")) if wanted is int else str(value).strip()
    except ValueError:
        raise SettingsError(f"{source}: {key} = {value!r} is not a whole number.") from None


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} = {value!r} is not one of: {', '.join(allowed)}.")
