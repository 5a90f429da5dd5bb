"""`pantau demo probe`: the command `probe` in the made-up network of a running demo.

Its addresses are nobody's on this machine: outside of it, `pantau probe` would ask strangers.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from monitor.cli.made_up import environ_of
from monitor.cli.plug import control_of, dir_option
from monitor.simulator.namespace import inside_of


@click.command()
@dir_option
@click.argument("target")
@click.option("--count", "-c", default=10, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def probe(work: Path | None, target: str, count: int, as_json: bool) -> None:
    """Ping a site, link or node of the running demo, and read its router: `pantau probe` there.

    \b
    Example: pantau demo probe anjatan
    """
    control = control_of(work)
    config = control.path.parent / "config"
    words = [*("probe", "--config", str(config), "--count", str(count)), *["--json"] * as_json]
    command = [sys.executable, "-m", "monitor", *words, "--", target]
    done = subprocess.run(inside_of(control.pid(), command), check=False, env=environ_of(config))
    sys.exit(done.returncode)
