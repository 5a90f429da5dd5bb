"""Build a configuration directory and a ledger, and run commands on them."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from click.testing import CliRunner, Result
from rich.console import Console
from rich.table import Table

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
from tests.settings.config_fixtures import ANJATAN, write_config

T0 = 1_764_000_000.0
UTAMA, CADANGAN = "anjatan/utama", "anjatan/cadangan"
NETWORK = 'anchors = ["10.77.0.1"]\n[[nodes]]\nid = "pop-patrol"\naddress = "10.77.0.11"\n'
SITE = f'{ANJATAN}[[links]]\nid = "cadangan"\naddress = "10.77.23.2"\nkind = "lte"\n'


@dataclass(frozen=True)
class CliConfig:
    """A configuration directory with its data directory."""

    config: Path

    @property
    def data(self) -> Path:
        return self.config / "data"

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        """Run `pantau …` with this configuration. typed: standard input."""
        command = [arguments[0], "--config", str(self.config), *arguments[1:]]
        return CliRunner().invoke(pantau, command, input=typed)


def make_config(directory: Path, alerts: str = "", maintenance: str | None = None) -> CliConfig:
    """Two links and a PoP, without a ledger."""
    sites = {"anjatan": SITE}
    return CliConfig(
        write_config(
            directory, network=NETWORK, alerts=alerts, maintenance=maintenance, sites=sites
        )
    )


def add_ledger(to: CliConfig) -> CliConfig:
    """Write a ledger: the main link is down, an earlier outage has ended."""
    evidence = IncidentEvidence(lost_in_row=22, loss_before=0.0, silence_s=5.2)
    over = Incident(1, Scope.LINK, CADANGAN, State.DOWN, T0, T0 + 6, "silence", ended_s=T0 + 240)
    cut = Incident(2, Scope.LINK, UTAMA, State.DOWN, T0 + 600, T0 + 606, "silence", evidence)
    ledger = SqlLedger.open(to.data / "ledger.db")
    ledger.record(
        [
            Transition(CADANGAN, T0, T0, State.UNKNOWN, State.UP, "first_reply"),
            IncidentChange(ChangeKind.OPENED, over, T0 + 240),
            IncidentChange(ChangeKind.CLOSED, over, T0 + 241),
            Transition(UTAMA, T0 + 600, T0 + 606, State.UP, State.DOWN, "silence"),
            IncidentChange(ChangeKind.OPENED, cut, T0 + 606),
        ]
    )
    ledger.record_alive(T0 + 700)
    ledger.close()
    return to


def drawn(table: Table, width: int) -> list[str]:
    """The lines of a table on a terminal of that width."""
    console = Console(width=width, file=StringIO(), markup=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()
