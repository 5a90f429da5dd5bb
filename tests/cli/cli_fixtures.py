"""A configuration and a ledger on disk for the commands to work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from monitor.adapters.ledger.writer import SqlLedger
from monitor.cli.main import pantau
from monitor.core.model import (
    ChangeKind,
    Incident,
    IncidentChange,
    IncidentEvidence,
    Scope,
    State,
    Transition,
)

T0 = 1_764_000_000.0

MONITOR = """
[monitor]
organisation = "Diskominfo"
timezone = "Asia/Jakarta"
data_dir = "data"
"""
NETWORK = """
anchors = ["10.77.0.1"]
[[nodes]]
id = "pop-patrol"
name = "PoP Patrol"
address = "10.77.0.11"
"""
SITE = """
id = "anjatan"
name = "Anjatan"
code = "32.12.23"
[[links]]
id = "utama"
address = "10.77.23.1"
kind = "fibre"
via = "pop-patrol"
[[links]]
id = "cadangan"
address = "10.77.23.2"
kind = "lte"
"""


@dataclass(frozen=True)
class CliConfig:
    """A configuration directory with its data."""

    config: Path

    @property
    def data(self) -> Path:
        return self.config / "data"

    def run(self, *words: str) -> Result:
        """`pantau …` with this configuration."""
        return CliRunner().invoke(pantau, [words[0], "--config", str(self.config), *words[1:]])


def make_config(directory: Path) -> CliConfig:
    """Two links and a PoP; no daemon, no ledger yet."""
    (directory / "sites").mkdir()
    (directory / "data").mkdir()
    (directory / "monitor.toml").write_text(MONITOR)
    (directory / "network.toml").write_text(NETWORK)
    (directory / "alerts.toml").write_text("")
    (directory / "sites" / "anjatan.toml").write_text(SITE)
    return CliConfig(directory)


def add_ledger(at: CliConfig) -> CliConfig:
    """The daemon ran once: the main link is down, an earlier outage is over."""
    ledger = SqlLedger.open(at.data / "ledger.db")
    over = Incident(
        1, Scope.LINK, "anjatan/cadangan", State.DOWN, T0, T0 + 6, "silence", ended_s=T0 + 240
    )
    cut = Incident(
        2,
        Scope.LINK,
        "anjatan/utama",
        State.DOWN,
        T0 + 600,
        T0 + 606,
        "silence",
        IncidentEvidence(lost_in_row=22, loss_before=0.0, silence_s=5.2),
    )
    ledger.record(
        [
            Transition("anjatan/cadangan", T0, T0, State.UNKNOWN, State.UP, "first_reply"),
            IncidentChange(ChangeKind.OPENED, over, T0 + 240),
            IncidentChange(ChangeKind.CLOSED, over, T0 + 241),
            Transition("anjatan/utama", T0 + 600, T0 + 606, State.UP, State.DOWN, "silence"),
            IncidentChange(ChangeKind.OPENED, cut, T0 + 606),
        ]
    )
    ledger.record_alive(T0 + 700)
    ledger.close()
    return at
