"""Configuration: TOML files and secrets → frozen settings, with file and line for every mistake.

`load` reads a directory; `require_valid` raises if there is any error; `settings_snapshot` lists
every effective value.

Importing this package does not import pydantic, which takes half of a quick command's time: only
calling `load` does. Commands that need no more than the data directory and the time zone use
`quick_settings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

from monitor.settings.diff import settings_snapshot
from monitor.settings.problems import ConfigProblem, LoadResult, require_valid

__all__ = ["ConfigProblem", "LoadResult", "load", "require_valid", "settings_snapshot"]


def load(
    config_dir: Path,
    environ: Mapping[str, str] | None = None,
    overrides: Iterable[str] = (),
) -> LoadResult:
    """Read and check a configuration directory; see `loader.load_directory`."""
    loader = import_module("monitor.settings.loader")
    result: LoadResult = loader.load_directory(config_dir, environ, overrides)
    return result
