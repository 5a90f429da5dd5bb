"""`pantau dashboard`: start the dashboard's web server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from monitor.cli.options import config_option


@click.command()
@config_option
@click.option("--host", help="Where to listen [default: host in [dashboard] of monitor.toml].")
@click.option("--port", type=click.IntRange(1, 65_535), help="Likewise the port.")
def dashboard(config: Path, host: str | None, port: int | None) -> None:
    """Serves the web page: the map, every site's state, and each site's charts.

    It needs the data directory of the daemon (the same configuration) and no rights of its own.

    \b
    Example: pantau dashboard
             pantau dashboard --host 0.0.0.0 --port 8080
    """
    # The dashboard is a package above this one: it is executed, not imported.
    command = [sys.executable, "-m", "dashboard", "--config", str(config)]
    if host is not None:
        command += ["--host", host]
    if port is not None:
        command += ["--port", str(port)]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell
