"""The ledgers that are held to the contracts: the fake in memory, and the one in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from tests.contracts.ledger_pair import LedgerPair
from tests.fakes.ledger import MemoryLedger


@pytest.fixture(params=["memory", "file"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerPair]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield LedgerPair(memory, memory)
        return
    path = tmp_path / "ledger.db"
    ledger = SqlLedger.open(path)
    yield LedgerPair(ledger, SqlLedgerReader.open(path))
    ledger.close()
