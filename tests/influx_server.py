"""A real InfluxDB 1.6.7 (Debian's) behind a real nginx with deploy/nginx-influxdb.conf.

Both on free ports of 127.0.0.1, everything they write in one directory of the test's.
"""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from monitor.settings.model import InfluxSettings
from tests.waiting import eventually

DEPLOYED = Path(__file__).parent.parent / "deploy" / "nginx-influxdb.conf"

_INFLUXD = """
reporting-enabled = false
bind-address = "127.0.0.1:{backup}"
[meta]
dir = "{directory}/meta"
[data]
dir = "{directory}/data"
wal-dir = "{directory}/wal"
query-log-enabled = false
{data}
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{http}"
auth-enabled = {auth}
log-enabled = false
[logging]
level = "warn"
"""

_NGINX = """
daemon off;
master_process off;
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
    include {directory}/deployed.conf;
}}
"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    holders = [socket.socket() for _ in range(count)]
    for holder in holders:
        holder.bind(("127.0.0.1", 0))
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


class InfluxServer:
    """Started by `with`; everything of it is ended and reaped at the end.

    admin: "user:password" of an administrator; authentication is on when it is given. data: more
    lines of its [data].
    """

    def __init__(self, directory: Path, admin: str | None = None, data: str = "") -> None:
        for program, package in (("influxd", "influxdb"), ("nginx", "nginx-light")):
            assert shutil.which(program), f"{program} is missing: apt-get install {package}"
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._admin = admin
        self._http, backup, front = free_ports(3)
        self.url = f"http://127.0.0.1:{front}"
        self._influxd: subprocess.Popen[bytes] | None = None
        self._nginx: subprocess.Popen[bytes] | None = None
        (directory / "influxd.conf").write_text(
            _INFLUXD.format(
                directory=directory,
                http=self._http,
                backup=backup,
                auth=str(admin is not None).lower(),
                data=data,
            )
        )
        (directory / "nginx.conf").write_text(_NGINX.format(directory=directory))
        (directory / "deployed.conf").write_text(
            with_addresses(DEPLOYED.read_text(), self._http, front)
        )

    def __enter__(self) -> InfluxServer:
        self.start()
        self._nginx = subprocess.Popen(
            ["nginx", "-c", str(self._directory / "nginx.conf"), "-p", str(self._directory)],
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: _answers(f"{self.url}/ping"), within_s=20)
        if self._admin is not None:
            user, _, password = self._admin.partition(":")
            self.query(f"CREATE USER \"{user}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._nginx, self._influxd):
            if process is not None:
                process.kill()
                process.wait()

    def start(self) -> None:
        """Start influxd on its data; returns when it answers."""
        log = (self._directory / "influxd.log").open("ab")
        with log:
            self._influxd = subprocess.Popen(
                ["influxd", "-config", str(self._directory / "influxd.conf")],
                stdout=log,
                stderr=log,
            )
        eventually(lambda: _answers(f"http://127.0.0.1:{self._http}/ping"), within_s=30)

    def stop(self) -> None:
        """End influxd in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: connections stand, nothing answers."""
        assert self._influxd is not None
        self._influxd.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._influxd is not None
        self._influxd.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        assert self._influxd is not None
        self._influxd.send_signal(how)
        self._influxd.wait(30)
        self._influxd = None

    def bucket(self, name: str) -> InfluxSettings:
        """A new, empty database, and the settings that name it."""
        self.query(f'CREATE DATABASE "{name}"')
        return InfluxSettings(url=self.url, bucket=name, timeout_s=5.0)

    def query(self, statement: str, bucket: str = "") -> list[Any]:
        """The series of one InfluxQL statement, straight from influxd, not through our code."""
        query = {"q": statement, "db": bucket, "epoch": "ms"}
        [result] = json.loads(self._send("query", urlencode(query)))["results"]
        assert "error" not in result, result
        series: list[Any] = result.get("series", [])
        return series

    def write(self, lines: str, bucket: str) -> None:
        """Line protocol with times in ms, straight to influxd."""
        self._send(f"write?db={bucket}&precision=ms", lines)

    def _send(self, path: str, body: str) -> bytes:
        url = f"http://127.0.0.1:{self._http}/{path}"
        request = Request(url, data=body.encode(), method="POST")
        if self._admin is not None:
            spelled = base64.b64encode(self._admin.encode()).decode()
            request.add_header("Authorization", f"Basic {spelled}")
        with urlopen(request, timeout=20) as response:  # noqa: S310 - our own address
            answer: bytes = response.read()
        return answer


def with_addresses(deployed: str, influxdb: int, front: int) -> str:
    """The deployed file with its two addresses exchanged; each stands there exactly once."""
    for address, port in (("127.0.0.1:8086;", influxdb), ("127.0.0.1:8087;", front)):
        assert deployed.count(address) == 1, f"{address} must stand once in {DEPLOYED.name}"
        deployed = deployed.replace(address, f"127.0.0.1:{port};")
    return deployed


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status < 300)
    except (URLError, OSError):
        return False
