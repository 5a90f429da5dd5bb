"""Sends that fail: one target's own trouble has its incident, this machine's has one for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.core.model import (
    Incident,
    IncidentChange,
    LedgerSnapshot,
    Lost,
    NotMeasured,
    ProbeRules,
    Reply,
    State,
    StoredState,
)
from tests.core.detection.scenario import (
    T0,
    Answer,
    Behaviour,
    Scenario,
    network,
    offset_s,
    unsent_between,
)

ERRNOS = ["ENOBUFS", "ENETUNREACH", "EPERM", "EMFILE", "ENODEV"]
ANCHOR = "anchor:10.79.0.1"
FIRST = "s0/utama"
BEGINS = 20
AT_THE_LATEST_S = 12.0
"""Ten seconds, one for the first round to come round, and one for the last."""


def links(count: int, anchors: int = 1, behaviour: Behaviour | None = None) -> Scenario:
    """Links `s0/utama` and so on; behaviour: of every target."""
    scenario = Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=anchors))
    if behaviour is not None:
        scenario.behaviours.update(dict.fromkeys(names(scenario), behaviour))
    return scenario


def some_fail(count: int, anchors: int, of_target: Callable[[int, str], Behaviour]) -> Scenario:
    """Each target with a behaviour of its own."""
    scenario = links(count, anchors)
    for number, name in enumerate(names(scenario)):
        scenario[name] = of_target(number, name)
    return scenario


def names(scenario: Scenario) -> list[str]:
    return [target.name for target in scenario.net.targets()]


def own(numbers: int | Sequence[int]) -> set[str]:
    return {f"s{i}/utama" for i in (range(numbers) if isinstance(numbers, int) else numbers)}


def buffer(
    seed: object, share: float, start: float, end: float, full_until: float | None = None
) -> Behaviour:
    """A buffer that is full for all until `full_until`, then for `share` of the sends."""
    chance = Random(seed) if isinstance(seed, int) else Random(repr(seed))

    def answer(t: float) -> Answer:
        full = full_until is not None and start <= t < full_until
        return "ENOBUFS" if full or (start <= t < end and chance.random() < share) else 10.0

    return answer


def fails_then_silent(start: float, back: float, silent_until: float) -> Behaviour:
    return lambda t: (
        "ENOBUFS" if start <= t < back else (None if back <= t < silent_until else 10.0)
    )


def targets(scenario: Scenario) -> list[str]:
    return [incident.target for incident in scenario.incidents()]


def monitors(scenario: Scenario) -> list[Incident]:
    """All incidents; none is a link's."""
    assert set(targets(scenario)) <= {"monitor"}, "a link was blamed"
    return scenario.incidents()


def ends(scenario: Scenario) -> list[float]:
    return [offset_s(incident.ended_s or 0.0) for incident in monitors(scenario)]


# ---- all sends, or those of some targets, for some time


@pytest.mark.parametrize("count", [2, 3, 4, 5, 12])
@pytest.mark.parametrize("errno", ERRNOS)
def test_sends_that_fail_for_all_targets_are_one_incident_of_the_monitor(
    count: int, errno: str
) -> None:
    scenario = links(count, 0, unsent_between(60.0, 90.0, errno)).run(150)
    (incident,) = scenario.incidents()
    assert (incident.target, incident.state) == ("monitor", State.UNKNOWN)
    assert (incident.reason, incident.evidence.error) == ("send_failure", errno)
    assert incident.evidence.silent_share == 1.0
    assert 60.0 <= offset_s(incident.started_s) <= 61.0
    assert incident.detected_s - incident.started_s <= 7.0
    assert incident.ended_s is not None
    assert 90.0 <= offset_s(incident.ended_s) <= 91.0
    assert all(scenario.path(name) == ["up", "unknown", "up"] for name in names(scenario))


