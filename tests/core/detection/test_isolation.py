"""The monitor cut off or blind, and anchors: what the scenario table does not show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.detection.detector import Detector
from monitor.core.model import (
    IncidentChange,
    NotMeasured,
    ProbeRules,
    Reply,
    State,
)
from tests.core.detection.scenario import (
    T0,
    Behaviour,
    Scenario,
    network,
    offset_s,
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


def test_a_stall_known_after_waking_confirms_no_isolation() -> None:
    scenario = all_do(links(10), silent_between((60.0, 63.0))).run(63.0)
    assert scenario.detector.isolation.silent_since_s is not None
    stalled = NotMeasured("s0/utama", T0 + 62.9, T0 + 117.0, "stalled")
    back = [Reply(t.name, T0 + 117.1, T0 + 117.11, 9.0) for t in scenario.net.targets()]
    decisions = scenario.detector.advance([stalled, *back])
    assert not any(isinstance(d, IncidentChange) for d in decisions)


def isolated() -> Scenario:
    scenario = all_do(links(10), silent_between((60.0, 100.0))).run(80)
    assert scenario.detector.monitor_incident is not None
    return scenario


def test_a_reply_to_a_request_sent_before_the_isolation_does_not_end_it() -> None:
    scenario = isolated()
    early = Reply(ANCHOR, T0 + 59.5, T0 + 80.1, 20_600.0)
    assert scenario.detector.advance([early]) == []
    assert scenario.detector.monitor_incident is not None


def test_while_cut_off_every_target_is_probed_at_its_steady_rate() -> None:
    assert isolated().detector.suspected == set()


def test_after_a_blind_interval_an_outage_goes_on_at_the_first_lost_request() -> None:
    scenario = Scenario(network({LINK: (), "b/utama": ()}))
    scenario[LINK] = silent_between((50.0, 150.0))
    scenario.run(200, stopped=(70.0, 100.0))
    assert [t.reason for t in scenario.transitions(LINK)][-3:] == ["blind", "still_silent", "reply"]
    still = scenario.transitions(LINK)[-2]
    assert still.detected_s - still.at_s == pytest.approx(1.0, abs=1e-3)


def test_two_anchors_are_down_15_s_after_the_second_was_confirmed() -> None:
    scenario = links(10, anchors=2)
    scenario[ANCHOR] = silent_between((60.0, 500.0))
    scenario["anchor:10.79.0.2"] = silent_between((64.0, 500.0))
    scenario.run(130)
    downs = [t for t in scenario.transitions() if t.after is State.DOWN]
    assert len(downs) == 2
    assert min(offset_s(t.detected_s) for t in downs) >= 64.0 + 6.0 + 15.0 - 0.1


def test_the_monitor_takes_the_shortest_confirm_s_of_an_anchor() -> None:
    net = network({LINK: ()}, anchors=2, rules=ProbeRules(confirm_s=2.0))
    rules = [ProbeRules(confirm_s=5.0), ProbeRules(confirm_s=9.0)]
    anchors = tuple(replace(a, rules=r) for a, r in zip(net.anchors, rules, strict=True))
    assert Detector(replace(net, anchors=anchors)).isolation.confirm_s == 5.0
    assert Detector(replace(net, anchors=())).isolation.confirm_s == 2.0


@pytest.mark.parametrize(("timeout_s", "pause_after_s"), [(1.0, 10.0), (5.0, 15.0)])
def test_deadlines_pass_for_ten_seconds_or_three_timeouts_without_evidence(
    timeout_s: float, pause_after_s: float
) -> None:
    detector = Detector(network({LINK: ()}, rules=ProbeRules(timeout_s=timeout_s)))
    assert detector.isolation.pause_after_s == pytest.approx(pause_after_s, abs=1e-3)
