"""`pantau demo`: run a simulated network, the daemon and the dashboard on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.cli.configuration import load_settings
from monitor.cli.demo_config import (
    claim_demo_dir,
    demo_communities,
    demo_environ,
    write_demo_config,
)
from monitor.cli.demo_control import (
    DEMO_DIR_PREFIX,
    cut_link,
    pantau_command,
    probe_in_demo,
    restore_link,
)
from monitor.cli.demo_influx import add_influx_config, demo_influx, influx_questions
from monitor.cli.options import config_option
from monitor.core.errors import ApiError, PantauError
from monitor.simulator.simulation import Simulation

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 12.0
SCENARIOS = (
    "demo (the default), quiet, link-cut, pop-down, lossy-radio, flapping, reboot, router-trouble, "
    "path-trouble or uplink-cut; or a TOML file of your own, like those in "
    "monitor/simulator/scenarios."
)
PORTS_TRIED = 20


@click.group(invoke_without_command=True, commands=[cut_link, restore_link, probe_in_demo])
@click.pass_context
@config_option
@click.option("--scenario", default=None, metavar="NAME", help=SCENARIOS)
@click.option("--no-faults", is_flag=True, help="A quiet day: nothing goes wrong.")
@click.option(
    "--influxdb",
    "with_influxdb",
    is_flag=True,
    help="Ship the samples to an InfluxDB started here.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the page is served.")
@click.option("--port", default=8050, show_default=True, type=click.IntRange(1, 65_535))
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep configuration, data and logs in this directory (default: a temporary one).",
)
def demo(
    context: click.Context,
    config: Path,
    scenario: str | None,
    no_faults: bool,
    with_influxdb: bool,
    host: str,
    port: int,
    keep: Path | None,
) -> None:
    """A made-up Indramayu: 31 offices that answer real ICMP and SNMP, with faults that come and go.

    \b
    Example: pantau demo
             pantau demo --scenario pop-down
             pantau demo --influxdb
             pantau demo cut anjatan         (in another terminal, while it runs)
             pantau demo probe anjatan
             pantau demo restore anjatan
    """
    if context.invoked_subcommand is not None:
        return
    if scenario is not None and no_faults:
        raise click.UsageError("--scenario and --no-faults exclude one another")
    chosen = "quiet" if no_faults else (scenario or "demo")
    signal.signal(signal.SIGTERM, _raise_interrupt)
    with ExitStack() as stack:
        work = _work_dir(stack, keep)
        port = free_port(host, port)
        try:
            _run_demo(stack, config, chosen, work, host, port, with_influxdb=with_influxdb)
        except KeyboardInterrupt:
            click.echo("\nSelesai: semuanya dihentikan.")


def _raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run_demo(
    stack: ExitStack,
    config: Path,
    scenario: str,
    work: Path,
    host: str,
    port: int,
    *,
    with_influxdb: bool,
) -> None:
    copy = write_demo_config(config, work)
    if with_influxdb:
        add_influx_config(copy)
    environ = demo_environ(copy)
    click.echo(f"1/3 Indramayu buatan: skenario {scenario} …")
    simulation = stack.enter_context(
        Simulation.start(copy, scenario, work_dir=work, communities=demo_communities(copy))
    )
    if simulation.routers_without_snmp:
        names = ", ".join(simulation.routers_without_snmp)
        click.echo(f"    SNMP versi 3 tidak ditiru: router ini hanya menjawab ping: {names}")
    questions: list[tuple[str, str]] = []
    if with_influxdb:
        click.echo("    InfluxDB dari Debian, di belakang deploy/nginx-influxdb.conf …")
        questions = influx_questions(
            stack.enter_context(
                demo_influx(
                    simulation,
                    work,
                    lambda name, command, log: _child(name, command, log, dict(os.environ)),
                )
            )
        )
        subprocess.run(
            simulation.inside(
                [sys.executable, "-m", "monitor", "influx", "setup", "--config", str(copy)]
            ),
            check=True,
            stdout=subprocess.DEVNULL,
            env=environ,
        )
    click.echo("2/3 pemantau …")
    pantau = [sys.executable, "-m", "monitor"]
    data_dir = work / "data"
    daemon = stack.enter_context(
        _child(
            "pemantau",
            simulation.inside([*pantau, "run", "--config", str(copy)]),
            work / "daemon.log",
            environ,
        )
    )
    _wait_for_daemon(daemon, data_dir, work / "daemon.log")
    click.echo("3/3 halaman …")
    web = stack.enter_context(
        _child(
            "halaman",
            [*pantau, "dashboard", "--config", str(copy), "--host", host, "--port", str(port)],
            work / "dashboard.log",
            environ,
        )
    )
    _wait_for_dashboard(web, host, port, work / "dashboard.log")
    prefix = load_settings(copy, os.environ).dashboard.prefix
    click.echo(f"\n  Buka  http://{host}:{port}{prefix}\n")
    click.echo(f"Konfigurasi, data dan log: {work}")
    dir_argument = "" if work.name.startswith(DEMO_DIR_PREFIX) else f" --dir {work}"
    click.echo("\nCabut satu kantor, dari terminal lain, dan lihat halamannya:")
    for arguments in (
        f"demo cut anjatan{dir_argument}",
        f"demo probe anjatan{dir_argument}",
        f"demo restore{dir_argument}",
        f"status --config {copy}",
    ):
        click.echo(f"  {pantau_command()} {arguments}")
    if questions:
        click.echo("\nTanyakan kepada InfluxDB (isinya bertambah setiap 10 detik):")
        for title, command in questions:
            click.echo(f"  # {title}\n  {command}")
    click.echo("\nCtrl-C mengakhiri.")
    while True:
        for name, child in (("pemantau", daemon), ("halaman", web)):
            if child.poll() is not None:
                raise PantauError(f"{name} ended by itself:\n{_last_log_lines(work)}")
        if not simulation.alive():
            raise PantauError(f"the made-up network ended by itself: see {work}/simulator.log")
        time.sleep(0.5)


def free_port(host: str, wanted: int) -> int:
    """`wanted`, or the next free port."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65_536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise PantauError(f"no free port from {wanted} on at {host}: give another one with --port")


def _work_dir(stack: ExitStack, keep: Path | None) -> Path:
    if keep is not None:
        return claim_demo_dir(keep)
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=DEMO_DIR_PREFIX)))


@contextmanager
def _child(
    name: str, command: Sequence[str], log: Path, environ: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in its own group, so that Ctrl-C reaches only us; terminated on exit."""
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=environ,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                click.echo(f"{name} does not end: killed", err=True)
                process.kill()
                process.wait()


def _wait_for_daemon(daemon: subprocess.Popen[bytes], data_dir: Path, log: Path) -> None:
    api = LocalApiClient(data_dir)
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            raise PantauError(f"the daemon did not start:\n{_last_lines(log)}")
        try:
            api.get("/state")
        except ApiError:
            time.sleep(0.1)
        else:
            return
    raise PantauError(f"the daemon does not answer within {START_TIMEOUT_S:g} s: see {log}")


def _wait_for_dashboard(web: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if web.poll() is not None:
            raise PantauError(f"the page did not start:\n{_last_lines(log)}")
        try:
            with socket.create_connection((host, port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise PantauError(f"the page does not answer within {START_TIMEOUT_S:g} s: see {log}")


def _last_lines(log: Path, count: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _last_log_lines(work: Path) -> str:
    return "\n".join(_last_lines(work / name) for name in ("daemon.log", "dashboard.log"))
