"""Paths of the configuration and data directories. Imports no pydantic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

SYSTEM_DIR = Path("/etc/pantau")

_SECRET_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
"""Part of the name of a file or of an environment variable."""

LONGEST_SECRET_NAME = 40
"""A longer "name" is probably the secret itself, pasted in its place: it must not be printed."""

LOADED_CONFIG_FILE = "loaded-config.json"
"""In the data directory: the snapshot (settings.diff) of the settings that the daemon uses."""


def is_secret_name(text: str) -> bool:
    """Whether a text may be the name of a secret."""
    return len(text) <= LONGEST_SECRET_NAME and _SECRET_NAME.fullmatch(text) is not None


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
