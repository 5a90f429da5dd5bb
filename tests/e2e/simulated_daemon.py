"""A real daemon on the simulated network: real ICMP and SNMP, files and signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from monitor.adapters.journal import JournalReader
from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.system.local_api_client import LocalApiClient
from monitor.cli.demo_config import write_demo_config
from monitor.core.errors import ApiError
from monitor.core.model import Incident
from monitor.simulator.simulation import Simulation
from tests.waiting import eventually

SHIPPED = Path(__file__).resolve().parents[2] / "config"
COMMUNITY = "uji"
QUICKER = {"record_s = 10 ": "record_s = 2 ", "interval_s = 60 ": "interval_s = 10 "}
"""Shorter periods for tests."""
SETTLED_S = 10.0
PANTAU = (sys.executable, "-m", "monitor")


@dataclass
class SimulatedDaemon:
    """A simulated network, and a daemon that can be started, killed and restarted."""

    work: Path
    scenario: str = "quiet"
    extra: str = ""
    simulation: Simulation = field(init=False)
    daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SimulatedDaemon:
        self.config = write_demo_config(SHIPPED, self.work)
        monitor = self.config / "monitor.toml"
        text = monitor.read_text()
        for shipped, quicker in QUICKER.items():
            assert shipped in text
            text = text.replace(shipped, quicker)
        monitor.write_text(text + self.extra)
        self.data = self.work / "data"
        self.simulation = Simulation.start(
            self.config, self.scenario, work_dir=self.work, communities={"router-ro": COMMUNITY}
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        self.simulation.stop()

    @property
    def environ(self) -> dict[str, str]:
        return os.environ | {"PANTAU_SECRET_ROUTER_RO": COMMUNITY}

    def command(self, *words: str) -> list[str]:
        """`pantau …` inside the simulated network, with this configuration."""
        return self.simulation.inside([*PANTAU, words[0], "--config", str(self.config), *words[1:]])

    def start(
        self,
        wrap: Iterable[str] = (),
        environ: Mapping[str, str] | None = None,
        within_s: float = 30.0,
    ) -> None:
        """Start the daemon and wait until its API answers."""
        command = self.command("run")
        if wrap:
            command = self.simulation.inside([*wrap, *PANTAU, "run", "--config", str(self.config)])
        with (self.work / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environ | dict(environ or {})
            )
        eventually(self.answers, within_s)

    def answers(self) -> bool:
        assert self.daemon is not None
        if self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended:\n{self.log()[-3000:]}")
        try:
            LocalApiClient(self.data).get("/state")
        except ApiError:
            return False
        return True

    def started_s(self) -> float:
        """When the daemon's process began (Unix time)."""
        assert self.daemon is not None
        return Path(f"/proc/{self.daemon.pid}").stat().st_ctime

    def log(self) -> str:
        return (self.work / "daemon.log").read_text(errors="replace")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self.daemon is not None
        self.daemon.send_signal(number)
        return self.daemon.wait(60)

    def status(self) -> dict[str, object]:
        """What `pantau status --json` prints."""
        answer = subprocess.run(
            [*PANTAU, "status", "--config", str(self.config), "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=self.environ,
        )
        document = json.loads(answer.stdout)
        assert isinstance(document, dict)
        return document

    def states(self) -> dict[str, str]:
        """Current state of every link, node and site, by name."""
        document = LocalApiClient(self.data).get("/state")
        found: dict[str, str] = {}
        for site in dicts(document["sites"]):
            found[str(site["id"])] = str(site["state"])
            found |= {str(link["target"]): str(link["state"]) for link in dicts(site["links"])}
        return found | {
            str(node["target"]): str(node["state"]) for node in dicts(document["nodes"])
        }

    def all_up(self) -> bool:
        return set(self.states().values()) == {"up"}

    def settled(self) -> bool:
        """All links are up, and were measured long enough for a cut to be confirmed normally."""
        document = LocalApiClient(self.data).get("/state")
        at = datetime.fromisoformat(str(document["at"]))
        links = [link for site in dicts(document["sites"]) for link in dicts(site["links"])]
        return all(
            link["state"] == "up"
            and (at - datetime.fromisoformat(str(link["since"]))).total_seconds() > SETTLED_S
            for link in links
        )

    def incidents(self) -> list[Incident]:
        return self.ledger().incidents()

    def ledger(self) -> SqlLedgerReader:
        return SqlLedgerReader.open(self.data / "ledger.db")

    def journal(self) -> JournalReader:
        return JournalReader(self.data / "journal")


def dicts(value: object) -> list[dict[str, object]]:
    """A JSON array of objects."""
    assert isinstance(value, list)
    return [item for item in value if isinstance(item, dict)]


def intact(ledger: Path) -> bool:
    """Whether SQLite's integrity check of a database file passes."""
    copy = ledger.with_suffix(".copy")
    shutil.copy(ledger, copy)
    with sqlite3.connect(copy) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
