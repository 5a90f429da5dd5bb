"""The contract of Journal, held by the fake in memory and by the one in files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.journal import SqliteJournal
from monitor.core.ports import Journal
from monitor.core.samples.samples import Sample
from tests.fakes.journal import MemoryJournal
from tests.sample_builders import MIDNIGHT_S, interface, one_of_each, ping

DAY_S = 86_400.0


@pytest.fixture(params=["memory", "files"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal")
    yield opened
    opened.close()


def read_all(journal: Journal, limit: int = 7) -> list[Sample]:
    """All samples, read in small batches from the beginning."""
    found: list[Sample] = []
    cursor = None
    while (batch := journal.read_after(cursor, limit)).samples:
        assert len(batch.samples) <= limit
        found += batch.samples
        cursor = batch.cursor
    return found


def test_every_kind_of_sample_is_read_as_it_was_written(journal: Journal) -> None:
    journal.append(one_of_each())
    assert read_all(journal) == one_of_each()


def test_samples_are_read_in_the_order_of_writing(journal: Journal) -> None:
    written: list[Sample] = []
    for minute in range(20):
        at_s = MIDNIGHT_S - 600 + 60 * minute
        batch: list[Sample] = [interface(at_s), ping(at_s), ping(at_s, "inti")]
        batch.append(interface(at_s, ifname="e2"))
        journal.append(batch)
        written += batch
    assert read_all(journal, 7) == written
    assert read_all(journal, 1000) == written


def test_an_empty_journal_has_an_empty_batch_and_no_lag(journal: Journal) -> None:
    batch = journal.read_after(None, 10)
    assert batch.samples == ()
    assert journal.read_after(batch.cursor, 10).samples == ()
    assert journal.lag(None) == journal.lag(batch.cursor) == 0


def test_appending_nothing_stores_nothing(journal: Journal) -> None:
    journal.append([])
    assert journal.read_after(None, 10).samples == ()


def test_reading_goes_on_after_a_cursor(journal: Journal) -> None:
    journal.append([ping(MIDNIGHT_S), ping(MIDNIGHT_S + 10)])
    first = journal.read_after(None, 10)
    assert journal.read_after(first.cursor, 10).samples == ()
    journal.append([ping(MIDNIGHT_S + 20)])
    assert journal.read_after(first.cursor, 10).samples == (ping(MIDNIGHT_S + 20),)


def test_the_lag_is_the_number_of_samples_after_the_cursor(journal: Journal) -> None:
    for day in range(3):
        journal.append([ping(MIDNIGHT_S + day * DAY_S + 10 * place) for place in range(5)])
    assert journal.lag(None) == 15
    cursor = None
    for left in (11, 7, 3, 0, 0):
        cursor = journal.read_after(cursor, 4).cursor
        assert journal.lag(cursor) == left


def test_a_late_batch_of_an_earlier_day_is_read(journal: Journal) -> None:
    journal.append([ping(MIDNIGHT_S + 3600)])
    cursor = journal.read_after(None, 10).cursor
    late = ping(MIDNIGHT_S - 2 * DAY_S)
    journal.append([late])
    assert journal.lag(cursor) == 1
    assert journal.read_after(cursor, 10).samples == (late,)


def test_batches_after_one_with_a_clock_ahead_are_read(journal: Journal) -> None:
    journal.append([ping(MIDNIGHT_S + 400 * DAY_S)])
    cursor = journal.read_after(None, 10).cursor
    journal.append([ping(MIDNIGHT_S)])
    batch = journal.read_after(cursor, 10)
    assert batch.samples == (ping(MIDNIGHT_S),)
    journal.append([ping(MIDNIGHT_S + 10)])
    assert journal.read_after(batch.cursor, 10).samples == (ping(MIDNIGHT_S + 10),)


def test_batches_of_any_size_give_each_sample_once(journal: Journal) -> None:
    rng = random.Random(4)
    written: list[Sample] = []
    found: list[Sample] = []
    cursor = None
    for place in range(60):
        batch = [ping(MIDNIGHT_S + place * 7200.0, f"t{n}/u") for n in range(rng.randint(1, 9))]
        journal.append(batch)
        written += batch
        if rng.random() < 0.5:
            read = journal.read_after(cursor, rng.randint(1, 12))
            found += read.samples
            cursor = read.cursor
    while (read := journal.read_after(cursor, 5)).samples:
        found += read.samples
        cursor = read.cursor
    assert found == written


def test_a_cursor_is_saved_under_its_name(journal: Journal) -> None:
    assert journal.load_cursor("influxdb") is None
    journal.append([ping(MIDNIGHT_S), ping(MIDNIGHT_S + 10)])
    place = journal.read_after(None, 1).cursor
    journal.save_cursor("influxdb", place)
    assert journal.load_cursor("influxdb") == place
    assert journal.load_cursor("other") is None


def test_the_head_is_the_end_or_a_few_samples_before_it(journal: Journal) -> None:
    for day in range(3):
        journal.append([ping(MIDNIGHT_S + day * DAY_S + 10 * place) for place in range(5)])
    assert journal.read_after(journal.head(), 10).samples == ()
    for back in (0, 1, 5, 7, 15):
        assert journal.lag(journal.head(back)) == back
    assert journal.lag(journal.head(100)) == 15


def test_a_span_lies_before_and_behind_its_samples(journal: Journal) -> None:
    """Whole days may lie between; what is written later does not."""
    for day in range(5):
        journal.append([ping(MIDNIGHT_S + day * DAY_S + 10 * place) for place in range(10)])
    since_s, until_s = MIDNIGHT_S + 2 * DAY_S, MIDNIGHT_S + 3 * DAY_S
    position, end = journal.span(since_s, until_s)
    journal.append([ping(MIDNIGHT_S + 4 * DAY_S + 500)])
    left = journal.lag(position) - journal.lag(end)
    found = journal.read_after(position, left).samples
    within = [each for each in found if since_s <= each.at_s < until_s]
    assert within == [ping(MIDNIGHT_S + 2 * DAY_S + 10 * place) for place in range(10)]
    assert len(found) < 50
    position, end = journal.span(MIDNIGHT_S + 50 * DAY_S, MIDNIGHT_S + 51 * DAY_S)
    assert journal.lag(position) == journal.lag(end)


def test_a_cursor_may_be_removed(journal: Journal) -> None:
    journal.append([ping(MIDNIGHT_S)])
    journal.save_cursor("influxdb_resend", journal.head())
    journal.save_cursor("influxdb_resend", None)
    assert journal.load_cursor("influxdb_resend") is None
