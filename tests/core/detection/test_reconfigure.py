"""A reload keeps what stays and closes what leaves; a restart goes on from the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.detection.detector import Detector, close_removed
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    LedgerSnapshot,
    Lost,
    ProbeRules,
    Reply,
    Scope,
    State,
    StoredState,
    Tick,
    Transition,
)
from tests.core.detection.scenario import (
    T0,
    Answer,
    Behaviour,
    Scenario,
    network,
    silent_between,
)

LINK = "s0/utama"
ANCHOR = "anchor:10.79.0.1"


def links(count: int, anchors: int = 1) -> Scenario:
    return Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=anchors))


def all_do(scenario: Scenario, behaviour: Behaviour) -> Scenario:
    for target in scenario.net.targets():
        scenario[target.name] = behaviour
    return scenario


def test_a_link_that_stays_keeps_its_state_and_its_incident() -> None:
    scenario = Scenario(network({"a/utama": (), "b/utama": ()}))
    scenario["a/utama"] = silent_between((20.0, 500.0))
    scenario.run(60)
    detector = scenario.detector
    decisions = detector.reconfigure(network({"a/utama": (), "b/utama": ()}), T0 + 60)
    assert decisions == []
    assert detector.healths["a/utama"].state is State.DOWN
    for i in range(3):
        at = T0 + 61 + i
        decisions = detector.advance([Reply("a/utama", at, at + 0.01, 10.0)])
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert closed.id == scenario.incidents()[0].id
    assert closed.ended_s == T0 + 61


def test_a_link_that_leaves_closes_its_incident_with_the_reason_removed() -> None:
    scenario = Scenario(network({"a/utama": (), "b/utama": ()}))
    scenario["b/utama"] = silent_between((20.0, 500.0))
    scenario.run(60)
    detector = scenario.detector
    decisions = detector.reconfigure(network({"a/utama": ()}), T0 + 60)
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert (closed.target, closed.end_reason, closed.ended_s) == ("b/utama", "removed", T0 + 60)
    (turned,) = [d for d in decisions if isinstance(d, Transition)]
    assert (turned.before, turned.after) == (State.DOWN, State.UNKNOWN)
    assert set(detector.healths) == {"a/utama"}


def test_the_counts_of_silent_targets_stay_true_over_a_reload() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    scenario = Scenario(network(links, anchors=1))
    for name in ("s1/utama", "s2/utama"):
        scenario[name] = silent_between((20.0, 500.0))
    scenario.run(60)
    detector = scenario.detector
    detector.reconfigure(network(links, anchors=1), T0 + 60)
    assert (detector.counts.seen, detector.counts.silent, detector.counts.anchors_seen) == (
        11,
        2,
        1,
    )


def test_anchors_count_after_a_reload() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    net = network(links, anchors=1)
    scenario = Scenario(net).run(60)
    scenario.detector.reconfigure(net, T0 + 60)
    scenario["anchor:10.79.0.1"] = silent_between((80.0, 500.0))
    scenario["s1/utama"] = silent_between((120.0, 500.0))
    scenario.run(160)
    assert [i.target for i in scenario.incidents()] == ["s1/utama"]
    assert scenario.path("anchor:10.79.0.1")[-1] == "down"


def test_stored_times_in_the_future_are_set_back_to_now() -> None:
    """The clock was set back by a day while the daemon was stopped."""
    detector = Detector(network({"a/utama": ()}))
    day_s = 86_400.0
    stored = StoredState("a/utama", State.UP, T0 + day_s)
    detector.restore(LedgerSnapshot((stored,), (), 1, T0 + day_s), now_s=T0)
    decisions = detector.advance([Reply("a/utama", T0 + 30, T0 + 30.01, 9.0)])
    assert [(t.before.value, t.after.value) for t in decisions if isinstance(t, Transition)] == [
        ("up", "unknown"),
        ("unknown", "up"),
    ]
    assert all(t.at_s <= t.detected_s for t in decisions if isinstance(t, Transition))


def test_an_outage_of_a_target_removed_between_runs_ends_at_the_start() -> None:
    scenario = Scenario(network({"a/utama": (), "b/utama": ()}))
    scenario["a/utama"] = scenario["b/utama"] = silent_between((20.0, 500.0))
    scenario.run(60)
    (closed,) = close_removed(network({"a/utama": ()}), scenario.incidents(), T0 + 60)
    assert isinstance(closed, IncidentChange)
    assert (closed.incident.target, closed.incident.end_reason) == ("b/utama", "removed")
    assert (closed.change, closed.incident.ended_s) == (ChangeKind.CLOSED, T0 + 60)
    assert close_removed(network({"a/utama": (), "b/utama": ()}), scenario.incidents(), T0) == []
    (early,) = close_removed(network({"a/utama": ()}), scenario.incidents(), T0)
    assert isinstance(early, IncidentChange)
    assert early.incident.ended_s == early.incident.started_s


def test_the_monitors_own_incident_is_of_no_target_and_stays_open() -> None:
    own = Incident(1, Scope.MONITOR, "monitor", State.UNKNOWN, T0, T0, "silence")
    assert close_removed(network({}), [own], T0 + 60) == []


def test_an_unreachable_link_whose_node_left_is_decided_on_its_own_evidence() -> None:
    scenario = Scenario(network({"a/utama": ("pop",), "b/utama": ("pop",)}, {"pop": ()}))
    for name in ("a/utama", "b/utama", "pop"):
        scenario[name] = silent_between((20.0, 500.0))
    scenario["b/utama"] = silent_between((20.0, 62.0))
    scenario.run(60)
    assert scenario.path("a/utama") == ["up", "unreachable"]
    plain = network({"a/utama": (), "b/utama": ()})
    detector = scenario.detector
    detector.reconfigure(plain, T0 + 60)
    after = Scenario(plain, scenario.behaviours)
    after.detector, after.now = detector, 60.0
    after._queue = [(60.0, "a/utama"), (60.1, "b/utama")]
    after.run(100)
    (incident,) = after.incidents()
    assert (incident.target, incident.state) == ("a/utama", State.DOWN)
    assert incident.started_s == T0 + 60
    assert after.path("a/utama") == ["down"]
    assert after.path("b/utama") == ["up"]


def test_a_link_behind_another_down_node_stays_unreachable_when_one_leaves() -> None:
    scenario = Scenario(network({"a/utama": ("p1", "p2")}, {"p1": (), "p2": ()}))
    for name in ("a/utama", "p1", "p2"):
        scenario[name] = silent_between((20.0, 500.0))
    scenario.run(60)
    detector = scenario.detector
    detector.reconfigure(network({"a/utama": ("p2",)}, {"p1": (), "p2": ()}), T0 + 60)
    assert detector.healths["a/utama"].state is State.UNREACHABLE
    lost = [Lost("a/utama", T0 + 60 + i * 0.2, T0 + 61 + i * 0.2) for i in range(60)]
    assert detector.advance(lost) == []


def test_a_pending_target_is_decided_after_a_reload() -> None:
    scenario = Scenario(network({"a/utama": ("pop",), "b/utama": ()}, {"pop": ()}))
    scenario["a/utama"] = silent_between((20.0, 500.0))
    scenario["pop"] = silent_between((21.5, 500.0))
    scenario.run(26.9)
    assert scenario.detector.healths["a/utama"].pending
    scenario.detector.reconfigure(scenario.net, T0 + 26.9)
    scenario.run(60)
    assert scenario.path("a/utama") == ["up", "unreachable"]


def test_a_degraded_incident_of_the_last_run_clears() -> None:
    detector = Detector(network({LINK: ()}))
    opened = Incident(1, Scope.LINK, LINK, State.DEGRADED, T0, T0, "rtt")
    detector.restore(LedgerSnapshot((StoredState(LINK, State.DEGRADED, T0),), (opened,), 2, T0 + 5))
    decisions: list[Decision] = []
    for i in range(40):
        more = detector.advance([Reply(LINK, T0 + 6 + i, T0 + 6.01 + i, 9.0)])
        decisions += more
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert (closed.id, closed.end_reason) == (1, "cleared")


def test_a_target_stored_as_down_counts_as_silent() -> None:
    detector = Detector(network({LINK: (), "b/utama": ()}))
    detector.restore(LedgerSnapshot((StoredState(LINK, State.DOWN, T0),), (), 1, T0 + 5))
    assert (detector.counts.seen, detector.counts.silent) == (1, 1)


def cut_off(t: float) -> Answer:
    return None if 60 <= t < 100 else 9.0


def full_buffer(t: float) -> Answer:
    return "ENOBUFS" if 60 <= t < 100 and int(t * 1000) % 7 else 9.0


@pytest.mark.parametrize("behaviour", [cut_off, full_buffer])
def test_reloads_of_the_same_configuration_change_no_decision(behaviour: Behaviour) -> None:
    def decided(reloads: bool) -> list[Decision]:
        net = network({f"s{i}/utama": ("pop",) for i in range(12)}, {"pop": ()}, anchors=1)
        scenario = all_do(Scenario(net), behaviour)
        for step in range(1, 290):
            scenario.run(step / 2)
            if reloads:
                decisions = scenario.detector.reconfigure(net, T0 + step / 2)
                assert decisions == []
        return scenario.decisions

    plain = decided(reloads=False)
    assert any(isinstance(d, IncidentChange) and d.change is ChangeKind.CLOSED for d in plain)
    assert decided(reloads=True) == plain


def test_incidents_after_a_reload_go_on_with_the_next_number() -> None:
    scenario = links(6)
    scenario[LINK] = silent_between((20.0, 30.0), (60.0, 80.0))
    scenario.run(50)
    scenario.detector.reconfigure(scenario.net, T0 + 50)
    scenario.run(100)
    assert [i.id for i in scenario.opened()] == [1, 2]


def test_a_gap_that_begins_before_a_reload_is_blind_after_it() -> None:
    scenario = links(2, anchors=0).run(60)
    detector = scenario.detector
    detector.reconfigure(scenario.net, T0 + 65)
    decisions = detector.advance([Reply(LINK, T0 + 75, T0 + 75.01, 9.0)])
    assert [t.reason for t in decisions if isinstance(t, Transition)] == ["blind", "blind", "reply"]


def test_a_window_of_another_length_begins_anew_with_a_reload() -> None:
    scenario = links(2, anchors=0).run(60)
    other = network({LINK: (), "s1/utama": ()}, rules=ProbeRules(window_s=30.0))
    detector = scenario.detector
    detector.reconfigure(other, T0 + 60)
    assert len(detector.healths[LINK].window) == 0
    for i in range(40):
        _ = detector.advance([Reply(LINK, T0 + 61 + i, T0 + 61.01 + i, 9.0)])
    assert len(detector.healths[LINK].window) == 30


def test_the_wait_for_a_node_goes_on_over_a_reload_and_ends_without_evidence_on_it() -> None:
    """There is no more evidence on the node; the deadline was set before the reload."""
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()})
    seldom = replace(net.nodes[0], rules=ProbeRules(interval_s=60.0))
    scenario = Scenario(replace(net, nodes=(seldom,)))
    scenario[LINK] = silent_between((70.0, 120.0))
    scenario.run(80)
    assert scenario.detector.healths[LINK].pending
    scenario.detector.reconfigure(scenario.net, T0 + 80)
    scenario.run(100)
    (incident,) = scenario.incidents()
    assert incident.detected_s - incident.started_s == pytest.approx(6.0 + 15.0, abs=0.5)


def test_a_pending_link_is_decided_at_once_when_a_reload_removes_its_node() -> None:
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    scenario[LINK] = silent_between((60.0, 100.0))
    scenario["pop"] = silent_between((61.5, 100.0))
    scenario.run(66.9)
    detector = scenario.detector
    detector.reconfigure(network({LINK: (), "b/utama": ()}), T0 + 66.9)
    decisions = detector.advance([Reply("b/utama", T0 + 67, T0 + 67.01, 9.0)])
    opened = [d.incident.target for d in decisions if isinstance(d, IncidentChange)]
    assert opened == [LINK]


def test_the_monitors_incident_of_the_last_run_ends_with_the_first_reply_of_an_anchor() -> None:
    before = links(10)
    for target in before.net.targets():
        before[target.name] = silent_between((60.0, 200.0))
    (opened,) = before.run(80).incidents()
    detector = Detector(before.net)
    states = tuple(StoredState(t.name, State.UNKNOWN, T0 + 60) for t in before.net.targets())
    detector.restore(LedgerSnapshot(states, (opened,), 2, T0 + 80))
    assert detector.open_incidents() == [opened]
    assert detector.advance([Reply(LINK, T0 + 85, T0 + 85.01, 9.0)]) == []
    closed, *_ = detector.advance([Reply(ANCHOR, T0 + 85.5, T0 + 85.51, 9.0)])
    assert isinstance(closed, IncidentChange)
    assert (closed.incident.id, closed.incident.ended_s) == (opened.id, T0 + 85.5)


def test_a_deadline_that_passes_between_evidence_is_decided_by_a_tick() -> None:
    detector = links(2).run(60).detector
    detector.advance([Tick(T0 + 60.4)])
    assert detector.now_s == T0 + 60.4


def test_a_link_that_moved_to_another_address_starts_anew() -> None:
    scenario = links(3, anchors=0)
    scenario[LINK] = silent_between((20.0, 500.0))
    scenario.run(60)
    first, *others = scenario.net.sites
    moved = replace(first, links=(replace(first.links[0], address="10.99.0.1"),))
    detector = scenario.detector
    decisions = detector.reconfigure(replace(scenario.net, sites=(moved, *others)), T0 + 60)
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert (closed.target, closed.end_reason) == (LINK, "removed")
    assert detector.healths[LINK].state is State.UNKNOWN
    assert (detector.healths[LINK].seen, detector.counts.seen) == (False, 2)
    assert LINK not in detector.suspected
