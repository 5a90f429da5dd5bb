"""Open what commands read while the daemon may be down: the ledger and the on-call configuration.

Separate from `configuration`: importing SQLAlchemy takes a quarter of a second.
"""

from __future__ import annotations

import os
from pathlib import Path

from monitor.adapters.ledger import SqlLedgerReader
from monitor.cli.configuration import load_settings
from monitor.core.alerting.alerting_state import AlertingState
from monitor.settings.quick_settings import read_data_dir


def open_ledger(config: Path) -> SqlLedgerReader:
    """Open the ledger read-only."""
    return SqlLedgerReader.open(read_data_dir(config) / "ledger.db")


def load_alerting_state(config: Path) -> AlertingState:
    """Rotas, routes and recurring maintenance windows of the configuration."""
    settings = load_settings(config, os.environ)
    return AlertingState(settings.alerts, settings.network, settings.timezone)
