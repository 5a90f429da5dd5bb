"""Links that fall silent after their node are listed with it: told together, none left out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.model import ChangeKind, Incident, IncidentChange, Network, ProbeRules
from tests.core.detection.scenario import T0, Scenario, after, network, silent_between

POP_FELL = 30.0
LATE = 45.0


def fallen(count: int, until: float = 200.0, rules: ProbeRules | None = None) -> Scenario:
    """A node falls, and the links behind it `LATE`: each is asked at another moment."""
    links = {f"s{i:03}/utama": ("pop",) for i in range(count)}
    story = Scenario(network({**links, "x/utama": ()}, {"pop": ()}, 1, rules))
    story["pop"] = silent_between((POP_FELL, until))
    for link in links:
        story[link] = silent_between((LATE, until))
    return story


def updates(story: Scenario) -> list[Incident]:
    return [
        d.incident
        for d in story.decisions
        if isinstance(d, IncidentChange) and d.change is ChangeKind.UPDATED
    ]


def behind_pop(net: Network) -> tuple[str, ...]:
    return tuple(sorted(link.name for link in net.links() if link.via == ("pop",)))


def test_links_that_fall_within_a_second_are_told_in_one_change_with_all_of_them() -> None:
    story = fallen(40).run(60)
    (update,) = updates(story)
    assert update.affected == behind_pop(story.net)
    hidden = [t for t in story.transitions() if t.after.value == "unreachable"]
    assert len(hidden) == 40
    told = [d.at_s for d in story.decisions if isinstance(d, IncidentChange)][-1]
    assert told == pytest.approx(min(t.detected_s for t in hidden) + 1.0)
    assert story.detector.healths["pop"].incident == update
    assert story.run(150).detector._affected == {}
    assert story.detector._deadlines == []
    assert updates(story) == [update]


def test_a_link_that_falls_later_still_is_told_in_a_change_of_its_own() -> None:
    story = fallen(6)
    story["s003/utama"] = silent_between((60.0, 200.0))
    story.run(100)
    first, second = updates(story)
    assert set(second.affected) - set(first.affected) == {"s003/utama"}
    assert second.affected == behind_pop(story.net)


def test_those_that_were_listed_when_the_node_fell_are_not_told_again() -> None:
    story = fallen(40)
    for link in behind_pop(story.net):
        story[link] = silent_between((POP_FELL, 200.0))
    story.run(100)
    (opened,) = story.incidents()
    assert opened.affected == behind_pop(story.net)
    assert updates(story) == []


def test_an_incident_that_is_over_before_they_were_told_lists_them_all_the_same() -> None:
    """The node's first answer ends it, within a second of the first link that was hidden."""
    story = fallen(40, until=52.0, rules=ProbeRules(rise=1)).run(80)
    (over,) = story.incidents()
    assert over.ended_s is not None
    assert 52.0 <= after(over.ended_s) <= 52.1
    assert over.affected == behind_pop(story.net)
    assert updates(story) == []


def test_a_gap_without_evidence_right_after_it_loses_none_of_them() -> None:
    """Of what was due meanwhile is told when there is evidence again."""
    story = fallen(40).run(51.97).run(90, stopped=(51.97, 80.0))
    (update,) = updates(story)
    assert update.affected == behind_pop(story.net)


def test_a_reload_in_that_second_changes_nothing_of_what_is_told() -> None:
    story = fallen(40).run(51.5)
    assert story.detector._affected
    said = story.detector.reconfigure(story.net, T0 + 51.5)
    assert said == []
    assert story.run(60).decisions == fallen(40).run(60).decisions


def test_a_reload_in_that_second_forgets_a_node_that_left() -> None:
    story = fallen(40).run(51.5)
    hidden = tuple(sorted(story.detector._affected["pop"]))
    without = network({link.name: () for link in story.net.links()}, anchors=1)
    world = story.detector
    said = world.reconfigure(without, T0 + 51.5)
    (closed,) = [d.incident for d in said if isinstance(d, IncidentChange)]
    assert (closed.target, closed.end_reason, closed.affected) == ("pop", "removed", hidden)
    assert world._affected == {}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(28.0, 70.0), min_size=1, max_size=12), st.booleans())
def test_whenever_links_fall_their_nodes_incident_lists_each_that_was_hidden_once(
    falls: list[float], deep: bool
) -> None:
    links = {f"s{i:02}/utama": ("pop",) for i in range(len(falls))}
    nodes: dict[str, tuple[str, ...]] = {"inti": (), "pop": ("inti",)} if deep else {"pop": ()}
    story = Scenario(network({**links, "x/utama": ()}, nodes, anchors=1))
    for node in nodes:
        story[node] = silent_between((POP_FELL, 100.0))
    for link, fell in zip(links, falls, strict=True):
        story[link] = silent_between((fell, 100.0))
    story.run(140)
    hidden = {t.target for t in story.transitions() if t.after.value == "unreachable"}
    (nodes_own,) = [i for i in story.incidents() if i.scope.value == "node"]
    assert nodes_own.affected == tuple(sorted(hidden & links.keys()))
    changes = [d for d in story.decisions if isinstance(d, IncidentChange)]
    listed = [d for d in changes if d.incident.id == nodes_own.id]
    for before, then in pairwise(listed):
        assert set(before.incident.affected) <= set(then.incident.affected)
        assert then.at_s - before.at_s >= 1.0 or then.change is ChangeKind.CLOSED
