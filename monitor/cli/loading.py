"""The whole configuration, for the commands that need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from monitor.core.errors import RIGHTS, PantauError
from monitor.core.model import Network
from monitor.settings import load, quick, require
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


def journal_of(config: Path) -> Path:
    """The journal's directory. Raises PantauError when there is none, or none for this user."""
    directory = quick.data_dir(config) / "journal"
    try:
        found = directory.is_dir()
    except PermissionError as error:
        raise PantauError(f"the journal {directory} is not for this user: {RIGHTS}") from error
    if not found:
        raise PantauError(f"there is no journal in {directory.parent}: start `pantau run` first")
    return directory
