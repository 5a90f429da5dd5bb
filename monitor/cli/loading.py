"""The whole configuration, for the commands that need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from monitor.core.model import Network
from monitor.settings import load, require
from monitor.settings.model import Settings


def settings_of(
    config: Path,
    environ: Mapping[str, str],
    strict: bool = False,
    overrides: Iterable[str] = (),
) -> Settings:
    """Raises ConfigError that lists everything that is wrong."""
    return require(load(config, environ, overrides), strict=strict)


def network_of(config: Path, environ: Mapping[str, str]) -> Network:
    """What is watched, as configured."""
    return settings_of(config, environ).network
