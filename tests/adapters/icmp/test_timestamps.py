"""Kernel timestamps on the steady timeline, with clocks that the test sets."""

from __future__ import annotations

import pytest

from monitor.adapters.icmp.timestamps import TimestampConverter

AHEAD_S = 1_000.0
DAY_S = 86_400.0


class Clocks:
    """A steady clock, and the kernel's clock, which the converter reads `ahead_s` before it."""

    def __init__(self, ahead_s: float = AHEAD_S) -> None:
        self.now_s = 500.0
        self.ahead_s = ahead_s
        self.timestamps = TimestampConverter(lambda: self.now_s, lambda: self.now_s + self.ahead_s)

    def read(self, stamp_s: float | None, sent_s: float, previous_read_s: float) -> float | None:
        """Calibrate and convert, now. stamp_s: on the steady timeline, plus AHEAD_S."""
        self.timestamps.calibrate()
        kernel_s = None if stamp_s is None else stamp_s + AHEAD_S
        return self.timestamps.steady_s(kernel_s, sent_s, previous_read_s, self.now_s)


@pytest.mark.parametrize(
    ("stamp_s", "sent_s", "previous_read_s", "now_s", "step_s", "arrived_s"),
    [
        (499.99, 499.9, 499.8, 500.0, 0.0, 499.99),  # the ordinary case
        (500.01, 500.0, 499.9, 530.0, 0.0, 500.01),  # read late
        (499.97, 499.9, 499.99, 500.0, 0.0, 499.97),  # queued late by the kernel
        (499.9995, 499.9999, 499.5, 500.0, 0.0, 499.9999),  # never before it was sent
        (500.003, 499.9, 500.001, 500.005, DAY_S, 500.005),  # step after arrival, just read before
        (500.003, 499.9, 500.001, 500.5, DAY_S, None),  # step after arrival that hides the moment
        (None, 499.99, 499.0, 500.0, 0.0, 500.0),  # no timestamp: the time of reading
        (None, 499.0, 499.0, 500.0, 0.0, None),  # no timestamp, and too uncertain
    ],
)
def test_the_arrival_of_a_packet_in_steady_seconds(
    stamp_s: float | None,
    sent_s: float,
    previous_read_s: float,
    now_s: float,
    step_s: float,
    arrived_s: float | None,
) -> None:
    clocks = Clocks()
    clocks.now_s = now_s
    clocks.ahead_s += step_s
    expected = None if arrived_s is None else pytest.approx(arrived_s, abs=1e-6)
    assert clocks.read(stamp_s, sent_s, previous_read_s) == expected


def test_a_step_between_sending_and_receiving_changes_nothing() -> None:
    clocks = Clocks()
    clocks.read(None, 500.0, 500.0)
    clocks.ahead_s -= 3_600.0
    clocks.now_s = 500.08
    arrived_s = clocks.read(500.07 - 3_600.0, 500.0, 500.06)
    assert arrived_s == pytest.approx(500.07, abs=1e-6)


def test_no_packet_arrives_before_its_request_was_sent() -> None:
    arrived_s = Clocks().read(499.9, 499.95, 499.94)
    assert arrived_s is None or arrived_s >= 499.95


def test_a_clock_that_never_fits_the_timestamps_is_learned_from_packets() -> None:
    """As for a process that is shown another wall clock (libfaketime)."""
    clocks = Clocks(ahead_s=AHEAD_S + DAY_S)
    for came_s, read_s in ((500.0, 500.01), (500.3, 500.3001), (501.0, 501.2)):
        clocks.now_s = read_s
        arrived_s = clocks.read(came_s, came_s - 0.04, came_s - 0.03)
        assert arrived_s is not None
        assert came_s - 1e-6 <= arrived_s <= read_s
    clocks.now_s = 502.0
    arrived_s = clocks.read(501.5, 501.4, 501.4)
    assert arrived_s is not None
    assert arrived_s - 501.5 <= 0.0002, "the most prompt packet gave the best estimate"


def test_a_pause_between_two_clock_readings_is_not_taken_for_a_difference() -> None:
    steady = iter([10.0, 10.2, 10.3, 10.300001, 10.4, 10.4])
    kernel = iter([1_010.1, 1_010.3000005, 1_010.4])
    timestamps = TimestampConverter(lambda: next(steady), lambda: next(kernel))
    timestamps.calibrate()
    arrived_s = timestamps.steady_s(1_010.25, 10.2, 10.2, 10.4)
    assert arrived_s == pytest.approx(10.25, abs=1e-6)
