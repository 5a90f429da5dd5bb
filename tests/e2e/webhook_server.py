"""Webhook receiver inside the simulated network: `python -m tests.e2e.webhook_server FOLDER`.

Writes its port to FOLDER/port, and each request as a line of FOLDER/requests: time, path,
headers, body. It answers with the status in FOLDER/status.
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
    """Serve until killed."""

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
    """One request. status: of the response."""

    at_s: float
    path: str
    key: str | None
    status: int
    body: dict[str, Any] | None

    @property
    def summary(self) -> tuple[str, list[str]]:
        """The event and its targets, sorted."""
        assert self.body is not None
        documents = self.body["incidents"] or [self.body["incident"]]
        return self.body["event"], sorted(document["target"] for document in documents)


class WebhookServer:
    """Starts the server and reads its requests."""

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
        """Set the status of further responses."""
        (self._folder / "new").write_text(str(status), "ascii")
        (self._folder / "new").rename(self._folder / "status")

    def requests(self, path: str = "/pantau") -> list[WebhookRequest]:
        """Requests to one path, in order."""
        lines = (self._folder / "requests").read_text("utf-8").splitlines()
        every = [WebhookRequest(**json.loads(line)) for line in lines]
        return [request for request in every if request.path == path]

    def accepted(self) -> list[tuple[str, list[str]]]:
        """Event and targets of the accepted messages."""
        return [request.summary for request in self.requests() if request.status == 200]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
