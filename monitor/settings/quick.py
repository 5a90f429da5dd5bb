"""The one fact that quick commands need, without reading (or importing) everything else."""

from __future__ import annotations

import tomllib
from pathlib import Path

from monitor.core.errors import ConfigError
from monitor.settings.where import resolved_data_dir


def data_dir(config_dir: Path) -> Path:
    """`data_dir` of monitor.toml. Raises ConfigError when it cannot be known."""
    path = config_dir / "monitor.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
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
    monitor = data.get("monitor")
    text = monitor.get("data_dir") if isinstance(monitor, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(
            f"{path}:1: the key data_dir is missing — "
            'add it under [monitor], for example data_dir = "/var/lib/pantau"'
        )
    return resolved_data_dir(config_dir, text)
