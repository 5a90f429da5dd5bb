"""The watchdog: systemd is notified only while rounds, ledger and outbox work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.daemon.watchdog import Watchdog
from tests.fakes.clock import ManualClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.service_manager import FakeServiceManager

T = TypeVar("T")


class SlowThread:
    """An executor whose calls wait until `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.calls = 0

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        self.calls += 1

        def wait() -> T:
            self.go.wait(30)
            return call()

        return asyncio.to_thread(wait)


class Rig:
    """A watchdog `age_s` after the start of its daemon."""

    def __init__(
        self,
        watchdog_s: float | None = 90.0,
        executor: Executor = asyncio.to_thread,
        answer_s: float = 5.0,
        age_s: float = 60.0,
    ) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.systemd = FakeServiceManager(watchdog_s)
        self.rounds_ok = self.outbox_ok = True
        self.watchdog = Watchdog(
            self.systemd,
            self.clock,
            self.ledger,
            executor,
            lambda: self.rounds_ok,
            lambda: self.outbox_ok,
            answer_s,
        )
        self.clock.advance(age_s)

    async def check(self) -> int:
        """How often systemd was notified so far."""
        await self.watchdog.check()
        return self.systemd.signs


async def test_systemd_is_notified_while_everything_works() -> None:
    rig = Rig()
    assert await rig.check() == 1
    assert rig.systemd.status_lines == []


@pytest.mark.parametrize(("part", "text"), [("rounds", "no round"), ("outbox", "a worker of the")])
async def test_systemd_is_not_notified_while_a_part_stands_still(
    part: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    setattr(rig, f"{part}_ok", False)
    assert [await rig.check() for _ in range(2)] == [0, 0]
    (status,) = rig.systemd.status_lines
    assert status.startswith(text)
    assert caplog.text.count("systemd is not notified") == 1
    setattr(rig, f"{part}_ok", True)
    assert await rig.check() == 1
    assert rig.systemd.status_lines[-1] == ""


async def test_no_round_is_expected_in_the_first_30_s() -> None:
    rig = Rig(age_s=0.0)
    rig.rounds_ok = False
    assert await rig.check() == 1
    rig.clock.advance(31)
    assert await rig.check() == 1


async def test_a_full_disk_is_no_reason_for_a_restart() -> None:
    rig = Rig()
    rig.ledger.trouble = LedgerError("the disk is full")
    assert await rig.check() == 1


async def test_a_ledger_that_does_not_answer_gets_one_query_until_it_does() -> None:
    thread = SlowThread()
    rig = Rig(executor=thread, answer_s=0.01)
    assert [await rig.check() for _ in range(3)] == [0, 0, 0]
    assert thread.calls == 1
    assert rig.systemd.status_lines == ["the ledger does not answer"]
    thread.go.set()
    async with asyncio.timeout(10):
        while not await rig.check():
            pass


@pytest.mark.parametrize(("watchdog_s", "every_s"), [(90.0, [30.0]), (2.0, [1.0]), (None, [])])
def test_checks_come_three_times_within_the_interval_of_systemd(
    watchdog_s: float | None, every_s: list[float]
) -> None:
    assert [job.every_s for job in Rig(watchdog_s).watchdog.jobs()] == every_s
