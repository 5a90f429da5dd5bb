"""The shipper on fakes: what it sends, when it waits, and what it does with refused samples."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest

from monitor.core.errors import InfluxError, JournalError, StoreError, WriteRefusal
from monitor.core.ports import RefusedPoint
from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.samples import InterfaceSample, PingSample, Sample
from monitor.core.samples.schema import point_of
from monitor.storage.shipping_errors import RefusalAction, RefusalCause, action_on, cause_of
from tests.fakes.journal import MemoryJournal
from tests.fakes.sink import MemorySink
from tests.sample_builders import MIDNIGHT_S, interface
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
        def save_cursor(self, name: str, cursor: str | None) -> None:
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
    ("error", "lines", "action"),
    [
        (refusal(400), 5000, RefusalAction.HALVE),
        (refusal(400), 2, RefusalAction.HALVE),
        (refusal(400), 1, RefusalAction.EXAMINE),
        (refusal(422, about=WriteRefusal.SAMPLES), 2, RefusalAction.HALVE),
        (refusal(422, about=WriteRefusal.SAMPLES), 1, RefusalAction.EXAMINE),
        (refusal(422, about=WriteRefusal.OUTSIDE_RETENTION), 5000, RefusalAction.SKIP),
        (refusal(400, about=WriteRefusal.CONFIGURATION), 5000, RefusalAction.KEEP),
        (refusal(413), 2, RefusalAction.HALVE),
        *((refusal(status), 1, RefusalAction.KEEP) for status in (413, None, 200, 401, 429, 503)),
        (refusal(404), 5000, RefusalAction.KEEP),
    ],
)
def test_action_on_an_error(error: InfluxError, lines: int, action: RefusalAction) -> None:
    assert action_on(error, lines) is action


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (refusal(None), RefusalCause.SILENT),
        (refusal(503), RefusalCause.SILENT),
        (refusal(401), RefusalCause.RIGHTS),
        (refusal(404), RefusalCause.BUCKET),
        (refusal(429), RefusalCause.BUSY),
        (refusal(200), RefusalCause.OTHER),
        (refusal(400), RefusalCause.REFUSED),
        (refusal(400, about=WriteRefusal.CONFIGURATION), RefusalCause.CONFIGURATION),
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
    assert shipper.sink.sizes[:12] == [64, 32, 16, 8, 4, 2, 1, 1, 1, 2, 4, 8]
    assert max(shipper.sink.sizes[7:]) == 64


async def test_a_server_that_refuses_every_line_gets_none_and_nothing_is_set_aside() -> None:
    """Behind the url there may be another program, which refuses everything."""
    shipper = ShipperOnFakes(lines=64)
    shipper.sink.answer = lambda samples: refusal(400)
    shipper.journal.append(rows(2000))
    async with shipper.running():
        await eventually_async(lambda: shipper.elapsed_s > 1800)
        assert shipper.dead_letters.letters == []
        assert shipper.state.cause is RefusalCause.REFUSED
        assert [each.name for each in shipper.state.blocked] == ["ping"]
        assert shipper.journal.saved.get("influxdb", "0") == "0"
        shipper.sink.answer = None
        await eventually_async(all_shipped(shipper, 2000))
    assert sorted(shipper.sink.stored, key=lambda row: row.at_s) == rows(2000)
    assert shipper.state.blocked == ()


def mixed(count: int) -> list[Sample]:
    """A ping and a port a moment."""
    return [
        each
        for place in range(count)
        for each in (rows(1, place)[0], interface(MIDNIGHT_S + 10.0 * place))
    ]


def conflict(samples: Sequence[Sample]) -> InfluxError | None:
    """A type conflict in `ping`, as of 2.7."""
    if any(isinstance(each, PingSample) for each in samples):
        return refusal(422, about=WriteRefusal.SAMPLES)
    return None


async def test_a_refused_measurement_is_not_set_aside_and_is_sent_once_it_is_accepted() -> None:
    shipper = ShipperOnFakes(lines=16)
    shipper.sink.answer = conflict
    shipper.journal.append(mixed(500))
    async with shipper.running():
        await eventually_async(all_shipped(shipper, 1000))
        assert len(shipper.sink.stored) == 500
        assert shipper.dead_letters.letters == []
        [blocked] = shipper.state.blocked
        assert (blocked.name, blocked.why) == ("ping", "it does not do it")
        assert shipper.journal.saved["influxdb_resend"] == "0"
        sent = len(shipper.sink.sizes)
        begin_s = shipper.elapsed_s
        await eventually_async(lambda: shipper.elapsed_s > begin_s + 3600)
        assert len(shipper.sink.sizes) == sent, "nothing is tried while nothing new comes"
        shipper.sink.answer = None
        shipper.journal.append(mixed(501)[-2:])
        await eventually_async(lambda: len(shipper.sink.stored) == 1002)
        await eventually_async(lambda: shipper.state.resend_lines == 0)
    assert shipper.state.blocked == ()
    assert "influxdb_resend" not in shipper.journal.saved
    assert shipper.resend_store.saved["influxdb"] == ()


async def test_a_blocked_measurement_survives_a_restart() -> None:
    shipper = ShipperOnFakes(lines=16)
    shipper.sink.answer = conflict
    shipper.journal.append(mixed(100))
    await shipper.until(all_shipped(shipper, 200))
    again = ShipperOnFakes(lines=16, journal=shipper.journal)
    again.resend_store.saved = shipper.resend_store.saved
    again.shipper = again.make()
    again.journal.append(mixed(102)[-4:])
    await again.until(lambda: len(again.sink.stored) == 102 + 2)
    assert {type(each) for each in again.sink.stored} == {PingSample, InterfaceSample}


@pytest.mark.parametrize("kept", [0, 1, 30, 99, 100])
async def test_samples_outside_the_retention_are_counted_and_skipped(
    kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The server stores what is inside and says how many were not."""
    shipper = ShipperOnFakes(lines=10)
    every = rows(100)
    server = MemorySink()

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        inside = [each for each in samples if each.at_s >= MIDNIGHT_S + 10 * (100 - kept)]
        server.write(inside)
        dropped = len(samples) - len(inside)
        if not dropped:
            return None
        return refusal(422, about=WriteRefusal.OUTSIDE_RETENTION, dropped=dropped)

    shipper.sink.answer = answer
    shipper.journal.append(every)
    with caplog.at_level(logging.INFO, "monitor.storage.influx_shipper"):
        async with shipper.running():
            await eventually_async(all_shipped(shipper, 100))
            await eventually_async(lambda: shipper.sleeps)
    assert sorted(server.stored, key=lambda row: row.at_s) == every[100 - kept :]
    assert shipper.dead_letters.letters == []
    assert shipper.state.outside_retention == 100 - kept
    assert shipper.state.last_error is None
    assert len(caplog.records) == (kept < 100)
    skipped_whole = [size for size in shipper.sink.sizes if size == 1]
    assert len(skipped_whole) >= (100 - kept) // 10 - 1


