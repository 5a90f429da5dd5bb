"""`pantau demo cut`, `restore` and `probe`: act on the simulated network of a running demo."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor.cli.demo_config import demo_environ
from monitor.cli.options import json_option
from monitor.core.errors import SimulatorError
from monitor.settings.quick_settings import read_timezone
from monitor.simulator.control import Control, ControlReply
from monitor.simulator.namespace import command_inside

F = TypeVar("F", bound=Callable[..., Any])

DEMO_DIR_PREFIX = "pantau-demo-"
"""Names of the temporary directories of demos started without --keep."""


def dir_option(command: F) -> F:
    """`--dir DIR`, passed as `work: Path | None`: the directory of the demo."""
    return click.option(
        "--dir",
        "work",
        type=click.Path(file_okay=False, path_type=Path),
        help="The demo's directory, where several run or it was started with --keep.",
    )(command)


@click.command(name="cut")
@dir_option
@click.argument("where", metavar="TARGET")
@click.option("--for", "length", metavar="LENGTH", help="30s, 2m … [until restored].")
def cut_link(work: Path | None, where: str, length: str | None) -> None:
    """Pull the plug of a link, a site or a PoP (and what is behind it) in the running demo.

    `uplink` is the monitor's own.

    \b
    Example: pantau demo cut anjatan/utama
             pantau demo cut pop-jatibarang --for 2m
    """
    control = find_demo(work)
    answer = control.request(_fault_kind(control, where), where=where, **{"for": length})
    click.echo(f"{where}: dicabut pukul {_effective_time(control, answer)}.")


@click.command(name="restore")
@dir_option
@click.argument("where", metavar="[TARGET]", default="all")
def restore_link(work: Path | None, where: str) -> None:
    """Plug it in again: a link, a site, a PoP; without TARGET everything, what is scripted too.

    \b
    Example: pantau demo restore anjatan/utama
    """
    control = find_demo(work)
    answer = control.request("restore", where=where)
    name = "semuanya" if where == "all" else where
    click.echo(f"{name}: dipasang lagi pukul {_effective_time(control, answer)}.")


def find_demo(work: Path | None) -> Control:
    """The demo in the directory `work`; without one, the only demo running on this machine.

    Raises SimulatorError if none or several run.
    """
    if work is not None:
        return Control(work.resolve() / "control.sock")
    found = [Control(path) for path in _sockets() if _is_running(path)]
    if not found:
        raise SimulatorError(
            f"no demo of yours runs here: start one with `{pantau_command()} demo`, "
            "or name its directory with --dir"
        )
    if len(found) > 1:
        places = ", ".join(str(control.path.parent) for control in found)
        raise SimulatorError(f"several demos run here ({places}): say which with --dir")
    return found[0]


def pantau_command() -> str:
    """How to call `pantau` from the working directory: by name if it is on PATH."""
    script = Path(sys.executable).with_name("pantau")
    if shutil.which("pantau") == str(script):
        return "pantau"
    here = Path.cwd()
    return str(script.relative_to(here) if script.is_relative_to(here) else script)


def _fault_kind(control: Control, where: str) -> str:
    """The simulator's name of the fault. Cutting a PoP also cuts what is behind it."""
    if where == "uplink":
        return "uplink-cut"
    is_node = where in control.behaviours() and not {"/", ":"} & set(where)
    return "pop-down" if is_node else "cut"


def _effective_time(control: Control, answer: ControlReply) -> str:
    """When the fault took effect, in the demo's time zone."""
    zone = read_timezone(control.path.parent / "config")
    at = datetime.fromtimestamp(float(str(answer["utc_s"])), zone)
    return f"{at:%H.%M.%S} {at.tzname()}"


def _sockets() -> list[Path]:
    return sorted(Path(tempfile.gettempdir()).glob(f"{DEMO_DIR_PREFIX}*/control.sock"))


def _is_running(path: Path) -> bool:
    try:
        Control(path).counters()
    except SimulatorError:
        return False
    return True


@click.command(name="probe")
@dir_option
@click.argument("target")
@click.option("--count", "-c", default=10, show_default=True, type=click.IntRange(1, 1000))
@json_option
def probe_in_demo(work: Path | None, target: str, count: int, as_json: bool) -> None:
    """Ping a site, link or node of the running demo, and read its router: `pantau probe` there.

    \b
    Example: pantau demo probe anjatan
    """
    control = find_demo(work)
    config = control.path.parent / "config"
    arguments = [*("probe", "--config", str(config), "--count", str(count)), *["--json"] * as_json]
    command = [sys.executable, "-m", "monitor", *arguments, "--", target]
    done = subprocess.run(
        command_inside(control.pid(), command), check=False, env=demo_environ(config)
    )
    sys.exit(done.returncode)
