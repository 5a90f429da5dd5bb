"""Sends that fail for a part of each round: when that is the monitor's, and when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.core.model import Incident, ProbeRules
from tests.core.detection.scenario import (
    T0,
    Answer,
    Behaviour,
    Scenario,
    after,
    network,
    unsent_between,
)

ANCHOR = "anchor:10.79.0.1"
BEGINS = 20
AT_THE_LATEST_S = 12.0
"""Ten seconds, one for the first round to come round, and one for the last."""


def links(count: int, anchors: int = 1) -> Scenario:
    return Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=anchors))


def names(story: Scenario) -> list[str]:
    return [target.name for target in story.net.targets()]


def monitors(story: Scenario) -> list[Incident]:
    assert {i.target for i in story.incidents()} <= {"monitor"}, "a link was blamed"
    return story.incidents()


def in_rounds(rounds: Sequence[set[str]], name: str) -> Behaviour:
    """No room for `name` in those rounds (seconds from `BEGINS` on) that say so."""

    def answer(t: float) -> Answer:
        number = int(t) - BEGINS
        return "ENOBUFS" if 0 <= number < len(rounds) and name in rounds[number] else 10.0

    return answer


def chance(seed: object, share: float, start: float, end: float, full_until: float) -> Behaviour:
    """No room for any until `full_until`, then for `share` of them."""
    dice = Random(repr(seed))

    def answer(t: float) -> Answer:
        full = start <= t < full_until
        return "ENOBUFS" if full or (start <= t < end and dice.random() < share) else 10.0

    return answer


@st.composite
def takings(draw: st.DrawFn, more_than_half: bool) -> tuple[Scenario, list[set[str]]]:
    """Rounds in which others fail each time, in whatever turn; each anchor is among them."""
    story = links(draw(st.integers(6, 12)), draw(st.integers(0, 2)))
    every = names(story)
    anchors = {name for name in every if name.startswith("anchor")}
    most = len(every) // 2 + 1
    least, largest = (most, len(every)) if more_than_half else (0, int(0.4 * len(every)))
    rounds: list[set[str]] = []
    for number in range(24):
        some = set(
            draw(st.lists(st.sampled_from(every), min_size=least, max_size=largest, unique=True))
        )
        if more_than_half and number % 9 == 0:
            some |= anchors
        rounds.append(some)
    return story, rounds


@settings(max_examples=80, deadline=None)
@given(takings(more_than_half=True))
def test_more_than_half_of_each_round_are_the_monitors_within_twelve_seconds(
    told: tuple[Scenario, list[set[str]]],
) -> None:
    story, rounds = told
    for name in names(story):
        story[name] = in_rounds(rounds, name)
    story.run(BEGINS + len(rounds) + 25)
    first = monitors(story)[0]
    assert first.reason == "send_failure"
    assert after(first.detected_s) <= BEGINS + AT_THE_LATEST_S


@settings(max_examples=80, deadline=None)
@given(takings(more_than_half=False))
def test_two_fifths_of_each_round_are_never_the_monitors(
    told: tuple[Scenario, list[set[str]]],
) -> None:
    story, rounds = told
    for name in names(story):
        story[name] = in_rounds(rounds, name)
    story.run(BEGINS + len(rounds) + 5)
    assert "monitor" not in {i.target for i in story.incidents()}


@settings(max_examples=40, deadline=None)
@given(takings(more_than_half=True))
def test_nothing_is_the_monitors_while_one_anchor_is_always_sent_to(
    told: tuple[Scenario, list[set[str]]],
) -> None:
    story, rounds = told
    assume(ANCHOR in names(story))
    for name in names(story):
        story[name] = in_rounds([some - {ANCHOR} for some in rounds], name)
    story.run(BEGINS + len(rounds) + 5)
    assert "monitor" not in {i.target for i in story.incidents()}


def held_s(failing: Mapping[str, list[tuple[float, bool]]], now: float) -> float:
    """For how much of the last ten seconds the newest request had failed, over all targets."""
    total = 0.0
    for known in failing.values():
        until = [*(at for at, _ in known[1:]), now]
        total += sum(
            max(0.0, min(to, now) - max(at, now - 10.0))
            for (at, failed), to in zip(known, until, strict=True)
            if failed and at < now
        )
    return total


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=25, max_size=25), min_size=5, max_size=8))
def test_it_opens_with_the_first_failed_send_at_which_the_last_ten_seconds_were_too_bad(
    tables: list[list[bool]],
) -> None:
    """Held against the rule said in another way: every ten seconds added up anew."""
    story = links(len(tables) - 1)
    rounds = [
        {name for name, fails in zip(names(story), tables, strict=True) if fails[number]}
        for number in range(25)
    ]
    for name in names(story):
        story[name] = in_rounds(rounds, name)
    story.run(BEGINS + 25)
    known: dict[str, list[tuple[float, bool]]] = {name: [] for name in names(story)}
    expected: float | None = None
    for sent, name, answer in story.lines:
        failed = isinstance(answer, str)
        known[name].append((sent if failed else sent + 0.01, failed))
        if not failed or expected is not None:
            continue
        mean = held_s(known, sent) / 10.0 / len(known)
        assume(abs(mean - 0.5) > 1e-5)
        anchor_failed = any(bad and at >= sent - 10.0 for at, bad in known[ANCHOR])
        if mean > 0.5 and anchor_failed:
            expected = sent
    opened = [i.detected_s for i in story.opened() if i.target == "monitor"]
    assert opened[:1] == ([] if expected is None else [expected])


@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("count", [10, 40])
def test_a_half_full_buffer_is_told_as_soon_whatever_the_dice_say(count: int, share: float) -> None:
    """By the rule of old the same buffer was told after 6 s or after 80, as the dice fell."""
    told: list[float] = []
    for seed in range(4):
        story = links(count, anchors=2)
        for name in names(story):
            story[name] = chance((seed, name), share, 60.0, 120.0, 60.0)
        story.run(150)
        (incident,) = monitors(story)
        told.append(after(incident.detected_s) - 60.0)
    assert max(told) <= AT_THE_LATEST_S
    assert max(told) - min(told) <= 3.0


def test_a_buffer_that_failed_in_turns_is_not_over_with_one_lucky_round() -> None:
    for seed in range(9, 18):
        story = links(10, anchors=2)
        for name in names(story):
            story[name] = chance((seed, name), 0.55, 60.0, 110.0, 60.0)
        story.run(140)
        assert len(monitors(story)) == 1


@pytest.mark.parametrize("share", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("count", [10, 40])
def test_a_buffer_that_is_full_and_then_half_full_is_one_trouble(count: int, share: float) -> None:
    for seed in range(6):
        story = links(count, anchors=2)
        for name in names(story):
            story[name] = chance((seed, name), share, 60.0, 110.0, 70.0)
        story.run(140)
        (incident,) = monitors(story)
        assert incident.ended_s is not None
        assert 110.0 <= after(incident.ended_s) <= 122.0
        assert all(story.path(name)[-1] == "up" for name in names(story))


@pytest.mark.parametrize("share", [0.6, 0.9, 1.0])
def test_two_troubles_with_a_good_time_between_them_are_two(share: float) -> None:
    """Most targets are sent to for ten seconds, and an anchor answers."""
    story = links(20, anchors=2)
    for name in names(story):
        first, then = (chance(name, 1.0, 60.0, 70.0, 70.0), chance(name, share, 81.0, 110.0, 81.0))
        story[name] = lambda t, first=first, then=then: first(t) if t < 75 else then(t)  # type: ignore[misc]
    story.run(140)
    one, other = monitors(story)
    assert one.ended_s is not None
    assert 70.0 <= after(one.ended_s) <= 71.0
    assert after(other.started_s) >= 81.0


def test_it_ends_at_the_anchors_first_answer_and_all_that_was_sent_since_counts() -> None:
    story = links(12, anchors=2)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0)
    story["s1/utama"] = unsent_between(60.0, 98.0)
    story["s9/utama"] = lambda t: "ENOBUFS" if 60 <= t < 90 else (None if 90 <= t < 120 else 10.0)
    story.run(150)
    monitor, down = story.incidents()
    asked = {
        n: min(at for at, name, _ in story.lines if name == n and at >= T0 + 90)
        for n in names(story)
    }
    assert monitor.ended_s == asked[ANCHOR]
    assert (down.target, down.state.value) == ("s9/utama", "down")
    assert down.started_s == asked["s9/utama"]
    for name in set(names(story)) - {"s1/utama", "s9/utama"}:
        back = story.transitions(name)[-1]
        assert back.after.value == "up"
        if asked[name] >= monitor.ended_s:
            assert back.at_s == asked[name]
        assert back.detected_s - monitor.ended_s <= 1.1


def test_a_few_that_fail_a_little_longer_hold_nothing_up_this_time_or_the_next() -> None:
    story = links(12)
    for name in names(story):
        late = {"s0/utama": 64.0, "s1/utama": 64.0, "s2/utama": 164.0, "s3/utama": 164.0}
        first, then = unsent_between(40.0, 60.0), unsent_between(140.0, 160.0)
        more = unsent_between(60.0 if late.get(name, 0) < 100 else 160.0, late.get(name, 0.0))
        story[name] = lambda t, a=first, b=then, c=more: max((a(t), b(t), c(t)), key=str)  # type: ignore[misc]
    story.run(200)
    assert [after(i.ended_s or 0.0) for i in monitors(story)] == [60.0, 160.0]


def test_a_few_more_than_half_are_dated_from_their_first_failed_send() -> None:
    story = links(40)
    for name in names(story)[::2]:
        story[name] = unsent_between(60.0, 90.0)
    story.run(85)
    (incident,) = monitors(story)
    assert after(incident.started_s) == 60.0
    assert 10.0 <= after(incident.detected_s) - 60.0 <= AT_THE_LATEST_S


def test_an_answer_that_was_held_back_counts_once() -> None:
    """The answer that ends it is the first of three that a link owes."""
    story = links(12, anchors=2)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0)
    story["s5/utama"] = lambda t: "ENOBUFS" if 60 <= t < 90 else (None if 30 <= t < 60 else 10.0)
    story.run(90.4)
    assert story.detector.monitor_incident is not None
    story.run(90.55)
    assert story.detector.monitor_incident is None
    story.run(120)
    assert story.path("s5/utama") == ["up", "down", "unknown", "up"]
    back = story.transitions("s5/utama")[-1]
    assert 92.5 <= after(back.detected_s) <= 92.6


def test_what_alternates_once_is_forgotten_with_its_incident() -> None:
    story = links(20, anchors=2)
    for name in names(story):
        half, full = chance(name, 0.8, 60.0, 80.0, 60.0), unsent_between(120.0, 140.0)
        story[name] = lambda t, half=half, full=full: half(t) if t < 100 else full(t)  # type: ignore[misc]
    story.run(180)
    _, other = monitors(story)
    assert after(other.ended_s or 0.0) == 140.0


def test_links_without_a_route_do_not_hold_it_up_for_ever_when_the_anchor_is_dead() -> None:
    story = links(12)
    for name in names(story):
        story[name] = chance(name, 0.8, 60.0, 80.0, 60.0)
    for i in (0, 2, 5, 7, 10):
        story[f"s{i}/utama"] = unsent_between(60.0, 200.0)
    story[ANCHOR] = lambda t: 10.0 if t < 60 else ("ENOBUFS" if t < 80 else None)
    story.run(130)
    monitor = story.incidents()[0]
    assert monitor.target == "monitor"
    assert 80.0 <= after(monitor.ended_s or 0.0) <= 92.0


def test_it_ends_although_more_than_half_of_all_links_are_down_by_then() -> None:
    story = links(12)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0)
    for i in range(8):
        story[f"s{i}/utama"] = lambda t: "ENOBUFS" if 60 <= t < 90 else (None if t >= 60 else 10.0)
    story.run(150)
    monitor, *downs = story.incidents()
    assert monitor.ended_s is not None
    assert 90.0 <= after(monitor.ended_s) <= 91.0
    assert {i.target for i in downs} == {f"s{i}/utama" for i in range(8)}
    assert all(after(i.detected_s) <= 110.0 for i in downs)


def test_one_answer_amid_failed_sends_does_not_end_it() -> None:
    story = links(12)
    for name in names(story):
        story[name] = unsent_between(60.0, 90.0)
    story[ANCHOR] = lambda t: 10.0 if t < 60 or 70 <= t < 71 or t >= 90 else "ENOBUFS"
    story.run(150)
    (incident,) = monitors(story)
    assert incident.ended_s is not None
    assert 90.0 <= after(incident.ended_s) <= 102.0


def test_anchors_that_are_asked_once_a_minute_fail_until_they_are_sent_to() -> None:
    """Eight of them, one after the other: they never all fail within the same ten seconds."""
    net = network({f"s{i}/utama": () for i in range(10)}, anchors=8)
    anchors = tuple(replace(a, rules=ProbeRules(interval_s=60.0)) for a in net.anchors)
    story = Scenario(replace(net, anchors=anchors))
    for name in names(story):
        story[name] = unsent_between(100.0, 300.0)
    story.run(200)
    assert "monitor" in {i.target for i in story.incidents()}


@pytest.mark.parametrize("at", [66.0, 85.0, 90.3, 90.6])
def test_a_reload_changes_nothing_of_it(at: float) -> None:
    def told(reloads: bool) -> list[object]:
        story = links(12, anchors=2)
        for name in names(story):
            story[name] = chance(name, 0.7, 60.0, 80.0, 60.0)
        if at > 90:
            for name in names(story):
                story[name] = unsent_between(60.0, 90.0)
        story.run(at)
        if reloads:
            said = story.detector.reconfigure(story.net, T0 + at)
            assert said == []
        return list(story.run(130).decisions)

    plain = told(reloads=False)
    assert told(reloads=True) == plain
    assert plain
