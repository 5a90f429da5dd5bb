"""Outages behind nodes: who waits for whom, and what the incident of a node lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.detection.detector import Detector
from monitor.core.detection.replay import read_evidence
from monitor.core.detection.topology import Topology
from monitor.core.model import (
    ChangeKind,
    Decision,
    Evidence,
    Incident,
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
    network,
    offset_s,
    silent_between,
)
from tests.core.detection.test_outage_bounds import known_s
from tests.core.detection.test_properties import NET, PHASES, TIMEOUTS_S, Phases, lines_of

LINK = "s0/utama"
ANCHOR = "anchor:10.79.0.1"


def links(count: int, anchors: int = 1) -> Scenario:
    return Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=anchors))


def test_an_unreachable_link_sets_no_deadline() -> None:
    scenario = Scenario(network({LINK: ("pop",)}, {"pop": ()}))
    scenario["pop"] = scenario[LINK] = silent_between((60.0, 500.0))
    scenario.run(200)
    assert scenario.path(LINK) == ["up", "unreachable"]
    assert scenario.detector._pending == set()
    assert scenario.detector._deadlines == []


def test_a_child_is_decided_as_soon_as_its_node_replies() -> None:
    """The node is probed every 10 s: its next reply shows whose silence it is."""
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()})
    slow = replace(net.nodes[0], rules=ProbeRules(interval_s=10.0))
    scenario = Scenario(replace(net, nodes=(slow,)))
    scenario[LINK] = silent_between((61.0, 100.0))
    scenario.run(100)
    (incident,) = scenario.incidents()
    answers = [at - T0 for at, name, _ in scenario.lines if name == "pop"]
    assert min(
        abs(offset_s(incident.detected_s) - at) for at in answers if at > 66
    ) == pytest.approx(0.01, abs=1e-3)


def test_of_targets_decided_at_one_moment_nodes_come_before_links() -> None:
    detector = Detector(network({LINK: ()}, {"z-pop": ()}))
    sent = [T0 + 0.2 * i for i in range(60)]
    decisions = detector.advance([Lost(n, at, at + 1) for at in sent for n in (LINK, "z-pop")])
    opened = [d.incident.target for d in decisions if isinstance(d, IncidentChange)]
    assert opened == ["z-pop", LINK]


def test_an_outage_has_its_node_as_parent_only_while_the_node_is_down() -> None:
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    scenario[LINK] = silent_between((60.0, 200.0))
    scenario["pop"] = silent_between((80.0, 120.0))
    scenario.run(240)
    own, pop = scenario.incidents()
    changes = [
        d.incident.parent
        for d in scenario.decisions
        if isinstance(d, IncidentChange) and d.incident.id == own.id
    ]
    assert changes == [None, pop.id, None, None]
    assert own.ended_s is not None
    assert scenario.path(LINK) == ["up", "down", "unreachable", "down", "up"]


@pytest.mark.parametrize("order", ["core first", "PoP first"])
def test_an_outage_is_unreachable_when_the_node_above_its_node_falls(order: str) -> None:
    late = {"core first": {"inti": 80.0, "pop": 80.4}, "PoP first": {"inti": 80.4, "pop": 80.0}}
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"inti": (), "pop": ("inti",)}))
    scenario[LINK] = silent_between((60.0, 200.0))
    for node, at in late[order].items():
        scenario[node] = silent_between((at, 120.0))
    scenario.run(240)
    own, core = scenario.incidents()
    assert (own.target, core.target) == (LINK, "inti")
    assert scenario.path("pop") == ["up", "unreachable", "up"]
    assert scenario.path(LINK) == ["up", "down", "unreachable", "down", "up"]
    hidden = [t for t in scenario.transitions(LINK) if t.after is State.UNREACHABLE]
    assert 80.0 <= offset_s(hidden[0].at_s) <= 81.5
    parents = [
        d.incident.parent
        for d in scenario.decisions
        if isinstance(d, IncidentChange) and d.incident.id == own.id
    ]
    assert parents == [None, core.id, None, None]


RETURNED = 120.0


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("nodes", [{"pop": ()}, {"inti": (), "pop": ("inti",)}])
def test_a_link_still_silent_when_its_node_is_back_is_asked_fast_and_down_in_7_s(
    nodes: dict[str, tuple[str, ...]], phase: float
) -> None:
    back = RETURNED + phase
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ("pop",)}, nodes, anchors=1))
    scenario[LINK] = silent_between((60.0, 400.0))
    for name in ("b/utama", *nodes):
        scenario[name] = silent_between((60.0, back))
    scenario.run(150)
    _, own = scenario.incidents()
    node_s = next(t.at_s for t in scenario.transitions("pop") if t.at_s > T0 + back)
    assert (own.target, own.started_s) == (LINK, node_s)
    assert own.detected_s - node_s <= 7.2
    assert scenario.path(LINK) == ["up", "unreachable", "down"]
    asked = [at for at, name, _ in scenario.lines if name == LINK and at > own.detected_s - 3.0]
    steps = [then - before for before, then in pairwise(at for at in asked if at < own.detected_s)]
    assert max(steps) <= 0.21
    after = [at for at in asked if at > own.detected_s + 0.3]
    assert min(then - before for before, then in pairwise(after)) >= 0.99
    others = [at for at, name, _ in scenario.lines if name == "b/utama" and at > T0 + back]
    assert len(others) <= 150 - back + 2


def test_a_link_asked_fast_is_asked_as_before_when_its_node_falls_again() -> None:
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}, anchors=1))
    scenario[LINK] = silent_between((60.0, 400.0))
    scenario["pop"] = silent_between((60.0, 120.0), (123.2, 400.0))
    scenario.run(124)
    assert LINK in scenario.detector.suspected
    scenario.run(200)
    assert scenario.path(LINK) == ["up", "unreachable"]
    assert LINK not in scenario.detector.suspected


def test_a_link_that_answers_after_its_node_is_asked_as_before() -> None:
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}, anchors=1))
    scenario[LINK] = silent_between((60.0, 124.0))
    scenario["pop"] = silent_between((60.0, 120.0))
    scenario.run(123.5)
    assert LINK in scenario.detector.suspected
    scenario.run(200)
    assert scenario.path(LINK) == ["up", "unreachable", "up"]
    assert LINK not in scenario.detector.suspected


def test_a_blind_interval_while_a_link_is_asked_fast_begins_with_the_last_evidence() -> None:
    """It has had no loss since its node was back: its silence began in no request."""
    rules = ProbeRules(interval_s=4.0)
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}, anchors=1)
    slow = replace(net.sites[0].links[0], rules=rules)
    sites = (replace(net.sites[0], links=(slow,)), *net.sites[1:])
    scenario = Scenario(replace(net, sites=sites))
    scenario[LINK] = silent_between((60.0, 400.0))
    scenario["pop"] = silent_between((60.0, 120.0))
    scenario.run(122.3)
    assert LINK in scenario.detector.suspected
    scenario.run(180, stopped=(122.3, 150.0))
    _, own = scenario.incidents()
    assert own.started_earliest_s is not None
    assert 119.0 <= offset_s(own.started_earliest_s) <= 122.3


def test_a_link_still_silent_when_the_isolation_is_over_is_down_in_8_s() -> None:
    scenario = links(10)
    for target in scenario.net.targets():
        scenario[target.name] = silent_between((60.0, 100.0))
    scenario[LINK] = silent_between((60.0, 400.0))
    scenario.run(140)
    monitor, own = scenario.incidents()
    assert monitor.ended_s is not None
    assert own.target == LINK
    assert own.detected_s - monitor.ended_s <= 8.0


def test_a_link_whose_node_is_no_longer_configured_is_asked_fast() -> None:
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}, anchors=1))
    scenario[LINK] = scenario["pop"] = silent_between((60.0, 400.0))
    scenario.run(100)
    assert LINK not in scenario.detector.suspected
    scenario.detector.reconfigure(network({LINK: (), "b/utama": ()}, anchors=1), T0 + 100)
    assert LINK in scenario.detector.suspected


def test_nodes_are_ordered_after_their_parents_whatever_their_names() -> None:
    net = network({LINK: ("a-pop",)}, {"a-pop": ("m-ring",), "m-ring": ("z-core",), "z-core": ()})
    assert Topology.of(net.targets()).order == ("z-core", "m-ring", "a-pop", LINK)


def test_no_state_begins_before_the_one_that_it_ends() -> None:
    scenario = links(2, anchors=0).run(30)
    health = scenario.detector.healths[LINK]
    scenario.detector._change_state(health, State.UNKNOWN, health.since_s - 5.0, "isolated")
    decisions = scenario.detector.advance([])
    assert [t.at_s for t in decisions if isinstance(t, Transition)] == [T0]


def pending_child() -> Scenario:
    """Confirmed silent at 66 s, its PoP silent a little later and not confirmed yet."""
    scenario = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    scenario[LINK] = silent_between((60.0, 100.0))
    scenario["pop"] = silent_between((61.5, 100.0))
    scenario.run(66.9)
    assert scenario.detector.healths[LINK].pending
    return scenario


@pytest.mark.parametrize("ticking", [True, False])
def test_the_15_s_of_waiting_do_not_pass_without_evidence(ticking: bool) -> None:
    scenario = pending_child()
    evidence: list[Evidence] = [Tick(T0 + 67 + i) for i in range(50 if ticking else 0)]
    # What was on its way when the process stood still is known when it wakes.
    evidence.append(Lost("b/utama", T0 + 66.85, T0 + 117.0))
    evidence += [Reply(name, T0 + 117.1, T0 + 117.11, 9.0) for name in (LINK, "pop", "b/utama")]
    decisions = scenario.detector.advance(evidence)
    assert {d.reason for d in decisions if isinstance(d, Transition)} == {"blind", "reply"}
    assert not any(isinstance(d, IncidentChange) for d in decisions)


def test_a_child_waits_three_intervals_and_a_timeout_for_a_node_without_evidence() -> None:
    """The last reply of the node was just before the child fell silent."""
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()})
    detector = Detector(net)
    evidence: list[Evidence] = []
    for i in range(64):
        evidence.append(Reply("pop", T0 + i, T0 + i + 0.01, 9.0))
        evidence.append(Reply(LINK, T0 + i + 0.05, T0 + i + 0.06, 9.0))
    rules = replace(net.nodes[0].rules, interval_s=2.0)
    detector = Detector(replace(net, nodes=(replace(net.nodes[0], rules=rules),)))
    evidence += [Lost(LINK, T0 + 63.1 + 0.2 * i, T0 + 64.1 + 0.2 * i) for i in range(40)]
    evidence += [Reply("b/utama", T0 + 63 + i, T0 + 63.01 + i, 9.0) for i in range(12)]
    evidence.sort(key=known_s)
    decisions = detector.advance(evidence)
    downs = [d for d in decisions if isinstance(d, Transition) and d.after is State.DOWN]
    detected = [offset_s(down.detected_s) for down in downs]
    assert detected == [pytest.approx(63 + 3 * 2.0 + 1.0)]


def in_instants(evidence: Sequence[Evidence], decide_all: bool) -> list[Decision]:
    detector = Detector(NET)
    out: list[Decision] = []
    for _, instant in groupby(evidence, key=known_s):
        if decide_all:
            detector._to_decide |= detector._pending
            detector._undecided = True
        decisions = detector.advance(list(instant))
        out += decisions
    return out


@settings(deadline=None)
@given(PHASES)
@example([(23, [None, None, 10.0, 10.0, 10.0], 0.2), (22, ["EPERM", None, 10.0, 10.0, 10.0], 0.2)])
def test_deciding_only_what_evidence_concerns_gives_what_deciding_all_gives(phases: Phases) -> None:
    evidence = list(read_evidence(lines_of(phases), TIMEOUTS_S))
    assert in_instants(evidence, decide_all=False) == in_instants(evidence, decide_all=True)


POP_FELL = 30.0


LATE = 45.0


def fallen(count: int, until: float = 200.0, rules: ProbeRules | None = None) -> Scenario:
    """A node falls, and the links behind it `LATE`: each is probed at another moment."""
    links = {f"s{i:03}/utama": ("pop",) for i in range(count)}
    scenario = Scenario(network({**links, "x/utama": ()}, {"pop": ()}, 1, rules))
    scenario["pop"] = silent_between((POP_FELL, until))
    for link in links:
        scenario[link] = silent_between((LATE, until))
    return scenario


def updates(scenario: Scenario) -> list[Incident]:
    return [
        d.incident
        for d in scenario.decisions
        if isinstance(d, IncidentChange) and d.change is ChangeKind.UPDATED
    ]


def behind_pop(net: Network) -> tuple[str, ...]:
    return tuple(sorted(link.name for link in net.links() if link.via == ("pop",)))


def test_links_that_fall_within_a_second_are_added_in_one_change() -> None:
    scenario = fallen(40).run(60)
    (update,) = updates(scenario)
    assert update.affected == behind_pop(scenario.net)
    hidden = [t for t in scenario.transitions() if t.after.value == "unreachable"]
    assert len(hidden) == 40
    added_s = [d.at_s for d in scenario.decisions if isinstance(d, IncidentChange)][-1]
    assert added_s - min(t.detected_s for t in hidden) == pytest.approx(1.0, abs=1e-3)
    assert scenario.detector.healths["pop"].incident == update
    assert scenario.run(150).detector._affected == {}
    assert scenario.detector._deadlines == []
    assert updates(scenario) == [update]


def test_a_link_that_falls_later_is_added_in_a_change_of_its_own() -> None:
    scenario = fallen(6)
    scenario["s003/utama"] = silent_between((60.0, 200.0))
    scenario.run(100)
    first, second = updates(scenario)
    assert set(second.affected) - set(first.affected) == {"s003/utama"}
    assert second.affected == behind_pop(scenario.net)


def test_links_listed_when_the_node_fell_are_not_added_again() -> None:
    scenario = fallen(40)
    for link in behind_pop(scenario.net):
        scenario[link] = silent_between((POP_FELL, 200.0))
    scenario.run(100)
    (opened,) = scenario.incidents()
    assert opened.affected == behind_pop(scenario.net)
    assert updates(scenario) == []


def test_links_behind_a_child_node_are_listed_when_the_node_above_falls() -> None:
    scenario = Scenario(network({LINK: ("pop",)}, {"inti": (), "pop": ("inti",)}))
    scenario["inti"] = scenario["pop"] = scenario[LINK] = silent_between((60.0, 200.0))
    (opened,) = scenario.run(100).opened()
    assert (opened.target, opened.affected) == ("inti", (LINK,))
    assert updates(scenario) == []


def test_an_incident_that_closes_before_they_were_added_lists_them() -> None:
    """The first reply of the node ends it, within a second of the first unreachable link."""
    scenario = fallen(40, until=52.0, rules=ProbeRules(rise=1)).run(80)
    (over,) = scenario.incidents()
    assert over.ended_s is not None
    assert 52.0 <= offset_s(over.ended_s) <= 52.1
    assert over.affected == behind_pop(scenario.net)
    assert updates(scenario) == []


def test_a_gap_without_evidence_right_after_it_loses_none() -> None:
    """What was due meanwhile is recorded when there is evidence again."""
    scenario = fallen(40).run(51.97).run(90, stopped=(51.97, 80.0))
    (update,) = updates(scenario)
    assert update.affected == behind_pop(scenario.net)


def test_a_reload_in_that_second_changes_nothing() -> None:
    scenario = fallen(40).run(51.5)
    assert scenario.detector._affected
    decisions = scenario.detector.reconfigure(scenario.net, T0 + 51.5)
    assert decisions == []
    assert scenario.run(60).decisions == fallen(40).run(60).decisions


def test_a_reload_in_that_second_closes_the_incident_of_a_node_that_left_with_its_links() -> None:
    scenario = fallen(40).run(51.5)
    hidden = tuple(sorted(scenario.detector._affected["pop"]))
    without = network({link.name: () for link in scenario.net.links()}, anchors=1)
    detector = scenario.detector
    decisions = detector.reconfigure(without, T0 + 51.5)
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert (closed.target, closed.end_reason, closed.affected) == ("pop", "removed", hidden)
    assert detector._affected == {}


@settings(deadline=None)
@given(st.lists(st.floats(28.0, 70.0), min_size=1, max_size=12), st.booleans())
def test_whenever_links_fall_the_incident_of_their_node_lists_each_unreachable_one_once(
    falls: list[float], deep: bool
) -> None:
    links = {f"s{i:02}/utama": ("pop",) for i in range(len(falls))}
    nodes: dict[str, tuple[str, ...]] = {"inti": (), "pop": ("inti",)} if deep else {"pop": ()}
    scenario = Scenario(network({**links, "x/utama": ()}, nodes, anchors=1))
    for node in nodes:
        scenario[node] = silent_between((POP_FELL, 100.0))
    for link, fell in zip(links, falls, strict=True):
        scenario[link] = silent_between((fell, 100.0))
    scenario.run(140)
    hidden = {t.target for t in scenario.transitions() if t.after.value == "unreachable"}
    (nodes_own,) = [i for i in scenario.incidents() if i.scope.value == "node"]
    assert nodes_own.affected == tuple(sorted(hidden & links.keys()))
    changes = [d for d in scenario.decisions if isinstance(d, IncidentChange)]
    listed = [d for d in changes if d.incident.id == nodes_own.id]
    for before, then in pairwise(listed):
        assert set(before.incident.affected) <= set(then.incident.affected)
        assert then.at_s - before.at_s >= 1.0 or then.change is ChangeKind.CLOSED