@pytest.mark.parametrize("count", [1, 2, 10])
def test_a_target_that_fails_alone_has_an_incident_after_five_in_a_row(count: int) -> None:
    scenario = links(count, 0)
    scenario[FIRST] = unsent_between(60.0, 90.0)
    scenario.run(150)
    (incident,) = scenario.incidents()
    assert (incident.target, incident.reason) == (FIRST, "not_measured")
    assert incident.detected_s - incident.started_s == pytest.approx(4.0)
    assert scenario.path(FIRST) == ["up", "unknown", "up"]


def test_four_in_a_row_are_no_incident() -> None:
    scenario = links(3, 0)
    scenario[FIRST] = unsent_between(60.0, 64.0)
    assert scenario.run(100).incidents() == []


@pytest.mark.parametrize(
    ("count", "anchors", "failing", "is_monitors"),
    [
        (9, 1, 2, False),
        (9, 1, 4, False),
        (9, 1, 5, False),  # half
        (9, 1, 8, False),  # most, but the anchor can be sent to
        (4, 0, 3, False),  # of fewer than five all must fail
        (10, 0, 5, False),
        (6, 0, 3, False),
        (6, 0, 4, True),
    ],
)
def test_more_than_half_of_all_targets_and_the_anchors_must_fail(
    count: int, anchors: int, failing: int, is_monitors: bool
) -> None:
    scenario = links(count, anchors)
    for name in own(failing):
        scenario[name] = unsent_between(60.0, 80.0)
    scenario.run(130)
    assert set(targets(scenario)) == ({"monitor"} if is_monitors else own(failing))
    reasons = {incident.reason for incident in scenario.incidents()}
    assert reasons == {"send_failure" if is_monitors else "not_measured"}


def test_a_suspected_target_is_not_blamed_before_the_rest_was_probed() -> None:
    """Suspected, it is probed five times a second: five failed sends in one second."""
    scenario = links(12, 1, unsent_between(60.0, 90.0))
    scenario["s3/utama"] = lambda t: "ENOBUFS" if 60 <= t < 90 else (None if 58 <= t < 60 else 10.0)
    assert [i.reason for i in monitors(scenario.run(150))] == ["send_failure"]


def test_a_suspected_target_among_seldom_probed_ones_is_not_blamed_first() -> None:
    """All others are probed every 4 s; this one, suspected, five times a second."""
    net = network({f"s{i}/utama": () for i in range(12)})
    seldom = ProbeRules(interval_s=4.0)
    sites = tuple(
        site if site.id == "s0" else replace(site, links=(replace(site.links[0], rules=seldom),))
        for site in net.sites
    )
    scenario = Scenario(replace(net, sites=sites))
    scenario.behaviours.update(dict.fromkeys(names(scenario), unsent_between(60.0, 100.0)))
    scenario[FIRST] = lambda t: "ENOBUFS" if 60 <= t < 100 else (None if 57 <= t < 60 else 9.0)
    assert len(monitors(scenario.run(130))) == 1
    unknown = [t for t in scenario.transitions() if t.after is State.UNKNOWN]
    assert {t.reason for t in unknown} == {"isolated"}


def test_a_target_that_fails_a_little_longer_than_the_rest_is_not_blamed() -> None:
    scenario = links(12, 1, unsent_between(60.0, 90.0))
    scenario["s3/utama"] = unsent_between(60.0, 98.0)
    assert [i.reason for i in monitors(scenario.run(150))] == ["send_failure"]


def test_a_target_that_failed_alone_long_before_does_not_date_the_monitors_incident_back() -> None:
    scenario = links(12, 1, unsent_between(120.0, 150.0))
    scenario["s3/utama"] = unsent_between(60.0, 150.0)
    scenario.run(200)
    first, monitor = scenario.incidents()
    assert (first.target, monitor.target) == ("s3/utama", "monitor")
    assert 120.0 <= offset_s(monitor.started_s) <= 121.0
    assert first.ended_s is not None
    assert 150.0 <= offset_s(first.ended_s) <= 151.0
    assert first.end_reason == "measured_again"


