"""Verdicts held against a story whose truth is known (VERDICTS)."""

from __future__ import annotations

import pytest

from monitor.core.model import ProbeRules, State
from tests.core.detection.scenario import (
    T0,
    Scenario,
    after,
    network,
    silent_between,
    steady,
    unsent_between,
)

LINK = "anjatan/utama"


def one_link() -> Scenario:
    return Scenario(network({LINK: ()}))


def test_a_link_that_answers_is_up_since_its_first_reply() -> None:
    story = one_link().run(30)
    assert story.path(LINK) == ["up"]
    assert after(story.transitions(LINK)[0].at_s) == pytest.approx(0.0)
    assert story.incidents() == []


@pytest.mark.parametrize("cut_at", [60.0, 60.3, 60.71, 61.0])
def test_a_cut_is_down_within_7_s_of_the_first_lost_request_and_starts_there(cut_at: float) -> None:
    story = one_link()
    story[LINK] = silent_between((cut_at, 200.0))
    story.run(120)
    (incident,) = story.incidents()
    assert incident.state is State.DOWN
    assert cut_at <= after(incident.started_s) <= cut_at + 1.2
    assert incident.detected_s - incident.started_s <= 7.0
    assert incident.evidence.lost_in_row is not None
    assert incident.evidence.lost_in_row >= 20
    assert story.path(LINK) == ["up", "down"]


@pytest.mark.parametrize("silence", [1.0, 2.0, 3.0, 4.0])
def test_a_silence_shorter_than_confirm_s_opens_nothing(silence: float) -> None:
    story = one_link()
    story[LINK] = silent_between((100.0, 100.0 + silence), (160.0, 160.0 + silence))
    story.run(300)
    assert story.incidents() == []
    assert story.path(LINK) == ["up"]


def test_an_outage_ends_at_the_first_of_three_good_replies() -> None:
    story = one_link()
    story[LINK] = silent_between((60.0, 90.0))
    story.run(120)
    (incident,) = story.incidents()
    assert incident.ended_s is not None
    assert 90.0 <= after(incident.ended_s) <= 91.2
    up = story.transitions(LINK)[-1]
    assert up.after is State.UP
    assert up.at_s == incident.ended_s
    assert up.detected_s - up.at_s <= 3.0


def test_a_single_loss_between_good_replies_does_not_move_the_end() -> None:
    story = one_link()
    story[LINK] = silent_between((60.0, 90.0), (91.5, 92.5))
    story.run(140)
    (incident,) = story.incidents()
    assert incident.ended_s is not None
    assert 90.0 <= after(incident.ended_s) <= 91.2


def test_two_losses_in_a_row_during_a_recovery_start_it_again() -> None:
    story = one_link()
    story[LINK] = silent_between((60.0, 90.0), (91.5, 94.0))
    story.run(140)
    (incident,) = story.incidents()
    assert incident.ended_s is not None
    assert 94.0 <= after(incident.ended_s) <= 95.2


def test_a_late_loss_neither_starts_a_run_nor_breaks_replies() -> None:
    """A loss is known one time-out later, after the answers to later requests."""
    story = Scenario(network({LINK: ()}, rules=ProbeRules(timeout_s=3.0)))
    story[LINK] = silent_between((60.0, 60.5))
    story.run(200)
    assert story.incidents() == []
    assert story.detector.healths[LINK].run_count == 0


def test_a_fallen_pop_is_one_incident_and_hides_its_links() -> None:
    links = {f"site{i}/utama": ("pop",) for i in range(12)}
    story = Scenario(network(links, {"inti": (), "pop": ("inti",)}, anchors=2))
    cut = silent_between((60.0, 120.0))
    story["pop"] = cut
    for link in links:
        story[link] = cut
    story.run(200)
    (incident,) = story.incidents()
    assert incident.target == "pop"
    assert incident.scope.value == "node"
    assert sorted(incident.affected) == sorted(links)
    for link in links:
        assert story.path(link) == ["up", "unreachable", "up"]
        assert 60 <= after(story.transitions(link)[1].at_s) <= 61.2
        assert 120 <= after(story.transitions(link)[2].at_s) <= 121.2


def test_a_child_that_stays_dead_opens_its_own_incident_when_the_pop_is_back() -> None:
    links = {f"site{i}/utama": ("pop",) for i in range(4)}
    story = Scenario(network(links, {"pop": ()}))
    story["pop"] = silent_between((60.0, 120.0))
    for link in links:
        story[link] = silent_between((60.0, 120.0))
    story["site2/utama"] = silent_between((60.0, 180.0))
    story.run(240)
    pop, child = story.incidents()
    assert pop.target == "pop"
    assert child.target == "site2/utama"
    assert child.started_s == pop.ended_s
    assert child.parent is None
    assert child.ended_s is not None
    assert story.path("site2/utama") == ["up", "unreachable", "down", "up"]


