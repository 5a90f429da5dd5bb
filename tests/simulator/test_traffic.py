"""The weekly traffic profile: rate and integral agree, and follow office hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.simulator.interface_traffic import WEEK_S, TrafficProfile, simulated_traffic

TRAFFIC = simulated_traffic("anjatan:ether1:in", 50e6, 1)
MOMENTS = st.floats(1.7e9, 1.9e9)
SPANS = st.floats(0.0, 3 * WEEK_S)


def wib_s(text: str) -> float:
    """Unix time of a local time in Indramayu."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Jakarta")).timestamp()


@given(start=MOMENTS, span=st.floats(1.0, 7200.0))
def test_the_integral_is_that_of_the_rate(start: float, span: float) -> None:
    steps = 4000
    width = span / steps
    midpoints = (start + (n + 0.5) * width for n in range(steps))
    summed = sum(TRAFFIC.rate_bps(moment) for moment in midpoints) * width
    assert TRAFFIC.bits_between(start, start + span) == pytest.approx(summed, rel=1e-4)


@given(start=MOMENTS, first=SPANS, second=SPANS)
def test_the_integral_is_additive(start: float, first: float, second: float) -> None:
    middle, end = start + first, start + first + second
    parts = TRAFFIC.bits_between(start, middle) + TRAFFIC.bits_between(middle, end)
    assert TRAFFIC.bits_between(start, end) == pytest.approx(parts, rel=1e-9, abs=64)


@given(start=MOMENTS, age=SPANS, step=st.floats(0.01, 100.0))
def test_the_integral_never_decreases(start: float, age: float, step: float) -> None:
    now = start + age
    assert TRAFFIC.bits_between(start, now + step) > TRAFFIC.bits_between(start, now)


@given(at=MOMENTS)
def test_a_rate_is_between_0_and_the_peak(at: float) -> None:
    assert 0.0 < TRAFFIC.rate_bps(at) <= TRAFFIC.peak_bps <= 1.3 * 50e6


@given(at=MOMENTS)
def test_every_week_is_the_same(at: float) -> None:
    assert TRAFFIC.rate_bps(at + WEEK_S) == pytest.approx(TRAFFIC.rate_bps(at), rel=1e-6)


def test_traffic_follows_office_hours() -> None:
    def hour(text: str) -> float:
        start = wib_s(text)
        return TRAFFIC.bits_between(start, start + 3600)

    monday = {n: hour(f"2026-11-23T{n:02}:00") for n in range(24)}
    assert monday[10] > 5 * monday[3]
    assert monday[10] > 3 * monday[20]
    assert monday[12] < 0.9 * monday[10]
    assert hour("2026-11-28T10:00") < 0.5 * monday[10]


def test_traffic_depends_on_name_and_seed_only() -> None:
    def rates(traffic: TrafficProfile) -> list[float]:
        return [traffic.rate_bps(1.8e9 + 600 * n) for n in range(50)]

    assert rates(simulated_traffic("anjatan:ether1:in", 50e6, 1)) == rates(TRAFFIC)
    assert rates(simulated_traffic("anjatan:ether2:in", 50e6, 1)) != rates(TRAFFIC)
    assert rates(simulated_traffic("anjatan:ether1:in", 50e6, 2)) != rates(TRAFFIC)
