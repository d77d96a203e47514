"""Settings of a project: `[alembic_rollback]` in alembic.ini, `[tool.alembic_rollback]` in TOML."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields

from alembic_rollback.errors import SettingsError

_DURATION = re.compile(r"[0-9]{1,9}(ms|s|min|h)?")
_AGE = re.compile(r"([0-9]{1,9})(s|min|h|d)")
_SIZE = re.compile(r"([0-9]{1,9}) ?(kB|MB|GB)")
_BYTES = {"kB": 1024, "MB": 1024**2, "GB": 1024**3}
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}

CHECKS_GROUP = "alembic_rollback.checks"
"""Entry points of other packages' checks."""
LEVELS = ("off", "info", "warn", "confirm", "block")
"""What a check's finding does: nothing (it doesn't run), told, told, asked about, refused."""
DEFAULT_LEVELS = {
    "backup_exists": "warn",
    "blocking_sessions": "warn",
    "checksum_drift": "warn",
    "connected_tables": "warn",
    "data_loss": "confirm",
    "dependants": "confirm",
    "irreversible": "block",
    "later_revisions": "confirm",
    "lock_level": "info",
    "missing_down": "block",
    "replication": "warn",
}
"""The built-in checks and their levels; those of other packages bring theirs."""


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

    lock_wait: str = "10min"
    """How long to wait for another runner, upgrades included; PostgreSQL's format, `0` for ever."""

    retries: int = 3
    """How often a rollback is tried again after a lock timeout, a deadlock or a serialization
    failure, each time after a longer pause; apply-db does so with upgrades, too."""

    max_script_size: str = "16MB"
    """The largest script that is run; the parser needs fifty times its memory. `kB`, `MB`, `GB`."""

    failure_directory: str = "failures"
    """Where apply-db writes its failure reports, relative to the configuration file."""

    on_failure: str = ""
    """A command that gets apply-db's failure report (JSON) on standard input."""

    count_limit: int = 1_000_000
    """Rows that are counted exactly per table; beyond it PostgreSQL's estimate is shown with ~."""

    count_timeout: str = "5s"
    """How long one table's count may take before the estimate is shown; PostgreSQL's format."""

    backup_files: str = ""
    """A glob of pg_dump archives, relative to the configuration file; the newest one must hold the
    affected tables."""

    backup_max_age: str = "24h"
    """How old the newest backup may be: `12h`, `7d`."""

    backup_command: str = ""
    """Instead of files: a command whose exit code 0 says that there is a usable backup."""

    backup_directory: str = "backups"
    """Where --backup writes its archive, relative to the configuration file."""

    archive: str = "never"
    """What rollbacks and downgrades do with what would be lost: `never` or `always` keep it."""

    archive_schema: str = "rollback_archive"
    """The schema that it is kept in."""

    downgrade_guard: str = "command-line"
    """What `alembic downgrade` is guarded in: `command-line`, `always` (code, too), or `off`."""

    scratch_url: str = field(default="", repr=False)  # it may hold a password
    """A server for scratch databases (SQLAlchemy's URL); an embedded one is started without it."""

    safety_checks: Mapping[str, str] = field(default_factory=dict)
    """Level of each check that isn't at its default: `off`, `info`, `warn`, `confirm`, `block`."""

    def level_of(self, check: str, default: str = "warn") -> str:
        """The level that a check's findings have."""
        return self.safety_checks.get(check) or DEFAULT_LEVELS.get(check, default)

    @property
    def max_script_bytes(self) -> int:
        """`max_script_size` in bytes."""
        return size_in_bytes("max_script_size", self.max_script_size)

    def __post_init__(self) -> None:
        _one_of("missing_down", self.missing_down, ("error", "warn"))
        _one_of("out_of_order", self.out_of_order, ("apply", "error"))
        _one_of("archive", self.archive, ("never", "always"))
        _one_of("downgrade_guard", self.downgrade_guard, ("command-line", "always", "off"))
        for name in ("lock_timeout", "statement_timeout", "count_timeout", "lock_wait"):
            check_duration(name, getattr(self, name))
        age_in_seconds("backup_max_age", self.backup_max_age)
        size_in_bytes("max_script_size", self.max_script_size)
        for name, level in self.safety_checks.items():
            _one_of(name, level, LEVELS)
            if name == "missing_down" and level != "block":
                raise SettingsError("missing_down can only block: there is nothing to run.")
        if not self.ledger_table or len(self.ledger_table.encode()) > 55:
            raise SettingsError("ledger_table must be 1 to 55 bytes long.")
        if self.ledger_table == "alembic_version":
            raise SettingsError("ledger_table must not be Alembic's version table.")
        for name in ("count_limit", "retries"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} must not be negative.")


