"""Read a few keys of monitor.toml only: without pydantic, and without other files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.core.errors import ConfigError
from monitor.settings.paths import resolve_data_dir


def read_data_dir(config_dir: Path) -> Path:
    """`data_dir` of monitor.toml. Raises ConfigError if it is missing or invalid."""
    return resolve_data_dir(config_dir, _monitor_key(config_dir, "data_dir", "/var/lib/pantau"))


def read_timezone(config_dir: Path) -> ZoneInfo:
    """`timezone` of monitor.toml. Raises ConfigError if it is missing or invalid."""
    text = _monitor_key(config_dir, "timezone", "Asia/Jakarta")
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"{config_dir / 'monitor.toml'}:1: {text!r} is not a time zone — "
            'write one such as timezone = "Asia/Jakarta"'
        ) from error


def _monitor_file(config_dir: Path) -> dict[str, Any]:
    path = config_dir / "monitor.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}:1: the file is missing — say where the configuration is with --config DIR"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path}:1: the file cannot be read ({error.strerror}) — "
            "let the user that runs pantau read it"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}:1: this is not TOML — pantau check says where") from error


def _monitor_key(config_dir: Path, key: str, example: str) -> str:
    path = config_dir / "monitor.toml"
    monitor = _monitor_file(config_dir).get("monitor")
    text = monitor.get(key) if isinstance(monitor, dict) else None
    if not isinstance(text, str) or not text.strip():
        wrong = "is missing" if text is None else "is not a text in quotes, or empty"
        raise ConfigError(
            f"{path}:1: the key {key} {wrong} — "
            f'write it under [monitor], for example {key} = "{example}"'
        )
    return text
