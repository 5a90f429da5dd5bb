"""Run Debian's InfluxDB beside a demo, behind the shipped nginx file, and let the demo ship to it.

Both run inside the demo's network, where the daemon is. From outside the server is reached through
a Unix socket in the demo's directory.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from monitor.core.errors import PantauError
from monitor.simulator.simulation import Simulation

SHIPPED_NGINX = Path(__file__).parents[2] / "deploy" / "nginx-influxdb.conf"
START_TIMEOUT_S = 30.0
URL = "http://127.0.0.1:8087"
"""The address that the shipped nginx file serves."""

_PROGRAMS = {"influxd": "influxdb", "nginx": "nginx-light"}
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

_INFLUXD = """\
reporting-enabled = false
bind-address = "127.0.0.1:8088"
[meta]
dir = "{directory}/meta"
[data]
dir = "{directory}/data"
wal-dir = "{directory}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:8086"
unix-socket-enabled = true
bind-socket = "{directory}/influxdb.sock"
log-enabled = false
[logging]
level = "warn"
"""

_NGINX = """\
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/nginx-body;
    proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    include {nginx_file};
}}
"""

_CONFIG = f"""
[storage.influxdb]
url = "{URL}"
bucket = "pantau"
"""

_QUESTIONS = (
    (
        "RTT rata-rata setiap menit satu jalur",
        "SELECT mean(rtt_avg) FROM ping WHERE site = 'anjatan' AND time > now() - 10m"
        " GROUP BY time(1m), link fill(none)",
    ),
    (
        "kecamatan yang paling banyak kehilangan permintaan",
        "SELECT top(lost, site, 5) FROM (SELECT sum(sent) - sum(received) AS lost FROM ping"
        " WHERE time > now() - 10m GROUP BY site)",
    ),
    (
        "perubahan keadaan terakhir",
        'SELECT "from", "to", site, reason FROM state_change ORDER BY time DESC LIMIT 5',
    ),
)

StartChild = Callable[[str, list[str], Path], AbstractContextManager[subprocess.Popen[bytes]]]
"""(name, command, log) → the process, ended on exit."""


def add_influx_config(copy: Path) -> None:
    """Name the demo's server in the copy of the configuration. Raises PantauError."""
    monitor = copy / "monitor.toml"
    text = monitor.read_text(encoding="utf-8")
    if any(line.strip() == "[storage.influxdb]" for line in text.splitlines()):
        raise PantauError(
            f"{monitor.name} has a [storage.influxdb] of its own: give `pantau demo --influxdb` a"
            " configuration without it"
        )
    monitor.write_text(text + _CONFIG, encoding="utf-8")


@contextmanager
def demo_influx(simulation: Simulation, work: Path, start: StartChild) -> Iterator[Path]:
    """The server's directory, while it runs. Raises PantauError in one sentence."""
    programs = {name: shutil.which(name, path=_PATH) for name in _PROGRAMS}
    missing = [package for name, package in _PROGRAMS.items() if programs[name] is None]
    if missing:
        raise PantauError(
            f"InfluxDB for the demo needs Debian's packages {' and '.join(missing)}: start it with"
            " ./deploy/demo --influxdb, which installs them"
        )
    if not SHIPPED_NGINX.is_file():
        raise PantauError(
            "the shipped nginx file is not here: run ./deploy/demo --influxdb in the project's"
            " directory"
        )
    directory = work / "influxdb"
    directory.mkdir(exist_ok=True)
    (directory / "influxd.conf").write_text(_INFLUXD.format(directory=directory))
    (directory / "nginx.conf").write_text(
        _NGINX.format(directory=directory, nginx_file=SHIPPED_NGINX)
    )
    commands = {
        "influxd": [str(programs["influxd"]), "-config", str(directory / "influxd.conf")],
        "nginx": [
            *(str(programs["nginx"]), "-c", str(directory / "nginx.conf")),
            *("-p", str(directory)),
        ],
    }
    with ExitStack() as stack:
        for name, command in commands.items():
            log = directory / f"{name}.log"
            process = stack.enter_context(start(name, simulation.inside(command), log))
            if name == "influxd":
                _wait_for_socket(process, directory / "influxdb.sock", log)
        yield directory


def influx_questions(directory: Path) -> list[tuple[str, str]]:
    """What may be asked, each with a command for the shell."""
    sock = directory / "influxdb.sock"
    return [
        (
            title,
            f"curl -s -G --unix-socket {shlex.quote(str(sock))} http://localhost/query"
            f" -d db=pantau -d pretty=true --data-urlencode {shlex.quote('q=' + question)}",
        )
        for title, question in _QUESTIONS
    ]


def _wait_for_socket(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PantauError(f"influxd did not start: see {log}")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                time.sleep(0.1)
            else:
                return
    raise PantauError(f"influxd does not answer within {START_TIMEOUT_S:g} s: see {log}")
