"""Verdicts in their details: whose incident, what it lists, what it remembers."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from monitor.core.detection.detector import Detector
from monitor.core.detection.topology import Topology
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    LedgerSnapshot,
    NotMeasured,
    ProbeRules,
    Reply,
    Scope,
    State,
    StoredState,
    Transition,
)
from tests.core.detection.scenario import (
    T0,
    Answer,
    Behaviour,
    Scenario,
    after,
    network,
    silent_between,
)
from tests.core.detection.scenario import unsent_between as unsent

LINK = "s0/utama"
ANCHOR = "anchor:10.79.0.1"


def links(count: int, anchors: int = 1) -> Scenario:
    return Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=anchors))


def all_do(story: Scenario, behaviour: Behaviour) -> Scenario:
    for target in story.net.targets():
        story[target.name] = behaviour
    return story


def has_down(story: Scenario) -> bool:
    return any(t.after is State.DOWN for t in story.transitions())


def test_a_hidden_link_asks_for_no_deadline() -> None:
    story = Scenario(network({LINK: ("pop",)}, {"pop": ()}))
    story["pop"] = story[LINK] = silent_between((60.0, 500.0))
    story.run(200)
    assert story.path(LINK) == ["up", "unreachable"]
    assert story.detector._pending == set()
    assert story.detector._deadlines == []


def test_a_stall_that_is_known_on_waking_confirms_no_isolation() -> None:
    story = all_do(links(10), silent_between((60.0, 63.0))).run(63.0)
    assert story.detector.isolation.silent_since_s is not None
    stalled = NotMeasured("s0/utama", T0 + 62.9, T0 + 117.0, "stalled")
    back = [Reply(t.name, T0 + 117.1, T0 + 117.11, 9.0) for t in story.net.targets()]
    said = story.detector.advance([stalled, *back])
    assert not any(isinstance(d, IncidentChange) for d in said)


def test_a_child_is_judged_as_soon_as_its_node_answers() -> None:
    """The node is asked every 10 s: its next answer says whose silence it is."""
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()})
    slow = replace(net.nodes[0], rules=ProbeRules(interval_s=10.0))
    story = Scenario(replace(net, nodes=(slow,)))
    story[LINK] = silent_between((61.0, 100.0))
    story.run(100)
    (incident,) = story.incidents()
    answers = [at - T0 for at, name, _ in story.lines if name == "pop"]
    assert min(abs(after(incident.detected_s) - at) for at in answers if at > 66) == pytest.approx(
        0.01, abs=1e-3
    )


def test_a_link_that_falls_just_before_everything_is_cut_off_is_no_outage() -> None:
    story = all_do(links(10), silent_between((61.0, 100.0)))
    story[LINK] = silent_between((60.2, 100.0))
    story.run(130)
    assert [i.target for i in story.incidents()] == ["monitor"]
    assert not has_down(story)


def test_fewer_than_five_silent_targets_are_no_isolation() -> None:
    story = all_do(links(3), silent_between((60.0, 200.0))).run(150)
    assert sorted(i.target for i in story.incidents()) == ["s0/utama", "s1/utama", "s2/utama"]


def test_nine_silent_targets_in_ten_with_all_anchors_are_isolation() -> None:
    story = all_do(links(20), silent_between((60.0, 100.0)))
    story["s7/utama"] = silent_between()
    story.run(130)
    assert [i.target for i in story.incidents()] == ["monitor"]


def isolated() -> Scenario:
    story = all_do(links(10), silent_between((60.0, 100.0))).run(80)
    assert story.detector.monitor_incident is not None
    return story


def test_an_answer_to_a_request_sent_before_the_isolation_does_not_end_it() -> None:
    story = isolated()
    early = Reply(ANCHOR, T0 + 59.5, T0 + 80.1, 20_600.0)
    assert story.detector.advance([early]) == []
    assert story.detector.monitor_incident is not None


def test_while_cut_off_every_target_is_probed_at_its_steady_rate() -> None:
    assert isolated().detector.suspected == set()


def test_isolation_ends_also_when_most_targets_answer_though_no_anchor_does() -> None:
    story = isolated()
    story[ANCHOR] = silent_between((60.0, 500.0))
    story.run(130)
    (incident,) = story.incidents()
    assert incident.ended_s is not None
    assert 100.0 <= after(incident.ended_s) <= 101.2
    assert story.path(LINK) == ["up", "unknown", "up"]


def test_an_outage_that_began_while_cut_off_says_that_it_may_have_begun_with_it() -> None:
    story = isolated()
    story[LINK] = silent_between((60.0, 140.0))
    story.run(180)
    monitors, own = story.incidents()
    assert own.target == LINK
    assert after(own.started_s) >= 100.0
    assert own.started_earliest_s == monitors.started_s


def test_after_a_blind_interval_an_outage_goes_on_at_the_first_lost_request() -> None:
    story = Scenario(network({LINK: (), "b/utama": ()}))
    story[LINK] = silent_between((50.0, 150.0))
    story.run(200, stopped=(70.0, 100.0))
    assert [t.reason for t in story.transitions(LINK)][-3:] == ["blind", "still_silent", "reply"]


def test_an_outage_suspected_before_a_blind_interval_may_have_begun_with_the_suspicion() -> None:
    story = Scenario(network({LINK: (), "b/utama": ()}))
    story[LINK] = silent_between((67.0, 150.0))
    story.run(200, stopped=(70.0, 100.0))
    (incident,) = story.incidents()
    assert after(incident.started_s) >= 100.0
    assert incident.started_earliest_s is not None
    assert 67.0 <= after(incident.started_earliest_s) <= 68.0


def test_a_gap_of_eleven_seconds_is_blind() -> None:
    story = links(2, anchors=0)
    story.run(90, stopped=(60.0, 71.5))
    assert story.path(LINK) == ["up", "unknown", "up"]


def test_links_do_not_fall_one_by_one_when_all_is_cut_off_and_the_anchor_was_dead_before() -> None:
    story = all_do(links(20), silent_between((100.0, 140.0)))
    story[ANCHOR] = silent_between((30.0, 140.0))
    story.run(130)
    assert [i.target for i in story.incidents()] == ["monitor"]
    assert not any(t.after is State.DOWN for t in story.transitions() if t.target != ANCHOR)


def test_two_anchors_are_down_when_the_last_of_them_has_waited() -> None:
    story = links(10, anchors=2)
    story[ANCHOR] = silent_between((60.0, 500.0))
    story["anchor:10.79.0.2"] = silent_between((64.0, 500.0))
    story.run(130)
    downs = [t for t in story.transitions() if t.after is State.DOWN]
    assert len(downs) == 2
    assert min(after(t.detected_s) for t in downs) >= 64.0 + 6.0 + 15.0 - 0.1


@pytest.mark.parametrize(("count", "failing"), [(4, 3), (10, 5), (6, 3)])
def test_sends_that_fail_for_no_more_than_half_or_not_for_all_of_four_are_the_links_own(
    count: int, failing: int
) -> None:
    story = links(count, anchors=0)
    for i in range(failing):
        story[f"s{i}/utama"] = unsent(60.0, 80.0)
    story.run(110)
    assert sorted(i.target for i in story.incidents()) == [f"s{i}/utama" for i in range(failing)]


def test_a_buffer_that_is_full_for_all_and_then_for_most_is_one_incident() -> None:
    """The anchor is sent to last, when answers and failed sends have long alternated."""

    def fails(seed: int, for_all_until: float) -> Behaviour:
        chance = Random(seed)

        def answer(t: float) -> Answer:
            if 60 <= t < for_all_until or (60 <= t < 130 and chance.random() < 0.8):
                return "ENOBUFS"
            return 9.0

        return answer

    story = links(30)
    for i, target in enumerate(story.net.targets()):
        story[target.name] = fails(i, 90.0 if target.name == ANCHOR else 70.0)
    story.run(170)
    (incident,) = story.incidents()
    assert incident.ended_s is not None
    assert after(incident.ended_s) >= 130.0


def test_a_suspected_link_among_others_that_are_seldom_asked_is_not_blamed_first() -> None:
    """All others are asked every 4 s; this one, suspected, five times a second."""
    net = network({f"s{i}/utama": () for i in range(12)})
    seldom = ProbeRules(interval_s=4.0)
    sites = tuple(
        site if site.id == "s0" else replace(site, links=(replace(site.links[0], rules=seldom),))
        for site in net.sites
    )
    story = all_do(Scenario(replace(net, sites=sites)), unsent(60.0, 100.0, "ENOBUFS"))
    story[LINK] = lambda t: "ENOBUFS" if 60 <= t < 100 else (None if 57 <= t < 60 else 9.0)
    story.run(130)
    assert [i.target for i in story.incidents()] == ["monitor"]
    assert {t.reason for t in story.transitions() if t.after is State.UNKNOWN} == {"isolated"}


def test_an_outage_is_its_nodes_while_the_node_is_down_and_its_own_again_after_it() -> None:
    story = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    story[LINK] = silent_between((60.0, 200.0))
    story["pop"] = silent_between((80.0, 120.0))
    story.run(240)
    own, pop = story.incidents()
    changes = [
        d.incident.parent
        for d in story.decisions
        if isinstance(d, IncidentChange) and d.incident.id == own.id
    ]
    assert changes == [None, pop.id, None, None]
    assert own.ended_s is not None
    assert story.path(LINK) == ["up", "down", "unreachable", "down", "up"]


@pytest.mark.parametrize("order", ["core first", "PoP first"])
def test_an_outage_is_hidden_too_when_what_falls_is_the_node_above_its_node(order: str) -> None:
    late = {"core first": {"inti": 80.0, "pop": 80.4}, "PoP first": {"inti": 80.4, "pop": 80.0}}
    story = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"inti": (), "pop": ("inti",)}))
    story[LINK] = silent_between((60.0, 200.0))
    for node, at in late[order].items():
        story[node] = silent_between((at, 120.0))
    story.run(240)
    own, core = story.incidents()
    assert (own.target, core.target) == (LINK, "inti")
    assert story.path("pop") == ["up", "unreachable", "up"]
    assert story.path(LINK) == ["up", "down", "unreachable", "down", "up"]
    hidden = [t for t in story.transitions(LINK) if t.after is State.UNREACHABLE]
    assert 80.0 <= after(hidden[0].at_s) <= 81.5
    parents = [
        d.incident.parent
        for d in story.decisions
        if isinstance(d, IncidentChange) and d.incident.id == own.id
    ]
    assert parents == [None, core.id, None, None]


def slow_until(until: float, *cuts: tuple[float, float]) -> Behaviour:
    silent = silent_between(*cuts)
    return lambda t: None if silent(t) is None else (120.0 if t < until else 10.0)


def test_a_degraded_link_whose_node_falls_is_hidden_and_its_incident_ends() -> None:
    story = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    story["pop"] = silent_between((200.0, 240.0))
    story[LINK] = slow_until(200.0, (200.0, 240.0))
    story.run(300)
    degraded, _ = story.incidents()
    assert (degraded.state, degraded.end_reason) == (State.DEGRADED, "parent_down")
    assert story.path(LINK)[-2:] == ["unreachable", "up"]


def test_a_slow_link_back_from_an_outage_is_judged_by_what_came_after() -> None:
    story = Scenario(network({LINK: ()}))
    story[LINK] = slow_until(200.0, (200.0, 215.0))
    story.run(300)
    assert story.path(LINK) == ["up", "degraded", "down", "up"]


def test_a_link_that_is_slow_again_after_an_outage_is_degraded_again() -> None:
    story = Scenario(network({LINK: ()}))
    story[LINK] = slow_until(900.0, (200.0, 215.0))
    story.run(330)
    assert story.path(LINK) == ["up", "degraded", "down", "up", "degraded"]
    assert [i.state.value for i in story.incidents()] == ["degraded", "down", "degraded"]


def test_a_node_that_is_back_takes_no_evidence_from_a_link_with_another_way_up() -> None:
    story = Scenario(network({LINK: ("p1", "p2")}, {"p1": (), "p2": ()}))
    story["p1"] = silent_between((30.0, 62.0))
    story[LINK] = silent_between((61.0, 100.0))
    story.run(130)
    own = [i for i in story.incidents() if i.target == LINK]
    assert len(own) == 1
    assert after(own[0].started_s) < 62.0


def test_nodes_come_after_the_nodes_that_they_hang_on_whatever_their_names() -> None:
    net = network({LINK: ("a-pop",)}, {"a-pop": ("m-ring",), "m-ring": ("z-core",), "z-core": ()})
    assert Topology.of(net.targets()).order == ("z-core", "m-ring", "a-pop", LINK)


def test_links_that_answer_although_their_node_does_not_are_not_listed() -> None:
    story = Scenario(network({LINK: ("pop",), "b/utama": ("pop",)}, {"pop": ()}))
    story["pop"] = silent_between((60.0, 120.0))
    story.run(100)
    (incident,) = story.incidents()
    assert (incident.target, incident.affected) == ("pop", ())


def test_links_behind_a_child_node_that_answers_are_not_listed() -> None:
    story = Scenario(network({LINK: ("pop",)}, {"inti": (), "pop": ("inti",)}))
    story["inti"] = silent_between((60.0, 120.0))
    story[LINK] = silent_between((60.0, 120.0))
    story.run(100)
    core, own = sorted(story.incidents(), key=lambda i: i.target)
    assert (core.target, core.affected, own.target) == ("inti", (), LINK)


def test_a_link_that_falls_silent_later_is_added_to_the_incident_far_above_it() -> None:
    story = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"inti": (), "pop": ("inti",)}))
    story["inti"] = story["pop"] = silent_between((60.0, 150.0))
    story[LINK] = silent_between((90.0, 150.0))
    story.run(140)
    (incident,) = story.incidents()
    assert (incident.target, incident.affected) == ("inti", (LINK,))


def test_a_degraded_incident_that_the_ledger_remembers_clears() -> None:
    world = Detector(network({LINK: ()}))
    opened = Incident(1, Scope.LINK, LINK, State.DEGRADED, T0, T0, "rtt")
    world.restore(LedgerSnapshot((StoredState(LINK, State.DEGRADED, T0),), (opened,), 2, T0 + 5))
    said: list[Decision] = []
    for i in range(40):
        more = world.advance([Reply(LINK, T0 + 6 + i, T0 + 6.01 + i, 9.0)])
        said += more
    (closed,) = [d.incident for d in said if isinstance(d, IncidentChange)]
    assert (closed.id, closed.end_reason) == (1, "cleared")


def test_what_the_ledger_remembers_as_down_counts_as_silent() -> None:
    world = Detector(network({LINK: (), "b/utama": ()}))
    world.restore(LedgerSnapshot((StoredState(LINK, State.DOWN, T0),), (), 1, T0 + 5))
    assert (world.counts.seen, world.counts.silent) == (1, 1)


def test_no_state_begins_before_the_one_that_it_ends() -> None:
    story = links(2, anchors=0).run(30)
    health = story.detector.healths[LINK]
    story.detector._change_state(health, State.UNKNOWN, health.since_s - 5.0, "isolated")
    said = story.detector.advance([])
    assert [t.at_s for t in said if isinstance(t, Transition)] == [T0]


def test_the_shortest_confirm_s_of_an_anchor_is_that_of_the_monitor() -> None:
    net = network({LINK: ()}, anchors=2)
    long = replace(net.anchors[1], rules=ProbeRules(confirm_s=9.0))
    assert Detector(replace(net, anchors=(net.anchors[0], long))).isolation.confirm_s == 5.0


def cut_off(t: float) -> Answer:
    return None if 60 <= t < 100 else 9.0


def no_room(t: float) -> Answer:
    return "ENOBUFS" if 60 <= t < 100 and int(t * 1000) % 7 else 9.0


@pytest.mark.parametrize("behaviour", [cut_off, no_room])
def test_reloads_of_the_same_configuration_change_no_verdict(behaviour: Behaviour) -> None:
    def told(reloads: bool) -> list[Decision]:
        net = network({f"s{i}/utama": ("pop",) for i in range(12)}, {"pop": ()}, anchors=1)
        story = all_do(Scenario(net), behaviour)
        for step in range(1, 290):
            story.run(step / 2)
            if reloads:
                said = story.detector.reconfigure(net, T0 + step / 2)
                assert said == []
        return story.decisions

    plain = told(reloads=False)
    assert any(isinstance(d, IncidentChange) and d.change is ChangeKind.CLOSED for d in plain)
    assert told(reloads=True) == plain


def test_incidents_after_a_reload_go_on_with_the_next_number() -> None:
    story = links(6)
    story[LINK] = silent_between((20.0, 30.0), (60.0, 80.0))
    story.run(50)
    story.detector.reconfigure(story.net, T0 + 50)
    story.run(100)
    assert [i.id for i in story.opened()] == [1, 2]


def test_a_gap_that_begins_before_a_reload_is_blind_after_it() -> None:
    story = links(2, anchors=0).run(60)
    world = story.detector
    world.reconfigure(story.net, T0 + 65)
    said = world.advance([Reply(LINK, T0 + 75, T0 + 75.01, 9.0)])
    assert [t.reason for t in said if isinstance(t, Transition)] == ["blind", "blind", "reply"]


def test_a_window_of_another_length_begins_anew_with_a_reload() -> None:
    story = links(2, anchors=0).run(60)
    other = network({LINK: (), "s1/utama": ()}, rules=ProbeRules(window_s=30.0))
    world = story.detector
    world.reconfigure(other, T0 + 60)
    assert len(world.healths[LINK].window) == 0
    for i in range(40):
        _ = world.advance([Reply(LINK, T0 + 61 + i, T0 + 61.01 + i, 9.0)])
    assert len(world.healths[LINK].window) == 30


def test_the_wait_for_a_node_goes_on_over_a_reload_and_ends_without_evidence_on_it() -> None:
    """Of the node nothing is heard any more; the deadline was set before the reload."""
    net = network({LINK: ("pop",), "b/utama": ()}, {"pop": ()})
    seldom = replace(net.nodes[0], rules=ProbeRules(interval_s=60.0))
    story = Scenario(replace(net, nodes=(seldom,)))
    story[LINK] = silent_between((70.0, 120.0))
    story.run(80)
    assert story.detector.healths[LINK].pending
    story.detector.reconfigure(story.net, T0 + 80)
    story.run(100)
    (incident,) = story.incidents()
    assert incident.detected_s - incident.started_s == pytest.approx(6.0 + 15.0, abs=0.5)


def test_of_six_targets_four_that_fail_are_most() -> None:
    story = links(6, anchors=0)
    for i in range(4):
        story[f"s{i}/utama"] = unsent(60.0, 80.0)
    story.run(110)
    assert {i.target for i in story.incidents()} == {"monitor"}


def test_a_link_that_answered_since_its_node_was_back_keeps_its_own_evidence() -> None:
    """The node owes ten answers; meanwhile the link answered and fell silent again."""
    story = Scenario(network({LINK: ("pop",)}, {"pop": ()}, rules=ProbeRules(rise=10)))
    story["pop"] = silent_between((60.0, 100.0))
    story[LINK] = silent_between((60.0, 100.0), (106.0, 140.0))
    story.run(180)
    _, own = story.incidents()
    assert own.target == LINK
    assert 106.0 <= after(own.started_s) <= 107.2


def test_a_link_that_waits_for_a_node_is_judged_at_once_when_a_reload_takes_the_node_away() -> None:
    story = Scenario(network({LINK: ("pop",), "b/utama": ()}, {"pop": ()}))
    story[LINK] = silent_between((60.0, 100.0))
    story["pop"] = silent_between((61.5, 100.0))
    story.run(66.9)
    world = story.detector
    world.reconfigure(network({LINK: (), "b/utama": ()}), T0 + 66.9)
    said = world.advance([Reply("b/utama", T0 + 67, T0 + 67.01, 9.0)])
    opened = [d.incident.target for d in said if isinstance(d, IncidentChange)]
    assert opened == [LINK]
