"""Every row of the table "Rates from counters: the rules", each with the reason it gives."""

from __future__ import annotations

from dataclasses import replace

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
NARROW = replace(PORT, high_capacity=False, speed_bps=100_000_000)


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


def two(
    first: InterfaceCounters,
    second: InterfaceCounters,
    *,
    after_s: float = 60.0,
    device: Device | None = None,
    first_ticks: int | None = None,
    second_ticks: int | None = None,
    limits: RateLimits | None = None,
) -> PollRates:
    """What the second of two polls brings."""
    device = device or router()
    start = compute_rates(RateBaselines(), device, poll(first, 0.0, first_ticks), NOON_S, limits)
    return compute_rates(
        start.baselines, device, poll(second, after_s, second_ticks), NOON_S + after_s, limits
    )


def sample(rates: PollRates) -> InterfaceSample:
    (only,) = rates.samples
    return only


def whole_reason(rates: PollRates) -> NoRate:
    """The one reason why a port gave no rate at all."""
    only = sample(rates)
    fields = ("in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards")
    assert [getattr(only, name) for name in fields] == [None] * 6
    assert only.in_util is None
    assert only.out_util is None
    (drop,) = rates.dropped
    assert (drop.ifname, drop.counter) == ("ether1", None)
    return drop.reason


def reason_of(rates: PollRates, counter: str) -> NoRate:
    assert getattr(sample(rates), counter) is None
    return {drop.counter: drop.reason for drop in rates.dropped}[counter]


def test_two_good_readings_give_every_rate_the_link_and_the_time_that_was_passed_in() -> None:
    later = grown(
        PORT,
        in_octets=7_500_000,
        out_octets=750_000_000,
        in_errors=6,
        out_errors=12,
        in_discards=18,
        out_discards=24,
    )
    rates = two(PORT, later)
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


def test_a_counter_that_stood_still_is_zero_and_not_unknown() -> None:
    assert sample(two(PORT, PORT)).in_bps == 0.0


def test_the_first_sample_is_a_baseline_only_but_tells_the_port_state() -> None:
    rates = compute_rates(RateBaselines(), router(), poll(replace(PORT, oper=2)), NOON_S)
    assert whole_reason(rates) is NoRate.FIRST
    assert sample(rates).oper == 2
    assert sample(rates).speed_bps == GIGABIT


def test_a_reboot_is_a_baseline_only_and_the_next_poll_has_rates_again() -> None:
    device = router()
    baselines = compute_rates(RateBaselines(), device, poll(PORT, 0.0, 5_000_000), NOON_S).baselines
    booted = replace(PORT, in_octets=900)
    after = compute_rates(baselines, device, poll(booted, 60.0, 2_000), NOON_S + 60)
    assert whole_reason(after) is NoRate.REBOOT
    then = compute_rates(
        after.baselines, device, poll(grown(booted, in_octets=750), 120.0, 8_000), NOON_S + 120
    )
    assert sample(then).in_bps == 100.0


def test_a_reboot_is_seen_even_when_the_counters_went_on_upwards() -> None:
    rates = two(PORT, grown(PORT, in_octets=10), first_ticks=5_000_000, second_ticks=2_000)
    assert whole_reason(rates) is NoRate.REBOOT


def test_a_changed_discontinuity_time_is_a_baseline_only() -> None:
    rates = two(PORT, replace(grown(PORT, in_octets=10), discontinuity=6))
    assert whole_reason(rates) is NoRate.DISCONTINUITY


@pytest.mark.parametrize(("before", "after"), [(5, None), (None, 5), (None, None)])
def test_a_discontinuity_time_that_is_not_told_is_no_change(
    before: int | None, after: int | None
) -> None:
    rates = two(replace(PORT, discontinuity=before), replace(PORT, discontinuity=after))
    assert sample(rates).in_bps == 0.0


def test_a_moved_index_is_a_baseline_only() -> None:
    assert whole_reason(two(PORT, replace(PORT, index=7))) is NoRate.INDEX_MOVED


