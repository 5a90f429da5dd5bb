"""`pantau dashboard` on real stores: ledger and journal as the daemon writes them.

The daemon is replaced by a socket that answers `GET /state` with a test's document.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from types import MappingProxyType
from urllib.parse import unquote

import orjson

from monitor.adapters.journal import SqliteJournal
from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.system.local_api_client import SOCKET_NAME
from monitor.core.documents import Document
from monitor.core.errors import NotFound
from monitor.core.samples.samples import InterfaceSample, PingSample
from tests.dashboard.alert_history import write_alert_history
from tests.dashboard.router_documents import router_document_of
from tests.dashboard.synthetic_history import CONFIG, DAY_S, HOUR_S, SyntheticHistory, in_time_order
from tests.other_user import OtherUser
from tests.waiting import eventually

DATA_DIR = re.compile(r"^data_dir\s*=.*$", re.MULTILINE)
ROUTERS = "/routers/"
NO_NAMES: Mapping[str, str] = MappingProxyType({})
PANTAU = (sys.executable, "-m", "monitor")
TOP = Path(__file__).parents[2]


class _Answer(BaseHTTPRequestHandler):
    """Answers `GET /state` and `GET /routers/<name>`; records POST requests."""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        code, document = 200, self.server.document()
        if self.path.startswith(ROUTERS):
            try:
                document = self.server.router(unquote(self.path.removeprefix(ROUTERS)))
            except NotFound as error:
                code, document = 404, {"error": str(error)}
        body = orjson.dumps(document)
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Record the request and accept it."""
        assert isinstance(self.server, _Server)
        length = int(self.headers["Content-Length"])
        self.server.told.append((self.path, orjson.loads(self.rfile.read(length))))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """No log."""


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def __init__(
        self, path: Path, document: Callable[[], Document], router: Callable[[str], Document]
    ) -> None:
        self.document = document
        self.router = router
        self.told: list[tuple[str, dict[str, object]]] = []
        super().__init__(str(path), _Answer)


class FakeDaemonApi:
    """A fake of the daemon's API on its Unix socket."""

    def __init__(
        self,
        socket_path: Path,
        document: Callable[[], Document],
        router: Callable[[str], Document],
    ) -> None:
        self._path = socket_path
        self._server = _Server(socket_path, document, router)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def told(self) -> list[tuple[str, dict[str, object]]]:
        """Recorded POST requests: (path, document)."""
        return self._server.told

    def close(self) -> None:
        """Stop, and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)
        self._thread.join(5)


class DashboardServer:
    """A configuration and data directory, and `pantau dashboard` on it. Must be closed."""

    def __init__(
        self, work: Path, history: SyntheticHistory, names: Mapping[str, str] = NO_NAMES
    ) -> None:
        """names: other names of sites, by id."""
        self.history = history
        work.mkdir(parents=True, exist_ok=True)
        self.config = work / "config"
        self.data = work / "data"
        shutil.copytree(CONFIG, self.config)
        self.data.mkdir()
        monitor = self.config / "monitor.toml"
        text = DATA_DIR.sub('data_dir = "../data"', monitor.read_text("utf-8"), count=1)
        monitor.write_text(text, "utf-8")
        for site, name in names.items():
            path = self.config / "sites" / f"{site}.toml"
            lines = path.read_text("utf-8").splitlines()
            at = next(at for at, line in enumerate(lines) if line.startswith("name = "))
            lines[at] = f"name = {json.dumps(name)}"
            path.write_text("\n".join(lines), "utf-8")
        self.ledger = SqlLedger.open(self.data / "ledger.db")
        self.journal = SqliteJournal(self.data / "journal")
        self.daemon: FakeDaemonApi | None = None
        self.router: Callable[[str], Document] = lambda name: router_document_of(history, name)
        self.log = work / "dashboard.log"
        self.port = free_port()
        self.web: subprocess.Popen[bytes] | None = None
        self.user: OtherUser | None = None

    @property
    def url(self) -> str:
        """Address of the overview."""
        return f"http://127.0.0.1:{self.port}/"

    def write_states(self) -> None:
        """Write states, transitions, incidents and their actions."""
        self.ledger.record(self.history.decisions())
        self.ledger.record_alive(self.history.now_s)
        write_alert_history(self.ledger, self.history)

    def write_hour(self) -> None:
        """Samples of the last hour, a row a minute."""
        history = self.history
        rows: list[PingSample | InterfaceSample] = []
        rows += history.pings(HOUR_S, 60.0)
        rows += history.ports(HOUR_S, 60.0)
        self.journal.append(in_time_order(rows))

    def write_now(self) -> None:
        """One more row of each target: the daemon goes on."""
        history = self.history.later(time.time() - self.history.now_s)
        self.journal.append(list(history.pings(10.0, 10.0)))

    def write_day(self) -> None:
        """Samples of a whole day, coarse at first and fine at the end."""
        history = self.history
        rows: list[PingSample | InterfaceSample] = [
            *history.pings(DAY_S, 300.0, until_s=6 * HOUR_S),
            *history.pings(6 * HOUR_S, 60.0, until_s=HOUR_S),
            *history.pings(HOUR_S, 10.0),
            *history.ports(DAY_S, 300.0, until_s=6 * HOUR_S),
            *history.ports(6 * HOUR_S, 60.0),
        ]
        self.journal.append(in_time_order(rows))

    def start(self, document: Callable[[], Document] | None = None) -> None:
        """The daemon's API and the page. document: what the API says; the history's by default."""
        self.start_daemon(document)
        self.start_web()

    def start_daemon(self, document: Callable[[], Document] | None = None) -> None:
        """Only the API."""
        self.daemon = FakeDaemonApi(
            self.data / SOCKET_NAME, document or self.history.document, self.router
        )

    def stop_daemon(self) -> None:
        """As if it had been killed, its socket gone."""
        if self.daemon is not None:
            self.daemon.close()
            self.daemon = None

    def start_web(self) -> None:
        """`pantau dashboard`, until it answers."""
        words = ["dashboard", "--config", str(self.config), "--port", str(self.port)]
        with self.log.open("ab") as sink:
            if self.user is not None:
                self.web = self.user.popen(["-m", "monitor", *words], out=sink)
                eventually(self._answers, within_s=30)
                return
            self.web = subprocess.Popen(
                [*PANTAU, *words],
                stdout=sink,
                stderr=sink,
                cwd=TOP,
                env=os.environ | {"PYTHONPATH": str(TOP)},
                start_new_session=True,
            )
        eventually(self._answers, within_s=30)

    def stop_web(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server; it answers first what was asked."""
        if self.web is not None:
            self.web.send_signal(how)
            self.web.wait(15)
            self.web = None

    def close(self) -> None:
        """End all of it, at once."""
        self.stop_web(signal.SIGINT)
        self.stop_daemon()
        self.journal.close()
        self.ledger.close()

    def _answers(self) -> bool:
        assert self.web is not None
        if self.web.poll() is not None:
            raise AssertionError(f"the page did not start:\n{self.log.read_text()}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
