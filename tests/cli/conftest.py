"""Fixtures: a configuration for the commands, with and without a ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.cli_fixtures import CliConfig, add_ledger, make_config


@pytest.fixture
def config(tmp_path: Path) -> CliConfig:
    """Two links and a PoP; no daemon has run yet."""
    return make_config(tmp_path)


@pytest.fixture
def ledger_config(config: CliConfig) -> CliConfig:
    """The same after a daemon has run: the main link is down, an earlier outage has ended."""
    return add_ledger(config)
