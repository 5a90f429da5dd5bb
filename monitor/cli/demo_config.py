"""The configuration of a demo: a copy without secrets, that tells nobody, with its own data."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from monitor.cli.configuration import load_settings
from monitor.core.errors import PantauError
from monitor.settings.secrets import secret_variable

COMMUNITY = "pantau-demo"
USER = f"""\
user = pantau
auth = sha256
auth_password = {COMMUNITY}
priv = aes128
priv_password = {COMMUNITY}
"""
"""Of version 3, which no router of the made-up network speaks: good enough to start with."""

NOBODY = """\
# Peragaan: gangguan buatan tidak diberitahukan kepada siapa pun.
"""
MARK = "made-by-pantau-demo"
"""The file that says whose a directory is."""

DATA_DIR_LINE = re.compile(r"^data_dir\s*=.*$", re.MULTILINE)


def claim_demo_dir(keep: Path) -> Path:
    """A directory that is the demo's alone. Raises PantauError for one that holds other things.

    What lies in its `config` is thrown away at each start: it must not be anybody's.
    """
    keep.mkdir(parents=True, exist_ok=True)
    if any(keep.iterdir()) and not (keep / MARK).is_file():
        raise PantauError(
            f"{keep} holds other things: give --keep a new or empty directory, or that of an "
            "earlier demo"
        )
    (keep / MARK).write_text("This directory is used by `pantau demo --keep`.\n", "utf-8")
    return keep.resolve()


def write_demo_config(config: Path, work: Path) -> Path:
    """A copy without secrets and alerts, whose data lies in the demo's own directory.

    A siren or a modem on this machine must not cry for an outage that is made up; and with a real
    password the made-up routers would be asked in vain.
    """
    copy = work / "config"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(config, copy, ignore=shutil.ignore_patterns("secrets"))
    monitor = copy / "monitor.toml"
    text, found = DATA_DIR_LINE.subn('data_dir = "../data"', monitor.read_text(encoding="utf-8"), 1)
    if not found:
        raise PantauError(f"{config / 'monitor.toml'} has no line `data_dir = …`: add it")
    monitor.write_text(text, encoding="utf-8")
    (copy / "alerts.toml").write_text(NOBODY, encoding="utf-8")
    (work / "data").mkdir(exist_ok=True)
    return copy


def demo_communities(copy: Path) -> dict[str, str]:
    """What the made-up routers want to hear, by the name of the credential."""
    devices = load_settings(copy, os.environ).network.devices
    return {each.credential: COMMUNITY for each in devices if each.version == "2c"}


def demo_environ(copy: Path) -> dict[str, str]:
    """This process's environment, in which every secret that is named there is made up."""
    settings = load_settings(copy, os.environ)
    made_up = {
        each.credential: COMMUNITY if each.version == "2c" else USER
        for each in settings.network.devices
    }
    influxdb, proxy = settings.influxdb, settings.dashboard.proxy
    for name in (influxdb and influxdb.token, proxy and proxy.secret):
        if name:
            made_up[name] = f"user:{COMMUNITY * 4}"
    inherited = {name: text for name, text in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    return inherited | {secret_variable(name): text for name, text in made_up.items()}
