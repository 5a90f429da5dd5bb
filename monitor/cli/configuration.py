"""Load the configuration, raising what is wrong with it as one error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from monitor.core.errors import RIGHTS, PantauError
from monitor.core.model import Network
from monitor.settings import load, require_valid
from monitor.settings.model import Settings
from monitor.settings.quick_settings import read_data_dir


def load_settings(
    config: Path,
    environ: Mapping[str, str],
    strict: bool = False,
    overrides: Iterable[str] = (),
) -> Settings:
    """Load the whole configuration. Raises ConfigError with every problem, one a line.

    strict, overrides: as in `settings.require_valid` and `settings.load`.
    """
    return require_valid(load(config, environ, overrides), strict=strict)


def load_network(config: Path, environ: Mapping[str, str]) -> Network:
    """The configured sites, nodes and links."""
    return load_settings(config, environ).network


def journal_dir(config: Path) -> Path:
    """The journal's directory. Raises PantauError if it is missing or this user may not enter."""
    directory = read_data_dir(config) / "journal"
    try:
        found = directory.is_dir()
    except PermissionError as error:
        raise PantauError(f"the journal {directory} is not for this user: {RIGHTS}") from error
    if not found:
        raise PantauError(f"there is no journal in {directory.parent}: start `pantau run` first")
    return directory
