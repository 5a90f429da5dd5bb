"""The contract of SampleSource: every store gives the same answers to the same data.

Held by the fake in memory, the journal read by another object than its writer, Debian's InfluxDB
1.6.7 behind the deployed nginx file, and the source that reads it and the journal. `roll_up`
computes the rollups of what was put.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from monitor.adapters.influx import InfluxReader, InfluxWriter
from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.core.ports import SampleSource
from monitor.core.samples.samples import LatencyBucket, PingSample, Sample, ThroughputBucket
from monitor.storage.archive_source import ArchiveSource
from tests.fakes.samples import MemorySource
from tests.influx_server import InfluxServer
from tests.sample_builders import LINK, MIDNIGHT_S, interface, one_of_each, ping

DAY_S = 86_400.0


@dataclass
class Store:
    """Where samples are put, and the source that reads them."""

    put: Callable[[Sequence[Sample]], None]
    source: SampleSource
    roll_up: Callable[[], None]


@pytest.fixture(params=["memory", "journal", "influxdb", "archive"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    match request.param:
        case "memory":
            memory = MemorySource()
            yield Store(memory.add, memory, lambda: None)
        case "journal":
            journal = SqliteJournal(tmp_path / "journal")
            yield Store(
                journal.append,
                JournalReader(tmp_path / "journal"),
                lambda: _roll_up(journal),
            )
            journal.close()
        case _:
            settings = request.getfixturevalue("new_bucket")()
            server: InfluxServer = request.getfixturevalue("influx_server")
            rollups = [server.bucket(settings.bucket + suffix) for suffix in ("_1m", "_1h")]
            sinks = [InfluxWriter(each, None) for each in (settings, *rollups)]
            source = InfluxReader(settings, None)
            journal = SqliteJournal(tmp_path / "shipped")

            def put(samples: Sequence[Sample]) -> None:
                sinks[0].write(samples)
                journal.append(samples)

            def roll_up() -> None:
                _roll_up(journal)
                for sink, log in zip(sinks[1:], (journal.minutes, journal.hours), strict=True):
                    sink.write(log.read_after(None, 1_000_000).samples)

            reader = JournalReader(tmp_path / "shipped")
            both = ArchiveSource(source, reader, reader.first_s)
            yield Store(put, source if request.param == "influxdb" else both, roll_up)
            journal.close()
            for sink in sinks:
                sink.close()
            source.close()


def _roll_up(journal: SqliteJournal) -> None:
    newest_s = journal.newest_s()
    assert newest_s is not None
    journal.roll_up(newest_s)


def totals(buckets: Sequence[LatencyBucket]) -> tuple[int, int, int]:
    return (
        sum(bucket.sent for bucket in buckets),
        sum(bucket.received for bucket in buckets),
        sum(bucket.not_measured for bucket in buckets),
    )


def hour_of_rows(rng: random.Random, target: str, start_s: float) -> list[PingSample]:
    """An hour of 10 s rows with losses, silence, nothing measured, and gaps."""
    rows = []
    for place in range(360):
        if rng.random() < 0.1:
            continue
        sent = rng.choice((0, 10, 10, 10, 50))
        received = rng.randint(0, sent)
        low, mid, p95, high = sorted(round(rng.uniform(0.4, 900.0), 3) for _ in range(4))
        rows.append(
            ping(
                start_s + 10.0 * place,
                target,
                sent=sent,
                received=received,
                not_measured=rng.choice((0, 0, 0, 3)),
                rtt=(low, mid, p95, high),
            )
        )
    return rows


def test_an_empty_store_answers_with_nothing(store: Store) -> None:
    span = (MIDNIGHT_S, MIDNIGHT_S + DAY_S, 60.0)
    assert store.source.newest_s() is None
    assert store.source.latency(LINK, *span) == []
    assert store.source.latency_all(*span) == {}
    assert store.source.throughput("anjatan", "ether1", *span) == []
    assert store.source.latest_interfaces("anjatan") == []


ALIKE = (10, 10, 0, 10.0, 12.0, 18.0, 20.0)
"""Counts and round-trip times of a bucket with one row of `ping(at_s)`."""

Expected = Sequence[tuple[float | None, ...]]
BUCKETS: dict[str, tuple[list[PingSample], tuple[float, float, float], Expected]] = {
    "one row is one bucket with its own numbers": (
        [ping(MIDNIGHT_S + 30, received=9, not_measured=1, rtt=(1.5, 2, 3.25, 4))],
        *((0, 60, 60), [(0, 10, 9, 1, 1.5, 2.0, 3.25, 4.0)]),
    ),
    "a bucket without rows is absent": (
        [ping(MIDNIGHT_S), ping(MIDNIGHT_S + 300)],
        *((0, 600, 60), [(0, *ALIKE), (300, *ALIKE)]),
    ),
    "a bucket without replies has counts and no round-trip time": (
        [ping(MIDNIGHT_S, received=0)],
        *((0, 60, 60), [(0, 10, 0, 0, None, None, None, None)]),
    ),
    "the smallest and the largest reply are kept at any width": (
        [
            *(ping(MIDNIGHT_S + 10 * place) for place in range(100)),
            ping(MIDNIGHT_S + 1005, rtt=(0.25, 12, 700.5, 999.125)),
        ],
        *((0, DAY_S, DAY_S), [(0, 1010, 1010, 0, 0.25, 12.0, 700.5, 999.125)]),
    ),
    "the median is weighted by replies": (
        [
            ping(MIDNIGHT_S, received=10, rtt=(1, 5, 9, 9)),
            ping(MIDNIGHT_S + 10, received=1, rtt=(1, 50, 90, 90)),
            ping(MIDNIGHT_S + 20, received=1, rtt=(1, 60, 90, 90)),
        ],
        *((0, 60, 60), [(0, 30, 12, 0, 1.0, 5.0, 90.0, 90.0)]),
    ),
    "a range includes its start and excludes its end": (
        [ping(MIDNIGHT_S + 10 * place) for place in range(4)],
        *((10, 30, 10), [(10, *ALIKE), (20, *ALIKE)]),
    ),
    "an empty range has no bucket": ([ping(MIDNIGHT_S + 10)], (10, 10, 10), []),
    "a range that begins inside a bucket has that part of it": (
        [ping(MIDNIGHT_S + 10 * place) for place in range(6)],
        *((25, 60, 60), [(0, 30, 30, 0, *ALIKE[3:])]),
    ),
    "times are stored to the millisecond and replies to the microsecond": (
        [ping(MIDNIGHT_S + 59.9996, rtt=(1.00049, 2.00051, 3.1415926, 4.0))],
        *((0, 120, 60), [(60, 10, 10, 0, 1.0, 2.001, 3.142, 4.0)]),
    ),
}


@pytest.mark.parametrize(("rows", "span", "expected"), BUCKETS.values(), ids=BUCKETS)
def test_buckets_of_rows(
    store: Store,
    rows: list[PingSample],
    span: tuple[float, float, float],
    expected: Expected,
) -> None:
    """Times in seconds after midnight."""
    store.put(rows)
    start_s, end_s, width_s = span
    found = store.source.latency(LINK, MIDNIGHT_S + start_s, MIDNIGHT_S + end_s, width_s)
    assert {each.width_s for each in found} <= {width_s}
    assert [
        (
            *(each.start_s - MIDNIGHT_S, each.sent, each.received, each.not_measured),
            *(each.rtt_low, each.rtt_mid, each.rtt_p95, each.rtt_high),
        )
        for each in found
    ] == list(expected)


@pytest.mark.parametrize("width_s", [10.0, 60.0, 97.0, 900.0, 3600.0, 7 * DAY_S])
def test_counts_add_up_exactly_to_those_of_the_rows(store: Store, width_s: float) -> None:
    rows = hour_of_rows(random.Random(1), LINK, MIDNIGHT_S - 1800)
    store.put(rows)
    buckets = store.source.latency(LINK, MIDNIGHT_S - 1800, MIDNIGHT_S + 1800, width_s)
    assert totals(buckets) == (
        sum(row.sent for row in rows),
        sum(row.received for row in rows),
        sum(row.not_measured for row in rows),
    )
    assert all(bucket.start_s % width_s == 0 for bucket in buckets)


def test_a_range_over_midnight_has_all_its_rows(store: Store) -> None:
    rows = [ping(MIDNIGHT_S + 10 * place, sent=place + 20) for place in range(-6, 6)]
    for row in rows:
        store.put([row])
    [bucket] = store.source.latency(LINK, MIDNIGHT_S - 60, MIDNIGHT_S + 60, 7 * DAY_S)
    assert bucket.sent == sum(row.sent for row in rows)
    found = store.source.latency(LINK, MIDNIGHT_S - 60, MIDNIGHT_S + 60, 60.0)
    assert [bucket.start_s for bucket in found] == [MIDNIGHT_S - 60, MIDNIGHT_S]


def test_a_batch_over_midnight_is_found_on_both_sides(store: Store) -> None:
    store.put([ping(MIDNIGHT_S - 10), ping(MIDNIGHT_S)])
    before = store.source.latency(LINK, MIDNIGHT_S - DAY_S, MIDNIGHT_S, 10.0)
    after = store.source.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + DAY_S, 10.0)
    assert [bucket.start_s for bucket in before + after] == [MIDNIGHT_S - 10, MIDNIGHT_S]


def test_late_rows_are_found_at_their_time(store: Store) -> None:
    store.put([ping(MIDNIGHT_S + 3600)])
    store.put([ping(MIDNIGHT_S - 3 * DAY_S)])
    store.put([ping(MIDNIGHT_S + 7200)])
    found = store.source.latency(LINK, MIDNIGHT_S - 7 * DAY_S, MIDNIGHT_S + DAY_S, 3600.0)
    assert [bucket.start_s - MIDNIGHT_S for bucket in found] == [-3 * DAY_S, 3600, 7200]
    assert store.source.newest_s() == MIDNIGHT_S + 7200


def test_links_nodes_and_anchors_are_found_by_their_names(store: Store) -> None:
    names = [LINK, "anjatan/cadangan", "sukra/utama", "pop-jatibarang", "anchor:10.77.0.1"]
    store.put([ping(MIDNIGHT_S, name, sent=20 + place) for place, name in enumerate(names)])
    for place, name in enumerate(names):
        [bucket] = store.source.latency(name, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
        assert bucket.sent == 20 + place
    assert store.source.latency("tidak/ada", MIDNIGHT_S, MIDNIGHT_S + 60, 60.0) == []
    assert set(store.source.latency_all(MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)) == set(names)


def test_a_link_that_changed_its_provider_is_still_one_link(store: Store) -> None:
    store.put([ping(MIDNIGHT_S, provider="Penyedia A"), ping(MIDNIGHT_S, "b/b")])
    store.put([ping(MIDNIGHT_S + 10, provider=None, rtt=(5, 30, 40, 50))])
    [bucket] = store.source.latency(LINK, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert (bucket.sent, bucket.rtt_low, bucket.rtt_mid, bucket.rtt_high) == (20, 5, 12, 50)
    assert store.source.latency_all(MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)[LINK] == [bucket]


def test_latency_all_is_the_latency_of_each_target(store: Store) -> None:
    rng = random.Random(2)
    targets = [LINK, "anjatan/cadangan", "inti"]
    rows: list[Sample] = []
    for target in targets:
        rows += hour_of_rows(rng, target, MIDNIGHT_S - 1800)
    store.put(rows)
    span = (MIDNIGHT_S - 1800, MIDNIGHT_S + 1800, 120.0)
    together = store.source.latency_all(*span)
    assert together == {target: store.source.latency(target, *span) for target in targets}


@pytest.mark.parametrize("width_s", [10.0, 60.0, 1000.0, DAY_S])
def test_every_store_answers_as_the_one_in_memory(store: Store, width_s: float) -> None:
    rng = random.Random(3)
    rows = [
        *hour_of_rows(rng, LINK, MIDNIGHT_S - 1800),
        *hour_of_rows(rng, "pop-patrol", MIDNIGHT_S - 1800),
    ]
    oracle = MemorySource()
    oracle.add(rows)
    for place in range(0, len(rows), 37):
        store.put(rows[place : place + 37])
    span = (MIDNIGHT_S - 1703, MIDNIGHT_S + 1511, width_s)
    assert store.source.latency_all(*span) == oracle.latency_all(*span)


def test_throughput_has_mean_and_largest_of_each_direction(store: Store) -> None:
    store.put(
        [
            interface(MIDNIGHT_S, 1_000_000.0, 10.0),
            interface(MIDNIGHT_S + 60, 4_000_000.0, None),
            interface(MIDNIGHT_S + 120, 1_000_000.5, 20.0),
            interface(MIDNIGHT_S + 120, 9e9, 9e9, ifname="ether2"),
            interface(MIDNIGHT_S + 120, 9e9, 9e9, device="sukra"),
        ]
    )
    [bucket] = store.source.throughput("anjatan", "ether1", MIDNIGHT_S, MIDNIGHT_S + 300, 300.0)
    assert bucket.in_bps == pytest.approx(6_000_000.5 / 3)
    assert bucket.out_bps == pytest.approx(15.0)
    assert (bucket.in_bps_max, bucket.out_bps_max) == (4_000_000.0, 20.0)


def test_a_bucket_without_a_known_rate_is_absent(store: Store) -> None:
    nothing = interface(MIDNIGHT_S, None, None, faults=(None,) * 4)
    store.put([nothing, interface(MIDNIGHT_S + 60, None, 5.0, faults=(None,) * 4)])
    assert store.source.throughput("anjatan", "ether1", MIDNIGHT_S, MIDNIGHT_S + 120, 60.0) == [
        ThroughputBucket(MIDNIGHT_S + 60, 60.0, None, 5.0, None, 5.0)
    ]


def test_errors_and_discards_are_the_largest_of_each_direction_and_need_no_rate(
    store: Store,
) -> None:
    store.put(
        [
            interface(MIDNIGHT_S, faults=(0.5, None, 0.0, 2.0)),
            interface(MIDNIGHT_S + 60, faults=(0.25, None, None, 7.5)),
            interface(MIDNIGHT_S + 300, None, None, faults=(None, 0.0, None, None)),
            interface(MIDNIGHT_S + 60, faults=(9e3, 9e3, 9e3, 9e3), ifname="ether2"),
        ]
    )
    span = (MIDNIGHT_S, MIDNIGHT_S + 600, 300.0)
    both, quiet = store.source.throughput("anjatan", "ether1", *span)
    assert faults_of(both) == (0.5, None, 0.0, 7.5)
    assert faults_of(quiet) == (None, 0.0, None, None)
    assert (quiet.in_bps, quiet.out_bps_max) == (None, None)


def faults_of(bucket: ThroughputBucket) -> tuple[float | None, ...]:
    return (
        bucket.in_errors_max,
        bucket.out_errors_max,
        bucket.in_discards_max,
        bucket.out_discards_max,
    )


@pytest.mark.parametrize(
    "ifname",
    [
        'ether1, "utama"=\\x',
        "'; DROP MEASUREMENT interface; --",
        "wlan 1",
        "bridge\\",
        "Hu0/0/0/1.100",
        "sfp-sfpplus1 ⇄ Bé",
        "a\nb",
    ],
)
def test_a_port_may_have_any_name(store: Store, ifname: str) -> None:
    store.put([interface(MIDNIGHT_S, 7.0, 8.0, ifname=ifname), interface(MIDNIGHT_S, 1.0, 1.0)])
    [bucket] = store.source.throughput("anjatan", ifname, MIDNIGHT_S, MIDNIGHT_S + 60, 60.0)
    assert (bucket.in_bps, bucket.out_bps) == (7.0, 8.0)


def test_the_latest_of_each_port_is_its_newest_row_of_the_last_quarter_of_an_hour(
    store: Store,
) -> None:
    gone = interface(MIDNIGHT_S - 1000, ifname="gone")
    older = interface(MIDNIGHT_S - 840, ifname="ether2", link=None)
    newest = interface(MIDNIGHT_S + 20, 5.0, None)
    store.put([gone, interface(MIDNIGHT_S - 60), older])
    store.put([newest, interface(MIDNIGHT_S, 3.0), interface(MIDNIGHT_S, device="sukra")])
    assert store.source.latest_interfaces("anjatan") == [newest, older]


def test_the_link_of_a_port_comes_by_its_full_name(store: Store) -> None:
    store.put([interface(MIDNIGHT_S, link="utama")])
    [sample] = store.source.latest_interfaces("anjatan")
    assert sample.link == "anjatan/utama"


def test_the_newest_time_is_that_of_any_sample(store: Store) -> None:
    for place, sample in enumerate(one_of_each()):
        store.put([replace(sample, at_s=MIDNIGHT_S + place + 0.125)])
        assert store.source.newest_s() == MIDNIGHT_S + place + 0.125


def days_of_rows(rng: random.Random, target: str) -> list[PingSample]:
    """Two and a half days, a row every five minutes, with an hour of silence and a gap of five."""
    rows = []
    for place in range(720):
        if 200 <= place < 260:
            continue
        dead = 300 <= place < 312
        low, mid, p95, high = sorted(round(rng.uniform(5.0, 90.0), 3) for _ in range(4))
        rows.append(
            ping(
                MIDNIGHT_S - DAY_S + 300.0 * place + 10,
                target,
                received=0 if dead else rng.randint(1, 10),
                not_measured=rng.choice((0, 0, 2)),
                rtt=(low, mid, p95, high),
            )
        )
    return rows


def test_long_ranges_have_the_counts_and_extremes_of_the_rows(store: Store) -> None:
    """Out of raw rows, then out of minutes and hours; by the minute, the hour and the day."""
    rng = random.Random(6)
    rows = [*days_of_rows(rng, LINK), *days_of_rows(rng, "pop-patrol")]
    oracle = MemorySource()
    oracle.add(rows)
    store.put(rows)
    begin_s, end_s = MIDNIGHT_S - DAY_S + 4321, MIDNIGHT_S + DAY_S + 1234
    for roll_up in (store.roll_up, lambda: None):
        for width_s in (60.0, 3600.0, DAY_S):
            span = (begin_s, end_s, width_s)
            expected = oracle.latency_all(*span)
            assert_same(store.source.latency_all(*span), expected)
            assert_same({LINK: store.source.latency(LINK, *span)}, {LINK: expected[LINK]})
        roll_up()


def assert_same(
    found: dict[str, list[LatencyBucket]], expected: dict[str, list[LatencyBucket]]
) -> None:
    """Counts, extremes and gaps exactly; the median and the 95th percentile between extremes."""
    assert found.keys() == expected.keys()
    for target, buckets in expected.items():
        plain = [replace(each, rtt_mid=None, rtt_p95=None) for each in buckets]
        assert [replace(each, rtt_mid=None, rtt_p95=None) for each in found[target]] == plain
        for each in found[target]:
            if each.received:
                low, mid, p95, high = each.rtt_low, each.rtt_mid, each.rtt_p95, each.rtt_high
                assert None not in (low, mid, p95, high)
                assert [low, mid, p95, high] == sorted((low or 0, mid or 0, p95 or 0, high or 0))


def test_the_median_of_rollups_is_that_of_the_rows_within_the_histogram(
    store: Store,
) -> None:
    rng = random.Random(7)
    rows = [
        ping(MIDNIGHT_S + 10.0 * place, rtt=(mid * 0.98, mid, mid * 1.02, mid * 1.05))
        for place in range(3 * 360)
        for mid in [rng.lognormvariate(2.5, 0.5)]
    ]
    store.put([*rows, ping(MIDNIGHT_S + DAY_S)])
    span = (MIDNIGHT_S, MIDNIGHT_S + 12 * 3600, 3600.0)
    raw = store.source.latency(LINK, *span)
    store.roll_up()
    for rolled, true in zip(store.source.latency(LINK, *span), raw, strict=True):
        assert rolled.rtt_mid == pytest.approx(true.rtt_mid, rel=0.1)


def test_throughput_of_a_long_range_has_the_mean_and_the_largest_of_its_rows(store: Store) -> None:
    rng, other = random.Random(8), random.Random(9)
    rows = [
        interface(
            MIDNIGHT_S + 60 * place,
            rng.uniform(1e3, 1e9),
            rng.choice((None, 5e5)),
            faults=(other.choice((None, 0.0, 3.5)), 0.25, None, other.uniform(0.0, 40.0)),
        )
        for place in range(1440)
        if not 300 < place < 400
    ]
    oracle = MemorySource()
    oracle.add(rows)
    store.put(rows)
    span = (MIDNIGHT_S + 30, MIDNIGHT_S + DAY_S, 900.0)
    for _ in range(2):
        found = store.source.throughput("anjatan", "ether1", *span)
        for each, expected in zip(
            found, oracle.throughput("anjatan", "ether1", *span), strict=True
        ):
            assert each.start_s == expected.start_s
            assert each.in_bps == pytest.approx(expected.in_bps, rel=1e-9)
            assert each.out_bps == pytest.approx(expected.out_bps, rel=1e-9)
            assert each.in_bps_max == expected.in_bps_max
            assert each.out_bps_max == expected.out_bps_max
            assert faults_of(each) == faults_of(expected)
        store.roll_up()
