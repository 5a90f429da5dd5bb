"""Far behind, the newest samples go first, the rest at a capped rate, and none is left out."""

from __future__ import annotations

from monitor.storage.backfill import Backfill, Lag
from tests.fakes.journal import MemoryJournal
from tests.shipper_fixtures import Harbour, rows

LAG = Lag(far=100, recent=20, backfill_lines_per_s=10.0)


def written(count: int) -> MemoryJournal:
    journal = MemoryJournal()
    journal.append(rows(count))
    return journal


def drained(lanes: Backfill, now_s: float = 0.0, lines: int = 15) -> list[tuple[bool, float]]:
    """(live, first sample's time) of each batch, until nothing is left."""
    sent: list[tuple[bool, float]] = []
    while True:
        live, batch = lanes.next(lines, now_s)
        if not batch.samples:
            if lanes.lines() == 0:
                return sent
            now_s += 1.0
            continue
        sent.append((live, batch.samples[0].at_s))
        lanes.moved(live, batch, now_s)


def test_a_little_behind_there_is_one_lane_in_order() -> None:
    lanes = Backfill(written(100), "x", LAG)
    lanes.load()
    sent = drained(lanes)
    assert not any(live for live, _ in sent)
    assert [at for _, at in sent] == sorted(at for _, at in sent)


def test_far_behind_the_newest_go_first_and_every_sample_goes() -> None:
    journal = written(200)
    lanes = Backfill(journal, "x", LAG)
    lanes.load()
    first_live, batch = lanes.next(15, 0.0)
    assert first_live
    assert batch.samples[0] == rows(1, 180)[0]
    lanes.moved(first_live, batch, 0.0)
    assert lanes.are_two
    sent = drained(lanes)
    assert sum(live for live, _ in sent) == 1
    assert not lanes.are_two
    assert journal.lag(journal.load_cursor("x")) == 0


def test_backfill_keeps_to_its_rate_and_new_samples_pass_it() -> None:
    journal = written(200)
    lanes = Backfill(journal, "x", LAG)
    lanes.load()
    for _ in range(2):
        live, batch = lanes.next(15, 0.0)
        lanes.moved(live, batch, 0.0)
    live, batch = lanes.next(15, 0.0)
    assert (live, len(batch.samples)) == (False, 15)
    lanes.moved(live, batch, 0.0)
    assert lanes.next(15, 1.4)[1].samples == ()
    journal.append(rows(1, 500))
    live, batch = lanes.next(15, 1.4)
    assert (live, list(batch.samples)) == (True, rows(1, 500))
    lanes.moved(live, batch, 1.4)
    assert lanes.next(15, 1.6)[0] is False


def test_a_restart_goes_on_with_both() -> None:
    journal = written(200)
    lanes = Backfill(journal, "x", LAG)
    lanes.load()
    live, batch = lanes.next(15, 0.0)
    lanes.moved(live, batch, 0.0)
    again = Backfill(journal, "x", LAG)
    again.load()
    assert again.are_two
    live, batch = again.next(15, 0.0)
    assert (live, list(batch.samples)) == (True, rows(5, 195))


def test_the_lag_counts_what_is_left_of_both() -> None:
    lanes = Backfill(written(200), "x", LAG)
    lanes.load()
    live, batch = lanes.next(15, 0.0)
    lanes.moved(live, batch, 0.0)
    assert lanes.lines() == 185


async def test_the_shipper_sends_everything_by_two_lanes() -> None:
    harbour = Harbour()
    harbour.journal.append(rows(60_000))
    await harbour.until(lambda: harbour.journal.load_cursor("influxdb") == "60000")
    assert len(harbour.sink.stored) == 60_000
    assert harbour.sink.stored[0] == rows(1, 55_000)[0]
    assert harbour.sink.stored[-1] == rows(1, 54_999)[0]


def test_a_shipper_that_has_sent_nothing_yet_is_known_to_be_behind() -> None:
    journal = MemoryJournal()
    lanes = Backfill(journal, "influxdb", Lag())
    journal.append(rows(3))
    lanes.load()
    assert journal.lag(journal.saved["influxdb"]) == 3
