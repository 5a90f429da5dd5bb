"""Paths of the configuration and data directories. Imports no pydantic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

SYSTEM_DIR = Path("/etc/pantau")

SECRET_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
"""The name of a secret: it is part of the name of a file or of an environment variable."""

LOADED_CONFIG_FILE = "loaded-config.json"
"""In the data directory: the snapshot (settings.diff) of the settings that the daemon uses."""


def resolve_config_dir(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """--config, else $PANTAU_CONFIG, else config/ in the working directory, else /etc/pantau."""
    if option is not None:
        return option
    if environ.get("PANTAU_CONFIG"):
        return Path(environ["PANTAU_CONFIG"])
    here = cwd / "config"
    return here if here.is_dir() else SYSTEM_DIR


def resolve_data_dir(config_dir: Path, text: str) -> Path:
    """`data_dir` of monitor.toml, relative to the configuration directory.

    `..` is resolved, because the path is part of messages.
    """
    path = config_dir.absolute() / text
    return path.resolve() if ".." in path.parts else path