def test_the_core_down_is_one_incident_that_lists_all_links_through_child_nodes() -> None:
    links = {f"s{i}/utama": (f"pop{i % 3}",) for i in range(9)}
    nodes = {"inti": (), **{f"pop{i}": ("inti",) for i in range(3)}}
    story = Scenario(network(links, nodes, anchors=1))
    for name in [*links, *nodes]:
        story[name] = silent_between((60.0, 100.0))
    story.run(160)
    (incident,) = story.incidents()
    assert incident.target == "inti"
    assert sorted(incident.affected) == sorted(links)
    for pop in ("pop0", "pop1", "pop2"):
        assert story.path(pop) == ["up", "unreachable", "up"]


def test_a_link_with_two_parents_is_unreachable_only_when_both_are_down() -> None:
    story = Scenario(network({"a/utama": ("p1", "p2")}, {"p1": (), "p2": ()}))
    story["p1"] = silent_between((60.0, 200.0))
    story["a/utama"] = silent_between((60.0, 200.0))
    story.run(100)
    assert sorted(i.target for i in story.opened()) == ["a/utama", "p1"]
    both = Scenario(network({"a/utama": ("p1", "p2")}, {"p1": (), "p2": ()}))
    for name in ("p1", "p2", "a/utama"):
        both[name] = silent_between((60.0, 200.0))
    both.run(100)
    assert sorted(i.target for i in both.opened()) == ["p1", "p2"]
    assert both.path("a/utama") == ["up", "unreachable"]
    assert all(i.affected == ("a/utama",) for i in both.incidents())


def test_the_monitor_cut_off_is_one_incident_of_its_own_and_no_outage() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    story = Scenario(network(links, {"inti": ()}, anchors=2))
    names = [t.name for t in story.net.targets()]
    for name in names:
        story[name] = silent_between((60.0, 120.0))
    story.run(200)
    (incident,) = story.incidents()
    assert (incident.scope.value, incident.target) == ("monitor", "monitor")
    assert incident.state is State.UNKNOWN
    assert 60.0 <= after(incident.started_s) <= 61.2
    assert incident.ended_s is not None
    assert 120.0 <= after(incident.ended_s) <= 121.2
    for name in names:
        assert story.path(name) == ["up", "unknown", "up"]
        unknown = story.transitions(name)[1]
        assert unknown.at_s == incident.started_s


def test_sends_that_fail_for_all_are_the_monitor_and_never_an_outage() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    story = Scenario(network(links, anchors=1))
    names = [t.name for t in story.net.targets()]
    for name in names:
        story[name] = unsent_between(60.0, 90.0)
    story.run(150)
    (incident,) = story.incidents()
    assert incident.scope.value == "monitor"
    assert incident.reason == "send_failure"
    assert incident.evidence.error == "ENETUNREACH"
    assert all(story.path(name) == ["up", "unknown", "up"] for name in names)


def test_one_link_that_cannot_be_measured_is_unknown_after_five_in_a_row() -> None:
    story = Scenario(network({f"s{i}/utama": () for i in range(10)}, anchors=1))
    story["s3/utama"] = unsent_between(60.0, 90.0, "EHOSTUNREACH")
    story.run(150)
    (incident,) = story.incidents()
    assert (incident.target, incident.state) == ("s3/utama", State.UNKNOWN)
    assert incident.ended_s is not None
    assert story.path("s3/utama") == ["up", "unknown", "up"]


def test_a_single_dead_anchor_hides_outages_for_a_while_but_not_for_ever() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    story = Scenario(network(links, anchors=1))
    story["anchor:10.79.0.1"] = silent_between((60.0, 500.0))
    story["s1/utama"] = silent_between((100.0, 200.0))
    story.run(150)
    (incident,) = story.incidents()
    assert incident.target == "s1/utama"
    assert incident.detected_s - incident.started_s <= 7.0
    assert story.path("anchor:10.79.0.1") == ["up", "down"]


def test_thirty_one_sites_down_with_anchors_alive_are_outages() -> None:
    links = {f"s{i}/utama": () for i in range(31)}
    story = Scenario(network(links, anchors=1))
    for link in links:
        story[link] = silent_between((60.0, 120.0))
    story.run(180)
    assert len(story.incidents()) == 31
    assert {i.state for i in story.incidents()} == {State.DOWN}


