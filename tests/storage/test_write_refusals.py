"""What the shipper does about samples that InfluxDB refuses. Fakes at its ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from monitor.core.errors import InfluxError, StoreError
from monitor.core.ports import RefusedPoint
from monitor.core.samples.line_protocol import line_of
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import point_of
from tests.fakes.sink import MemorySink
from tests.sample_builders import MIDNIGHT_S
from tests.shipper_fixtures import Harbour, down, rows
from tests.waiting import eventually_async


def poisoned(*bad: int, status: int = 400) -> Callable[[Sequence[Sample]], InfluxError | None]:
    """A server that refuses every batch with one of these rows in it."""
    times = {row.at_s for place, row in enumerate(rows(max(bad) + 1)) if place in bad}

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        if any(sample.at_s in times for sample in samples):
            return InfluxError("unable to parse 'ping …': bad", status=status)
        return None

    return answer


def line(sample: Sample) -> str:
    point = point_of(sample)
    assert point is not None
    return line_of(point)


async def test_too_much_at_once_is_halved_and_that_is_remembered() -> None:
    harbour = Harbour(lines=100)

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        return down(413) if len(samples) > 30 else None

    harbour.sink.answer = answer
    harbour.journal.append(rows(200))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "200")
    assert harbour.sink.sizes == [100, 50, 25, 25, 25, 25, 25, 25, 25, 25]
    assert harbour.sink.stored == rows(200)
    assert harbour.naps == [] or max(harbour.naps) <= 1.0


async def test_a_server_that_finds_a_single_line_too_large_is_waited_for() -> None:
    harbour = Harbour(lines=4)
    harbour.sink.answer = lambda samples: down(413)
    harbour.journal.append(rows(4))
    await harbour.until(lambda: len(harbour.sink.sizes) > 6)
    assert harbour.sink.sizes[:6] == [4, 2, 1, 1, 1, 1]
    assert harbour.quarantine.kept == []
    assert harbour.shipper.state.last_error is not None


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("bad", [(0,), (499,), (100, 101), (0, 250, 499)])
async def test_exactly_the_bad_lines_are_set_aside_and_all_others_arrive(
    status: int, bad: tuple[int, ...]
) -> None:
    harbour = Harbour(lines=500)
    harbour.sink.answer = poisoned(*bad, status=status)
    harbour.journal.append(rows(500))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "500")
    expected = [row for place, row in enumerate(rows(500)) if place not in bad]
    assert harbour.sink.stored == expected
    assert [refused.line for refused in harbour.quarantine.kept] == [
        line(rows(500)[place]) for place in bad
    ]
    assert {refused.words for refused in harbour.quarantine.kept} == {
        "unable to parse 'ping …': bad"
    }
    assert {refused.status for refused in harbour.quarantine.kept} == {status}
    assert harbour.shipper.state.quarantined == len(bad)
    assert len(harbour.sink.sizes) <= 20 * len(bad) + 10


async def test_a_server_that_keeps_the_good_part_of_a_refused_batch_has_each_line_once() -> None:
    """2.7 and 3 answer 422 and 400 after they stored what was good."""
    harbour = Harbour(lines=100)
    refuse = poisoned(41)
    shore = MemorySink()

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        shore.write([sample for sample in samples if refuse([sample]) is None])
        return refuse(samples)

    harbour.sink.answer = answer
    harbour.journal.append(rows(100))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "100")
    assert sorted(sample.at_s for sample in shore.stored) == [
        row.at_s for place, row in enumerate(rows(100)) if place != 41
    ]
    assert len(harbour.quarantine.kept) == 1


async def test_after_a_bad_line_the_batches_grow_again() -> None:
    harbour = Harbour(lines=64)
    harbour.sink.answer = poisoned(0)
    harbour.journal.append(rows(400))
    await harbour.until(lambda: harbour.journal.saved.get("influxdb") == "400")
    assert harbour.sink.sizes[:7] == [64, 32, 16, 8, 4, 2, 1]
    assert harbour.sink.sizes[7:12] == [1, 2, 4, 8, 16]
    assert max(harbour.sink.sizes[7:]) == 64


async def test_a_server_that_refuses_every_line_is_not_fed_the_whole_journal() -> None:
    """Behind the url there may be something else altogether, which calls everything bad."""
    harbour = Harbour(lines=64)
    set_aside_in: dict[bool, int] = {}

    def answer(samples: Sequence[Sample]) -> InfluxError | None:
        set_aside_in[harbour.passed_s <= 1800] = len(harbour.quarantine.kept)
        return down(400)

    harbour.sink.answer = answer
    harbour.journal.append(rows(2000))
    async with harbour.shipping():
        await eventually_async(lambda: harbour.passed_s > 1800)
        assert 200 <= set_aside_in[True] < 240
        assert harbour.shipper.state.last_error is not None
        harbour.sink.answer = None
        await eventually_async(lambda: harbour.journal.saved["influxdb"] == "2000")
    assert len(harbour.sink.stored) + len(harbour.quarantine.kept) == 2000


async def test_a_line_that_cannot_be_set_aside_is_not_passed_over() -> None:
    harbour = Harbour()
    harbour.sink.answer = poisoned(1)
    harbour.quarantine.trouble = StoreError("the quarantine cannot be written: No space left")
    harbour.journal.append(rows(3))
    async with harbour.shipping():
        await eventually_async(lambda: harbour.shipper.state.last_error)
        assert harbour.sink.stored == rows(1)
        harbour.quarantine.trouble = None
        await eventually_async(lambda: len(harbour.sink.stored) == 2)
    assert len(harbour.quarantine.kept) == 1


async def test_lines_that_were_set_aside_before_are_counted_from_the_start() -> None:
    harbour = Harbour()
    harbour.quarantine.add(RefusedPoint(MIDNIGHT_S, "1", 400, "bad", "ping …"))
    await harbour.until(lambda: harbour.shipper.state.quarantined == 1)
