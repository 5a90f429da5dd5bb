"""Rollups of the journal: exactly the sums of the raw rows, computed again after late rows."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.journal import JournalReader, RetentionPolicy, SqliteJournal
from monitor.adapters.journal.cursors import FileLog
from monitor.adapters.journal.day_files import HOURS, MINUTES, days_in, path_of
from monitor.adapters.journal.downsampling import sum_up_hour
from monitor.core.model import Lost, Outcome, Reply, State, Transition
from monitor.core.samples.packed_requests import RecordedRequests, requests_in_order
from monitor.core.samples.samples import (
    InterfaceHour,
    InterfaceMinute,
    PingHour,
    PingMinute,
    PingSample,
    Rollup,
    Sample,
)
from monitor.core.state_history import StateHistory
from tests.sample_builders import LINK, MIDNIGHT_S, interface, ping

HOUR_S = 3600.0
DAY_S = 86_400.0
LATER_S = MIDNIGHT_S + 40 * DAY_S


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path)
    yield opened
    opened.close()


def row_of(at_s: float, target: str, rtts: list[float | None]) -> PingSample:
    """A row with all its requests. rtts: ms; None: lost."""
    outcomes: list[Outcome] = []
    for place, rtt in enumerate(rtts):
        sent_s = at_s - 10 + place * 10 / len(rtts)
        lost = Lost(target, sent_s, sent_s + 1)
        outcomes.append(lost if rtt is None else Reply(target, sent_s, sent_s, rtt))
    got = sorted(rtt for rtt in rtts if rtt is not None)
    made = ping(
        at_s,
        target,
        sent=len(rtts),
        received=len(got),
        rtt=(got[0], got[len(got) // 2], got[-1], got[-1]) if got else None,
    )
    return replace(made, requests=RecordedRequests(at_s, 0.0, outcomes))


def random_rows(rng: random.Random, hours: float, targets: list[str]) -> list[PingSample]:
    return [
        row_of(
            MIDNIGHT_S + 10.0 * place,
            target,
            [None if rng.random() < 0.05 else round(rng.lognormvariate(2.5, 0.6), 3)] * 3
            + [round(rng.lognormvariate(2.5, 0.6), 3)],
        )
        for place in range(int(hours * 360))
        for target in targets
        if rng.random() > 0.1
    ]


def all_rollups(journal: SqliteJournal) -> tuple[list[Sample], list[Sample]]:
    """All minutes and all hours, as the shippers read them."""
    return read_all(journal.minutes), read_all(journal.hours)


def read_all(log: FileLog) -> list[Sample]:
    found: list[Sample] = []
    cursor = None
    while log.lag(cursor):
        batch = log.read_after(cursor, 7)
        assert len(batch.samples) <= 7
        cursor = batch.cursor
        found += batch.samples
    return found


def test_an_hour_is_summed_up_once_when_it_is_over(journal: SqliteJournal) -> None:
    journal.append([ping(MIDNIGHT_S + 10)])
    assert journal.roll_up(MIDNIGHT_S + HOUR_S) == 0
    assert journal.roll_up(MIDNIGHT_S + HOUR_S + 120) == 1
    assert journal.roll_up(MIDNIGHT_S + HOUR_S + 120) == 0


def test_rollups_are_the_sums_of_the_rows(journal: SqliteJournal) -> None:
    rows = random_rows(random.Random(1), 2.5, [LINK, "inti"])
    for minute in sorted({each.at_s // 60 for each in rows}):
        journal.append([each for each in rows if each.at_s // 60 == minute])
    assert journal.roll_up(LATER_S) == 3
    minutes, hours = all_rollups(journal)
    for some in (minutes, hours):
        pings = [each for each in some if isinstance(each, PingMinute | PingHour)]
        for name in ("sent", "received", "not_measured"):
            assert sum(getattr(each, name) for each in pings) == sum(
                getattr(each, name) for each in rows
            )
        assert sum(each.rows for each in pings) == len(rows)
        assert min(each.rtt_min or 1e9 for each in pings) == min(r.rtt_min or 1e9 for r in rows)
        assert max(each.rtt_max or 0 for each in pings) == max(r.rtt_max or 0 for r in rows)


def test_an_hour_with_late_rows_is_summed_up_again(journal: SqliteJournal) -> None:
    journal.append([ping(MIDNIGHT_S + 10), ping(MIDNIGHT_S + HOUR_S + 10)])
    assert journal.roll_up(LATER_S) == 2
    journal.append([ping(MIDNIGHT_S + DAY_S + 5), ping(MIDNIGHT_S + 20)])
    for rolled in (0, 2, 0):
        assert journal.roll_up(LATER_S if rolled else MIDNIGHT_S) == rolled
        found = journal.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 2 * DAY_S, HOUR_S)
        assert [bucket.sent for bucket in found] == [20, 10, 10]


def test_an_hour_that_is_summed_up_again_is_shipped_again(journal: SqliteJournal) -> None:
    journal.append([ping(MIDNIGHT_S + 10), ping(MIDNIGHT_S + HOUR_S + 10)])
    journal.roll_up(LATER_S)
    cursor = journal.hours.read_after(None, 100).cursor
    assert journal.hours.lag(cursor) == 0
    journal.append([ping(MIDNIGHT_S + 20)])
    journal.roll_up(LATER_S)
    [again] = journal.hours.read_after(cursor, 100).samples
    assert isinstance(again, PingHour)
    assert (again.at_s, again.sent) == (MIDNIGHT_S, 20)


def test_a_late_row_does_not_replace_an_hour_whose_raw_rows_are_gone(
    journal: SqliteJournal,
) -> None:
    journal.append([ping(MIDNIGHT_S + 10), ping(MIDNIGHT_S + 20)])
    journal.append([ping(LATER_S)])
    journal.roll_up(LATER_S)
    assert journal.prune(LATER_S, RetentionPolicy()).removed == ("20251125",)
    journal.append([ping(MIDNIGHT_S + 30)])
    journal.roll_up(LATER_S)
    [bucket] = journal.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + DAY_S, DAY_S)
    assert bucket.sent == 20


def test_percentiles_of_a_day_are_those_of_its_replies(journal: SqliteJournal) -> None:
    rows = random_rows(random.Random(2), 9, [LINK])
    journal.append(rows)
    journal.roll_up(LATER_S)
    [bucket] = journal.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + DAY_S, DAY_S)
    found = requests_in_order(journal.evidence(MIDNIGHT_S, MIDNIGHT_S + DAY_S))
    rtts = sorted(request.rtt_us / 1000 for request in found if request.rtt_us is not None)
    assert bucket.received == len(rtts)
    assert bucket.rtt_mid == pytest.approx(rtts[len(rtts) // 2], rel=0.05)
    assert bucket.rtt_p95 == pytest.approx(rtts[len(rtts) * 95 // 100], rel=0.05)
    assert (bucket.rtt_low, bucket.rtt_high) == (rtts[0], rtts[-1])


def test_rollups_give_the_same_buckets_as_raw_rows(journal: SqliteJournal, tmp_path: Path) -> None:
    """Over midnight, from inside a bucket, with an hour that is not summed up."""
    rng = random.Random(3)
    shifted = [
        replace(each, at_s=each.at_s - 5 * HOUR_S) for each in random_rows(rng, 11, [LINK, "inti"])
    ]
    for at in range(0, len(shifted), 500):
        journal.append(shifted[at : at + 500])
    spans = [
        (MIDNIGHT_S - 5 * HOUR_S + 1234, MIDNIGHT_S + 6 * HOUR_S - 77, width_s)
        for width_s in (60.0, 300.0, HOUR_S, 6 * HOUR_S, 7 * DAY_S)
    ]
    raws = [journal.latency_all(*span) for span in spans]
    assert journal.roll_up(MIDNIGHT_S + 4 * HOUR_S + 150) == 9
    for span, raw in zip(spans, raws, strict=True):
        rolled = JournalReader(tmp_path).latency_all(*span)
        assert rolled.keys() == raw.keys()
        for target, buckets in raw.items():
            plain = [replace(bucket, rtt_mid=None, rtt_p95=None) for bucket in buckets]
            assert [replace(each, rtt_mid=None, rtt_p95=None) for each in rolled[target]] == plain


def test_minutes_replace_raw_rows_that_are_gone_and_hours_minutes(
    journal: SqliteJournal,
) -> None:
    journal.append([ping(MIDNIGHT_S + 10), ping(MIDNIGHT_S + 70)])
    journal.append([ping(LATER_S)])
    journal.roll_up(LATER_S + DAY_S)
    journal.prune(LATER_S, RetentionPolicy())
    found = journal.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 600, 20.0)
    assert [(each.start_s - MIDNIGHT_S, each.sent) for each in found] == [(0, 10), (60, 10)]
    journal.prune(LATER_S, RetentionPolicy(minute_days=30))
    [only] = journal.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + HOUR_S, HOUR_S)
    assert only.sent == 20


def test_interfaces_are_summed_up(journal: SqliteJournal) -> None:
    rates = [(1e6, 10.0), (4e6, None), (None, 30.0), (None, None)]
    journal.append([interface(MIDNIGHT_S + 60 * n, *rate) for n, rate in enumerate(rates)])
    raw = journal.throughput("anjatan", "ether1", MIDNIGHT_S, MIDNIGHT_S + DAY_S, HOUR_S)
    journal.roll_up(LATER_S)
    assert journal.throughput("anjatan", "ether1", MIDNIGHT_S, MIDNIGHT_S + DAY_S, HOUR_S) == raw
    [hour] = [each for each in all_rollups(journal)[1] if isinstance(each, InterfaceHour)]
    assert (hour.rows, hour.in_count, hour.in_sum, hour.in_min) == (4, 2, 5e6, 1e6)


def test_seconds_in_each_state_are_those_of_the_state_history(journal: SqliteJournal) -> None:
    journal.append([ping(MIDNIGHT_S + 10 * place) for place in range(360)])

    def history(start_s: float, end_s: float) -> StateHistory:
        assert (start_s, end_s) == (MIDNIGHT_S, MIDNIGHT_S + HOUR_S)
        down_s, up_s = MIDNIGHT_S + 100.25, MIDNIGHT_S + 190.75
        return StateHistory.of(
            [
                Transition(LINK, MIDNIGHT_S - 50, MIDNIGHT_S - 45, State.UNKNOWN, State.UP, ""),
                Transition(LINK, down_s, down_s + 5, State.UP, State.DOWN, "silence"),
                Transition(LINK, up_s, up_s + 3, State.DOWN, State.UP, "replies"),
            ],
            {LINK: [(MIDNIGHT_S, MIDNIGHT_S + 60), (MIDNIGHT_S + 30, MIDNIGHT_S + 90)]},
        )

    journal.roll_up(LATER_S, history)
    total = journal.totals(MIDNIGHT_S, MIDNIGHT_S + HOUR_S)[LINK]
    assert (total.seconds, total.sent) == (3600.0, 3600)
    assert (total.down_s, total.unknown_s, total.maintenance_s) == (90.5, 0.0, 90.0)
    spent = [each.down_s for each in all_rollups(journal)[0] if isinstance(each, PingMinute)]
    assert spent[:5] == [0.0, 19.75, 60.0, 10.75, 0.0]


def test_a_file_without_the_table_dirty_is_summed_up_as_a_whole(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append([ping(MIDNIGHT_S - 5), ping(MIDNIGHT_S + 3 * HOUR_S)])
    raw = journal.latency(LINK, MIDNIGHT_S - DAY_S, MIDNIGHT_S + DAY_S, HOUR_S)
    journal.close()
    with sqlite3.connect(tmp_path / "samples-20251125.db") as file:
        file.execute("DROP TABLE dirty")
    file.close()
    assert journal.latency(LINK, MIDNIGHT_S - DAY_S, MIDNIGHT_S + DAY_S, HOUR_S) == raw
    again = SqliteJournal(tmp_path)
    assert again.roll_up(LATER_S) >= 4
    found = again.latency(LINK, MIDNIGHT_S - DAY_S, MIDNIGHT_S + DAY_S, HOUR_S)
    assert [(each.start_s, each.sent) for each in found] == [(e.start_s, e.sent) for e in raw]
    assert sum(isinstance(each, PingHour) for each in all_rollups(again)[1]) == 2
    again.close()


def test_evidence_has_a_retention_of_its_own(journal: SqliteJournal) -> None:
    rows = random_rows(random.Random(4), 0.2, [LINK, "inti"])
    journal.append(rows)
    journal.append([row_of(LATER_S, LINK, [1.5])])
    requests = list(requests_in_order(journal.evidence(0, LATER_S + 1)))
    assert len(requests) == sum(each.sent for each in rows) + 1
    assert [each.sent_ms for each in requests] == sorted(each.sent_ms for each in requests)
    only = list(journal.evidence(0, LATER_S + 1, {"inti"}))
    assert {target for _, target, _ in only} == {"inti"}
    journal.prune(LATER_S, RetentionPolicy(raw_days=100, evidence_days=35))
    assert len(list(requests_in_order(journal.evidence(0, LATER_S + 1)))) == 1
    assert journal.lag(None) == len(rows) + 1


def test_a_damaged_file_of_evidence_keeps_no_row_from_being_written(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    (tmp_path / "evidence-20251125.db").write_bytes(b"no database" * 900)
    journal.append([row_of(MIDNIGHT_S, LINK, [1.0])])
    assert journal.lag(None) == 1
    [problem] = journal.problems
    assert "it is kept as evidence-20251125.db.unreadable" in problem
    assert journal.roll_up(LATER_S) == 1
    assert journal.totals(MIDNIGHT_S, LATER_S)[LINK].received == 1


def test_a_damaged_day_keeps_no_other_hour_from_being_summed_up(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append([ping(MIDNIGHT_S)])
    journal.append([ping(MIDNIGHT_S + 5 * DAY_S)])
    journal.close()
    (tmp_path / "samples-20251125.db").write_bytes(b"no database" * 900)
    again = SqliteJournal(tmp_path)
    assert again.roll_up(LATER_S) == 1
    [problem] = again.problems
    assert "samples-20251125.db cannot be read" in problem
    again.close()


def test_a_damaged_file_of_rollups_does_not_keep_the_daemon_from_starting(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append([ping(MIDNIGHT_S)])
    journal.roll_up(LATER_S)
    journal.close()
    (tmp_path / "hours-202511.db").write_bytes(b"no database" * 900)
    again = SqliteJournal(tmp_path)
    [problem] = again.problems
    assert "hours-202511.db cannot be read" in problem
    again.append([ping(LATER_S)])
    assert again.roll_up(LATER_S + DAY_S) == 1
    assert again.minutes.lag(None) == 2
    again.close()


def test_an_hour_that_is_summed_up_minute_by_minute_is_the_same(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    journal.append(random_rows(random.Random(5), 1, [LINK, "inti"]))
    found: list[dict[str, list[Rollup]]] = []
    for rows_at_once in (100_000, 10):
        written: dict[str, list[Rollup]] = {MINUTES: [], HOURS: []}
        sum_up_hour(
            tmp_path,
            round(MIDNIGHT_S * 1000),
            None,
            lambda kind, rollups, written=written: written[kind].extend(rollups),  # type: ignore[misc]
            rows_at_once,
        )
        found.append(written)
    assert found[0] == found[1]
    assert [len(each) for each in found[0].values()] == [120, 2]


def test_rollups_of_a_version_without_errors_are_read(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    ports = [interface(MIDNIGHT_S + 60.0 * place, faults=(1.0,) * 4) for place in range(24 * 60)]
    journal.append([*ports, interface(MIDNIGHT_S + 2 * DAY_S)])
    journal.roll_up(LATER_S)
    for name, kind in (("interface_1m", MINUTES), ("interface_1h", HOURS)):
        for label in days_in(tmp_path, kind):
            with closing(sqlite3.connect(path_of(tmp_path, label, kind))) as file:
                file.execute(f"ALTER TABLE {name} DROP COLUMN in_errors_max")
    span = (MIDNIGHT_S, MIDNIGHT_S + DAY_S, HOUR_S)
    found = JournalReader(tmp_path).throughput("anjatan", "ether1", *span)
    assert {(each.in_errors_max, each.out_errors_max) for each in found} == {(None, 1.0)}
    minutes, _ = all_rollups(journal)
    rollups = [each for each in minutes if isinstance(each, InterfaceMinute)]
    assert {(each.in_errors_max, each.out_errors_max) for each in rollups} >= {(None, 1.0)}