def check_duration(name: str, value: str) -> str:
    """Return `value` if PostgreSQL would read it as a duration (`5s`, `500ms`, `0`).

    Raises SettingsError naming the setting otherwise.
    """
    if not _DURATION.fullmatch(value):
        raise SettingsError(f"{name} = {value!r} is not a duration; write 500ms, 5s, 2min or 0.")
    return value


def age_in_seconds(name: str, value: str) -> int:
    """The seconds in `90s`, `30min`, `24h` or `7d`. Raises SettingsError naming the setting."""
    match = _AGE.fullmatch(value)
    if not match:
        raise SettingsError(f"{name} = {value!r} is not an age; write 30min, 24h or 7d.")
    return int(match[1]) * _SECONDS[match[2]]


def size_in_bytes(name: str, value: str) -> int:
    """The bytes in `512kB`, `16MB` or `1GB`, as PostgreSQL counts them: 1,024 bytes are one kB.

    Raises SettingsError naming the setting.
    """
    match = _SIZE.fullmatch(value)
    if not match:
        raise SettingsError(f"{name} = {value!r} is not a size; write 512kB, 16MB or 1GB.")
    return int(match[1]) * _BYTES[match[2]]


def seconds(value: str) -> float | None:
    """What `check_duration` has let through, in seconds; None for `0`, no limit.

    A number alone is in milliseconds, as in PostgreSQL's own settings of this kind.
    """
    number = value.rstrip("himns")
    return int(number) * _UNITS[value[len(number) :] or "ms"] or None


def shown_seconds(value: float) -> str:
    """Write a duration as a setting would have it, in its largest whole unit: `10min`, `90s`."""
    for unit, size in sorted(_UNITS.items(), key=lambda one: -one[1]):
        if value >= size and (value / size).is_integer():
            return f"{value / size:.0f}{unit}"
    return f"{value * 1000:.0f}ms"


def read(values: Mapping[str, object], source: str) -> Settings:
    """Turn the keys and values of one configuration section into Settings.

    source: what to call the section in an error. Raises SettingsError.
    """
    known = {field.name: field for field in fields(Settings)}
    given: dict[str, object] = {}
    levels: dict[str, str] = {}
    for key, value in values.items():
        if key == "safety_checks" and isinstance(value, Mapping):
            levels |= {name: _known_check(source, name, level) for name, level in value.items()}
            continue
        if key not in known and _is_check(key):
            levels[key] = str(value).strip()
            continue
        if key not in known or key == "safety_checks":
            advice = _advice(key, known)
            raise SettingsError(f"{source}: unknown setting {key!r}. {advice}")
        given[key] = _typed(source, key, value, type(known[key].default))
    try:
        return Settings(**given, safety_checks=levels)  # type: ignore[arg-type]
    except SettingsError as error:
        raise SettingsError(f"{source}: {error.what}") from None


def _is_check(name: str) -> bool:
    if name in DEFAULT_LEVELS:
        return True
    from importlib.metadata import entry_points

    return name in entry_points(group=CHECKS_GROUP).names


def _known_check(source: str, name: str, level: object) -> str:
    if not _is_check(name):
        advice = _advice(name, DEFAULT_LEVELS)
        raise SettingsError(f"{source}: there is no check {name!r}. {advice}")
    return str(level).strip()


def _advice(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    listed = ", ".join(one for one in known if one != "safety_checks")  # that is a section
    return f"Did you mean {near[0]}?" if near else f"Known are: {listed}."


def _typed(source: str, key: str, value: object, wanted: type) -> object:
    try:
        return wanted(str(value).strip().replace("_", "")) if wanted is int else str(value).strip()
    except ValueError:
        raise SettingsError(f"{source}: {key} = {value!r} is not a whole number.") from None


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} = {value!r} is not one of: {', '.join(allowed)}.")