def test_a_silence_that_turns_into_failing_sends_is_one_incident_with_that_reason() -> None:
    scenario = links(
        12, 1, lambda t: "ENOBUFS" if 64 <= t < 90 else (None if 60 <= t < 64 else 10.0)
    ).run(150)
    (incident,) = monitors(scenario)
    assert incident.reason == "send_failure"
    assert 60.0 <= offset_s(incident.started_s) <= 61.0


def test_anchors_probed_once_a_minute_fail_until_they_are_sent_to() -> None:
    """Eight of them, one after the other: they never all fail within the same ten seconds."""
    net = network({f"s{i}/utama": () for i in range(10)}, anchors=8)
    anchors = tuple(replace(a, rules=ProbeRules(interval_s=60.0)) for a in net.anchors)
    scenario = Scenario(replace(net, anchors=anchors))
    scenario.behaviours.update(dict.fromkeys(names(scenario), unsent_between(100.0, 300.0)))
    assert "monitor" in targets(scenario.run(200))


def test_failed_sends_behind_a_node_that_comes_back_are_counted_once() -> None:
    """Each child of a node that is back starts anew, its run of failed sends too."""
    hidden, others = [f"h{i}/utama" for i in range(4)], [f"s{i}/utama" for i in range(5)]
    net = network({**dict.fromkeys(hidden, ("pop",)), **dict.fromkeys(others, ())}, {"pop": ()})
    scenario = Scenario(net)
    scenario["pop"] = lambda t: None if 60 <= t < 80 else 10.0
    for name in hidden:
        scenario[name] = lambda t: "EPERM" if 79.5 <= t < 84 else (None if 60 <= t < 84 else 10.0)
    for name in others[:2]:
        scenario[name] = unsent_between(120.0, 150.0)
    scenario.run(180)
    assert set(targets(scenario)) == {"pop", *others[:2]}


@settings(deadline=None)
@given(
    st.integers(1, 14),
    st.integers(0, 2),
    st.sets(st.integers(0, 13)),
    st.booleans(),
    st.sampled_from(ERRNOS),
)
def test_either_each_target_has_its_own_incident_or_the_monitor_has_one(
    count: int, anchors: int, failing: set[int], anchors_fail: bool, errno: str
) -> None:
    scenario = links(count, anchors)
    alone = {f"s{i}/utama" for i in failing if i < count}
    every_anchor = {name for name in names(scenario) if name.startswith("anchor")}
    fail = alone | (every_anchor if anchors_fail else set())
    for name in fail:
        scenario[name] = unsent_between(60.0, 80.0, errno)
    scenario.run(130)
    total = count + anchors
    most = len(fail) == total > 1 if total < 5 else 2 * len(fail) > total
    is_monitors = most and (anchors_fail or not anchors)
    assert set(targets(scenario)) == ({"monitor"} if is_monitors else alone)
    assert all(i.ended_s is not None and i.ended_s >= i.started_s for i in scenario.incidents())
    assert {t.after for t in scenario.transitions()} <= {State.UP, State.UNKNOWN}


# ---- the run of one target


def in_a_row() -> tuple[Scenario, list[NotMeasured]]:
    sent = [T0 + 60 + i for i in range(5)]
    return links(3, 0).run(60), [NotMeasured(FIRST, at_s, at_s, "EPERM") for at_s in sent]


def test_an_older_loss_that_becomes_known_late_does_not_break_the_row() -> None:
    scenario, row = in_a_row()
    late = Lost(FIRST, T0 + 59.5, T0 + 62.5)
    decisions = scenario.detector.advance([*row[:3], late, *row[3:]])
    assert [d.incident.reason for d in decisions if isinstance(d, IncidentChange)] == [
        "not_measured"
    ]


def test_an_older_loss_that_becomes_known_late_does_not_close_the_incident() -> None:
    scenario, row = in_a_row()
    assert len(scenario.detector.advance(row)) == 2
    assert scenario.detector.advance([Lost(FIRST, T0 + 59.5, T0 + 65.0)]) == []


