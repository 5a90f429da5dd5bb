"""One network for all tests of the ICMP adapter in a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.icmp.network import VethNetwork


@pytest.fixture(scope="session")
def network() -> Iterator[VethNetwork]:
    made = VethNetwork()
    yield made
    made.close()
