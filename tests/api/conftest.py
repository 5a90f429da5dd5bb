"""A local API on a real socket, over a ledger in memory: incident 2 is open, incident 1 closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.system.local_api_client import LocalApiClient
from tests.api_rig import MemoryApiRig


@pytest.fixture
def rig() -> MemoryApiRig:
    return MemoryApiRig()


@pytest.fixture
async def api(rig: MemoryApiRig, tmp_path: Path) -> AsyncIterator[LocalApiClient]:
    async with rig.serving(tmp_path) as client:
        yield client
