"""Mail, Telegram and webhook receivers in the simulated network: `python -m … FOLDER`.

A real SMTP server and an HTTP server on loopback. Writes its ports to FOLDER/ports, and each
message that it accepts as a line of FOLDER/messages: channel, time, text. It answers after up to
0.3 s, so that a kill may fall between the message and its answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from monitor.simulator.simulation import Simulation
from tests.fakes.smtp import MailServer
from tests.waiting import eventually

TOKEN = "123456:ABCDEF-kill"
SLOWEST_S = 0.3


@dataclass(frozen=True)
class ReceivedMessage:
    """One message that a channel's receiver accepted (Unix time)."""

    channel: str
    at_s: float
    text: str


class ThreeReceivers:
    """Starts the servers and reads what they received."""

    def __init__(self, simulation: Simulation, folder: Path) -> None:
        folder.mkdir()
        self._messages = folder / "messages"
        self._messages.touch()
        command = [sys.executable, "-m", "tests.e2e.three_receivers", str(folder)]
        self._process = subprocess.Popen(simulation.inside(command))
        eventually((folder / "ports").exists, 30)
        self.http_port, self.mail_port = json.loads((folder / "ports").read_text("ascii"))

    @property
    def alerts(self) -> str:
        """alerts.toml: everything goes to all three."""
        http = f"http://127.0.0.1:{self.http_port}"
        return f"""
[[channels]]
id = "webhook"
type = "webhook"
address = "{http}/webhook"
[[channels]]
id = "telegram"
type = "telegram"
url = "telegram"
address = "{http}"
[[channels]]
id = "mail"
type = "apprise"
url = "mail"
[[routes]]
steps = [{{ after_min = 0, to = ["channel:webhook", "channel:telegram", "channel:mail"] }}]
"""

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "PANTAU_SECRET_TELEGRAM": f"tgram://{TOKEN}/-100123",
            "PANTAU_SECRET_MAIL": f"mailto://127.0.0.1:{self.mail_port}"
            "?from=pantau@noc.example&to=ani@noc.example",
        }

    def messages(self) -> list[ReceivedMessage]:
        lines = self._messages.read_text("utf-8").splitlines()
        return [ReceivedMessage(**json.loads(line)) for line in lines]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class _Journal:
    """Appends what is received."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "messages").open("a", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()

    def add(self, channel: str, text: str) -> None:
        line = json.dumps({"channel": channel, "at_s": time.time(), "text": text})
        with self._lock:
            self._file.write(line + "\n")


class _RecordingMail(MailServer):
    def __init__(self, journal: _Journal) -> None:
        super().__init__()
        self._journal = journal

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self._journal.add("mail", mail.get_content())
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0, SLOWEST_S)):
                await asyncio.Event().wait()
        return "250 OK"


def _http_server(journal: _Journal) -> ThreadingHTTPServer:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            if self.path == "/webhook" or self.path.endswith("/sendMessage"):
                journal.add("webhook" if self.path == "/webhook" else "telegram", body["text"])
            threading.Event().wait(random.uniform(0, SLOWEST_S))
            answer = b'{"ok": true, "result": {"message_id": 1}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return

    return ThreadingHTTPServer(("127.0.0.1", 0), Answer)


async def _serve(folder: Path) -> None:
    journal = _Journal(folder)
    http = _http_server(journal)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    async with _RecordingMail(journal) as mail:
        (folder / "new").write_text(json.dumps([http.server_port, mail.port]), "ascii")
        (folder / "new").rename(folder / "ports")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
