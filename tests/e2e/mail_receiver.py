"""SMTP receiver inside the simulated network: `python -m tests.e2e.mail_receiver FOLDER`.

Writes its port to FOLDER/port, and each mail as a line of FOLDER/mails: time, Message-ID, subject,
text.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.fakes.smtp import MailServer
from tests.waiting import eventually


class RecordingMailServer(MailServer):
    """A `MailServer` that writes what it accepts to a file."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        mail = self.mails[-1]
        assert isinstance(mail, EmailMessage)
        part = mail.get_body(("plain",))
        record = {
            "at_s": time.time(),
            "id": mail["Message-ID"],
            "subject": str(mail["Subject"]),
            "text": "" if part is None else part.get_content(),
        }
        with (self._folder / "mails").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        return answer


class MailReceiver:
    """Starts the receiver and reads its mails. url: an Apprise address of it."""

    def __init__(self, simulated: SimulatedDaemon, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        (folder / "mails").touch()
        command = [sys.executable, "-m", "tests.e2e.mail_receiver", str(folder)]
        self._process = subprocess.Popen(simulated.simulation.inside(command))
        eventually((folder / "port").exists, 20)
        port = (folder / "port").read_text("ascii")
        self.url = f"mailto://127.0.0.1:{port}?from=pantau@noc.example&to=ani@noc.example"

    def mails(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._folder / "mails").read_text().splitlines()]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


async def serve(folder: Path) -> None:
    async with RecordingMailServer(folder) as server:
        (folder / "port.new").write_text(str(server.port), "ascii")
        (folder / "port.new").rename(folder / "port")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
