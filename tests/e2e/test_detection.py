"""Detection of outages by a daemon on the simulated network, compared with its change log."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from monitor.core.model import IncidentEvidence
from tests.e2e.simulated_daemon import SimulatedDaemon
from tests.waiting import eventually

LINK = "anjatan/utama"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedDaemon]:
    with SimulatedDaemon(tmp_path_factory.mktemp("v")) as simulated:
        simulated.start()
        eventually(simulated.settled, 30)
        yield simulated


@pytest.fixture(autouse=True)
def restored(simulated: SimulatedDaemon) -> Iterator[None]:
    yield
    simulated.simulation.control.restore()
    eventually(simulated.all_up, 30)


def test_all_31_sites_have_the_simulated_rtt(simulated: SimulatedDaemon) -> None:
    document = simulated.status()
    assert document["stale"] is False
    sites = document["sites"]
    assert isinstance(sites, list)
    assert len(sites) == 31
    for site in sites:
        for link in site["links"]:
            script = simulated.simulation.normal_behaviour(link["target"])
            slack_ms = 3.0 + 3 * script.jitter_ms
            assert link["rtt_ms"] == pytest.approx(script.delay_ms, abs=slack_ms), link


def test_a_cut_is_detected_in_time_with_correct_start_and_end(
    simulated: SimulatedDaemon,
) -> None:
    cut = simulated.simulation.control.cut(LINK)
    eventually(lambda: simulated.states()[LINK] == "down", 15)
    # The state changes first; the ledger follows a transaction later.
    (incident,) = eventually(
        lambda: [i for i in simulated.incidents() if i.target == LINK and i.ended_s is None], 5
    )
    assert -0.2 <= incident.started_s - cut.utc_s <= 1.2
    assert incident.detected_s - incident.started_s <= 7.0
    assert simulated.states()["anjatan"] == "degraded"
    _check_path(simulated, incident.id)
    back = simulated.simulation.control.restore(LINK)
    eventually(lambda: simulated.states()[LINK] == "up", 15)
    (closed,) = eventually(
        lambda: [i for i in simulated.incidents() if i.id == incident.id and i.ended_s is not None],
        5,
    )
    assert closed.ended_s is not None
    assert 0.0 <= closed.ended_s - back.utc_s <= 1.3


def _check_path(simulated: SimulatedDaemon, incident: int) -> None:
    """Where it broke is known while the first message still waits (15 s), and is shown."""
    patrol = next(n.address for n in simulated.simulation.network.nodes if n.id == "pop-patrol")

    def evidence() -> IncidentEvidence | None:
        return next(
            (i.evidence for i in simulated.incidents() if i.id == incident and i.evidence.path),
            None,
        )

    found = eventually(evidence, 10)
    assert found is not None
    assert found.path is not None
    assert found.path.last is not None
    assert (found.path.last.address, found.path.last.name) == (patrol, "PoP Patrol")
    shown = subprocess.run(
        simulated.command("incidents", str(incident)),
        capture_output=True,
        text=True,
        check=True,
        env=simulated.environ,
    ).stdout
    assert f"Jejak jalur: terakhir menjawab: {patrol} PoP Patrol (lompatan" in shown
    assert f"{patrol} PoP Patrol" in shown.split("Lompatan, ")[1]


def test_a_cut_node_is_one_incident_that_lists_its_links(simulated: SimulatedDaemon) -> None:
    before = {i.id for i in simulated.incidents()}
    simulated.simulation.control.pop_down("pop-karangampel")
    links = {
        link.name
        for link in simulated.simulation.network.links()
        if link.via == ("pop-karangampel",)
    }
    assert len(links) >= 3
    eventually(lambda: all(simulated.states()[name] == "unreachable" for name in links), 25)
    eventually(
        lambda: [set(i.affected) for i in simulated.incidents() if i.id not in before] == [links], 5
    )
    new = [i for i in simulated.incidents() if i.id not in before]
    assert [i.target for i in new] == ["pop-karangampel"]


@pytest.mark.full
def test_a_link_still_silent_when_its_node_is_back_is_down_within_eight_seconds(
    simulated: SimulatedDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    control = simulated.simulation.control
    pop = "pop-karangampel"
    link = next(k.name for k in simulated.simulation.network.links() if k.via == (pop,))
    fallen = control.pop_down(pop, for_s=40.0)
    control.cut(link)
    eventually(lambda: simulated.states()[link] == "unreachable", 30)
    back_s = fallen.utc_s + 40.0
    (own,) = eventually(
        lambda: [i for i in simulated.incidents() if i.target == link and i.ended_s is None], 70
    )
    with capsys.disabled():
        print(f"\nnode back to DOWN of its link: {own.detected_s - back_s:.1f} s")
    assert own.started_s >= back_s - 0.1
    assert own.detected_s - own.started_s <= 7.5
    assert own.detected_s - back_s <= 8.5


def test_uplink_loss_is_an_incident_of_the_monitor_and_no_outage(
    simulated: SimulatedDaemon,
) -> None:
    before = {i.id for i in simulated.incidents()}
    cut = simulated.simulation.control.uplink_cut()
    eventually(lambda: simulated.states()[LINK] == "unknown", 20)
    new = eventually(lambda: [i for i in simulated.incidents() if i.id not in before], 5)
    assert [(i.scope.value, i.state.value) for i in new] == [("monitor", "unknown")]
    assert -0.2 <= new[0].started_s - cut.utc_s <= 1.2
    assert set(simulated.states().values()) == {"unknown"}
    simulated.simulation.control.restore()
    eventually(simulated.all_up, 20)
    assert [i.target for i in simulated.incidents() if i.id not in before] == ["monitor"]


def test_routers_are_polled_and_traffic_has_a_rate(simulated: SimulatedDaemon) -> None:
    def has_rate() -> bool:
        return any(s.in_bps is not None for s in simulated.journal().latest_interfaces("anjatan"))

    eventually(has_rate, 60)