async def test_resend_sends_a_span_or_a_measurement_of_it_again(shipper: ShipperOnFakes) -> None:
    shipper.journal.append(mixed(100))
    async with shipper.running():
        await eventually_async(all_shipped(shipper, 200))
        lost = MemorySink()
        shipper.shipper.use_sink(lost)
        await shipper.shipper.resend(MIDNIGHT_S + 200, MIDNIGHT_S + 500, "ping")
        await eventually_async(lambda: shipper.state.resend_lines == 0)
        assert lost.stored == rows(30, 20)
        await shipper.shipper.resend(MIDNIGHT_S, MIDNIGHT_S + 200, None)
        await eventually_async(lambda: shipper.state.resend_lines == 0)
        assert len(lost.stored) == 30 + 40


async def test_new_samples_overtake_a_resend_which_has_a_rate(shipper: ShipperOnFakes) -> None:
    shipper = ShipperOnFakes(lines=10)
    shipper.journal.append(rows(100))
    async with shipper.running():
        await eventually_async(all_shipped(shipper, 100))
        shipper.journal.append(rows(5, 100))
        await shipper.shipper.resend(MIDNIGHT_S, MIDNIGHT_S + 1e6, None)
        await eventually_async(lambda: shipper.state.resend_lines == 0)
    assert shipper.sink.stored == rows(105)
    assert shipper.sink.sizes.count(10) >= 20


async def test_a_line_whose_dead_letter_cannot_be_stored_is_not_skipped(
    shipper: ShipperOnFakes,
) -> None:
    shipper.sink.answer = refusing(1)
    shipper.dead_letters.error = StoreError("the quarantine cannot be written: No space left")
    shipper.journal.append(rows(3))
    async with shipper.running():
        await eventually_async(lambda: shipper.state.last_error)
        assert shipper.sink.stored == [rows(3)[0], rows(3)[2]]
        shipper.dead_letters.error = None
        await eventually_async(all_shipped(shipper, 3))
    assert len(shipper.dead_letters.letters) == 1


async def test_dead_letters_of_earlier_runs_are_counted(shipper: ShipperOnFakes) -> None:
    shipper.dead_letters.add(RefusedPoint(MIDNIGHT_S, "1", 400, "bad", "ping …"))
    await shipper.until(lambda: shipper.state.quarantined == 1)