def test_a_request_that_was_sent_amid_failed_ones_begins_the_row_anew() -> None:
    scenario, row = in_a_row()
    amid = Lost(FIRST, T0 + 62.5, T0 + 63.5)
    assert scenario.detector.advance([*row[:4], amid, *row[4:]]) == []


def test_an_incident_of_the_last_run_ends_when_the_target_is_measured_again() -> None:
    scenario, row = in_a_row()
    scenario.detector.advance(row)
    (opened,) = scenario.detector.open_incidents()
    again = links(3, 0).detector
    stored = StoredState(FIRST, State.UNKNOWN, T0 + 60)
    again.restore(LedgerSnapshot((stored,), (opened,), 2, T0 + 80))
    decisions = again.advance([Reply(FIRST, T0 + 82, T0 + 82.01, 10.0)])
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert (closed.id, closed.ended_s) == (opened.id, T0 + 82)
    assert closed.end_reason == "measured_again"


def test_an_incident_of_a_target_does_not_end_before_it_started() -> None:
    scenario, row = in_a_row()
    scenario.detector.advance(row)
    again = links(3, 0).detector
    again.restore(LedgerSnapshot((), tuple(scenario.detector.open_incidents()), 2, None))
    decisions = again.advance([Lost(FIRST, T0 + 59, T0 + 82)])
    (closed,) = [d.incident for d in decisions if isinstance(d, IncidentChange)]
    assert closed.ended_s == closed.started_s


# ---- a buffer that is full for some


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.97])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_full_buffer_that_fails_some_of_each_round_blames_no_link(
    share: float, seed: int
) -> None:
    scenario = some_fail(40, 2, lambda i, _: buffer(1000 * seed + i, share, 60.0, 180.0)).run(300)
    found = monitors(scenario)
    if share >= 0.7:
        (incident,) = found
        assert offset_s(incident.detected_s) <= 75.0
        assert 180.0 <= ends(scenario)[0] <= 192.0
    assert all(scenario.path(name)[-1] == "up" for name in names(scenario))


@pytest.mark.parametrize(("until", "is_told"), [(85.0, False), (120.0, True)])
def test_a_target_that_the_machines_trouble_explains_has_no_incident_for_30_s(
    until: float, is_told: bool
) -> None:
    """A third of all sends fail, and those of one link all: too few to be cut off."""
    scenario = some_fail(40, 2, lambda i, _: buffer(i, 0.33, 60.0, until))
    scenario["s7/utama"] = unsent_between(60.0, until, "ENOBUFS")
    scenario.run(until + 35)
    assert scenario.path("s7/utama") == ["up", "unknown", "up"]
    assert targets(scenario) == ["s7/utama"] * is_told
    for incident in scenario.incidents():
        assert incident.reason == "not_measured"
        assert 60.0 <= offset_s(incident.started_s) <= 61.0
        assert 30.0 <= incident.detected_s - incident.started_s <= 32.0


@pytest.mark.parametrize(("failing_anchors", "blamed"), [(0, 5), (1, 0), (2, 0)])
def test_no_link_is_blamed_while_most_targets_and_an_anchor_fail(
    failing_anchors: int, blamed: int
) -> None:
    scenario = links(6, 2)
    for name in (*own(5), *sorted(set(names(scenario)) - own(6))[:failing_anchors]):
        scenario[name] = unsent_between(60.0, 72.0, "ENOBUFS")
    scenario.run(110)
    assert len([name for name in targets(scenario) if name != "monitor"]) == blamed


@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.9])
@pytest.mark.parametrize("count", [10, 40])
def test_a_half_full_buffer_is_detected_as_soon_whatever_the_dice_say(
    count: int, share: float
) -> None:
    detected: list[float] = []
    for seed in range(4):
        of_seed = lambda _, name, seed=seed: buffer((seed, name), share, 60.0, 120.0, 60.0)  # noqa: E731
        (incident,) = monitors(some_fail(count, 2, of_seed).run(150))
        detected.append(offset_s(incident.detected_s) - 60.0)
    assert max(detected) <= AT_THE_LATEST_S
    assert max(detected) - min(detected) <= 3.0


