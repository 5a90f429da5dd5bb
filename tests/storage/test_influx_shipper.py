"""The shipper: what it ships, when it waits, what it says. Fakes at its ports."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest

from monitor.core.errors import InfluxError, JournalError
from monitor.core.samples.samples import Sample
from monitor.storage.influx_shipper import InfluxShipper, RefusalAction, ShipperLimits, action_on
from tests.fakes.journal import MemoryJournal
from tests.shipper_fixtures import Harbour, down, rows
from tests.waiting import eventually_async


async def test_everything_is_shipped_in_order_and_the_cursor_is_saved() -> None:
    harbour = Harbour(lines=10)
    harbour.journal.append(rows(35))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "35")
    assert harbour.sink.stored == rows(35)
    assert harbour.sink.sizes == [10, 10, 10, 5]
    assert harbour.shipper.state.last_error is None
    assert harbour.shipper.state.last_ok_s is not None


async def test_what_comes_while_it_runs_is_shipped_too() -> None:
    harbour = Harbour()
    async with harbour.shipping():
        for place in range(5):
            harbour.journal.append(rows(1, begin=place))
            await eventually_async(lambda n=place: len(harbour.sink.stored) == n + 1)  # type: ignore[misc]
    assert harbour.sink.stored == rows(5)


async def test_a_new_start_goes_on_where_the_last_one_stopped() -> None:
    harbour = Harbour()
    harbour.journal.append(rows(35))
    harbour.journal.save_cursor("influxdb", "20")
    await harbour.until(lambda: harbour.journal.saved["influxdb"] == "35")
    assert harbour.sink.stored == rows(35)[20:]


async def test_without_an_answer_it_waits_twice_as_long_each_time_up_to_a_minute() -> None:
    harbour = Harbour()
    tries: list[float] = []

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        tries.append(harbour.passed_s)
        return down() if len(tries) < 10 else None

    harbour.sink.answer = answer
    harbour.journal.append(rows(3))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "3")
    waits = [after - before for before, after in pairwise(tries)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert harbour.sink.stored == rows(3)


async def test_after_a_success_the_next_trouble_begins_with_a_second_again() -> None:
    harbour = Harbour(lines=1)
    tries: list[float] = []
    failing = {1, 2, 3, 5}

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        tries.append(harbour.passed_s)
        return down() if len(tries) in failing else None

    harbour.sink.answer = answer
    harbour.journal.append(rows(2))
    await harbour.until(lambda: len(harbour.sink.stored) == 2)
    assert [after - before for before, after in pairwise(tries)] == [
        1,
        2,
        4,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(7.0, 7.0), (0.0, 1.0), (300.0, 300.0), (1e9, 3600.0)]
)
async def test_it_does_not_come_back_before_the_server_asked_for(
    asked_s: float, waited_s: float
) -> None:
    harbour = Harbour()
    tries: list[float] = []

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        tries.append(harbour.passed_s)
        return down(429, asked_s) if len(tries) == 1 else None

    harbour.sink.answer = answer
    harbour.journal.append(rows(3))
    await harbour.until(lambda: harbour.sink.stored)
    assert tries == [0, waited_s]


@pytest.mark.parametrize("status", [None, 200, 302, 401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_waited_for_and_nothing_is_lost_or_set_aside(
    status: int | None,
) -> None:
    harbour = Harbour()
    refusals = [down(status)] * 4
    harbour.sink.answer = lambda samples: refusals.pop() if refusals else None
    harbour.journal.append(rows(9))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "9")
    assert harbour.sink.sizes == [9, 9, 9, 9, 9]
    assert harbour.sink.stored == rows(9)
    assert harbour.quarantine.kept == []


async def test_while_it_waits_its_state_says_why_until_when_and_how_far_behind() -> None:
    harbour = Harbour()
    harbour.sink.answer = lambda samples: down(503)
    harbour.journal.append(rows(9))
    async with harbour.shipping():
        await eventually_async(lambda: harbour.shipper.state.backing_off_until_s)
        state = harbour.shipper.state
        assert state.last_error == "it does not do it"
        assert state.backing_off_until_s is not None
        assert state.last_ok_s is None
        harbour.journal.append(rows(5, begin=9))
        await eventually_async(lambda: harbour.shipper.state.lag_lines == 14)
        harbour.sink.answer = None
        await eventually_async(lambda: harbour.shipper.state.lag_lines == 0)
    state = harbour.shipper.state
    assert (state.last_error, state.backing_off_until_s) == (None, None)


async def test_an_outage_is_logged_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    harbour = Harbour()
    refusals = [down(503)] * 20
    harbour.sink.answer = lambda samples: refusals.pop() if refusals else None
    harbour.journal.append(rows(9))
    with caplog.at_level(logging.INFO, "monitor.storage.influx_shipper"):
        await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "9")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_journal_that_cannot_be_read_is_tried_again() -> None:
    harbour = Harbour()
    harbour.journal.append(rows(3))
    harbour.journal.trouble = JournalError("the journal failed: disk I/O error")
    async with harbour.shipping():
        await eventually_async(lambda: harbour.shipper.state.last_error)
        harbour.journal.trouble = None
        await eventually_async(lambda: harbour.journal.saved.get("influxdb") == "3")
    assert harbour.shipper.state.last_error is None


async def test_a_cursor_that_cannot_be_saved_stops_no_shipping() -> None:
    class FullDisk(MemoryJournal):
        def save_cursor(self, name: str, cursor: str) -> None:
            raise JournalError("cursors.json cannot be written: No space left on device")

    harbour = Harbour()
    full = FullDisk()
    full.append(rows(25))
    shipper = InfluxShipper(
        full,
        harbour.sink,
        harbour.clock,
        harbour.quarantine,
        limits=ShipperLimits(lines=10),
        sleep=harbour.nap,
    )
    task = asyncio.create_task(shipper.run())
    await eventually_async(lambda: len(harbour.sink.stored) == 25)
    await eventually_async(lambda: shipper.state.last_error)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert harbour.sink.sizes == [10, 10, 5]


async def test_it_ends_at_once_though_the_server_keeps_a_call_waiting() -> None:
    harbour = Harbour()
    reached, release = threading.Event(), threading.Event()

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        reached.set()
        release.wait(60)
        return down()

    harbour.sink.answer = answer
    harbour.journal.append(rows(1))
    task = asyncio.create_task(harbour.shipper.run())
    await eventually_async(reached.is_set)
    task.cancel()
    async with asyncio.timeout(1.0):
        with suppress(asyncio.CancelledError):
            await task
    assert task.cancelled()
    release.set()


@pytest.mark.parametrize(
    ("status", "lines", "action"),
    [
        (400, 5000, RefusalAction.HALVE),
        (400, 2, RefusalAction.HALVE),
        (400, 1, RefusalAction.SET_ASIDE),
        (422, 2, RefusalAction.HALVE),
        (422, 1, RefusalAction.SET_ASIDE),
        (413, 2, RefusalAction.HALVE),
        (413, 1, RefusalAction.KEEP),
        (None, 1, RefusalAction.KEEP),
        (200, 1, RefusalAction.KEEP),
        (401, 1, RefusalAction.KEEP),
        (404, 5000, RefusalAction.KEEP),
        (429, 1, RefusalAction.KEEP),
        (503, 1, RefusalAction.KEEP),
    ],
)
def test_what_a_status_means(status: int | None, lines: int, action: RefusalAction) -> None:
    assert action_on(status, lines) is action
