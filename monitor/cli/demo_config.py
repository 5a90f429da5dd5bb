"""Copy the configuration for a demo: no secrets, no alerts, a data directory of its own."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from monitor.cli.configuration import load_settings
from monitor.core.errors import PantauError
from monitor.settings.secrets import secret_variable

COMMUNITY = "pantau-demo"
V3_CREDENTIAL = f"""\
user = pantau
auth = sha256
auth_password = {COMMUNITY}
priv = aes128
priv_password = {COMMUNITY}
"""
"""A version 3 credential. The simulated routers do not speak version 3, but it must exist."""

NO_ALERTS = """\
# Peragaan: gangguan buatan tidak diberitahukan kepada siapa pun.
"""
MARKER_FILE = "made-by-pantau-demo"
"""Present in directories that a demo made."""

DATA_DIR_LINE = re.compile(r"^data_dir\s*=.*$", re.MULTILINE)


def claim_demo_dir(keep: Path) -> Path:
    """Make `keep` the directory of a demo. Raises PantauError if it holds other things.

    Its `config` is deleted at each start, so it must not be anybody else's.
    """
    keep.mkdir(parents=True, exist_ok=True)
    if any(keep.iterdir()) and not (keep / MARKER_FILE).is_file():
        raise PantauError(
            f"{keep} holds other things: give --keep a new or empty directory, or that of an "
            "earlier demo"
        )
    (keep / MARKER_FILE).write_text("This directory is used by `pantau demo --keep`.\n", "utf-8")
    return keep.resolve()


def write_demo_config(config: Path, work: Path) -> Path:
    """Copy `config` to `work/config`, without secrets and alerts, with its data in `work/data`.

    Simulated outages must not notify anybody, and the simulated routers know no real passwords.
    """
    copy = work / "config"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(config, copy, ignore=shutil.ignore_patterns("secrets"))
    monitor = copy / "monitor.toml"
    text, found = DATA_DIR_LINE.subn('data_dir = "../data"', monitor.read_text(encoding="utf-8"), 1)
    if not found:
        raise PantauError(f"{config / 'monitor.toml'} has no line `data_dir = …`: add it")
    monitor.write_text(text, encoding="utf-8")
    (copy / "alerts.toml").write_text(NO_ALERTS, encoding="utf-8")
    (work / "data").mkdir(exist_ok=True)
    return copy


def demo_communities(copy: Path) -> dict[str, str]:
    """The communities that the simulated routers accept, by the name of the secret."""
    devices = load_settings(copy, os.environ).network.devices
    return {each.credential: COMMUNITY for each in devices if each.version == "2c"}


def demo_environ(copy: Path) -> dict[str, str]:
    """This process's environment, with a generated value for every secret that the copy names."""
    settings = load_settings(copy, os.environ)
    generated = {
        each.credential: COMMUNITY if each.version == "2c" else V3_CREDENTIAL
        for each in settings.network.devices
    }
    influxdb, proxy = settings.influxdb, settings.dashboard.proxy
    for name in (influxdb and influxdb.token, proxy and proxy.secret):
        if name:
            generated[name] = f"user:{COMMUNITY * 4}"
    inherited = {name: text for name, text in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    return inherited | {secret_variable(name): text for name, text in generated.items()}
