"""Contract of `Clock`: the system clock and the one that tests move."""

from __future__ import annotations

import time
from typing import Protocol

import pytest

from monitor.adapters.system.clock import SystemClock, boottime_s
from monitor.core.ports import Clock
from tests.fakes.clock import ManualClock
from tests.waiting import eventually

RESOLUTION_S = 1e-4
MAX_SLEW_S = 0.005 + RESOLUTION_S


class Rig(Protocol):
    clock: Clock

    def step_wall(self, by_s: float) -> None: ...

    def pass_time(self, at_least_s: float) -> None: ...


class ManualRig:
    def __init__(self) -> None:
        self.clock = ManualClock()

    def step_wall(self, by_s: float) -> None:
        self.clock.step_wall(by_s)

    def pass_time(self, at_least_s: float) -> None:
        self.clock.advance(at_least_s)


class SystemRig:
    """The real clock; steps are added to the wall clock that it reads."""

    def __init__(self) -> None:
        self._stepped_s = 0.0
        self.clock = SystemClock(wall_s=lambda: time.time() + self._stepped_s)

    def step_wall(self, by_s: float) -> None:
        self._stepped_s += by_s

    def pass_time(self, at_least_s: float) -> None:
        until_s = boottime_s() + at_least_s
        eventually(lambda: boottime_s() >= until_s, every_s=0.002)


@pytest.fixture(params=[ManualRig, SystemRig], ids=["manual", "system"])
def rig(request: pytest.FixtureRequest) -> Rig:
    made: Rig = request.param()
    return made


def test_steady_time_ignores_steps_of_the_wall_clock(rig: Rig) -> None:
    before_s = rig.clock.steady_s()
    rig.step_wall(-86_400.0)
    rig.pass_time(0.02)
    after_s = rig.clock.steady_s()
    assert after_s - before_s >= 0.02 - 1e-6
    rig.step_wall(2 * 86_400.0)
    assert 0.0 <= rig.clock.steady_s() - after_s < 3600.0


def test_utc_begins_as_the_steady_time(rig: Rig) -> None:
    now_s = rig.clock.steady_s()
    assert rig.clock.utc_s(now_s) == now_s


def test_utc_keeps_differences(rig: Rig) -> None:
    now_s = rig.clock.steady_s()
    assert rig.clock.utc_s(now_s + 90.0) - rig.clock.utc_s(now_s) == pytest.approx(90.0)


@pytest.mark.parametrize("by_s", [3600.0, -3600.0, 86_400.0, -86_400.0, 2.5, -2.5])
def test_a_step_is_returned_once_and_utc_follows_it(rig: Rig, by_s: float) -> None:
    now_s = rig.clock.steady_s()
    assert rig.clock.step_s() is None
    rig.step_wall(by_s)
    assert rig.clock.step_s() == pytest.approx(by_s, abs=0.05)
    assert rig.clock.step_s() is None
    assert rig.clock.utc_s(now_s) - now_s == pytest.approx(by_s, abs=0.05)


@pytest.mark.parametrize("by_s", [1.5, -1.5, 0.012, -0.012])
def test_a_small_difference_is_slewed_and_utc_never_goes_back(rig: Rig, by_s: float) -> None:
    rig.step_wall(by_s)
    at_s = rig.clock.steady_s()
    utc_s = rig.clock.utc_s(at_s)
    reading_s = utc_s
    for _ in range(5):
        rig.pass_time(0.012)
        assert rig.clock.step_s() is None
        moved_s = rig.clock.utc_s(at_s) - utc_s
        assert abs(moved_s) <= MAX_SLEW_S
        assert moved_s * by_s >= -RESOLUTION_S * abs(by_s), "it moves towards the wall clock"
        utc_s += moved_s
        later_s = rig.clock.utc_s(rig.clock.steady_s())
        assert later_s > reading_s
        reading_s = later_s
    assert utc_s != at_s


def test_a_small_difference_is_slewed_completely(rig: Rig) -> None:
    rig.step_wall(0.012)
    for _ in range(6):
        rig.pass_time(0.012)
        rig.clock.step_s()
    now_s = rig.clock.steady_s()
    assert rig.clock.utc_s(now_s) - now_s == pytest.approx(0.012, abs=0.002)


def test_small_differences_that_add_up_are_a_step(rig: Rig) -> None:
    rig.step_wall(1.5)
    assert rig.clock.step_s() is None
    rig.step_wall(1.5)
    assert rig.clock.step_s() == pytest.approx(3.0, abs=0.02)
