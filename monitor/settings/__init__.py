"""TOML and secrets → frozen models, with file and line for every error.

`load` reads a directory, `require` insists that it is good, `fingerprint` says what it amounts to.
Quick commands use `quick`, `where` and `secrets`; so importing this package brings in no pydantic:
only calling `load` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

from monitor.settings.fingerprints import fingerprint
from monitor.settings.loaded import Loaded, require
from monitor.settings.problems import Problem

__all__ = ["Loaded", "Problem", "fingerprint", "load", "require"]


def load(
    config_dir: Path,
    environ: Mapping[str, str] | None = None,
    overrides: Iterable[str] = (),
) -> Loaded:
    """Read and check everything; never raises for what stands in the files.

    environ: where secrets may be named (settings.secrets); None: this process's environment.
    overrides: `key.path=value` of monitor.toml, tried for once; raises ConfigError for one that
    is no such thing.
    """
    loading = import_module("monitor.settings.loading")
    loaded: Loaded = loading.load(config_dir, environ, overrides)
    return loaded
