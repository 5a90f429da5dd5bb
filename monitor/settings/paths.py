"""Where things stand. Quick to import: no pydantic, nothing but paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

SYSTEM_DIR = Path("/etc/pantau")

SECRET_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
"""The name of a secret: it becomes a file's name and a part of an environment variable's."""

LOADED_CONFIG_FILE = "loaded-config.json"
"""In the data directory: the fingerprint of the configuration that the daemon works with."""


def resolve_config_dir(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """--config, else $PANTAU_CONFIG, else config/ here, else /etc/pantau."""
    if option is not None:
        return option
    if environ.get("PANTAU_CONFIG"):
        return Path(environ["PANTAU_CONFIG"])
    here = cwd / "config"
    return here if here.is_dir() else SYSTEM_DIR


def resolve_data_dir(config_dir: Path, text: str) -> Path:
    """`data_dir`; one that is not absolute counts from the configuration directory.

    Without `..` in it: people read this path in messages, and follow it.
    """
    path = config_dir.absolute() / text
    return path.resolve() if ".." in path.parts else path
