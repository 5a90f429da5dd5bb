"""Median RTT and loss over the last 60 s."""

from __future__ import annotations

import pickle
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.samples.recent_probes import RECENT_S, RecentFigures, RecentProbes

LINK = "anjatan/utama"


def some() -> list[Outcome]:
    return [
        Reply(LINK, 0.0, 0.01, 10.0),
        Reply(LINK, 1.0, 1.02, 20.0),
        Lost(LINK, 2.0, 3.0),
        NotMeasured(LINK, 3.0, 3.0, "ENOBUFS"),
        Reply(LINK, 4.0, 4.06, 60.0),
    ]


def test_figures_are_those_of_the_last_minute() -> None:
    recent = RecentProbes()
    recent.add(some())
    assert recent.of(LINK, 10.0) == RecentFigures(20.0, 25.0)
    assert recent.of(LINK, 61.5) == RecentFigures(60.0, 50.0)
    assert recent.of(LINK, 64.5) == RecentFigures(None, None)


def test_a_target_without_a_measured_request_has_no_figures() -> None:
    recent = RecentProbes()
    recent.add([NotMeasured("pop", 0.0, 0.0, "ENOBUFS")])
    assert recent.of("pop", 10.0) == recent.of("nobody", 10.0) == RecentFigures(None, None)


def test_a_day_of_requests_takes_no_more_memory_than_an_hour_of_them() -> None:
    recent = RecentProbes()
    sizes = []
    for second in range(86_400):
        recent.add([Reply(LINK, second, second + 0.01, 10.0)])
        if second in (3_600, 86_399):
            sizes.append(len(pickle.dumps(recent)))
    assert sizes[1] < 1.5 * sizes[0]
    assert recent.of(LINK, 86_400.0) == RecentFigures(10.0, 0.0)


def test_lost_requests_have_a_loss_and_no_rtt() -> None:
    recent = RecentProbes()
    recent.add([Lost("pop", 0.0, 1.0)])
    assert recent.of("pop", 10.0) == RecentFigures(None, 100.0)


def test_a_removed_target_is_forgotten() -> None:
    recent = RecentProbes()
    recent.add([*some(), Lost("pop", 0.0, 1.0)])
    recent.forget(["pop"])
    assert recent.of(LINK, 10.0) == RecentFigures(None, None)
    assert recent.of("pop", 10.0) == RecentFigures(None, 100.0)


@given(st.integers(0, 2**32), st.integers(1, 400))
def test_figures_are_those_of_a_plain_computation(seed: int, count: int) -> None:
    rng = random.Random(seed)
    recent = RecentProbes()
    every: list[tuple[float, float | None]] = []
    for number in range(count):
        sent_s = number * rng.choice((0.2, 1.0)) - rng.random()
        rtt_ms = None if rng.random() < 0.3 else rng.uniform(0.1, 900.0)
        every.append((sent_s, rtt_ms))
        known_s = sent_s + 1.0
        recent.add(
            [Lost(LINK, sent_s, known_s)]
            if rtt_ms is None
            else [Reply(LINK, sent_s, known_s, rtt_ms)]
        )
    now_s = max(sent_s for sent_s, _ in every) + rng.uniform(0, 70)
    young = [rtt_ms for sent_s, rtt_ms in every if sent_s > now_s - RECENT_S]
    replies = [rtt_ms for rtt_ms in young if rtt_ms is not None]
    found = recent.of(LINK, now_s)
    if replies:
        assert found.rtt_ms == pytest.approx(median(replies))
    else:
        assert found.rtt_ms is None
    if young:
        assert found.loss_pct == pytest.approx(100 * (1 - len(replies) / len(young)))
    else:
        assert found.loss_pct is None
