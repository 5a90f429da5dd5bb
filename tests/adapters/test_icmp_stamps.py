"""The kernel's stamps on the steady timeline, with clocks that the test holds in its hand."""

from __future__ import annotations

from monitor.adapters.icmp.stamps import Stamps


class Clocks:
    """A steady clock, and the kernel's, `ahead_s` before it as far as we are told."""

    def __init__(self, ahead_s: float = 1_000.0) -> None:
        self.now_s = 500.0
        self.ahead_s = ahead_s
        self.stamps = Stamps(lambda: self.now_s, lambda: self.now_s + self.ahead_s)

    def read(self, stamp_s: float | None, sent_s: float, looked_s: float) -> float | None:
        """As the listener does: look, then convert, now."""
        self.stamps.look()
        return self.stamps.steady(stamp_s, sent_s, looked_s, self.now_s)


def close(one_s: float | None, other_s: float) -> bool:
    return one_s is not None and abs(one_s - other_s) < 1e-6


def test_a_stamp_is_moved_to_the_steady_timeline() -> None:
    clocks = Clocks()
    assert close(clocks.read(1_499.99, 499.9, 499.8), 499.99)


def test_it_does_not_matter_how_late_we_read_it() -> None:
    clocks = Clocks()
    clocks.now_s = 530.0
    assert close(clocks.read(1_500.01, 500.0, 499.9), 500.01)


def test_a_step_between_sending_and_receiving_changes_nothing() -> None:
    clocks = Clocks()
    clocks.read(None, 500.0, 500.0)
    clocks.ahead_s -= 3_600.0
    clocks.now_s = 500.08
    assert close(clocks.read(500.07 + 1_000.0 - 3_600.0, 500.0, 500.06), 500.07)


def test_a_step_after_receiving_costs_no_more_than_the_time_since_we_last_looked() -> None:
    clocks = Clocks()
    stamp_s = 500.003 + 1_000.0
    clocks.now_s = 500.005
    clocks.ahead_s += 86_400.0
    assert clocks.read(stamp_s, 499.9, 500.001) == 500.005


def test_a_step_after_receiving_that_hides_the_moment_gives_none() -> None:
    clocks = Clocks()
    stamp_s = 500.003 + 1_000.0
    clocks.now_s = 500.5
    clocks.ahead_s += 86_400.0
    assert clocks.read(stamp_s, 499.9, 500.001) is None


def test_a_clock_that_never_fits_the_stamps_is_learned_from_packets() -> None:
    """So it is for a process that is shown another wall clock (libfaketime)."""
    clocks = Clocks(ahead_s=1_000.0 + 86_400.0)
    for came_s, read_s in ((500.0, 500.01), (500.3, 500.3001), (501.0, 501.2)):
        clocks.now_s = read_s
        found_s = clocks.read(came_s + 1_000.0, came_s - 0.04, came_s - 0.03)
        assert found_s is not None
        assert came_s - 1e-6 <= found_s <= read_s
    clocks.now_s = 502.0
    found_s = clocks.read(501.5 + 1_000.0, 501.4, 501.4)
    assert found_s is not None
    assert found_s - 501.5 <= 0.0002, "the promptest packet told best"


def test_a_stamp_that_is_none_is_the_time_of_reading() -> None:
    clocks = Clocks()
    assert clocks.read(None, 499.99, 499.0) == 500.0
    assert clocks.read(None, 499.0, 499.0) is None


def test_the_kernel_may_queue_a_packet_late() -> None:
    """Stamped before we last looked in vain, and seen only now."""
    clocks = Clocks()
    assert close(clocks.read(1_499.97, 499.9, 499.99), 499.97)


def test_nothing_came_before_it_was_asked_for() -> None:
    clocks = Clocks()
    assert clocks.read(1_499.9995, 499.9999, 499.5) == 499.9999
    found_s = clocks.read(1_499.9, 499.95, 499.94)
    assert found_s is None or found_s >= 499.95


def test_a_pause_between_two_readings_of_the_clocks_is_not_taken_for_a_difference() -> None:
    readings = iter([10.0, 10.2, 10.3, 10.300001, 10.4, 10.4])
    kernel = iter([1_010.1, 1_010.3000005, 1_010.4])
    stamps = Stamps(lambda: next(readings), lambda: next(kernel))
    stamps.look()
    assert close(stamps.steady(1_010.25, 10.2, 10.2, 10.4), 10.25)
