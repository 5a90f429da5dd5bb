"""The way to each simulated address: "time exceeded" from the nodes on it, seen by `ping -t`."""

from __future__ import annotations

import re
import subprocess

import pytest

from monitor.core.errors import SimulatorError
from monitor.simulator.network import SimulatedNetwork
from monitor.simulator.scenario import check_names, parse_fault
from monitor.simulator.simulation import Simulation
from tests.simulator.tools import tool

UTAMA, CADANGAN = ("anjatan/utama", "10.77.23.1"), ("anjatan/cadangan", "10.77.23.2")
INTI, PATROL, HAURGEULIS = "10.77.0.10", "10.77.0.14", "10.77.0.15"


def asked(simulation: Simulation, address: str, *ttls: int) -> list[str]:
    """Who answers a request of each TTL, all asked at once: an address, or `*`."""
    words = [tool("ping"), "-n", "-c1", "-W1"]
    running = [
        subprocess.Popen(
            simulation.inside([*words, f"-t{ttl}", address]), stdout=subprocess.PIPE, text=True
        )
        for ttl in ttls
    ]
    texts = [process.communicate(timeout=20)[0] for process in running]
    found = []
    for text in texts:
        match = re.search(r"^From (\S+) .*Time to live exceeded|bytes from (\S+):", text, re.M)
        found.append("*" if match is None else match[1] or match[2])
    return found


def test_each_node_on_the_way_answers_for_its_ttl(simulation: Simulation) -> None:
    assert asked(simulation, UTAMA[1], 1, 2, 3) == [INTI, PATROL, UTAMA[1]]
    assert asked(simulation, PATROL, 1, 2) == [INTI, PATROL]


@pytest.mark.parametrize(
    ("what", "where", "answers"),
    [
        ("cut", "anjatan/utama", [INTI, PATROL, "*"]),
        ("pop-down", "pop-patrol", [INTI, "*", "*"]),
        ("pop-down", "inti", ["*", "*", "*"]),
        ("ttl-silent", "pop-patrol", [INTI, "*", UTAMA[1]]),
        ("uplink-cut", "uplink", ["*", "*", "*"]),
    ],
)
def test_a_fault_ends_or_hides_the_way(
    simulation: Simulation, what: str, where: str, answers: list[str]
) -> None:
    simulation.control.fault(what, where)
    assert asked(simulation, UTAMA[1], 1, 2, 3) == answers


def test_another_parent_carries_a_rerouted_link_and_one_whose_parent_is_down(
    simulation: Simulation,
) -> None:
    assert asked(simulation, CADANGAN[1], 2) == [PATROL]
    simulation.control.fault("reroute", CADANGAN[0])
    assert asked(simulation, CADANGAN[1], 2) == [HAURGEULIS]
    simulation.control.restore(CADANGAN[0])
    simulation.control.pop_down("pop-patrol")
    assert asked(simulation, CADANGAN[1], 2, 3) == [HAURGEULIS, CADANGAN[1]]


def test_a_router_answers_for_so_many_ttls_a_second(simulation: Simulation) -> None:
    simulation.control.fault("ttl-limited", "inti", per_s=0.2)
    before = simulation.control.counters().targets["inti"].expired
    assert sorted(asked(simulation, UTAMA[1], 1, 1, 1)).count("*") == 2
    assert simulation.control.counters().targets["inti"].expired == before + 1


def test_the_way_to_an_address_leads_over_its_first_parent_that_stands(
    net: SimulatedNetwork,
) -> None:
    assert net.path_to(CADANGAN[0]) == ("inti", "pop-patrol")
    assert net.path_to(CADANGAN[0], cut={"pop-patrol"}) == ("inti", "pop-haurgeulis")
    assert net.path_to(CADANGAN[0], rerouted={CADANGAN[0]}) == ("inti", "pop-haurgeulis")
    assert net.path_to("inti") == ()


def test_only_what_has_two_parents_can_be_rerouted(net: SimulatedNetwork) -> None:
    with pytest.raises(SimulatorError, match=r"'anjatan/utama' hangs on one node only"):
        check_names(parse_fault({"what": "reroute", "where": "anjatan/utama"}), net)
