"""A verdict waits for parents and anchors: how long, for what, and not in time nobody looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import example, given, settings

from monitor.core.detection.detector import Detector
from monitor.core.detection.replay import read_evidence
from monitor.core.model import (
    Decision,
    Evidence,
    IncidentChange,
    Lost,
    Network,
    ProbeRules,
    Reply,
    State,
    Tick,
    Transition,
)
from tests.core.detection.scenario import (
    T0,
    Scenario,
    after,
    network,
    silent_between,
    unsent_between,
)
from tests.core.detection.test_detector_bounds import known_s
from tests.core.detection.test_detector_properties import NET, PHASES, TIMEOUTS_S, Phases, lines_of

LINK = "s0/utama"
ANCHOR = "anchor:10.79.0.1"


def with_anchors_every(interval_s: float, net: Network) -> Network:
    rules = ProbeRules(interval_s=interval_s)
    return replace(net, anchors=tuple(replace(anchor, rules=rules) for anchor in net.anchors))


def test_a_cut_that_hits_a_link_before_the_next_request_to_an_anchor_is_no_outage_of_it() -> None:
    """Anchors are asked every 6 s, the links every second: the links' silence is known first."""
    links = {f"s{i}/utama": () for i in range(10)}
    story = Scenario(with_anchors_every(6.0, network(links, anchors=1)))
    for target in story.net.targets():
        story[target.name] = silent_between((60.2, 120.0))
    story.run(160)
    (incident,) = story.incidents()
    assert incident.target == "monitor"
    assert not any(t.after is State.DOWN for t in story.transitions())


def test_an_outage_waits_for_an_anchor_that_is_seldom_asked_for_15_s_at_most() -> None:
    story = Scenario(with_anchors_every(60.0, network({LINK: (), "b/utama": ()}, anchors=1)))
    story[LINK] = silent_between((70.2, 110.0))
    story.run(130)
    (incident,) = story.incidents()
    assert incident.target == LINK
    assert 15.0 + 6.0 <= incident.detected_s - incident.started_s <= 15.0 + 7.0


@pytest.mark.parametrize("second", [silent_between((20.0, 500.0)), unsent_between(20.0, 500.0)])
def test_one_anchor_that_answers_is_enough(second: object) -> None:
    story = Scenario(network({LINK: (), "b/utama": (), "c/utama": ()}, anchors=2))
    story["anchor:10.79.0.2"] = second  # type: ignore[assignment]
    story[LINK] = silent_between((100.0, 200.0))
    story.run(130)
    (incident,) = story.incidents()
    assert (incident.target, incident.detected_s - incident.started_s <= 7.0) == (LINK, True)


def test_an_anchor_that_cannot_be_measured_delays_no_outage() -> None:
    story = Scenario(network({LINK: (), "b/utama": (), "c/utama": ()}, anchors=1))
    story[ANCHOR] = unsent_between(20.0, 500.0, "EPERM")
    story[LINK] = silent_between((100.0, 200.0))
    story.run(130)
    (incident,) = story.incidents()
    assert (incident.target, incident.detected_s - incident.started_s <= 7.0) == (LINK, True)


def waiting_child() -> Scenario:
    """Confirmed silent at 66 s, its PoP silent a little later and not confirmed yet."""
    story = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    story[LINK] = silent_between((60.0, 100.0))
    story["pop"] = silent_between((61.5, 100.0))
    story.run(66.9)
    assert story.detector.healths[LINK].pending
    return story


@pytest.mark.parametrize("ticking", [True, False])
def test_the_15_s_of_waiting_do_not_run_out_while_nobody_looks(ticking: bool) -> None:
    story = waiting_child()
    evidence: list[Evidence] = [Tick(T0 + 67 + i) for i in range(50 if ticking else 0)]
    # What was on its way when the process stood still is known when it wakes.
    evidence.append(Lost("b/utama", T0 + 66.85, T0 + 117.0))
    evidence += [Reply(name, T0 + 117.1, T0 + 117.11, 9.0) for name in (LINK, "pop", "b/utama")]
    said = story.detector.advance(evidence)
    assert {d.reason for d in said if isinstance(d, Transition)} == {"blind", "reply"}
    assert not any(isinstance(d, IncidentChange) for d in said)


def test_ticks_without_evidence_settle_what_was_due_shortly_after_the_last_evidence() -> None:
    story = Scenario(network({LINK: ("pop",)}, {"pop": ()}))
    story[LINK] = silent_between((60.0, 100.0))
    story["pop"] = lambda t: 10.0 if t < 62 else 990.0  # answers, slowly
    story.run(80)
    (incident,) = story.incidents()
    assert incident.target == LINK


def test_isolation_is_not_confirmed_by_time_in_which_nobody_looked() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    story = Scenario(network(links, anchors=1))
    for target in story.net.targets():
        story[target.name] = silent_between((60.0, 80.0))
    story.run(160, stopped=(63.0, 100.0))
    assert story.incidents() == []
    assert {t.reason for t in story.transitions()} == {"first_reply", "blind", "reply"}


def test_a_child_whose_node_is_probed_no_more_waits_until_it_explains_nothing() -> None:
    """The node's last answer was just before; three intervals and a time-out without any."""
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()})
    world = Detector(net)
    evidence: list[Evidence] = []
    for i in range(64):
        evidence.append(Reply("pop", T0 + i, T0 + i + 0.01, 9.0))
        evidence.append(Reply(LINK, T0 + i + 0.05, T0 + i + 0.06, 9.0))
    rules = replace(net.nodes[0].rules, interval_s=2.0)
    world = Detector(replace(net, nodes=(replace(net.nodes[0], rules=rules),)))
    evidence += [Lost(LINK, T0 + 63.1 + 0.2 * i, T0 + 64.1 + 0.2 * i) for i in range(40)]
    evidence += [Reply("b/utama", T0 + 63 + i, T0 + 63.01 + i, 9.0) for i in range(12)]
    evidence.sort(key=known_s)
    said = world.advance(evidence)
    downs = [d for d in said if isinstance(d, Transition) and d.after is State.DOWN]
    detected = [after(down.detected_s) for down in downs]
    assert detected == [pytest.approx(63 + 3 * 2.0 + 1.0)]


def in_instants(evidence: Sequence[Evidence], look_at_all: bool) -> list[Decision]:
    world = Detector(NET)
    out: list[Decision] = []
    for _, instant in groupby(evidence, key=known_s):
        if look_at_all:
            world._to_decide |= world._pending
            world._undecided = True
        said = world.advance(list(instant))
        out += said
    return out


@settings(max_examples=100, deadline=None)
@given(PHASES)
@example([(23, [None, None, 10.0, 10.0, 10.0], 0.2), (22, ["EPERM", None, 10.0, 10.0, 10.0], 0.2)])
def test_looking_only_at_what_was_stirred_finds_what_looking_at_all_would(phases: Phases) -> None:
    evidence = list(read_evidence(lines_of(phases), TIMEOUTS_S))
    assert in_instants(evidence, look_at_all=False) == in_instants(evidence, look_at_all=True)