def test_a_half_full_buffer_is_not_over_with_one_lucky_round() -> None:
    for seed in range(9, 18):
        of_seed = lambda _, name, seed=seed: buffer((seed, name), 0.55, 60.0, 110.0, 60.0)  # noqa: E731
        assert len(monitors(some_fail(10, 2, of_seed).run(140))) == 1


@pytest.mark.parametrize("share", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("count", [10, 40])
def test_a_buffer_that_is_full_and_then_half_full_is_one_trouble(count: int, share: float) -> None:
    for seed in range(6):
        of_seed = lambda _, name, seed=seed: buffer((seed, name), share, 60.0, 110.0, 70.0)  # noqa: E731
        scenario = some_fail(count, 2, of_seed).run(140)
        (end,) = ends(scenario)
        assert 110.0 <= end <= 122.0
        assert all(scenario.path(name)[-1] == "up" for name in names(scenario))


def test_a_buffer_that_is_full_for_all_and_then_for_most_is_one_trouble() -> None:
    """The anchor is sent to last, when replies and failed sends have long alternated."""
    scenario = some_fail(
        30, 1, lambda i, name: buffer(i, 0.8, 60.0, 130.0, 90.0 if name == ANCHOR else 70.0)
    )
    (end,) = ends(scenario.run(170))
    assert end >= 130.0


@pytest.mark.parametrize("share", [0.6, 0.9, 1.0])
def test_two_troubles_with_a_good_time_between_them_are_two(share: float) -> None:
    """Most targets are sent to for ten seconds, and an anchor answers."""

    def both(_: int, name: str) -> Behaviour:
        first, then = buffer(name, 1.0, 60.0, 70.0), buffer(name, share, 81.0, 110.0, 81.0)
        return lambda t: first(t) if t < 75 else then(t)

    one, other = monitors(some_fail(20, 2, both).run(140))
    assert one.ended_s is not None
    assert 70.0 <= offset_s(one.ended_s) <= 71.0
    assert offset_s(other.started_s) >= 81.0


def test_alternation_is_forgotten_with_its_incident() -> None:
    def both(_: int, name: str) -> Behaviour:
        half, full = buffer(name, 0.8, 60.0, 80.0, 60.0), unsent_between(120.0, 140.0)
        return lambda t: half(t) if t < 100 else full(t)

    assert ends(some_fail(20, 2, both).run(180))[1] == 140.0


# ---- the opening rule, held against every ten seconds added up anew


def in_rounds(rounds: Sequence[set[str]], name: str) -> Behaviour:
    """The sends of `name` fail in those rounds (seconds from `BEGINS` on) that hold it."""

    def answer(t: float) -> Answer:
        number = int(t) - BEGINS
        return "ENOBUFS" if 0 <= number < len(rounds) and name in rounds[number] else 10.0

    return answer


def run_rounds(scenario: Scenario, rounds: Sequence[set[str]], more_s: float) -> Scenario:
    for name in names(scenario):
        scenario[name] = in_rounds(rounds, name)
    return scenario.run(BEGINS + len(rounds) + more_s)


@st.composite
def turns(draw: st.DrawFn, more_than_half: bool) -> tuple[Scenario, list[set[str]]]:
    """Rounds in which others fail each time, in whatever turn; each anchor is among them."""
    scenario = links(draw(st.integers(6, 12)), draw(st.integers(0, 2)))
    every = names(scenario)
    anchors = {name for name in every if name.startswith("anchor")}
    most = len(every) // 2 + 1
    least, largest = (most, len(every)) if more_than_half else (0, int(0.4 * len(every)))
    rounds: list[set[str]] = []
    for number in range(24):
        some = st.lists(st.sampled_from(every), min_size=least, max_size=largest, unique=True)
        also = anchors if more_than_half and number % 9 == 0 else set()
        rounds.append(set(draw(some)) | also)
    return scenario, rounds


@settings(deadline=None)
@given(turns(more_than_half=True))
def test_more_than_half_of_each_round_are_the_monitors_within_twelve_seconds(
    case: tuple[Scenario, list[set[str]]],
) -> None:
    first = monitors(run_rounds(*case, more_s=25))[0]
    assert first.reason == "send_failure"
    assert offset_s(first.detected_s) <= BEGINS + AT_THE_LATEST_S


@settings(deadline=None)
@given(turns(more_than_half=False))
def test_two_fifths_of_each_round_are_never_the_monitors(
    case: tuple[Scenario, list[set[str]]],
) -> None:
    assert "monitor" not in targets(run_rounds(*case, more_s=5))


@settings(deadline=None)
@given(turns(more_than_half=True))
def test_nothing_is_the_monitors_while_one_anchor_is_always_sent_to(
    case: tuple[Scenario, list[set[str]]],
) -> None:
    scenario, rounds = case
    assume(ANCHOR in names(scenario))
    run_rounds(scenario, [some - {ANCHOR} for some in rounds], more_s=5)
    assert "monitor" not in targets(scenario)


def failing_s(known: Mapping[str, list[tuple[float, bool]]], now: float) -> float:
    """For how much of the last ten seconds the newest request had failed, over all targets."""
    total = 0.0
    for requests in known.values():
        until = [*(at for at, _ in requests[1:]), now]
        total += sum(
            max(0.0, min(to, now) - max(at, now - 10.0))
            for (at, failed), to in zip(requests, until, strict=True)
            if failed and at < now
        )
    return total


@settings(deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=25, max_size=25), min_size=5, max_size=8))
def test_it_opens_with_the_first_failed_send_at_which_the_last_ten_seconds_were_too_bad(
    tables: list[list[bool]],
) -> None:
    scenario = links(len(tables) - 1)
    rounds = [
        {name for name, fails in zip(names(scenario), tables, strict=True) if fails[number]}
        for number in range(25)
    ]
    run_rounds(scenario, rounds, more_s=0)
    known: dict[str, list[tuple[float, bool]]] = {name: [] for name in names(scenario)}
    expected: list[float] = []
    for sent, name, answer in scenario.lines:
        failed = isinstance(answer, str)
        known[name].append((sent if failed else sent + 0.01, failed))
        if not failed or expected:
            continue
        mean = failing_s(known, sent) / 10.0 / len(known)
        assume(abs(mean - 0.5) > 1e-5)
        if mean > 0.5 and any(bad and at >= sent - 10.0 for at, bad in known[ANCHOR]):
            expected.append(sent)
    opened = [i.detected_s for i in scenario.opened() if i.target == "monitor"]
    assert opened[:1] == expected


