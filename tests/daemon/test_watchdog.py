"""Signs of life only while everything turns; the daily test once a day, at its time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from monitor.core.errors import LedgerError
from monitor.daemon.watchdog import Watchdog
from tests.api_fixtures import WIB, DutyOffice, on_duty
from tests.fakes.service_manager import FakeServiceManager

T = TypeVar("T")


class Sluggish:
    """A thread whose disk does not answer until `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = 0

    def __call__(self, what: Callable[[], T], /) -> Awaitable[T]:
        self.asked += 1

        def wait() -> T:
            self.go.wait(30)
            return what()

        return asyncio.to_thread(wait)


class Watched:
    """A daemon in three answers."""

    def __init__(self, watchdog_s: float | None = 90.0) -> None:
        self.office = DutyOffice(on_duty())
        self.manager = FakeServiceManager(watchdog_s)
        self.rounds = True
        self.outbox = True
        self.watching = Watchdog(
            self.manager,
            self.office.clock,
            self.office.ledger,
            asyncio.to_thread,
            lambda: self.rounds,
            lambda: self.outbox,
            self.office.channel_tests,
        )
        self.office.clock.advance(60)


async def test_a_sign_of_life_while_all_turns() -> None:
    daemon = Watched()
    await daemon.watching.beat()
    assert (daemon.manager.signs, daemon.manager.told) == (1, [])


@pytest.mark.parametrize(("what", "words"), [("rounds", "no round"), ("outbox", "the outbox")])
async def test_no_sign_while_something_stands_still_and_again_when_it_turns(
    what: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = Watched()
    setattr(daemon, what, False)
    await daemon.watching.beat()
    await daemon.watching.beat()
    assert daemon.manager.signs == 0
    assert [told.startswith(words) for told in daemon.manager.told] == [True]
    assert caplog.text.count("systemd is told nothing") == 1
    setattr(daemon, what, True)
    await daemon.watching.beat()
    assert (daemon.manager.signs, daemon.manager.told[-1]) == (1, "")


async def test_before_the_first_round_a_daemon_is_given_time() -> None:
    office, manager = DutyOffice(), FakeServiceManager()
    watching = Watchdog(
        *(manager, office.clock, office.ledger, asyncio.to_thread),
        *(lambda: False, lambda: True, office.channel_tests),
    )
    await watching.beat()
    assert manager.signs == 1
    office.clock.advance(31)
    await watching.beat()
    assert manager.signs == 1


async def test_a_full_disk_is_no_reason_to_kill_the_daemon() -> None:
    """What waits in memory would be lost, and nothing would be measured."""
    daemon = Watched()
    daemon.office.ledger.trouble = LedgerError("the disk is full")
    await daemon.watching.beat()
    assert daemon.manager.signs == 1


async def test_a_ledger_that_never_answers_is_asked_once_and_believed_when_it_does() -> None:
    daemon, thread = Watched(), Sluggish()
    daemon.watching = Watchdog(
        daemon.manager,
        daemon.office.clock,
        daemon.office.ledger,
        thread,
        lambda: True,
        lambda: True,
        daemon.office.channel_tests,
        answer_s=0.01,
    )
    for _ in range(3):
        await daemon.watching.beat()
    assert (daemon.manager.signs, thread.asked) == (0, 1)
    assert daemon.manager.told == ["the ledger does not answer"]
    thread.go.set()
    async with asyncio.timeout(10):
        while not daemon.manager.signs:
            await daemon.watching.beat()


@pytest.mark.parametrize(("watchdog_s", "every_s"), [(90.0, 30.0), (2.0, 1.0)])
def test_signs_come_thrice_as_often_as_they_are_waited_for(
    watchdog_s: float, every_s: float
) -> None:
    jobs = {job.name: job for job in Watched(watchdog_s).watching.jobs()}
    assert jobs["watchdog"].every_s == every_s


def test_without_a_watchdog_there_is_only_the_daily_test() -> None:
    assert [job.name for job in Watched(None).watching.jobs()] == ["daily test"]


async def minutes_from(office: DutyOffice, start: datetime, minutes: int) -> list[datetime]:
    """Ask every minute; the local times at which something was sent."""
    office.clock.advance(start.timestamp() - office.now_s())
    sent = []
    for _ in range(minutes):
        before = len(office.ledger.outbox(incident=0))
        await office.channel_tests.run_daily()
        if len(office.ledger.outbox(incident=0)) > before:
            sent.append(datetime.fromtimestamp(office.now_s(), WIB))
        office.clock.advance(60)
    return sent


MORNING = datetime(2025, 11, 25, 7, 28, 20, tzinfo=WIB)


async def test_every_morning_at_half_past_seven_the_channels_that_ask_for_it_are_tested() -> None:
    office = DutyOffice(on_duty())
    sent = await minutes_from(office, MORNING, 2 * 24 * 60)
    assert [moment.strftime("%d %H:%M") for moment in sent] == ["25 07:30", "26 07:30"]
    rows = office.ledger.outbox(incident=0)
    assert [(row.sequence, row.channel) for row in rows] == [
        (20251125, "hook"),
        (20251125, "sms"),
        (20251126, "hook"),
        (20251126, "sms"),
    ]
    assert office.heard.queued_times == 2


async def test_a_restart_sends_no_second_one_and_a_late_start_makes_up_for_it() -> None:
    first = DutyOffice(on_duty())
    await minutes_from(first, MORNING, 5)
    again = DutyOffice(on_duty(), first.ledger)
    assert await minutes_from(again, MORNING + timedelta(minutes=5), 60) == []
    late = DutyOffice(on_duty())
    assert len(await minutes_from(late, MORNING + timedelta(minutes=20), 60)) == 1
    too_late = DutyOffice(on_duty())
    assert await minutes_from(too_late, MORNING + timedelta(minutes=40), 60) == []


async def test_a_ledger_in_trouble_at_half_past_seven_is_tried_again() -> None:
    office = DutyOffice(on_duty())
    office.ledger.trouble = LedgerError("the disk is full")
    office.clock.advance(MORNING.timestamp() + 120 - office.now_s())
    await office.channel_tests.run_daily()
    office.ledger.trouble = None
    assert office.ledger.outbox() == []
    office.clock.advance(60)
    await office.channel_tests.run_daily()
    assert len(office.ledger.outbox()) == 2
