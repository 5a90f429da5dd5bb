"""Where it broke: a real daemon traces real packets through the simulated network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.core.paths.model import FindingKind, PathBaseline, PathFinding
from monitor.simulator.network import simulate_network
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.waiting import eventually

LINK, SPARE = "anjatan/utama", "anjatan/cadangan"
INTI, PATROL, HAURGEULIS = "10.77.0.10", "10.77.0.14", "10.77.0.15"


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedDaemon]:
    with SimulatedDaemon(tmp_path) as made:
        yield made


def ledger(simulated: SimulatedDaemon) -> SqlLedgerReader:
    return SqlLedgerReader.open(simulated.data / "ledger.db")


def finding(simulated: SimulatedDaemon, target: str) -> PathFinding:
    """Of the open incident of a target, as soon as its trace is made."""

    def found() -> list[PathFinding]:
        return [
            incident.evidence.path
            for incident in simulated.incidents()
            if incident.target == target
            and incident.ended_s is None
            and incident.evidence.path is not None
        ]

    return eventually(found, 40)[0]


def baseline_of(simulated: SimulatedDaemon, target: str) -> PathBaseline | None:
    every = {each.target: each for each in ledger(simulated).path_baselines()}
    return every.get(target)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_cuts_at_each_hop_silent_routers_and_a_path_that_changes(
    simulated: SimulatedDaemon,
) -> None:
    control = simulated.simulation.control
    control.fault("ttl-silent", "pop-kandanghaur")
    simulated.start()
    names = {link.name for link in simulated.simulation.network.links()}
    # First usual paths: one every 5 s.
    eventually(lambda: names <= {b.target for b in ledger(simulated).path_baselines()}, 500)
    found = {each.target: each for each in ledger(simulated).path_baselines()}
    net = simulate_network(simulated.simulation.network)
    hidden = net.addresses["pop-kandanghaur"].address
    for target in (LINK, "losarang/utama", "jatibarang/utama"):
        way = [net.addresses[name].address for name in (*net.path_to(target), target)]
        expected = [None if address == hidden else address for address in way]
        assert [hop.address for hop in found[target].hops] == expected

    def cut(what: str, where: str, target: str) -> PathFinding:
        control.fault(what, where)
        path = finding(simulated, target)
        control.restore(where)
        eventually(lambda: simulated.states()[target] == "up", 30)
        return path

    # At each hop; pop-kandanghaur stands before pop-patrol and losarang, and says nothing.
    cases: list[tuple[str, str, FindingKind, str | None]] = [
        ("cut", LINK, FindingKind.BEFORE_TARGET, PATROL),
        ("pop-down", "pop-patrol", FindingKind.UNPROVEN, INTI),
        ("pop-down", "pop-jatibarang", FindingKind.BEFORE_TARGET, INTI),
        ("cut", "losarang/utama", FindingKind.UNPROVEN, INTI),
        ("pop-down", "inti", FindingKind.DIRECT, None),
    ]
    for what, where, kind, last in cases:
        path = cut(what, where, where)
        print(f"{what} {where}: {path.kind}, last {path.last}, usually {path.usual_hops} hops")
        assert (path.kind, path.last and path.last.address) == (kind, last), where
    # Another way to the spare link while it is up; the trace after its outage finds it.
    control.fault("reroute", SPARE)
    cut("cut", SPARE, SPARE)

    def changed() -> bool:
        control_path = baseline_of(simulated, SPARE)
        return control_path is not None and control_path.changed_s is not None

    control.fault("reroute", SPARE)
    eventually(changed, 200)
    control.cut(SPARE)
    path = finding(simulated, SPARE)
    assert path.changed_s is not None
    assert path.last is not None
    assert path.last.address == HAURGEULIS