def test_a_few_more_than_half_are_dated_from_their_first_failed_send() -> None:
    scenario = links(40)
    for name in names(scenario)[::2]:
        scenario[name] = unsent_between(60.0, 90.0)
    (incident,) = monitors(scenario.run(85))
    assert offset_s(incident.started_s) == 60.0
    assert 10.0 <= offset_s(incident.detected_s) - 60.0 <= AT_THE_LATEST_S


# ---- the end


def test_it_ends_at_the_anchors_first_reply_and_all_that_was_sent_since_counts() -> None:
    scenario = links(12, 2, unsent_between(60.0, 90.0))
    scenario["s1/utama"] = unsent_between(60.0, 98.0)
    scenario["s9/utama"] = fails_then_silent(60, 90, 120)
    scenario.run(150)
    monitor, down = scenario.incidents()
    first_sent = {
        n: min(at for at, name, _ in scenario.lines if name == n and at >= T0 + 90)
        for n in names(scenario)
    }
    assert monitor.ended_s == first_sent[ANCHOR]
    assert (down.target, down.state.value) == ("s9/utama", "down")
    assert down.started_s == first_sent["s9/utama"]
    for name in set(names(scenario)) - {"s1/utama", "s9/utama"}:
        back = scenario.transitions(name)[-1]
        assert back.after.value == "up"
        if first_sent[name] >= monitor.ended_s:
            assert back.at_s == first_sent[name]
        assert back.detected_s - monitor.ended_s <= 1.1