def test_a_blind_interval_opens_no_incident_and_is_unknown() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story.run(200, stopped=(60.0, 100.0))
    assert story.incidents() == []
    for name in ("a/utama", "b/utama"):
        assert story.path(name) == ["up", "unknown", "up"]
        unknown, up = story.transitions(name)[1:]
        assert 58.9 <= after(unknown.at_s) <= 60
        assert 100 <= after(up.at_s) <= 101.1


def test_an_outage_across_a_blind_interval_keeps_its_incident() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story["a/utama"] = silent_between((50.0, 150.0))
    story.run(200, stopped=(70.0, 100.0))
    (incident,) = story.incidents()
    assert after(incident.started_s) == pytest.approx(50.0, abs=1.1)
    assert incident.ended_s is not None
    assert after(incident.ended_s) == pytest.approx(150.0, abs=1.2)
    assert story.path("a/utama") == ["up", "down", "unknown", "down", "up"]


def test_an_outage_that_began_while_blind_says_both_bounds() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story["a/utama"] = silent_between((80.0, 150.0))
    story.run(200, stopped=(70.0, 100.0))
    (incident,) = story.incidents()
    assert 100.0 <= after(incident.started_s) <= 101.1
    assert incident.started_earliest_s is not None
    assert 68.9 <= after(incident.started_earliest_s) <= 70.0


def test_an_outage_that_ended_while_blind_says_both_bounds() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story["a/utama"] = silent_between((50.0, 80.0))
    story.run(200, stopped=(70.0, 100.0))
    (incident,) = story.incidents()
    assert incident.ended_s is not None
    assert 100.0 <= after(incident.ended_s) <= 101.1
    assert incident.ended_earliest_s is not None
    assert 68.9 <= after(incident.ended_earliest_s) <= 70.0


def test_slow_answers_are_degraded_and_clear_under_80_percent_of_the_limit() -> None:
    story = one_link()
    story[LINK] = lambda t: 120.0 if 100.0 <= t < 200.0 else (45.0 if 200 <= t < 300 else 10.0)
    story.run(420)
    (incident,) = story.incidents()
    assert (incident.state, incident.reason) == (State.DEGRADED, "rtt")
    assert incident.started_s == incident.detected_s
    assert 100 < after(incident.started_s) <= 220
    assert incident.ended_s is not None
    assert 300 < after(incident.ended_s) <= 420  # 45 ms is over 80 % of 50 ms
    assert story.path(LINK) == ["up", "degraded", "up"]


def test_a_link_back_from_an_outage_is_up_and_not_degraded() -> None:
    story = one_link()
    story[LINK] = silent_between((60.0, 75.0))
    story.run(200)
    assert story.path(LINK) == ["up", "down", "up"]


def test_an_outage_closes_a_degraded_incident() -> None:
    story = one_link()
    story[LINK] = lambda t: None if 200 <= t < 260 else (120.0 if t >= 100 else 10.0)
    story.run(230)
    degraded, down = story.incidents()
    assert degraded.end_reason == "down"
    assert degraded.ended_s == down.started_s
    assert down.state is State.DOWN


def test_intervals_of_a_target_never_run_backwards() -> None:
    links = {f"s{i}/utama": ("pop",) for i in range(6)}
    story = Scenario(network(links, {"pop": ()}, anchors=1))
    for name in [*links, "pop"]:
        story[name] = silent_between((60.0, 90.0), (95.0, 130.0), (133.0, 170.0))
    story.run(300, stopped=(140.0, 155.0))
    for name in [*links, "pop"]:
        times = [t.at_s for t in story.transitions(name)]
        assert times == sorted(times)
        befores = [t.before for t in story.transitions(name)][1:]
        assert befores == [t.after for t in story.transitions(name)][:-1]


def test_a_flapping_link_keeps_an_incident_for_each_outage() -> None:
    story = one_link()
    spans = [(60.0 + 40 * i, 75.0 + 40 * i) for i in range(6)]
    story[LINK] = silent_between(*spans)
    story.run(400)
    assert len(story.incidents()) == 6


def test_a_link_that_never_answered_is_down_with_its_first_lost_request() -> None:
    story = one_link()
    story[LINK] = lambda _: None
    story.run(30)
    (incident,) = story.incidents()
    assert incident.started_s == T0
    assert story.path(LINK) == ["down"]


def test_steady_is_the_default_of_a_story() -> None:
    assert steady(3.0)(99.0) == 3.0
