"""A real daemon on a disk that fills, with a cut before, during and after; prints who heard what.

unshare --mount python -m tests.e2e.disk_that_fills DIRECTORY once|rate|inodes [kill]
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.core.alerting.model import OutboxStatus
from monitor.core.alerting.outbox import row_key
from monitor.core.alerting.unrecorded import MARKS
from monitor.core.errors import ApiError, PantauError
from tests.e2e.mail_receiver import MailReceiver
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.e2e.webhook_server import WebhookServer
from tests.waiting import eventually

BEFORE, DURING, AFTER = "anjatan/utama", "bongas/utama", "cikedung/utama"
MARK = MARKS["id"]
WORDS = {"opened": ("PUTUS:", "KANTOR GELAP:"), "resolved": ("PULIH:",)}
SIZES = {
    "once": "size=64m",
    "rate": "size=100m",
    "inodes": "size=64m,nr_inodes=60",
}
ALERTS = """
[[channels]]
id = "webhook"
type = "webhook"
address = "{url}/pantau"
[[channels]]
id = "surel"
type = "apprise"
url = "surel"
[[routes]]
steps = [{{ after_min = 0, to = ["channel:webhook", "channel:surel"] }}]
[rules]
hold_s = 2
[heartbeat]
url = "detak"
"""


class Filler:
    """Fills the disk from a thread, and again whenever something becomes free."""

    def __init__(self, disk: Path, kind: str) -> None:
        self.full_s: float | None = None
        self._disk = disk
        self._kind = kind
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, and give all of it back."""
        self._ended.set()
        self._thread.join()
        for file in self._disk.glob("filler*"):
            file.unlink()

    def _run(self) -> None:
        number = 0
        with (self._disk / "filler").open("ab", buffering=0) as file:
            while not self._ended.is_set():
                number += 1
                try:
                    if self._kind == "inodes":
                        (self._disk / f"filler-{number}").touch()
                    else:
                        file.write(bytes(65_536))
                except OSError:
                    if self.full_s is None:
                        self.full_s = time.time()
                    self._ended.wait(0.02)
                else:
                    if self._kind == "rate":
                        self._ended.wait(65_536 / 1e6)


@dataclass(frozen=True)
class Heard:
    """One message. at_s: since the filling began."""

    at_s: float
    channel: str
    what: str
    from_memory: bool
    key: str


