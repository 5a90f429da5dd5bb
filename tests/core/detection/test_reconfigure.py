"""A reload keeps what stays and closes what leaves."""

from __future__ import annotations

from monitor.core.detection.detector import Detector, close_removed
from monitor.core.model import (
    ChangeKind,
    Incident,
    IncidentChange,
    LedgerSnapshot,
    Lost,
    Reply,
    Scope,
    State,
    StoredState,
    Transition,
)
from tests.core.detection.scenario import T0, Scenario, network, silent_between


def test_a_link_that_stays_keeps_its_verdict_and_its_incident() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story["a/utama"] = silent_between((20.0, 500.0))
    story.run(60)
    world = story.detector
    decisions = world.reconfigure(network({"a/utama": (), "b/utama": ()}), T0 + 60)
    assert decisions == []
    assert world.healths["a/utama"].state is State.DOWN
    for i in range(3):
        at = T0 + 61 + i
        said = world.advance([Reply("a/utama", at, at + 0.01, 10.0)])
    (closed,) = [d.incident for d in said if isinstance(d, IncidentChange)]
    assert closed.id == story.incidents()[0].id
    assert closed.ended_s == T0 + 61


def test_a_link_that_leaves_closes_its_incident_with_the_reason_removed() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story["b/utama"] = silent_between((20.0, 500.0))
    story.run(60)
    world = story.detector
    decisions = world.reconfigure(network({"a/utama": ()}), T0 + 60)
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert (closed.target, closed.end_reason, closed.ended_s) == ("b/utama", "removed", T0 + 60)
    (turned,) = [d for d in decisions if isinstance(d, Transition)]
    assert (turned.before, turned.after) == (State.DOWN, State.UNKNOWN)
    assert set(world.healths) == {"a/utama"}


def test_the_counts_of_silent_targets_stay_true_over_a_reload() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    story = Scenario(network(links, anchors=1))
    for name in ("s1/utama", "s2/utama"):
        story[name] = silent_between((20.0, 500.0))
    story.run(60)
    world = story.detector
    world.reconfigure(network(links, anchors=1), T0 + 60)
    assert (world.counts.seen, world.counts.silent, world.counts.anchors_seen) == (11, 2, 1)


def test_anchors_are_still_heard_after_a_reload() -> None:
    links = {f"s{i}/utama": () for i in range(10)}
    net = network(links, anchors=1)
    story = Scenario(net).run(60)
    story.detector.reconfigure(net, T0 + 60)
    story["anchor:10.79.0.1"] = silent_between((80.0, 500.0))
    story["s1/utama"] = silent_between((120.0, 500.0))
    story.run(160)
    assert [i.target for i in story.incidents()] == ["s1/utama"]
    assert story.path("anchor:10.79.0.1")[-1] == "down"


def test_what_the_ledger_remembers_from_the_future_is_taken_as_of_now() -> None:
    """The clock was set back by a day while the daemon was stopped."""
    world = Detector(network({"a/utama": ()}))
    day_s = 86_400.0
    stored = StoredState("a/utama", State.UP, T0 + day_s)
    world.restore(LedgerSnapshot((stored,), (), 1, T0 + day_s), now_s=T0)
    said = world.advance([Reply("a/utama", T0 + 30, T0 + 30.01, 9.0)])
    assert [(t.before.value, t.after.value) for t in said if isinstance(t, Transition)] == [
        ("up", "unknown"),
        ("unknown", "up"),
    ]
    assert all(t.at_s <= t.detected_s for t in said if isinstance(t, Transition))


def test_an_outage_of_a_target_that_left_while_nobody_ran_ends_at_the_start() -> None:
    story = Scenario(network({"a/utama": (), "b/utama": ()}))
    story["a/utama"] = story["b/utama"] = silent_between((20.0, 500.0))
    story.run(60)
    (closed,) = close_removed(network({"a/utama": ()}), story.incidents(), T0 + 60)
    assert isinstance(closed, IncidentChange)
    assert (closed.incident.target, closed.incident.end_reason) == ("b/utama", "removed")
    assert (closed.change, closed.incident.ended_s) == (ChangeKind.CLOSED, T0 + 60)
    assert close_removed(network({"a/utama": (), "b/utama": ()}), story.incidents(), T0) == []


def test_the_monitors_own_incident_is_about_no_target_and_stays() -> None:
    own = Incident(1, Scope.MONITOR, "monitor", State.UNKNOWN, T0, T0, "silence")
    assert close_removed(network({}), [own], T0 + 60) == []


def test_a_hidden_link_whose_node_left_is_judged_on_its_own_evidence() -> None:
    story = Scenario(network({"a/utama": ("pop",), "b/utama": ("pop",)}, {"pop": ()}))
    for name in ("a/utama", "b/utama", "pop"):
        story[name] = silent_between((20.0, 500.0))
    story["b/utama"] = silent_between((20.0, 62.0))
    story.run(60)
    assert story.path("a/utama") == ["up", "unreachable"]
    plain = network({"a/utama": (), "b/utama": ()})
    world = story.detector
    world.reconfigure(plain, T0 + 60)
    after = Scenario(plain, story.behaviours)
    after.detector, after.now = world, 60.0
    after._queue = [(60.0, "a/utama"), (60.1, "b/utama")]
    after.run(100)
    (incident,) = after.incidents()
    assert (incident.target, incident.state) == ("a/utama", State.DOWN)
    assert incident.started_s == T0 + 60
    assert after.path("a/utama") == ["down"]
    assert after.path("b/utama") == ["up"]


def test_a_link_that_another_dead_node_hides_too_stays_hidden_when_one_leaves() -> None:
    story = Scenario(network({"a/utama": ("p1", "p2")}, {"p1": (), "p2": ()}))
    for name in ("a/utama", "p1", "p2"):
        story[name] = silent_between((20.0, 500.0))
    story.run(60)
    world = story.detector
    world.reconfigure(network({"a/utama": ("p2",)}, {"p1": (), "p2": ()}), T0 + 60)
    assert world.healths["a/utama"].state is State.UNREACHABLE
    lost = [Lost("a/utama", T0 + 60 + i * 0.2, T0 + 61 + i * 0.2) for i in range(60)]
    assert world.advance(lost) == []


def test_a_verdict_that_waits_is_spoken_after_a_reload() -> None:
    story = Scenario(network({"a/utama": ("pop",), "b/utama": ()}, {"pop": ()}))
    story["a/utama"] = silent_between((20.0, 500.0))
    story["pop"] = silent_between((21.5, 500.0))
    story.run(26.9)
    assert story.detector.healths["a/utama"].pending
    story.detector.reconfigure(story.net, T0 + 26.9)
    story.run(60)
    assert story.path("a/utama") == ["up", "unreachable"]
