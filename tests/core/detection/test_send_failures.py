"""Sends that fail here: one link's own trouble has its incident, this machine's has one for all."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model import (
    IncidentChange,
    LedgerSnapshot,
    Lost,
    NotMeasured,
    Reply,
    State,
    StoredState,
)
from tests.core.detection.scenario import (
    T0,
    Answer,
    Behaviour,
    Scenario,
    after,
    network,
    unsent_between,
)

ERRNOS = ["ENOBUFS", "ENETUNREACH", "EPERM", "EMFILE", "ENODEV"]
ANCHOR = "anchor:10.79.0.1"


def links(count: int, anchors: int = 1) -> Scenario:
    return Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=anchors))


def names(story: Scenario) -> list[str]:
    return [target.name for target in story.net.targets()]


def some_fail(seed: int, share: float, start: float, end: float) -> Behaviour:
    """A full buffer: `share` of the sends find no room."""
    chance = Random(seed)

    def answer(t: float) -> Answer:
        return "ENOBUFS" if start <= t < end and chance.random() < share else 10.0

    return answer


def kinds(story: Scenario) -> set[tuple[str, str, str]]:
    return {(i.target, i.state.value, i.reason) for i in story.incidents()}


@pytest.mark.parametrize("count", [2, 3, 4, 5, 12])
@pytest.mark.parametrize("errno", ERRNOS)
def test_sends_that_fail_for_every_target_are_the_monitors_however_few_there_are(
    count: int, errno: str
) -> None:
    story = links(count, anchors=0)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0, errno)
    story.run(150)
    (incident,) = story.incidents()
    assert kinds(story) == {("monitor", "unknown", "send_failure")}
    assert 60.0 <= after(incident.started_s) <= 61.0
    assert incident.detected_s - incident.started_s <= 7.0
    assert incident.ended_s is not None
    assert 90.0 <= after(incident.ended_s) <= 91.0
    assert all(story.path(name) == ["up", "unknown", "up"] for name in names(story))


@pytest.mark.parametrize("count", [1, 2, 10])
def test_one_link_that_fails_among_others_or_all_by_itself_is_its_own_trouble(count: int) -> None:
    story = links(count, anchors=0)
    story["s0/utama"] = unsent_between(60.0, 90.0)
    story.run(150)
    (incident,) = story.incidents()
    assert (incident.target, incident.reason) == ("s0/utama", "not_measured")
    assert incident.detected_s - incident.started_s == pytest.approx(4.0)


def test_four_in_a_row_are_no_incident() -> None:
    story = links(3, anchors=0)
    story["s0/utama"] = unsent_between(60.0, 64.0)
    story.run(100)
    assert story.incidents() == []


@pytest.mark.parametrize("failing", [2, 4, 5])
def test_up_to_half_of_the_targets_each_have_their_own(failing: int) -> None:
    story = links(9, anchors=1)
    for i in range(failing):
        story[f"s{i}/utama"] = unsent_between(60.0, 90.0)
    story.run(150)
    assert kinds(story) == {(f"s{i}/utama", "unknown", "not_measured") for i in range(failing)}


def test_most_links_without_a_route_while_the_anchor_is_sent_to_are_no_isolation() -> None:
    story = links(9, anchors=1)
    for i in range(8):
        story[f"s{i}/utama"] = unsent_between(60.0, 90.0)
    story.run(150)
    assert kinds(story) == {(f"s{i}/utama", "unknown", "not_measured") for i in range(8)}


def test_a_link_that_failed_first_is_not_blamed_before_the_rest_was_tried() -> None:
    """Suspected, it is asked five times a second: five failed sends in one second."""
    story = links(12)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0)
    story["s3/utama"] = lambda t: "ENOBUFS" if 60 <= t < 90 else (None if 58 <= t < 60 else 10.0)
    story.run(150)
    assert kinds(story) == {("monitor", "unknown", "send_failure")}


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.97])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_full_buffer_that_fails_some_of_each_round_blames_no_link(
    share: float, seed: int
) -> None:
    story = links(40, anchors=2)
    for i, name in enumerate(names(story)):
        story[name] = some_fail(1000 * seed + i, share, 60.0, 180.0)
    story.run(300)
    assert {i.target for i in story.incidents()} <= {"monitor"}
    if share >= 0.7:
        (incident,) = story.incidents()
        assert after(incident.detected_s) <= 75.0
        assert incident.ended_s is not None
        assert 180.0 <= after(incident.ended_s) <= 192.0
    assert all(story.path(name)[-1] == "up" for name in names(story))


def test_what_the_machines_trouble_explains_is_unknown_without_an_incident() -> None:
    """A third of all sends fail, and those of one link all: too few to be cut off."""
    story = links(40, anchors=2)
    for i, name in enumerate(names(story)):
        story[name] = some_fail(i, 0.33, 60.0, 85.0)
    story["s7/utama"] = unsent_between(60.0, 85.0, "ENOBUFS")
    story.run(120)
    assert story.incidents() == []
    assert story.path("s7/utama") == ["up", "unknown", "up"]


def test_a_link_that_goes_on_failing_long_after_is_told_although_others_fail_too() -> None:
    story = links(40, anchors=2)
    for i, name in enumerate(names(story)):
        story[name] = some_fail(i, 0.33, 60.0, 120.0)
    story["s7/utama"] = unsent_between(60.0, 120.0, "ENOBUFS")
    story.run(150)
    (incident,) = story.incidents()
    assert (incident.target, incident.reason) == ("s7/utama", "not_measured")
    assert 60.0 <= after(incident.started_s) <= 61.0
    assert 30.0 <= incident.detected_s - incident.started_s <= 32.0


def test_one_that_is_sent_to_a_little_later_than_the_rest_is_not_blamed_after_it() -> None:
    story = links(12)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0)
    story["s3/utama"] = unsent_between(60.0, 98.0)
    story.run(150)
    assert kinds(story) == {("monitor", "unknown", "send_failure")}


def test_a_link_that_failed_alone_before_does_not_date_the_monitors_incident_back() -> None:
    story = links(12)
    for name in names(story):
        story[name] = unsent_between(120.0, 150.0)
    story["s3/utama"] = unsent_between(60.0, 150.0)
    story.run(200)
    own, monitors = story.incidents()
    assert (own.target, monitors.target) == ("s3/utama", "monitor")
    assert 120.0 <= after(monitors.started_s) <= 121.0
    assert own.ended_s is not None
    assert 150.0 <= after(own.ended_s) <= 151.0
    assert own.end_reason == "measured_again"


def test_a_silence_that_turns_into_failing_sends_is_one_incident_with_that_reason() -> None:
    story = links(12)
    for name in names(story):
        story[name] = lambda t: "ENOBUFS" if 64 <= t < 90 else (None if 60 <= t < 64 else 10.0)
    story.run(150)
    (incident,) = story.incidents()
    assert (incident.target, incident.reason) == ("monitor", "send_failure")
    assert 60.0 <= after(incident.started_s) <= 61.0


def test_an_older_loss_that_becomes_known_late_does_not_break_the_row_of_failed_sends() -> None:
    story = links(3, anchors=0).run(60)
    row = [NotMeasured("s0/utama", T0 + 60 + i, T0 + 60 + i, "EPERM") for i in range(5)]
    late = Lost("s0/utama", T0 + 59.5, T0 + 62.5)
    said = story.detector.advance([*row[:3], late, *row[3:]])
    assert [d.incident.reason for d in said if isinstance(d, IncidentChange)] == ["not_measured"]


def test_a_request_that_went_out_amid_failed_ones_begins_the_row_anew() -> None:
    story = links(3, anchors=0).run(60)
    row = [NotMeasured("s0/utama", T0 + 60 + i, T0 + 60 + i, "EPERM") for i in range(5)]
    amid = Lost("s0/utama", T0 + 62.5, T0 + 63.5)
    said = story.detector.advance([*row[:4], amid, *row[4:]])
    assert said == []


def test_an_incident_that_the_ledger_remembers_ends_when_it_is_measured_again() -> None:
    story = links(3, anchors=0)
    story["s0/utama"] = unsent_between(60.0, 90.0)
    story.run(80)
    (open_one,) = story.incidents()
    again = links(3, anchors=0).detector
    stored = StoredState("s0/utama", State.UNKNOWN, T0 + 60)
    again.restore(LedgerSnapshot((stored,), (open_one,), 2, T0 + 80))
    said = again.advance([Reply("s0/utama", T0 + 82, T0 + 82.01, 10.0)])
    (closed,) = [d.incident for d in said if isinstance(d, IncidentChange)]
    assert (closed.id, closed.ended_s) == (open_one.id, T0 + 82)
    assert closed.end_reason == "measured_again"


def test_an_incident_of_a_link_does_not_end_before_it_started() -> None:
    story = links(3, anchors=0)
    story["s0/utama"] = unsent_between(60.0, 90.0)
    story.run(80)
    (open_one,) = story.incidents()
    again = links(3, anchors=0).detector
    again.restore(LedgerSnapshot((), (open_one,), 2, None))
    said = again.advance([Lost("s0/utama", T0 + 59, T0 + 82)])
    (closed,) = [d.incident for d in said if isinstance(d, IncidentChange)]
    assert closed.ended_s == closed.started_s


def test_a_reload_amid_failing_sends_changes_no_verdict() -> None:
    story = links(12)
    for i, name in enumerate(names(story)):
        story[name] = some_fail(i, 0.9, 60.0, 120.0)
    for moment in (62.0, 80.0):
        story.run(moment)
        said = story.detector.reconfigure(story.net, T0 + moment)
        assert said == []
    story.run(180)
    assert kinds(story) == {("monitor", "unknown", "send_failure")}
    assert len(story.incidents()) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 14),
    st.integers(0, 2),
    st.sets(st.integers(0, 13)),
    st.booleans(),
    st.sampled_from(ERRNOS),
)
def test_either_each_link_has_its_own_incident_or_the_monitor_has_one(
    count: int, anchors: int, failing: set[int], anchors_fail: bool, errno: str
) -> None:
    story = links(count, anchors)
    own = {f"s{i}/utama" for i in failing if i < count}
    fail = own | ({n for n in names(story) if n.startswith("anchor")} if anchors_fail else set())
    for name in fail:
        story[name] = unsent_between(60.0, 80.0, errno)
    story.run(130)
    all_of_them = count + anchors
    most = len(fail) == all_of_them > 1 if all_of_them < 5 else 2 * len(fail) > all_of_them
    if most and (anchors_fail or not anchors):
        assert {target for target, _, _ in kinds(story)} == {"monitor"}
    else:
        assert {target for target, _, _ in kinds(story)} == own
    assert all(i.ended_s is not None and i.ended_s >= i.started_s for i in story.incidents())
    assert {t.after for t in story.transitions()} <= {State.UP, State.UNKNOWN}


def test_failed_sends_behind_a_node_that_comes_back_are_counted_once() -> None:
    """Each child of a node that is back starts anew, its run of failed sends too."""
    hidden = [f"h{i}/utama" for i in range(4)]
    others = [f"s{i}/utama" for i in range(5)]
    net = network({**dict.fromkeys(hidden, ("pop",)), **dict.fromkeys(others, ())}, {"pop": ()})
    story = Scenario(net)
    story["pop"] = lambda t: None if 60 <= t < 80 else 10.0
    for name in hidden:
        story[name] = lambda t: "EPERM" if 79.5 <= t < 84 else (None if 60 <= t < 84 else 10.0)
    for name in others[:2]:
        story[name] = unsent_between(120.0, 150.0)
    story.run(180)
    assert {i.target for i in story.incidents()} == {"pop", *others[:2]}
