"""The shipper on fakes: what it sends, when it waits, and what it does with refused samples."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest

from monitor.core.errors import InfluxError, JournalError, StoreError
from monitor.core.ports import RefusedPoint
from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import point_of
from monitor.storage.influx_shipper import RefusalAction, RefusalCause, action_on, cause_of
from tests.fakes.journal import MemoryJournal
from tests.fakes.sink import MemorySink
from tests.sample_builders import MIDNIGHT_S
from tests.shipper_fixtures import ShipperOnFakes, refusal, rows
from tests.waiting import eventually_async

Answer = Callable[[Sequence[Sample]], InfluxError | None]


@pytest.fixture
def shipper() -> ShipperOnFakes:
    return ShipperOnFakes()


def failing(shipper: ShipperOnFakes, errors: dict[int, InfluxError]) -> list[float]:
    """Answer the writes with these numbers (from 1) with errors; returns when each write came."""
    times: list[float] = []

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        times.append(shipper.elapsed_s)
        return errors.get(len(times))

    shipper.sink.answer = answer
    return times


def refusing(*bad: int, status: int = 400) -> Answer:
    """Refuse every batch with one of these rows in it."""
    times = {row.at_s for place, row in enumerate(rows(max(bad) + 1)) if place in bad}

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        if any(sample.at_s in times for sample in samples):
            return InfluxError("unable to parse 'ping …': bad", status=status)
        return None

    return answer


def all_shipped(shipper: ShipperOnFakes, count: int) -> Callable[[], bool]:
    return lambda: shipper.journal.saved.get("influxdb") == str(count)


async def test_everything_is_sent_in_order_and_the_cursor_is_saved() -> None:
    shipper = ShipperOnFakes(lines=10)
    shipper.journal.append(rows(35))
    await shipper.until(all_shipped(shipper, 35))
    assert shipper.sink.stored == rows(35)
    assert shipper.sink.sizes == [10, 10, 10, 5]
    assert shipper.state.last_error is None
    assert shipper.state.last_ok_s is not None


async def test_samples_that_come_while_it_runs_are_sent(shipper: ShipperOnFakes) -> None:
    async with shipper.running():
        for place in range(5):
            shipper.journal.append(rows(1, begin=place))
            await eventually_async(lambda n=place: len(shipper.sink.stored) == n + 1)  # type: ignore[misc]
    assert shipper.sink.stored == rows(5)


async def test_a_restart_goes_on_at_the_saved_cursor(shipper: ShipperOnFakes) -> None:
    shipper.journal.append(rows(35))
    shipper.journal.save_cursor("influxdb", "20")
    await shipper.until(all_shipped(shipper, 35))
    assert shipper.sink.stored == rows(35)[20:]


@pytest.mark.parametrize(
    ("lines", "failures", "waits"),
    [
        (5000, range(1, 10), [1, 2, 4, 8, 16, 32, 60, 60, 60]),
        (2, (1, 2, 3, 5), [1, 2, 4, 0, 1]),
    ],
    ids=["twice as long each time up to a minute", "from one second after a success"],
)
async def test_it_waits_after_a_failure(
    lines: int, failures: Sequence[int], waits: list[float]
) -> None:
    shipper = ShipperOnFakes(lines=lines)
    times = failing(shipper, dict.fromkeys(failures, refusal()))
    shipper.journal.append(rows(4))
    await shipper.until(all_shipped(shipper, 4))
    assert [after - before for before, after in pairwise(times)] == waits
    assert shipper.sink.stored == rows(4)


@pytest.mark.parametrize(
    ("retry_after_s", "waited_s"), [(7.0, 7.0), (0.0, 1.0), (300.0, 300.0), (1e9, 3600.0)]
)
async def test_retry_after_is_obeyed_up_to_an_hour(
    shipper: ShipperOnFakes, retry_after_s: float, waited_s: float
) -> None:
    times = failing(shipper, {1: refusal(429, retry_after_s)})
    shipper.journal.append(rows(3))
    await shipper.until(lambda: shipper.sink.stored)
    assert times == [0, waited_s]


@pytest.mark.parametrize("status", [None, 200, 302, 401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_a_failure_that_may_pass_is_waited_for_and_nothing_is_lost_or_set_aside(
    shipper: ShipperOnFakes, status: int | None
) -> None:
    failing(shipper, dict.fromkeys(range(1, 5), refusal(status)))
    shipper.journal.append(rows(9))
    await shipper.until(all_shipped(shipper, 9))
    assert shipper.sink.sizes == [9, 9, 9, 9, 9]
    assert shipper.sink.stored == rows(9)
    assert shipper.dead_letters.letters == []


async def test_the_state_says_why_it_waits_until_when_and_how_far_behind_it_is(
    shipper: ShipperOnFakes,
) -> None:
    shipper.sink.answer = lambda samples: refusal(503)
    shipper.journal.append(rows(9))
    async with shipper.running():
        await eventually_async(lambda: shipper.state.backing_off_until_s)
        assert shipper.state.last_error == "it does not do it"
        assert shipper.state.last_ok_s is None
        shipper.journal.append(rows(5, begin=9))
        await eventually_async(lambda: shipper.state.lag_lines == 14)
        shipper.sink.answer = None
        await eventually_async(lambda: shipper.state.lag_lines == 0)
    state = shipper.state
    assert (state.last_error, state.backing_off_until_s) == (None, None)


async def test_an_outage_and_its_end_are_logged_once(
    shipper: ShipperOnFakes, caplog: pytest.LogCaptureFixture
) -> None:
    failing(shipper, dict.fromkeys(range(1, 21), refusal(503)))
    shipper.journal.append(rows(9))
    with caplog.at_level(logging.INFO, "monitor.storage.influx_shipper"):
        await shipper.until(all_shipped(shipper, 9))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_journal_that_cannot_be_read_is_tried_again(shipper: ShipperOnFakes) -> None:
    shipper.journal.append(rows(3))
    shipper.journal.trouble = JournalError("the journal failed: disk I/O error")
    async with shipper.running():
        await eventually_async(lambda: shipper.state.last_error)
        shipper.journal.trouble = None
        await eventually_async(all_shipped(shipper, 3))
    assert shipper.state.last_error is None


async def test_a_cursor_that_cannot_be_saved_does_not_stop_shipping() -> None:
    class FullDisk(MemoryJournal):
        def save_cursor(self, name: str, cursor: str) -> None:
            raise JournalError("cursors.json cannot be written: No space left on device")

    shipper = ShipperOnFakes(lines=10, journal=FullDisk())
    shipper.journal.append(rows(25))
    async with shipper.running():
        await eventually_async(lambda: len(shipper.sink.stored) == 25)
        await eventually_async(lambda: shipper.state.last_error)
    assert shipper.sink.sizes == [10, 10, 5]


async def test_it_ends_at_once_while_the_server_keeps_a_call_waiting(
    shipper: ShipperOnFakes,
) -> None:
    reached, release = threading.Event(), threading.Event()

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        reached.set()
        release.wait(60)
        return refusal()

    shipper.sink.answer = answer
    shipper.journal.append(rows(1))
    task = asyncio.create_task(shipper.shipper.run())
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
        *((status, 1, RefusalAction.KEEP) for status in (413, None, 200, 401, 429, 503)),
        (404, 5000, RefusalAction.KEEP),
    ],
)
def test_action_on_a_status(status: int | None, lines: int, action: RefusalAction) -> None:
    assert action_on(status, lines) is action


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (refusal(None), RefusalCause.SILENT),
        (refusal(503), RefusalCause.SILENT),
        (refusal(401), RefusalCause.RIGHTS),
        (refusal(404), RefusalCause.BUCKET),
        (refusal(429), RefusalCause.BUSY),
        (refusal(200), RefusalCause.OTHER),
        (JournalError("damaged"), RefusalCause.HERE),
    ],
)
def test_cause_of_an_error(error: StoreError, cause: RefusalCause) -> None:
    assert cause_of(error) is cause


async def test_batches_that_are_too_large_are_halved_and_stay_small() -> None:
    shipper = ShipperOnFakes(lines=100)
    shipper.sink.answer = lambda samples: refusal(413) if len(samples) > 30 else None
    shipper.journal.append(rows(200))
    await shipper.until(all_shipped(shipper, 200))
    assert shipper.sink.sizes == [100, 50, *[25] * 8]
    assert shipper.sink.stored == rows(200)
    assert max(shipper.sleeps, default=0.0) <= 1.0


async def test_a_server_that_finds_a_single_line_too_large_is_waited_for() -> None:
    shipper = ShipperOnFakes(lines=4)
    shipper.sink.answer = lambda samples: refusal(413)
    shipper.journal.append(rows(4))
    await shipper.until(lambda: len(shipper.sink.sizes) > 6)
    assert shipper.sink.sizes[:6] == [4, 2, 1, 1, 1, 1]
    assert shipper.dead_letters.letters == []
    assert shipper.state.last_error is not None


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("bad", [(0,), (499,), (100, 101), (0, 250, 499)])
async def test_exactly_the_refused_lines_become_dead_letters(
    status: int, bad: tuple[int, ...]
) -> None:
    shipper = ShipperOnFakes(lines=500)
    shipper.sink.answer = refusing(*bad, status=status)
    shipper.journal.append(rows(500))
    await shipper.until(all_shipped(shipper, 500))
    every = rows(500)
    assert shipper.sink.stored == [row for place, row in enumerate(every) if place not in bad]
    points = [point for place in bad if (point := point_of(every[place])) is not None]
    assert [
        (letter.line, letter.words, letter.status) for letter in shipper.dead_letters.letters
    ] == [(line_of(point), "unable to parse 'ping …': bad", status) for point in points]
    assert shipper.state.quarantined == len(bad)
    assert len(shipper.sink.sizes) <= 20 * len(bad) + 10


async def test_a_server_that_stores_the_good_part_of_a_refused_batch_has_each_line_once() -> None:
    """2.7 and 3 answer 422 and 400 after they stored what was good."""
    shipper = ShipperOnFakes(lines=100)
    refuse, server = refusing(41), MemorySink()

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        server.write([sample for sample in samples if refuse([sample]) is None])
        return refuse(samples)

    shipper.sink.answer = answer
    shipper.journal.append(rows(100))
    await shipper.until(all_shipped(shipper, 100))
    assert sorted(sample.at_s for sample in server.stored) == [
        row.at_s for place, row in enumerate(rows(100)) if place != 41
    ]
    assert len(shipper.dead_letters.letters) == 1


async def test_after_a_refused_line_the_batches_grow_again() -> None:
    shipper = ShipperOnFakes(lines=64)
    shipper.sink.answer = refusing(0)
    shipper.journal.append(rows(400))
    await shipper.until(all_shipped(shipper, 400))
    assert shipper.sink.sizes[:12] == [64, 32, 16, 8, 4, 2, 1, 1, 2, 4, 8, 16]
    assert max(shipper.sink.sizes[7:]) == 64


async def test_a_server_that_refuses_every_line_does_not_get_the_whole_journal() -> None:
    """Behind the url there may be another program, which refuses everything."""
    shipper = ShipperOnFakes(lines=64)
    letters_in: dict[bool, int] = {}

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        letters_in[shipper.elapsed_s <= 1800] = len(shipper.dead_letters.letters)
        return refusal(400)

    shipper.sink.answer = answer
    shipper.journal.append(rows(2000))
    async with shipper.running():
        await eventually_async(lambda: shipper.elapsed_s > 1800)
        assert 200 <= letters_in[True] < 240
        assert shipper.state.last_error is not None
        shipper.sink.answer = None
        await eventually_async(all_shipped(shipper, 2000))
    assert len(shipper.sink.stored) + len(shipper.dead_letters.letters) == 2000


async def test_a_line_whose_dead_letter_cannot_be_stored_is_not_skipped(
    shipper: ShipperOnFakes,
) -> None:
    shipper.sink.answer = refusing(1)
    shipper.dead_letters.error = StoreError("the quarantine cannot be written: No space left")
    shipper.journal.append(rows(3))
    async with shipper.running():
        await eventually_async(lambda: shipper.state.last_error)
        assert shipper.sink.stored == rows(1)
        shipper.dead_letters.error = None
        await eventually_async(lambda: len(shipper.sink.stored) == 2)
    assert len(shipper.dead_letters.letters) == 1


async def test_dead_letters_of_earlier_runs_are_counted(shipper: ShipperOnFakes) -> None:
    shipper.dead_letters.add(RefusedPoint(MIDNIGHT_S, "1", 400, "bad", "ping …"))
    await shipper.until(lambda: shipper.state.quarantined == 1)