def test_another_counter_width_is_a_baseline_only() -> None:
    assert whole_reason(two(PORT, replace(PORT, high_capacity=False))) is NoRate.WIDTH_CHANGED


@pytest.mark.parametrize(("after_s", "reason"), [(180.0, None), (180.01, NoRate.GAP)])
def test_a_gap_of_over_three_intervals_is_a_baseline_only(
    after_s: float, reason: NoRate | None
) -> None:
    rates = two(PORT, PORT, after_s=after_s)
    if reason is None:
        assert sample(rates).in_bps == 0.0
    else:
        assert whole_reason(rates) is reason


def test_a_64_bit_counter_that_went_down_is_a_reset_of_its_whole_port() -> None:
    rates = two(PORT, replace(grown(PORT, out_octets=100, in_errors=1), in_octets=5))
    assert whole_reason(rates) is NoRate.RESET


def test_a_64_bit_counter_that_wrapped_is_a_reset_too() -> None:
    rates = two(replace(PORT, in_octets=2**64 - 10), replace(PORT, in_octets=10))
    assert whole_reason(rates) is NoRate.RESET


def test_after_a_reset_the_new_reading_is_the_baseline() -> None:
    device = router()
    baselines = two(PORT, replace(PORT, in_octets=5), device=device).baselines
    then = compute_rates(baselines, device, poll(replace(PORT, in_octets=755), 120.0), NOON_S)
    assert sample(then).in_bps == 100.0


def test_a_32_bit_counter_that_went_down_wrapped_when_everything_speaks_for_it() -> None:
    rates = two(replace(NARROW, in_octets=WRAP32 - 1_000), replace(NARROW, in_octets=7_499_000))
    assert sample(rates).in_bps == 1_000_000.0
    assert rates.dropped == ()


def test_a_32_bit_wrap_without_a_known_speed_gives_no_rate() -> None:
    unknown = replace(NARROW, speed_bps=None)
    rates = two(replace(unknown, in_octets=WRAP32 - 1_000), replace(unknown, in_octets=1_000))
    assert reason_of(rates, "in_bps") is NoRate.SPEED_UNKNOWN


def test_a_32_bit_wrap_over_a_reboot_gives_no_rate() -> None:
    rates = two(
        replace(NARROW, in_octets=WRAP32 - 1_000),
        replace(NARROW, in_octets=1_000),
        first_ticks=5_000_000,
        second_ticks=2_000,
    )
    assert whole_reason(rates) is NoRate.REBOOT


def test_a_32_bit_counter_whose_wrap_would_be_too_fast_was_reset() -> None:
    # 100 Mbit/s in 60 s are 750 MB at most; the wrap would be over 4 GB.
    rates = two(replace(NARROW, in_octets=200_000), replace(NARROW, in_octets=5))
    assert whole_reason(rates) is NoRate.RESET


@pytest.mark.parametrize(("after_s", "refused"), [(34.0, False), (35.0, True)])
def test_32_bit_counters_are_refused_where_a_wrap_can_hide(after_s: float, refused: bool) -> None:
    """At 1 Gbit/s that is after 34.4 s, whether the counter went up or down."""
    gigabit = replace(NARROW, speed_bps=GIGABIT)
    rates = two(gigabit, grown(gigabit, in_octets=5_000), after_s=after_s)
    if refused:
        assert reason_of(rates, "in_bps") is NoRate.WRAP_CAN_HIDE
        assert sample(rates).in_errors == 0.0
    else:
        assert sample(rates).in_bps == pytest.approx(5_000 * 8 / after_s)


def test_32_bit_octets_without_a_known_speed_are_refused_as_a_wrap_may_hide_in_any_growth() -> None:
    unknown = replace(NARROW, speed_bps=None)
    rates = two(unknown, grown(unknown, in_octets=5_000, in_errors=6))
    assert reason_of(rates, "in_bps") is NoRate.SPEED_UNKNOWN
    assert sample(rates).in_errors == 0.1