def test_a_few_that_fail_a_little_longer_delay_no_end() -> None:
    longer = {**dict.fromkeys(own(2), (60.0, 64.0)), **dict.fromkeys(own([2, 3]), (160.0, 164.0))}

    def behaviour(_: int, name: str) -> Behaviour:
        spans = [(40.0, 60.0), (140.0, 160.0), longer.get(name, (0.0, 0.0))]
        return lambda t: "ENOBUFS" if any(a <= t < b for a, b in spans) else 10.0

    assert ends(some_fail(12, 1, behaviour).run(200)) == [60.0, 160.0]


def test_a_reply_that_was_held_back_counts_once() -> None:
    """The reply that ends it is the first of three that end the link's outage."""
    scenario = links(12, 2, unsent_between(60.0, 90.0))
    scenario["s5/utama"] = lambda t: "ENOBUFS" if 60 <= t < 90 else (None if 30 <= t < 60 else 10.0)
    assert scenario.run(90.4).detector.monitor_incident is not None
    assert scenario.run(90.55).detector.monitor_incident is None
    scenario.run(120)
    assert scenario.path("s5/utama") == ["up", "down", "unknown", "up"]
    assert 92.5 <= offset_s(scenario.transitions("s5/utama")[-1].detected_s) <= 92.6


def test_links_without_a_route_do_not_delay_the_end_when_the_anchor_is_dead() -> None:
    scenario = some_fail(12, 1, lambda _, name: buffer(name, 0.8, 60.0, 80.0, 60.0))
    for name in own([0, 2, 5, 7, 10]):
        scenario[name] = unsent_between(60.0, 200.0)
    scenario[ANCHOR] = lambda t: 10.0 if t < 60 else ("ENOBUFS" if t < 80 else None)
    monitor = scenario.run(130).incidents()[0]
    assert monitor.target == "monitor"
    assert 80.0 <= offset_s(monitor.ended_s or 0.0) <= 92.0


def test_it_ends_although_more_than_half_of_all_links_are_down_by_then() -> None:
    scenario = links(12, 1, unsent_between(60.0, 90.0))
    for name in own(8):
        scenario[name] = fails_then_silent(60, 90, 900)
    monitor, *downs = scenario.run(150).incidents()
    assert monitor.ended_s is not None
    assert 90.0 <= offset_s(monitor.ended_s) <= 91.0
    assert {i.target for i in downs} == own(8)
    assert all(offset_s(i.detected_s) <= 110.0 for i in downs)


def test_one_reply_amid_failed_sends_does_not_end_it() -> None:
    scenario = links(12, 1, unsent_between(60.0, 90.0))
    scenario[ANCHOR] = lambda t: 10.0 if t < 60 or 70 <= t < 71 or t >= 90 else "ENOBUFS"
    (end,) = ends(scenario.run(150))
    assert 90.0 <= end <= 102.0


@pytest.mark.parametrize("at", [62.0, 66.0, 80.0, 85.0, 90.3, 90.6])
def test_a_reload_changes_nothing_of_it(at: float) -> None:
    def decisions(reloads: bool) -> list[object]:
        scenario = links(12, 2, unsent_between(60.0, 90.0))
        if at < 90:
            scenario = some_fail(12, 2, lambda _, name: buffer(name, 0.7, 60.0, 80.0, 60.0))
        scenario.run(at)
        if reloads:
            assert scenario.detector.reconfigure(scenario.net, T0 + at) == []
        return list(scenario.run(130).decisions)

    plain = decisions(reloads=False)
    assert decisions(reloads=True) == plain
    assert plain
