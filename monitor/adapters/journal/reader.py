"""Queries on the journal, from any process: latency, throughput, totals, evidence, rows.

Buckets are made of raw rows, minutes and hours as core.samples.resolution plans it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.adapters.journal.day_files import (
    HOURS,
    MINUTES,
    days_in,
    days_overlapping,
    open_for_reading,
    path_of,
    start_ms_of,
)
from monitor.adapters.journal.evidence_files import Packed, evidence_between
from monitor.adapters.journal.rollup_files import (
    ROLLUP_MEASUREMENTS,
    read_rollups,
    rollup_files_between,
)
from monitor.adapters.journal.rows import (
    MICROS_PER_MS,
    columns_of,
    decoder,
    quoted,
    select_fields,
    series_of,
)
from monitor.adapters.journal.sample_files import (
    FileRange,
    dirty_hours,
    ranges_between,
    read_samples,
)
from monitor.core.samples import schema
from monitor.core.samples.buckets import LatencyBucketBuilder, ThroughputBucketBuilder
from monitor.core.samples.histogram import unpack_histogram
from monitor.core.samples.resolution import (
    HOUR_MS,
    AvailableRanges,
    QueryRange,
    Resolution,
    plan_ranges,
)
from monitor.core.samples.rollups import add_known
from monitor.core.samples.samples import (
    InterfaceSample,
    LatencyBucket,
    Sample,
    ThroughputBucket,
    Totals,
)
from monitor.core.samples.schema import (
    INTERFACE,
    PING,
    Measurement,
    link_name,
    seconds,
    stamp_ms,
    width_ms,
)

LATEST_MS = 15 * 60 * 1000
RATES = ("in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards")
FAULTS = ("in_errors_max", "out_errors_max", "in_discards_max", "out_discards_max")
ROLLUP_KINDS = {Resolution.MINUTE: MINUTES, Resolution.HOUR: HOURS}

# Of each group one text with the medians of its rows and the replies behind each, both packed into
# one integer: medians of parts (two files, two series of one target) cannot be merged, lists can.
_WEIGHT_BITS = 16
_WEIGHT_MASK = (1 << _WEIGHT_BITS) - 1
_LATENCY_SUMS = (
    "sum(sent), sum(received), sum(not_measured),"
    " min(rtt_min), max(rtt_p95), max(rtt_max),"
    f" json_group_array((rtt_p50 << {_WEIGHT_BITS}) + min(received, {_WEIGHT_MASK}))"
    " FILTER (WHERE rtt_p50 IS NOT NULL)"
)

LatencyBuilders = dict[str, dict[int, LatencyBucketBuilder]]
"""By target, then by the number of the bucket (its start divided by its width)."""


class JournalReader:
    """`SampleSource` on a journal's directory; needs no daemon and may be used from any thread.

    directory: <data_dir>/journal. One that does not exist is an empty journal. Raises JournalError.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self._latency(start_s, end_s, width_s, {"target": target}).get(target, [])

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        return self._latency(start_s, end_s, width_s, {})

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        width = width_ms(width_s)
        matching = {"device": device, "ifname": ifname}
        builders: dict[int, ThroughputBucketBuilder] = {}
        for part in self._plan(stamp_ms(start_s), stamp_ms(end_s), width):
            if part.level is Resolution.RAW:
                self._add_raw_throughput(builders, part, width, matching)
            else:
                self._add_rollup_throughput(builders, part, width, matching)
        return [builders[index].bucket(index * width, width) for index in sorted(builders)]

    def totals(self, start_s: float, end_s: float) -> dict[str, Totals]:
        """Every target over the whole hours of [start, end) that are summed up."""
        first_ms = -(-stamp_ms(start_s) // HOUR_MS) * HOUR_MS
        last_ms = stamp_ms(end_s) // HOUR_MS * HOUR_MS
        name = ROLLUP_MEASUREMENTS[HOURS][0].name
        found: dict[str, Totals] = {}
        files = rollup_files_between(self._directory, HOURS, first_ms, last_ms)
        for connection, file_ms in files:
            series = series_of(connection, name)
            for number, hours, sent, received, not_measured, *states in connection.execute(
                "SELECT series, count(*), sum(sent), sum(received), sum(not_measured),"  # noqa: S608
                " sum(down_s), sum(unreachable_s), sum(unknown_s), sum(maintenance_s)"
                f" FROM {quoted(name)} WHERE series IN (SELECT id FROM series)"
                " AND t >= ? AND t < ? GROUP BY series",
                (first_ms - file_ms, last_ms - file_ms),
            ):
                target = series[number]["target"]
                totals = Totals(hours * HOUR_MS / 1000, sent, received, not_measured, *states)
                found[target] = _sum_of(found[target], totals) if target in found else totals
        return dict(sorted(found.items()))

    def evidence(
        self, start_s: float, end_s: float, targets: Collection[str] | None = None
    ) -> Iterator[Packed]:
        """Packed requests by the time of their rows, which lies in [start, end)."""
        return evidence_between(self._directory, stamp_ms(start_s), stamp_ms(end_s), targets)

    def rows(self, measurement: Measurement, start_s: float, end_s: float) -> Iterator[Sample]:
        """Rows of [start, end), file by file: raw ones as written, rollups by time."""
        rollups = measurement in schema.MINUTES or measurement in schema.HOURS
        read = read_rollups if rollups else read_samples
        return read(self._directory, measurement, stamp_ms(start_s), stamp_ms(end_s))

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        newest_s = self.newest_s()
        if newest_s is None:
            return []
        newest_ms = stamp_ms(newest_s)
        span = (newest_ms - LATEST_MS, newest_ms + 1)
        decode = decoder(INTERFACE)
        latest: dict[str, InterfaceSample] = {}
        for part in ranges_between(self._directory, *span):
            series = series_of(part.connection, INTERFACE.name, {"device": device})
            fields = select_fields(INTERFACE, columns_of(part.connection, INTERFACE.name))
            columns = f"series, t + {part.start_ms}, {fields}"
            for number, at_ms, *values in _select(part, INTERFACE, columns, span, series):
                sample: InterfaceSample = decode(series[number], at_ms, values)
                before = latest.get(sample.ifname)
                if before is None or sample.at_s >= before.at_s:
                    latest[sample.ifname] = sample
        return [
            replace(latest[ifname], link=link_name(latest[ifname].site, latest[ifname].link))
            for ifname in sorted(latest)
        ]

    def first_s(self) -> float | None:
        """When the raw rows begin: the start of the oldest file's day; None without a file."""
        first_ms = self._first_ms()
        return None if first_ms is None else seconds(first_ms)

    def newest_s(self) -> float | None:
        for day in reversed(days_in(self._directory)):
            with open_for_reading(path_of(self._directory, day)) as connection:
                if connection is not None:
                    newest = connection.execute("SELECT max(t_max) FROM batch").fetchone()[0]
                    if newest is not None:
                        return seconds(start_ms_of(day) + newest)
        return None

    def _latency(
        self, start_s: float, end_s: float, width_s: float, matching: Mapping[str, str]
    ) -> dict[str, list[LatencyBucket]]:
        width = width_ms(width_s)
        builders: LatencyBuilders = {}
        for part in self._plan(stamp_ms(start_s), stamp_ms(end_s), width):
            if part.level is Resolution.RAW:
                self._add_raw_latency(builders, part, width, matching)
            else:
                self._add_rollup_latency(builders, part, width, matching)
        return {
            target: [buckets[index].bucket(index * width, width) for index in sorted(buckets)]
            for target, buckets in sorted(builders.items())
        }

    def _plan(self, start_ms: int, end_ms: int, width: int) -> list[QueryRange]:
        dirty: set[int] = set()
        not_summed: list[tuple[int, int]] = []
        for day in days_overlapping(self._directory, start_ms, end_ms):
            with open_for_reading(path_of(self._directory, day)) as connection:
                if connection is not None:
                    file_ms = start_ms_of(day)
                    hours = dirty_hours(connection, file_ms)
                    dirty |= (hours or {}).keys()
                    if hours is None:  # written by an older version, nothing of it is summed up
                        not_summed.append((file_ms - 24 * HOUR_MS, file_ms + 24 * HOUR_MS))

        def summed(hour_ms: int) -> bool:
            return hour_ms not in dirty and not any(
                low <= hour_ms < high for low, high in not_summed
            )

        available = AvailableRanges(
            self._first_ms(), self._first_ms(MINUTES), self._first_ms(HOURS), summed
        )
        return plan_ranges(start_ms, end_ms, width, available)

    def _first_ms(self, *kind: str) -> int | None:
        labels = days_in(self._directory, *kind)
        return start_ms_of(labels[0]) if labels else None

    def _add_raw_latency(
        self, builders: LatencyBuilders, part: QueryRange, width: int, matching: Mapping[str, str]
    ) -> None:
        span = (part.start_ms, part.end_ms)
        for rows in ranges_between(self._directory, *span):
            series = series_of(rows.connection, PING.name, matching)
            columns = f"series, (t + {rows.start_ms}) / {width}, {_LATENCY_SUMS}"
            for number, index, *counts, low, p95, high, medians in _select(
                rows, PING, columns, span, series if matching else None, "GROUP BY 1, 2"
            ):
                buckets = builders.setdefault(series[number]["target"], {})
                buckets.setdefault(index, LatencyBucketBuilder()).add(
                    tuple(counts), _ms(low), _ms(p95), _ms(high), _unpack_medians(medians)
                )

    def _add_rollup_latency(
        self, builders: LatencyBuilders, part: QueryRange, width: int, matching: Mapping[str, str]
    ) -> None:
        name = ROLLUP_MEASUREMENTS[ROLLUP_KINDS[part.level]][0].name
        for connection, file_ms in self._rollup_files(part):
            for number, identity in series_of(connection, name, matching).items():
                buckets = builders.setdefault(identity["target"], {})
                found = connection.execute(
                    f"SELECT (t + {file_ms}) / {width}, sent, received, not_measured, rtt_min,"  # noqa: S608
                    f" rtt_max, histogram FROM {quoted(name)}"
                    " WHERE series = ? AND t >= ? AND t < ?",
                    (number, part.start_ms - file_ms, part.end_ms - file_ms),
                )
                for index, sent, received, not_measured, low, high, histogram in found:
                    builder = buckets.get(index)
                    if builder is None:
                        builder = buckets[index] = LatencyBucketBuilder()
                    builder.add_rollup(
                        (sent, received, not_measured),
                        None if low is None else low / MICROS_PER_MS,
                        None if high is None else high / MICROS_PER_MS,
                        unpack_histogram(histogram) if histogram else 0,
                    )
                if not buckets:
                    del builders[identity["target"]]

    def _add_raw_throughput(
        self,
        builders: dict[int, ThroughputBucketBuilder],
        part: QueryRange,
        width: int,
        matching: Mapping[str, str],
    ) -> None:
        span = (part.start_ms, part.end_ms)
        for rows in ranges_between(self._directory, *span):
            series = series_of(rows.connection, INTERFACE.name, matching)
            columns = f"(t + {rows.start_ms}) / {width}, {', '.join(RATES)}"
            any_rate = f"AND coalesce({', '.join(RATES)}) IS NOT NULL"
            for index, in_bps, out_bps, *faults in _select(
                rows, INTERFACE, columns, span, series, any_rate
            ):
                builder = builders.setdefault(index, ThroughputBucketBuilder())
                builder.add(in_bps, out_bps, faults)

    def _add_rollup_throughput(
        self,
        builders: dict[int, ThroughputBucketBuilder],
        part: QueryRange,
        width: int,
        matching: Mapping[str, str],
    ) -> None:
        name = ROLLUP_MEASUREMENTS[ROLLUP_KINDS[part.level]][1].name
        for connection, file_ms in self._rollup_files(part):
            columns = columns_of(connection, name)
            faults = ", ".join(each if each in columns else f"NULL AS {each}" for each in FAULTS)
            for number in series_of(connection, name, matching):
                found = connection.execute(
                    f"SELECT (t + {file_ms}) / {width}, in_sum, in_max, in_count, out_sum,"  # noqa: S608
                    f" out_max, out_count, {faults} FROM {quoted(name)}"
                    " WHERE series = ? AND t >= ? AND t < ?",
                    (number, part.start_ms - file_ms, part.end_ms - file_ms),
                )
                for index, in_sum, in_max, in_count, out_sum, out_max, out_count, *worst in found:
                    if not in_count and not out_count and all(rate is None for rate in worst):
                        continue
                    builder = builders.setdefault(index, ThroughputBucketBuilder())
                    builder.add_faults(worst)
                    if in_count:
                        builder.into.append((in_sum, in_max, in_count))
                    if out_count:
                        builder.out.append((out_sum, out_max, out_count))

    def _rollup_files(self, part: QueryRange) -> Iterator[tuple[sqlite3.Connection, int]]:
        kind = ROLLUP_KINDS[part.level]
        return rollup_files_between(self._directory, kind, part.start_ms, part.end_ms)


def _select(
    rows: FileRange,
    measurement: Measurement,
    columns: str,
    span: tuple[int, int],
    series: Iterable[int] | None,
    suffix: str = "",
) -> Iterator[Any]:
    """Columns of the rows of some series (None: all) in a span of Unix ms. suffix: more SQL."""
    ids = list(series or ())
    one_of = "" if series is None else f"series IN ({', '.join('?' * len(ids))}) AND"
    return rows.connection.execute(
        f"SELECT {columns} FROM {quoted(measurement.name)}"  # noqa: S608 - names and numbers of ours
        f" WHERE seq BETWEEN ? AND ? AND {one_of} t >= ? AND t < ? {suffix}",
        (rows.first, rows.last, *ids, *(bound - rows.start_ms for bound in span)),
    )


def _ms(micros: int | None) -> float | None:
    return None if micros is None else micros / MICROS_PER_MS


def _unpack_medians(text: str) -> list[tuple[float, int]]:
    packed: list[int] = json.loads(text)
    return [((each >> _WEIGHT_BITS) / MICROS_PER_MS, each & _WEIGHT_MASK) for each in packed]


def _sum_of(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.seconds + other.seconds,
        one.sent + other.sent,
        one.received + other.received,
        one.not_measured + other.not_measured,
        add_known(one.down_s, other.down_s),
        add_known(one.unreachable_s, other.unreachable_s),
        add_known(one.unknown_s, other.unknown_s),
        add_known(one.maintenance_s, other.maintenance_s),
    )
