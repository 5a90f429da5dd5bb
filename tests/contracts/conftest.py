"""The ledgers that are held to the contracts: the fake in memory, and the one in a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from tests.contracts.ledger_pair import LedgerPair
from tests.fakes.ledger import MemoryLedger


@pytest.fixture(scope="session")
def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], SqlLedger]:
    """Opens an empty ledger in a directory; its migrations ran once for all."""
    migrated = tmp_path_factory.mktemp("migrated") / "ledger.db"
    SqlLedger.open(migrated).close()
    return lambda directory: SqlLedger.open(shutil.copy(migrated, directory))


@pytest.fixture(params=["memory", "file"])
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, new_ledger: Callable[[Path], SqlLedger]
) -> Iterator[LedgerPair]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield LedgerPair(memory, memory)
        return
    ledger = new_ledger(tmp_path)
    yield LedgerPair(ledger, SqlLedgerReader.open(tmp_path / "ledger.db"))
    ledger.close()
