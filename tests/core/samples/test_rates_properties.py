"""Properties of rates whatever a router does: they are true, or absent."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Device, Interface
from monitor.core.samples.rates import RateBaselines, RateLimits, compute_rates
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters

SPEED = 100_000_000
WRAP32, WRAP64 = 2**32, 2**64
OVER = RateLimits().over_speed
RATES = ("in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards")
ROUTER = Device("r", "10.77.0.1", "2c", "c", (Interface("p"),), interval_s=60.0)

counts = st.one_of(st.none(), st.integers(0, WRAP32 - 1), st.integers(0, WRAP64 - 1))


@st.composite
def wild_ports(draw: st.DrawFn) -> InterfaceCounters:
    """Any port that a decoder lets through, with counters of no sense at all."""
    return InterfaceCounters(
        name="p",
        index=draw(st.integers(1, 3)),
        in_octets=draw(counts),
        out_octets=draw(counts),
        high_capacity=draw(st.booleans()),
        in_errors=draw(counts),
        out_errors=draw(counts),
        in_discards=draw(counts),
        out_discards=draw(counts),
        oper=draw(st.integers(1, 7)),
        speed_bps=draw(st.sampled_from([None, 0, 64_000, SPEED, 10 * SPEED])),
        discontinuity=draw(st.sampled_from([None, 0, 7])),
        uptime_ticks=draw(st.one_of(st.none(), st.integers(0, WRAP32 - 1))),
    )


@st.composite
def wild_polls(draw: st.DrawFn) -> list[DevicePoll]:
    at_s, polls = 0.0, []
    for _ in range(draw(st.integers(1, 6))):
        at_s += draw(st.floats(0.0, 400.0))
        ticks = draw(st.one_of(st.none(), st.just(round(at_s * 100)), st.integers(0, WRAP32 - 1)))
        ports = draw(st.lists(wild_ports(), max_size=1))
        polls.append(DevicePoll("r", at_s, ticks, tuple(ports)))
    return polls


def run(polls: list[DevicePoll]) -> list[InterfaceSample]:
    baselines = RateBaselines()
    samples: list[InterfaceSample] = []
    for poll in polls:
        rates = compute_rates(baselines, ROUTER, poll, poll.at_s)
        baselines = rates.baselines
        samples.extend(rates.samples)
    return samples


@given(wild_polls())
def test_no_rate_is_negative_or_above_what_the_line_carries(polls: list[DevicePoll]) -> None:
    for sample in run(polls):
        for name in RATES:
            rate = getattr(sample, name)
            assert rate is None or rate >= 0
        for rate, share in ((sample.in_bps, sample.in_util), (sample.out_bps, sample.out_util)):
            assert share is None or 0 <= share <= 1
            if rate is not None and sample.speed_bps:
                assert rate <= OVER * sample.speed_bps * (1 + 1e-9)


@given(wild_polls())
def test_every_absent_rate_has_one_reason_and_no_other_has_any(
    polls: list[DevicePoll],
) -> None:
    baselines = RateBaselines()
    for poll in polls:
        rates = compute_rates(baselines, ROUTER, poll, poll.at_s)
        baselines = rates.baselines
        reasons = [drop.counter for drop in rates.dropped]
        for sample in rates.samples:
            if None in reasons:
                assert reasons == [None]
            else:
                absent = {name for name in RATES if getattr(sample, name) is None}
                assert sorted(absent) == sorted(map(str, reasons))


@dataclass
class Truth:
    """What really happened to one port: octets since the beginning, through all resets.

    broken: whether something happened to its counters since the poll before.
    """

    polls: list[DevicePoll]
    since_s: list[float]
    octets: list[int]
    broken: list[bool]


def visible_events(uptime_s: float, counter: int) -> list[str]:
    """The events of a router that can be detected.

    Not detectable: a reboot within the slack of the uptime after another one, or of its wrap
    after 497 days; nor a reset of a counter that stood at zero, or of one about to wrap.
    """
    events = ["index", "discontinuity"]
    wrap_s = WRAP32 / 100
    if 10 < uptime_s % wrap_s < wrap_s - 400:
        events.append("reboot")
    if 0 < counter < 2**30:
        events.append("reset")
    return events


@st.composite
def truths(draw: st.DrawFn, events: bool) -> Truth:
    """A router with traffic below its speed; `events`: things happen to its counters, too."""
    wide = draw(st.booleans())
    width = WRAP64 if wide else WRAP32
    now_s, octets = 0.0, 0
    uptime_s = draw(st.sampled_from([1000.0, 3_000_000.0, 42_949_600.0]))
    counter = draw(st.integers(0, WRAP64 // 2 if wide else WRAP32 - 1))
    index, discontinuity, event = 1, 0, None
    truth = Truth([], [], [], [])
    for number in range(draw(st.integers(2, 8))):
        if number:
            step_s = draw(st.integers(900, 18_000)) / 100
            growth = draw(st.integers(0, int(SPEED * step_s / 8)))
            possible = visible_events(uptime_s, counter) if events else []
            event = draw(st.sampled_from([None, None, *possible]))
            now_s, uptime_s, octets = now_s + step_s, uptime_s + step_s, octets + growth
            counter = (counter + growth) % width
            if event == "reboot":
                uptime_s, counter = step_s * draw(st.floats(0.1, 0.9)), growth // 2
            elif event == "reset":
                counter = 0
            index += event == "index"
            discontinuity += event == "discontinuity"
        port = InterfaceCounters(
            "p", index, counter, counter, wide, speed_bps=SPEED, discontinuity=discontinuity
        )
        ticks = round(uptime_s * 100) % WRAP32
        truth.polls.append(DevicePoll("r", now_s, ticks, (port,)))
        truth.since_s.append(now_s)
        truth.octets.append(octets)
        truth.broken.append(event is not None)
    return truth


@given(truths(events=False))
def test_without_a_reset_the_rates_times_delta_t_are_the_true_growth(truth: Truth) -> None:
    """Through wraps of 32-bit counters and of sysUpTime; nothing is lost, nothing invented."""
    samples = run(truth.polls)
    total = 0.0
    for before, now, sample in zip(truth.since_s, truth.since_s[1:], samples[1:], strict=False):
        assert sample.in_bps is not None
        total += sample.in_bps * (now - before) / 8
    assert total == pytest.approx(truth.octets[-1] - truth.octets[0], rel=1e-3, abs=1.0)


@given(truths(events=True))
def test_there_is_no_rate_over_a_reset_of_the_counters(truth: Truth) -> None:
    for sample, broken in zip(run(truth.polls), truth.broken, strict=True):
        if broken:
            assert sample.in_bps is None


@given(truths(events=True))
def test_every_rate_is_the_true_one(truth: Truth) -> None:
    samples = run(truth.polls)
    for i in range(1, len(samples)):
        rate = samples[i].in_bps
        if rate is not None:
            length_s = truth.since_s[i] - truth.since_s[i - 1]
            true_bps = (truth.octets[i] - truth.octets[i - 1]) * 8 / length_s
            # Both counts are rounded to whole octets: one octet more or less.
            assert rate == pytest.approx(true_bps, rel=2e-3, abs=1.0 + 8 / length_s)


@given(truths(events=True), st.data())
def test_a_lost_poll_changes_no_rate_but_the_one_that_covers_it(
    truth: Truth, data: st.DataObject
) -> None:
    """The rates after two readings depend on those two alone."""
    lost = data.draw(st.integers(0, len(truth.polls) - 1))
    all_samples = run(truth.polls)
    fewer = run([poll for i, poll in enumerate(truth.polls) if i != lost])
    assert fewer[lost + 1 :] == all_samples[lost + 2 :]
