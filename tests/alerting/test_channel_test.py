"""The daily test message of the channels: once a day, at its time, also after a restart."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from monitor.core.errors import LedgerError
from tests.api_rig import WIB, MemoryApiRig, duty_settings

MORNING = datetime(2025, 11, 25, 7, 28, 20, tzinfo=WIB)


async def run_for(office: MemoryApiRig, start: datetime, minutes: int) -> list[datetime]:
    """Run the job every minute; the local times at which something was sent."""
    office.clock.advance(start.timestamp() - office.now_s())
    sent = []
    for _ in range(minutes):
        before = len(office.ledger.outbox(incident=0))
        await office.channel_tests.run_daily()
        if len(office.ledger.outbox(incident=0)) > before:
            sent.append(datetime.fromtimestamp(office.now_s(), WIB))
        office.clock.advance(60)
    return sent


async def test_every_morning_at_half_past_seven_the_channels_with_a_daily_test_get_one() -> None:
    office = MemoryApiRig(duty_settings())
    sent = await run_for(office, MORNING, 2 * 24 * 60)
    assert [moment.strftime("%d %H:%M") for moment in sent] == ["25 07:30", "26 07:30"]
    rows = office.ledger.outbox(incident=0)
    assert [(row.sequence, row.channel) for row in rows] == [
        (20251125, "hook"),
        (20251125, "sms"),
        (20251126, "hook"),
        (20251126, "sms"),
    ]
    assert office.listener.queued_times == 2


async def test_a_restart_sends_no_second_test_on_the_same_day() -> None:
    first = MemoryApiRig(duty_settings())
    await run_for(first, MORNING, 5)
    again = MemoryApiRig(duty_settings(), first.ledger)
    assert await run_for(again, MORNING + timedelta(minutes=5), 60) == []


@pytest.mark.parametrize(("late_min", "tests"), [(20, 1), (40, 0)])
async def test_a_start_makes_up_for_a_missed_test_for_half_an_hour(
    late_min: int, tests: int
) -> None:
    office = MemoryApiRig(duty_settings())
    assert len(await run_for(office, MORNING + timedelta(minutes=late_min), 60)) == tests


async def test_a_daily_test_that_the_ledger_cannot_store_is_tried_again() -> None:
    office = MemoryApiRig(duty_settings())
    office.ledger.trouble = LedgerError("the disk is full")
    office.clock.advance(MORNING.timestamp() + 120 - office.now_s())
    await office.channel_tests.run_daily()
    office.ledger.trouble = None
    assert office.ledger.outbox() == []
    office.clock.advance(60)
    await office.channel_tests.run_daily()
    assert len(office.ledger.outbox()) == 2
