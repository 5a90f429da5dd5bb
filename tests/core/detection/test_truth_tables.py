"""Truth tables: many link-hours of a known truth, and every decision held against it.

Each docstring says how many link-hours it takes. The default run takes a few; `full` takes many.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from monitor.core.model import Incident, State
from tests.core.detection.scenario import Answer, Behaviour, Scenario, network, offset_s

FEW, MANY = 20, 400
LINKS = [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=pytest.mark.full)]
HOUR_S = 3600.0


def lossy(seed: int, share: Callable[[float], float], rtt_ms: float = 12.0) -> Behaviour:
    """Independent losses: `share` of the requests at each moment."""
    chance = random.Random(seed)
    return lambda t: None if chance.random() < share(t) else rtt_ms + chance.random()


def cut(spans: list[tuple[float, float]], below: Behaviour) -> Behaviour:
    def answer(t: float) -> Answer:
        return None if any(a <= t < b for a, b in spans) else below(t)

    return answer


def links(count: int) -> Scenario:
    return Scenario(network({f"s{i}/utama": () for i in range(count)}, anchors=1))


def names(scenario: Scenario) -> list[str]:
    return [link.name for link in scenario.net.links()]


def downs(scenario: Scenario) -> list[Incident]:
    return [i for i in scenario.incidents() if i.state is State.DOWN]


@pytest.mark.parametrize("count", LINKS)
@pytest.mark.timeout(3600)
def test_clean_links_have_no_incident(count: int) -> None:
    """0.05 % loss, 1 h each: 20 (400) link-hours."""
    scenario = links(count)
    for i, name in enumerate(names(scenario)):
        scenario[name] = lossy(i, lambda _: 0.0005)
    scenario.run(HOUR_S)
    assert scenario.incidents() == []


@pytest.mark.parametrize("count", LINKS)
@pytest.mark.timeout(3600)
def test_loss_that_steps_up_and_down_is_never_down(count: int) -> None:
    """1 to 50 % loss in steps of 2 min, 1 h each: 20 (400) link-hours."""
    steps = [0.01, 0.05, 0.5, 0.02, 0.3, 0.1, 0.5, 0.01, 0.4, 0.2]
    scenario = links(count)
    for i, name in enumerate(names(scenario)):
        scenario[name] = lossy(i, lambda t, i=i: steps[int(t // 120 + i) % len(steps)])  # type: ignore[misc]
    scenario.run(HOUR_S)
    assert downs(scenario) == []


@pytest.mark.parametrize("count", LINKS)
@pytest.mark.timeout(3600)
def test_silences_of_one_to_four_seconds_are_never_down(count: int) -> None:
    """A silence of 1 to 4 s every 90 s, 0.1 % loss besides, 1 h each: 20 (400) link-hours."""
    scenario = links(count)
    chance = random.Random(7)
    silences = 0
    for i, name in enumerate(names(scenario)):
        spans = []
        for start in range(90, int(HOUR_S) - 60, 90):
            begin = start + chance.random() * 20
            spans.append((begin, begin + chance.uniform(1.0, 4.0)))
        silences += len(spans)
        scenario[name] = cut(spans, lossy(i, lambda _: 0.001))
    scenario.run(HOUR_S)
    assert silences >= count * 30
    assert downs(scenario) == []


@pytest.mark.parametrize("count", LINKS)
@pytest.mark.timeout(3600)
def test_cuts_of_nine_seconds_to_five_minutes_are_all_found_with_their_bounds(count: int) -> None:
    """A cut of 9 s to 5 min every 10 min on clean links, 1 h each: 20 (400) link-hours."""
    scenario = links(count)
    chance = random.Random(11)
    truth: dict[str, list[tuple[float, float]]] = {}
    for i, name in enumerate(names(scenario)):
        spans = []
        for start in range(120, int(HOUR_S) - 420, 600):
            begin = start + chance.random() * 60
            spans.append((begin, begin + chance.uniform(9.0, 300.0)))
        truth[name] = spans
        scenario[name] = cut(spans, lossy(i, lambda _: 0.0))
    scenario.run(HOUR_S)
    for name, spans in truth.items():
        found = [i for i in downs(scenario) if i.target == name]
        assert len(found) == len(spans), name
        for (begin, end), incident in zip(spans, found, strict=True):
            assert 0 <= offset_s(incident.started_s) - begin <= 1.2
            assert incident.detected_s - incident.started_s <= 7.0
            assert incident.ended_s is not None
            assert 0 <= offset_s(incident.ended_s) - end <= 1.2
    assert len(scenario.incidents()) == sum(map(len, truth.values()))


@pytest.mark.parametrize("count", LINKS)
@pytest.mark.timeout(3600)
def test_twenty_percent_loss_is_degraded_within_two_minutes_and_cleared_within_two(
    count: int,
) -> None:
    """20 % loss for 10 min in each half hour, 1 h each: 20 (400) link-hours."""
    scenario = links(count)
    for i, name in enumerate(names(scenario)):
        scenario[name] = lossy(i, lambda t: 0.2 if 600 <= t % 1800 < 1200 else 0.0)
    scenario.run(HOUR_S)
    for name in names(scenario):
        found = [i for i in scenario.incidents() if i.target == name]
        assert {i.state for i in found} == {State.DEGRADED}
        for start in (600.0, 2400.0):
            first = min(
                (offset_s(i.started_s) for i in found if offset_s(i.started_s) >= start),
                default=None,
            )
            assert first is not None
            assert first - start <= 120
            last = max(
                offset_s(i.ended_s)
                for i in found
                if i.ended_s is not None and start <= offset_s(i.started_s) < start + 700
            )
            assert last - (start + 600) <= 120


def test_180_ms_is_degraded_within_two_minutes_and_cleared_within_two() -> None:
    """On fibre (limit 50 ms), 10 min in each half hour: 20 link-hours."""
    scenario = links(FEW)
    for name in names(scenario):
        scenario[name] = lambda t: 180.0 if 600 <= t % 1800 < 1200 else 12.0
    scenario.run(HOUR_S)
    for name in names(scenario):
        found = [i for i in scenario.incidents() if i.target == name]
        assert [(i.state, i.reason) for i in found] == [(State.DEGRADED, "rtt")] * 2
        for start, incident in zip((600.0, 2400.0), found, strict=True):
            assert 0 < offset_s(incident.started_s) - start <= 120
            assert incident.ended_s is not None
            assert 0 < offset_s(incident.ended_s) - (start + 600) <= 120