def test_the_configured_capacity_makes_32_bit_counters_usable() -> None:
    unknown = replace(NARROW, speed_bps=None)
    rates = two(unknown, grown(unknown, in_octets=7_500_000), device=router(20_000_000.0))
    assert sample(rates).in_bps == 1_000_000.0
    assert sample(rates).in_util == 0.05


def test_uptime_may_wrap_at_497_days_without_being_a_reboot() -> None:
    rates = two(PORT, grown(PORT, in_octets=750), first_ticks=WRAP32 - 1_000, second_ticks=5_000)
    assert sample(rates).in_bps == 100.0


def test_delta_t_is_the_routers_own_and_not_ours() -> None:
    """Our request waited 4 s somewhere; the router counted for 64 s."""
    rates = two(
        PORT,
        grown(PORT, in_octets=8_000_000),
        after_s=60.0,
        first_ticks=100_000,
        second_ticks=106_400,
    )
    assert sample(rates).in_bps == 1_000_000.0


def test_delta_t_is_from_the_message_that_held_the_octets() -> None:
    device = router()
    first = poll(replace(PORT, uptime_ticks=100_050), 0.0, 100_000)
    second = poll(replace(grown(PORT, in_octets=7_500_000), uptime_ticks=106_050), 60.0, 106_400)
    baselines = compute_rates(RateBaselines(), device, first, NOON_S).baselines
    assert sample(compute_rates(baselines, device, second, NOON_S)).in_bps == 1_000_000.0


def test_without_an_uptime_there_is_no_delta_t_and_no_rate() -> None:
    device = router()
    untold = DevicePoll("anjatan", 60.0, None, (grown(PORT, in_octets=100),))
    baselines = compute_rates(RateBaselines(), device, poll(PORT), NOON_S).baselines
    rates = compute_rates(baselines, device, untold, NOON_S)
    assert whole_reason(rates) is NoRate.NO_UPTIME
    then = compute_rates(rates.baselines, device, poll(grown(PORT, in_octets=200), 120.0), NOON_S)
    assert whole_reason(then) is NoRate.NO_UPTIME


def test_one_counter_that_is_not_told_is_none_and_the_rest_stands() -> None:
    device = router()
    partly = replace(grown(PORT, in_octets=750), out_errors=None, out_octets=None)
    rates = two(PORT, partly, device=device)
    assert sample(rates).in_bps == 100.0
    assert reason_of(rates, "out_errors") is NoRate.NOT_REPORTED
    assert reason_of(rates, "out_bps") is NoRate.NOT_REPORTED
    again = compute_rates(rates.baselines, device, poll(grown(PORT, in_octets=1500), 120.0), NOON_S)
    assert sample(again).in_bps == 100.0
    assert reason_of(again, "out_bps") is NoRate.FIRST


@pytest.mark.parametrize(
    ("capacity_bps", "told_bps", "speed_bps"),
    [
        (20_000_000.0, GIGABIT, 20_000_000.0),
        (None, GIGABIT, float(GIGABIT)),
        (None, None, None),
        (None, 0, None),
        (0.0, GIGABIT, float(GIGABIT)),
    ],
)
def test_the_links_capacity_wins_over_the_ports_speed(
    capacity_bps: float | None, told_bps: int | None, speed_bps: float | None
) -> None:
    interface = Interface("ether1", capacity_bps=capacity_bps)
    assert line_speed_bps(interface, replace(PORT, speed_bps=told_bps)) == speed_bps


def test_utilisation_is_of_the_capacity_and_never_above_one() -> None:
    rates = two(PORT, grown(PORT, in_octets=165_000_000), device=router(20_000_000.0))
    assert sample(rates).in_bps == 22_000_000.0
    assert sample(rates).in_util == 1.0
    assert sample(rates).speed_bps == 20_000_000


