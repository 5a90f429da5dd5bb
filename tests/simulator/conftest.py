"""One made-up network for all tests that do not need one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.simulator.network import SimulatedNetwork, simulate_network
from monitor.simulator.simulation import Simulation
from tests.simulator.networks import COMMUNITIES, small_network


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """The small network on a quiet day. Whoever breaks something in it restores it."""
    work = tmp_path_factory.mktemp("sim")
    with Simulation.start(
        small_network(), "quiet", work_dir=work, communities=COMMUNITIES
    ) as simulation:
        yield simulation


@pytest.fixture
def simulation(shared: Simulation) -> Iterator[Simulation]:
    """The same, with everything restored afterwards."""
    yield shared
    shared.control.restore("all")


@pytest.fixture
def net() -> SimulatedNetwork:
    """The small network as it is simulated."""
    return simulate_network(small_network())
