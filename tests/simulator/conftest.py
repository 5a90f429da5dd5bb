"""One simulated network for all tests that do not need their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.simulator.network import SimulatedNetwork, simulate_network
from monitor.simulator.simulation import Simulation
from tests.simulator.networks import COMMUNITIES, small_network


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """The small network without faults. Tests restore what they change."""
    work = tmp_path_factory.mktemp("sim")
    with Simulation.start(
        small_network(), "quiet", work_dir=work, communities=COMMUNITIES
    ) as simulation:
        yield simulation


@pytest.fixture
def simulation(shared: Simulation) -> Iterator[Simulation]:
    """The network of the session; every fault is ended after the test."""
    yield shared
    shared.control.restore("all")


@pytest.fixture
def net() -> SimulatedNetwork:
    """The small network in its simulated form."""
    return simulate_network(small_network())
