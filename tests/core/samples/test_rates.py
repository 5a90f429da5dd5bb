"""Rates from SNMP counters: each rule, with the reason that it gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.core.model import Device, Interface
from monitor.core.samples.rates import (
    NoRate,
    PollRates,
    RateBaselines,
    RateLimits,
    compute_rates,
    line_speed_bps,
)
from monitor.core.samples.samples import InterfaceSample
from monitor.core.samples.snmp_poll import DevicePoll, InterfaceCounters

NOON_S = 1_764_000_000.0
GIGABIT = 1_000_000_000
WRAP32 = 2**32
COUNTERS = ("in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards")
PORT = InterfaceCounters(
    name="ether1",
    index=1,
    in_octets=1_000_000,
    out_octets=2_000_000,
    high_capacity=True,
    in_errors=10,
    out_errors=20,
    in_discards=30,
    out_discards=40,
    oper=1,
    speed_bps=GIGABIT,
    discontinuity=5,
)
PORT_32 = replace(PORT, high_capacity=False, speed_bps=100_000_000)
GIGABIT_32 = replace(PORT_32, speed_bps=GIGABIT)
UNKNOWN_32 = replace(PORT_32, speed_bps=None)
BEFORE_WRAP = WRAP32 - 1_000
REBOOT = {"first_ticks": 5_000_000, "second_ticks": 2_000}


def router(capacity_bps: float | None = None) -> Device:
    return Device(
        name="anjatan",
        address="10.77.23.1",
        version="2c",
        credential="router-ro",
        interfaces=(Interface("ether1", link="anjatan/utama", capacity_bps=capacity_bps),),
        interval_s=60.0,
        site="anjatan",
    )


def poll(port: InterfaceCounters, at_s: float = 0.0, uptime_ticks: int | None = None) -> DevicePoll:
    """uptime_ticks: by default the uptime went on from 1,000 s with our clock."""
    ticks = round((1000 + at_s) * 100) % WRAP32 if uptime_ticks is None else uptime_ticks
    return DevicePoll("anjatan", at_s, ticks, (port,))


def grown(port: InterfaceCounters, **by: int) -> InterfaceCounters:
    return replace(port, **{name: getattr(port, name) + more for name, more in by.items()})


def series(*polls: DevicePoll) -> list[PollRates]:
    """The rates after each poll of the same router."""
    found: list[PollRates] = []
    for each in polls:
        baselines = found[-1].baselines if found else RateBaselines()
        found.append(compute_rates(baselines, router(), each, NOON_S + each.at_s))
    return found


def after_two(
    first: InterfaceCounters,
    second: InterfaceCounters,
    *,
    after_s: float = 60.0,
    capacity_bps: float | None = None,
    first_ticks: int | None = None,
    second_ticks: int | None = None,
    limits: RateLimits | None = None,
) -> PollRates:
    device = router(capacity_bps)
    start = compute_rates(RateBaselines(), device, poll(first, 0.0, first_ticks), NOON_S, limits)
    then = poll(second, after_s, second_ticks)
    return compute_rates(start.baselines, device, then, NOON_S + after_s, limits)


def sample(rates: PollRates) -> InterfaceSample:
    (only,) = rates.samples
    return only


def check(rates: PollRates, expected: NoRate | dict[str, Any]) -> None:
    """A NoRate: why the port has no rate at all. A dict: values of fields, or why one is absent."""
    if isinstance(expected, NoRate):
        absent = [getattr(sample(rates), name) for name in (*COUNTERS, "in_util", "out_util")]
        assert absent == [None] * 8
        assert [(drop.ifname, drop.counter, drop.reason) for drop in rates.dropped] == [
            ("ether1", None, expected)
        ]
        return
    reasons = {drop.counter: drop.reason for drop in rates.dropped}
    for name, value in expected.items():
        if isinstance(value, NoRate):
            assert getattr(sample(rates), name) is None
            assert reasons[name] is value
        else:
            assert getattr(sample(rates), name) == pytest.approx(value)


TWENTY_MBIT = {"capacity_bps": 20_000_000.0}
SLOW = replace(PORT, speed_bps=1_000_000)
HIGH = replace(PORT, in_octets=2**60)
UNKNOWN = replace(PORT, speed_bps=None)
DOWN_32 = replace(PORT_32, in_octets=BEFORE_WRAP)

Case = tuple[InterfaceCounters, InterfaceCounters, dict[str, Any], NoRate | dict[str, Any]]

AFTER_TWO: dict[str, Case] = {
    "no growth is zero, not unknown": (PORT, PORT, {}, {"in_bps": 0.0}),
    "a reboot, though the counter went up": (PORT, grown(PORT, in_octets=9), REBOOT, NoRate.REBOOT),
    "the discontinuity time changed": (
        PORT,
        replace(PORT, discontinuity=6),
        {},
        NoRate.DISCONTINUITY,
    ),
    **{
        f"the discontinuity time is {before}, then {after}: no change": (
            replace(PORT, discontinuity=before),
            replace(PORT, discontinuity=after),
            {},
            {"in_bps": 0.0},
        )
        for before, after in ((5, None), (None, 5), (None, None))
    },
    "the index moved": (PORT, replace(PORT, index=7), {}, NoRate.INDEX_MOVED),
    "another width": (PORT, replace(PORT, high_capacity=False), {}, NoRate.WIDTH_CHANGED),
    "three intervals": (PORT, PORT, {"after_s": 180.0}, {"in_bps": 0.0}),
    "over three intervals": (PORT, PORT, {"after_s": 180.01}, NoRate.GAP),
    "a 64-bit counter went down: its whole port was reset": (
        *(PORT, replace(grown(PORT, out_octets=100, in_errors=1), in_octets=5)),
        *({}, NoRate.RESET),
    ),
    "a 64-bit counter wrapped": (
        *(replace(PORT, in_octets=2**64 - 10), replace(PORT, in_octets=10)),
        *({}, NoRate.RESET),
    ),
    "a 32-bit counter wrapped": (
        *(DOWN_32, replace(PORT_32, in_octets=7_499_000)),
        *({}, {"in_bps": 1_000_000.0, "out_bps": 0.0}),
    ),
    "a 32-bit wrap without a known speed": (
        *(replace(DOWN_32, speed_bps=None), replace(UNKNOWN_32, in_octets=1_000)),
        *({}, {"in_bps": NoRate.SPEED_UNKNOWN}),
    ),
    "a 32-bit wrap over a reboot": (
        *(DOWN_32, replace(PORT_32, in_octets=1_000), REBOOT, NoRate.REBOOT),
    ),
    # 100 Mbit/s in 60 s are 750 MB at most; the wrap would be over 4 GB.
    "a 32-bit wrap that would be too fast was a reset": (
        *(replace(PORT_32, in_octets=200_000), replace(PORT_32, in_octets=5)),
        *({}, NoRate.RESET),
    ),
    "32 bits at 1 Gbit/s for 34 s": (
        *(GIGABIT_32, grown(GIGABIT_32, in_octets=5_000)),
        *({"after_s": 34.0}, {"in_bps": 5_000 * 8 / 34}),
    ),
    "32 bits at 1 Gbit/s for 35 s: a wrap can hide": (
        *(GIGABIT_32, grown(GIGABIT_32, in_octets=5_000)),
        *({"after_s": 35.0}, {"in_bps": NoRate.WRAP_CAN_HIDE, "in_errors": 0.0}),
    ),
    "32-bit octets without a known speed: a wrap can hide in any growth": (
        *(UNKNOWN_32, grown(UNKNOWN_32, in_octets=5_000, in_errors=6)),
        *({}, {"in_bps": NoRate.SPEED_UNKNOWN, "in_errors": 0.1}),
    ),
    "the configured capacity makes 32-bit counters usable": (
        *(UNKNOWN_32, grown(UNKNOWN_32, in_octets=7_500_000)),
        *(TWENTY_MBIT, {"in_bps": 1_000_000.0, "in_util": 0.05}),
    ),
    "the uptime wraps at 497 days": (
        *(PORT, grown(PORT, in_octets=750)),
        *({"first_ticks": WRAP32 - 1_000, "second_ticks": 5_000}, {"in_bps": 100.0}),
    ),
    # Our request waited 4 s somewhere; the router counted for 64 s.
    "delta t is the router's": (
        *(PORT, grown(PORT, in_octets=8_000_000)),
        *({"first_ticks": 100_000, "second_ticks": 106_400}, {"in_bps": 1_000_000.0}),
    ),
    "delta t is from the message that held the octets": (
        replace(PORT, uptime_ticks=100_050),
        replace(grown(PORT, in_octets=7_500_000), uptime_ticks=106_050),
        {"first_ticks": 100_000, "second_ticks": 106_400},
        {"in_bps": 1_000_000.0},
    ),
    "utilisation is of the capacity and never above one": (
        *(PORT, grown(PORT, in_octets=165_000_000), TWENTY_MBIT),
        {"in_bps": 22_000_000.0, "in_util": 1.0, "speed_bps": 20_000_000},
    ),
    "1.2 times the speed": (
        *(PORT, grown(PORT, in_octets=180_000_000), TWENTY_MBIT, {"in_bps": 24_000_000.0}),
    ),
    "above 1.2 times the speed": (
        *(PORT, grown(PORT, in_octets=180_000_001), TWENTY_MBIT),
        {"in_bps": NoRate.TOO_FAST, "out_bps": 0.0},
    ),
    "64 bits without a known speed": (
        *(UNKNOWN, grown(UNKNOWN, in_octets=7_500_000), {}),
        {"in_bps": 1_000_000.0, "in_util": None, "speed_bps": None},
    ),
    "every bit of 64 counts": (HIGH, grown(HIGH, in_octets=15), {}, {"in_bps": 2.0}),
    "errors and discards are series of their own": (
        *(PORT, grown(PORT, in_discards=60), {}),
        {"in_discards": 1.0, "in_errors": 0.0, "out_discards": 0.0},
    ),
    "an error counter that went down costs only itself": (
        *(PORT, replace(PORT, in_errors=2), {}, {"in_errors": NoRate.RESET, "in_bps": 0.0}),
    ),
    "more errors than the line carries packets": (
        *(SLOW, grown(SLOW, in_errors=1_000_000), {}, {"in_errors": NoRate.TOO_FAST}),
    ),
    "an agent that refreshes at once may be polled faster": (
        *(PORT, grown(PORT, in_octets=250)),
        *({"after_s": 2.0, "limits": RateLimits(shortest_s=1.0)}, {"in_bps": 1_000.0}),
    ),
    "two readings of one moment": (
        *(PORT, PORT, {"after_s": 0.0, "limits": RateLimits(shortest_s=0.0)}, NoRate.TOO_SOON),
    ),
}


@pytest.mark.parametrize(
    ("first", "second", "given", "expected"), AFTER_TWO.values(), ids=AFTER_TWO
)
def test_rates_after_two_polls(
    first: InterfaceCounters,
    second: InterfaceCounters,
    given: dict[str, Any],
    expected: NoRate | dict[str, Any],
) -> None:
    check(after_two(first, second, **given), expected)


GROWTH = {"in_octets": 7_500_000, "out_octets": 750_000_000, "in_errors": 6, "out_errors": 12}


def test_two_good_readings_give_every_rate_the_link_and_the_time_of_the_poll() -> None:
    rates = after_two(PORT, grown(PORT, **GROWTH, in_discards=18, out_discards=24))
    assert sample(rates) == InterfaceSample(
        at_s=NOON_S + 60,
        device="anjatan",
        ifname="ether1",
        site="anjatan",
        link="anjatan/utama",
        in_bps=1_000_000.0,
        out_bps=100_000_000.0,
        in_util=0.001,
        out_util=0.1,
        in_errors=0.1,
        out_errors=0.2,
        in_discards=0.3,
        out_discards=0.4,
        oper=1,
        speed_bps=GIGABIT,
    )
    assert rates.dropped == ()


def test_the_first_poll_is_a_baseline_and_has_the_port_state() -> None:
    (rates,) = series(poll(replace(PORT, oper=2)))
    check(rates, NoRate.FIRST)
    assert (sample(rates).oper, sample(rates).speed_bps) == (2, GIGABIT)


BOOTED = replace(PORT, in_octets=900)
PARTLY = replace(grown(PORT, in_octets=750), out_errors=None, out_octets=None)
NO_UPTIME = DevicePoll("anjatan", 60.0, None, (grown(PORT, in_octets=100),))
NO_PORT = DevicePoll("anjatan", 60.0, 106_000, ())
Expected = NoRate | dict[str, Any] | None

AFTER_THREE: dict[str, tuple[tuple[DevicePoll, DevicePoll], Expected, Expected]] = {
    "after a reset the new reading is the baseline": (
        (poll(replace(PORT, in_octets=5), 60.0), poll(replace(PORT, in_octets=755), 120.0)),
        *(NoRate.RESET, {"in_bps": 100.0}),
    ),
    "without an uptime there is no delta t": (
        (NO_UPTIME, poll(grown(PORT, in_octets=200), 120.0)),
        *(NoRate.NO_UPTIME, NoRate.NO_UPTIME),
    ),
    "a counter that is not reported is absent alone": (
        (poll(PARTLY, 60.0), poll(grown(PORT, in_octets=1500), 120.0)),
        {"in_bps": 100.0, "out_errors": NoRate.NOT_REPORTED, "out_bps": NoRate.NOT_REPORTED},
        {"in_bps": 100.0, "out_bps": NoRate.FIRST},
    ),
    "closer than three table refreshes: the baseline stays, nothing is lost": (
        (poll(grown(PORT, in_octets=600), 4.0), poll(grown(PORT, in_octets=750), 60.0)),
        *(NoRate.TOO_SOON, {"in_bps": 100.0}),
    ),
    "a port that is absent once keeps its baseline": (
        (NO_PORT, poll(grown(PORT, in_octets=1500), 120.0)),
        *(None, {"in_bps": 100.0}),
    ),
}


@pytest.mark.parametrize(("polls", "second", "third"), AFTER_THREE.values(), ids=AFTER_THREE)
def test_rates_after_three_polls(
    polls: tuple[DevicePoll, DevicePoll], second: Expected, third: Expected
) -> None:
    _, then, last = series(poll(PORT), *polls)
    if second is None:
        assert then.samples == ()
    else:
        check(then, second)
        assert sample(then).oper == 1
    assert third is not None
    check(last, third)


def test_after_a_reboot_the_next_poll_has_rates_again() -> None:
    polls = (poll(PORT, 0.0, 5_000_000), poll(BOOTED, 60.0, 2_000))
    *_, then, last = series(*polls, poll(grown(BOOTED, in_octets=750), 120.0, 8_000))
    check(then, NoRate.REBOOT)
    check(last, {"in_bps": 100.0})


@pytest.mark.parametrize(
    ("capacity_bps", "reported_bps", "speed_bps"),
    [
        (20_000_000.0, GIGABIT, 20_000_000.0),
        (None, GIGABIT, float(GIGABIT)),
        (None, None, None),
        (None, 0, None),
        (0.0, GIGABIT, float(GIGABIT)),
    ],
)
def test_the_capacity_of_the_link_wins_over_the_speed_of_the_port(
    capacity_bps: float | None, reported_bps: int | None, speed_bps: float | None
) -> None:
    interface = Interface("ether1", capacity_bps=capacity_bps)
    assert line_speed_bps(interface, replace(PORT, speed_bps=reported_bps)) == speed_bps


def test_a_port_that_is_no_longer_configured_has_no_baseline() -> None:
    (rates,) = series(poll(PORT))
    bare = replace(router(), interfaces=())
    assert compute_rates(rates.baselines, bare, NO_PORT, NOON_S).baselines == RateBaselines()
