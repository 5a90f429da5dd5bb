"""Webhook receiver inside the simulated network: `python -m tests.e2e.webhook_server FOLDER`.

Writes its port to FOLDER/port, and each request as a line of FOLDER/requests: when it was there,
path, headers, body. The status that it answers with stands in FOLDER/status.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.waiting import eventually


def serve(folder: Path) -> None:
    """Until it is killed."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            at_s = time.time()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = int((folder / "status").read_text("ascii"))
            request = {
                "at_s": at_s,
                "path": self.path,
                "key": self.headers.get("Idempotency-Key"),
                "status": status,
                "body": json.loads(body) if body else None,
            }
            with (folder / "requests").open("a", encoding="utf-8") as file:
                file.write(json.dumps(request) + "\n")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    (folder / "port.new").write_text(str(server.server_port), "ascii")
    (folder / "port.new").rename(folder / "port")
    server.serve_forever()


@dataclass(frozen=True)
class WebhookRequest:
    """One request as it came. status: what was answered."""

    at_s: float
    path: str
    key: str | None
    status: int
    body: dict[str, Any] | None

    @property
    def told(self) -> tuple[str, list[str]]:
        """The event, and the targets that it names, sorted."""
        assert self.body is not None
        documents = self.body["incidents"] or [self.body["incident"]]
        return self.body["event"], sorted(document["target"] for document in documents)


class WebhookServer:
    """The server, started and read from outside."""

    def __init__(self, simulated: SimulatedDaemon, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.set_status(200)
        (folder / "requests").touch()
        command = [sys.executable, "-m", "tests.e2e.webhook_server", str(folder)]
        self._process = subprocess.Popen(simulated.simulation.inside(command))
        eventually((folder / "port").exists, 20)
        self.url = f"http://127.0.0.1:{(folder / 'port').read_text('ascii')}"

    def set_status(self, status: int) -> None:
        """What it answers from now on."""
        (self._folder / "new").write_text(str(status), "ascii")
        (self._folder / "new").rename(self._folder / "status")

    def requests(self, path: str = "/pantau") -> list[WebhookRequest]:
        """Those to one path, in the order in which they came."""
        lines = (self._folder / "requests").read_text("utf-8").splitlines()
        every = [WebhookRequest(**json.loads(line)) for line in lines]
        return [request for request in every if request.path == path]

    def accepted(self) -> list[tuple[str, list[str]]]:
        """The messages that were accepted: event and targets."""
        return [request.told for request in self.requests() if request.status == 200]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