class DiskRun:
    """One run of the scenario."""

    def __init__(self, simulated: SimulatedDaemon, kind: str, kill: bool) -> None:
        self.simulated = simulated
        self.control = simulated.simulation.control
        self.kind = kind
        self.kill = kill
        work = simulated.work
        self.webhook = WebhookServer(simulated, work / "webhook")
        self.mail = MailReceiver(simulated, work / "mail")
        self.events: list[tuple[float, str]] = []
        self.environ = {
            "PANTAU_SECRET_SUREL": self.mail.url,
            "PANTAU_SECRET_DETAK": f"{self.webhook.url}/beat",
        }
        (simulated.config / "alerts.toml").write_text(ALERTS.format(url=self.webhook.url))

    def close(self) -> None:
        self.webhook.close()
        self.mail.close()

    def note(self, what: str) -> None:
        self.events.append((time.time(), what))

    def heard(self, since_s: float = 0.0) -> list[Heard]:
        found = [
            Heard(
                round(request.at_s - since_s, 1),
                "webhook",
                f"{request.body['event']}: {request.body['title']}",
                not request.body["recorded"],
                str(request.key),
            )
            for request in self.webhook.requests()
            if request.body is not None
        ]
        found += [
            Heard(
                round(mail["at_s"] - since_s, 1),
                "surel",
                mail["subject"],
                MARK in mail["text"],
                str(mail["id"]).strip("<>").partition("@")[0],
            )
            for mail in self.mail.mails()
        ]
        return sorted(found, key=lambda each: each.at_s)

    def told(self, event: str, target: str) -> bool:
        """Whether both channels have heard of it."""
        requests = [r for r in self.webhook.requests() if r.body is not None and r.body["incident"]]
        by_hook = [
            r
            for r in requests
            if r.body is not None
            and r.body["event"] == event
            and r.body["incident"]["target"] == target
        ]
        site = target.partition("/")[0].capitalize()
        by_mail = [
            mail
            for mail in self.mail.mails()
            if site in mail["subject"] and any(word in mail["subject"] for word in WORDS[event])
        ]
        return bool(by_hook) and bool(by_mail)

    def warnings(self) -> list[str]:
        with suppress(ApiError):
            monitor = LocalApiClient(self.simulated.data).get("/state")["monitor"]
            assert isinstance(monitor, dict)
            return [str(each["kind"]) for each in monitor["remarks"]]
        return []

    def run(self) -> dict[str, Any]:
        disk = self.simulated.data
        self.simulated.start(environ=self.environ)
        eventually(self.simulated.settled, 60)
        eventually(lambda: self.webhook.requests("/beat"), 90)
        self.note("cut before")
        self.control.cut(BEFORE)
        eventually(lambda: self.told("opened", BEFORE), 40)
        filler = Filler(disk, self.kind)
        began_s = time.time()
        self.note("filling begins")
        filler.start()
        try:
            low = eventually(lambda: [k for k in self.warnings() if k.startswith("disk_")], 200)
            self.note(f"status warns: {low[0]}")
            eventually(lambda: filler.full_s, 300)
            if self.kind != "inodes":
                eventually(lambda: "ledger" in self.warnings(), 200)
                self.note("status warns: ledger")
            full_s = filler.full_s or 0.0
            self.events.append((full_s, "disk full"))
            self.note("cut during")
            self.control.cut(DURING)
            eventually(lambda: self.told("opened", DURING), 40)
            self.note("restore the one before")
            self.control.restore(BEFORE)
            eventually(lambda: self.told("resolved", BEFORE), 40)
            if self.kind != "inodes":
                eventually(lambda: any("dapat dicatat" in h.what for h in self.heard()), 60)
            beats_full = len(self.webhook.requests("/beat"))
            if self.kill:
                self.note("kill -9 while full")
                self.simulated.kill()
                self.simulated.start(environ=self.environ)
                self.note("started again while full")
                eventually(lambda: self.simulated.states().get(DURING) == "down", 40)
            eventually(lambda: len(self.webhook.requests("/beat")) > beats_full, 150)
            self.note("heartbeat while full")
        finally:
            filler.stop()
        freed_s = time.time()
        self.note("space again")
        eventually(lambda: "ledger" not in self.warnings(), 60)
        self.note("cut after")
        self.control.cut(AFTER)
        eventually(lambda: self.told("opened", AFTER), 60)
        self.control.restore()
        eventually(lambda: self.told("resolved", DURING) and self.told("resolved", AFTER), 60)
        eventually(self.is_recorded, 120)
        return self.report(began_s, freed_s)

    def is_recorded(self) -> bool:
        with suppress(PantauError):
            rows = self.ledger().outbox()
            return all(row.status is OutboxStatus.SENT for row in rows)
        return False

    def ledger(self) -> SqlLedgerReader:
        return SqlLedgerReader.open(self.simulated.data / "ledger.db")

    def report(self, began_s: float, freed_s: float) -> dict[str, Any]:
        rows = self.ledger().outbox()
        kept = Counter(row_key(row) for row in rows)
        hook_keys = Counter(each.key for each in self.heard() if each.channel == "webhook")
        hook_rows = [row_key(row) for row in rows if row.channel == "webhook"]
        incidents = self.ledger().incidents()
        about: dict[str, set[str]] = {}
        for request in self.webhook.requests():
            if request.body is not None:
                target = (request.body["incident"] or {}).get("target")
                said = f"{request.body['event']} {target or request.body['title']}"
                about.setdefault(str(request.key), set()).add(said)
        return {
            "events": [(round(at_s - began_s, 1), what) for at_s, what in sorted(self.events)],
            "heard": [asdict(each) for each in self.heard(began_s)],
            "freed_s": round(freed_s - began_s, 1),
            "repeated": sum(count - 1 for count in hook_keys.values()),
            "not_recorded": sorted(set(hook_keys) - set(kept)),
            "not_heard": sorted(set(hook_rows) - set(hook_keys)),
            "keys_of_two": [sorted(said) for said in about.values() if len(said) > 1],
            "incidents": [
                (each.target, each.state.value, each.ended_s is not None) for each in incidents
            ],
            "rows": [(r.id, r.incident, r.event.value, r.channel, r.status.value) for r in rows],
            "beats": [round(r.at_s - began_s, 1) for r in self.webhook.requests("/beat")],
            "log": [
                line
                for line in self.simulated.log().splitlines()
                if "ERROR" in line or "Traceback" in line
            ][:40],
        }


def main(work: Path, kind: str, kill: bool) -> None:
    data = work / "data"
    data.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", SIZES[kind], "tmpfs", str(data)], check=True)
    with SimulatedDaemon(work, extra="") as simulated:
        run = DiskRun(simulated, kind, kill)
        try:
            print(json.dumps(run.run(), ensure_ascii=False))
        except AssertionError as error:
            heard = "\n".join(f"{each.at_s} {each.channel} {each.what}" for each in run.heard())
            raise AssertionError(
                f"{error}\n{run.events}\n{heard}\n{run.warnings()}\n{simulated.log()[-4000:]}"
            ) from error
        finally:
            run.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "kill" in sys.argv[3:])
