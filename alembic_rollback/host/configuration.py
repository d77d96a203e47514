"""Settings and names out of Alembic's Config."""

from __future__ import annotations

from collections.abc import Mapping
from configparser import Error as ConfigParserError
from typing import TYPE_CHECKING, Any

from alembic_rollback.errors import SettingsError, shown_path
from alembic_rollback.settings import Settings, read

if TYPE_CHECKING:
    from alembic.config import Config

SECTION = "alembic_rollback"


def settings_of(config: Config | None) -> Settings:
    """Read `[alembic_rollback]` of the .ini file, else `[tool.alembic_rollback]` of pyproject.toml.

    Raises SettingsError, also where both are there: one of them would be ignored.
    """
    if config is None:
        return Settings()
    try:
        ini = config.get_section(SECTION)
    except ConfigParserError as error:
        raise SettingsError(f"[{SECTION}] in {config.config_file_name}: {error}") from None
    toml = _toml_section(config)
    if ini is not None and toml is not None:
        raise SettingsError(
            f"[{SECTION}] in {config.config_file_name} and [tool.{SECTION}] in pyproject.toml: "
            "keep one of them."
        )
    if toml is not None:
        return read(toml, f"[tool.{SECTION}]")
    return read(_without_defaults(config, ini or {}), f"[{SECTION}] in {config.config_file_name}")


def _without_defaults(config: Config, section: Mapping[str, str]) -> dict[str, object]:
    # ConfigParser adds the keys of [DEFAULT], `here` among them, to every section.
    return {
        key: value for key, value in section.items() if key not in config.file_config.defaults()
    }


def _toml_section(config: Config) -> Mapping[str, object] | None:
    path = config._toml_file_path
    if path is None or not path.exists():
        return None
    from alembic.util import compat

    try:
        data: Any = compat.tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{shown_path(path)} cannot be read: {error}.") from None
    section = data.get("tool", {}).get(SECTION)
    return section if isinstance(section, dict) else None