@pytest.mark.parametrize(("octets", "fits"), [(180_000_000, True), (180_000_001, False)])
def test_a_rate_above_1_2_times_the_speed_is_no_value_and_flagged(octets: int, fits: bool) -> None:
    rates = two(PORT, grown(PORT, in_octets=octets), device=router(20_000_000.0))
    if fits:
        assert sample(rates).in_bps == pytest.approx(24_000_000.0)
    else:
        assert reason_of(rates, "in_bps") is NoRate.TOO_FAST
        assert sample(rates).out_bps == 0.0


def test_without_a_known_speed_a_64_bit_rate_stands_and_has_no_utilisation() -> None:
    unknown = replace(PORT, speed_bps=None)
    rates = two(unknown, grown(unknown, in_octets=7_500_000))
    assert sample(rates).in_bps == 1_000_000.0
    assert sample(rates).in_util is None
    assert sample(rates).speed_bps is None


def test_64_bit_counters_keep_every_bit_until_the_difference() -> None:
    """A float cannot tell 2^60 from 2^60 + 1."""
    high = replace(PORT, in_octets=2**60)
    assert sample(two(high, grown(high, in_octets=15))).in_bps == 2.0


def test_errors_and_discards_are_series_of_their_own() -> None:
    rates = two(PORT, grown(PORT, in_discards=60))
    only = sample(rates)
    assert (only.in_discards, only.in_errors, only.out_discards) == (1.0, 0.0, 0.0)


def test_an_error_counter_that_went_down_costs_only_itself() -> None:
    rates = two(PORT, replace(PORT, in_errors=2))
    assert reason_of(rates, "in_errors") is NoRate.RESET
    assert sample(rates).in_bps == 0.0


def test_more_errors_than_the_line_carries_packets_are_no_value() -> None:
    slow = replace(PORT, speed_bps=1_000_000)
    rates = two(slow, grown(slow, in_errors=1_000_000))
    assert reason_of(rates, "in_errors") is NoRate.TOO_FAST


def test_polls_closer_than_three_table_refreshes_keep_the_baseline_and_lose_nothing() -> None:
    device = router()
    baselines = two(PORT, PORT, device=device).baselines
    soon = compute_rates(baselines, device, poll(grown(PORT, in_octets=600), 64.0), NOON_S)
    assert whole_reason(soon) is NoRate.TOO_SOON
    assert sample(soon).oper == 1
    then = compute_rates(soon.baselines, device, poll(grown(PORT, in_octets=750), 120.0), NOON_S)
    assert sample(then).in_bps == 100.0


def test_an_agent_that_renews_its_tables_at_once_may_be_asked_more_often() -> None:
    rates = two(PORT, grown(PORT, in_octets=250), after_s=2.0, limits=RateLimits(shortest_s=1.0))
    assert sample(rates).in_bps == 1_000.0


def test_two_readings_of_one_moment_have_no_delta_t() -> None:
    rates = two(PORT, PORT, after_s=0.0, limits=RateLimits(shortest_s=0.0))
    assert whole_reason(rates) is NoRate.TOO_SOON


def test_a_port_that_was_not_told_once_keeps_its_baseline() -> None:
    device = router()
    baselines = compute_rates(RateBaselines(), device, poll(PORT), NOON_S).baselines
    without = compute_rates(baselines, device, DevicePoll("anjatan", 60.0, 106_000, ()), NOON_S)
    assert without.samples == ()
    then = compute_rates(
        without.baselines, device, poll(grown(PORT, in_octets=1500), 120.0), NOON_S
    )
    assert sample(then).in_bps == 100.0


def test_a_port_that_is_configured_no_more_is_forgotten() -> None:
    baselines = compute_rates(RateBaselines(), router(), poll(PORT), NOON_S).baselines
    bare = replace(router(), interfaces=())
    after = compute_rates(baselines, bare, DevicePoll("anjatan", 60.0, 106_000, ()), NOON_S)
    assert after.baselines == RateBaselines()
