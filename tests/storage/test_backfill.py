"""Far behind, the newest samples are sent first, the rest at a capped rate, and none is lost."""

from __future__ import annotations

from monitor.storage.backfill import Backfill, BackfillLimits
from tests.fakes.journal import MemoryJournal
from tests.shipper_fixtures import ShipperOnFakes, rows

LIMITS = BackfillLimits(threshold=100, recent=20, lines_per_s=10.0)


def journal_of(count: int) -> MemoryJournal:
    journal = MemoryJournal()
    journal.append(rows(count))
    return journal


def send_all(backfill: Backfill, now_s: float = 0.0, lines: int = 15) -> list[tuple[bool, float]]:
    """(live, first sample's time) of each batch, until nothing is left."""
    sent: list[tuple[bool, float]] = []
    while True:
        live, batch = backfill.next(lines, now_s)
        if not batch.samples:
            if backfill.lag() == 0:
                return sent
            now_s += 1.0
            continue
        sent.append((live, batch.samples[0].at_s))
        backfill.advance(live, batch, now_s)


def test_a_little_behind_there_is_one_position() -> None:
    backfill = Backfill(journal_of(100), "x", LIMITS)
    backfill.load()
    sent = send_all(backfill)
    assert not any(live for live, _ in sent)
    assert [at for _, at in sent] == sorted(at for _, at in sent)


def test_far_behind_the_newest_are_sent_first_and_every_sample_is_sent() -> None:
    journal = journal_of(200)
    backfill = Backfill(journal, "x", LIMITS)
    backfill.load()
    first_live, batch = backfill.next(15, 0.0)
    assert first_live
    assert batch.samples[0] == rows(1, 180)[0]
    backfill.advance(first_live, batch, 0.0)
    assert backfill.active
    sent = send_all(backfill)
    assert sum(live for live, _ in sent) == 1
    assert not backfill.active
    assert journal.lag(journal.load_cursor("x")) == 0


def test_the_backfill_has_a_rate_and_new_samples_overtake_it() -> None:
    journal = journal_of(200)
    backfill = Backfill(journal, "x", LIMITS)
    backfill.load()
    for _ in range(2):
        live, batch = backfill.next(15, 0.0)
        backfill.advance(live, batch, 0.0)
    live, batch = backfill.next(15, 0.0)
    assert (live, len(batch.samples)) == (False, 15)
    backfill.advance(live, batch, 0.0)
    assert backfill.next(15, 1.4)[1].samples == ()
    journal.append(rows(1, 500))
    live, batch = backfill.next(15, 1.4)
    assert (live, list(batch.samples)) == (True, rows(1, 500))
    backfill.advance(live, batch, 1.4)
    assert backfill.next(15, 1.6)[0] is False


def test_a_restart_goes_on_with_both_positions() -> None:
    journal = journal_of(200)
    backfill = Backfill(journal, "x", LIMITS)
    backfill.load()
    live, batch = backfill.next(15, 0.0)
    backfill.advance(live, batch, 0.0)
    again = Backfill(journal, "x", LIMITS)
    again.load()
    assert again.active
    live, batch = again.next(15, 0.0)
    assert (live, list(batch.samples)) == (True, rows(5, 195))


def test_the_lag_counts_what_both_positions_have_not_sent() -> None:
    backfill = Backfill(journal_of(200), "x", LIMITS)
    backfill.load()
    live, batch = backfill.next(15, 0.0)
    backfill.advance(live, batch, 0.0)
    assert backfill.lag() == 185


async def test_the_shipper_sends_everything_from_two_positions() -> None:
    shipper = ShipperOnFakes()
    shipper.journal.append(rows(60_000))
    await shipper.until(lambda: shipper.journal.load_cursor("influxdb") == "60000")
    assert len(shipper.sink.stored) == 60_000
    assert shipper.sink.stored[0] == rows(1, 55_000)[0]
    assert shipper.sink.stored[-1] == rows(1, 54_999)[0]


def test_a_shipper_that_has_sent_nothing_yet_has_a_lag() -> None:
    journal = MemoryJournal()
    backfill = Backfill(journal, "influxdb", BackfillLimits())
    journal.append(rows(3))
    backfill.load()
    assert journal.lag(journal.saved["influxdb"]) == 3
