"""The journal's answers to the dashboard: from raw rows, minutes and hours, across files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.adapters.journal import rollup_reads
from monitor.adapters.journal.day import dirty_hours
from monitor.adapters.journal.evidence import Packed, evidence_between
from monitor.adapters.journal.files import (
    HOURS,
    MINUTES,
    columns_of,
    days_in,
    path_of,
    reading,
    start_of,
)
from monitor.adapters.journal.parts import Part, days_of, parts
from monitor.adapters.journal.rows import (
    MICROS_PER_MS,
    Identity,
    identities,
    maker_of,
    quoted,
    selected,
)
from monitor.core.samples.buckets import LatencyBucketBuilder, ThroughputBucketBuilder
from monitor.core.samples.resolution import HOUR_MS, AvailableRanges, QueryRange, Resolution, plan
from monitor.core.samples.samples import InterfaceSample, LatencyBucket, ThroughputBucket, Totals
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

# One text a group with each row's median and the replies behind it, packed into one integer:
# medians of parts (two files, two series of one target) cannot be merged, lists of them can.
_WEIGHT_BITS = 16
_WEIGHT_MASK = (1 << _WEIGHT_BITS) - 1
_SUMMED = (
    "sum(sent), sum(received), sum(not_measured),"
    " min(rtt_min), max(rtt_p95), max(rtt_max),"
    f" json_group_array((rtt_p50 << {_WEIGHT_BITS}) + min(received, {_WEIGHT_MASK}))"
    " FILTER (WHERE rtt_p50 IS NOT NULL)"
)


class JournalReader:
    """`SampleSource` on a journal's directory; needs no daemon and may be used from any thread.

    directory: <data_dir>/journal. One that does not exist is an empty journal. Raises JournalError.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self._latency(start_s, end_s, width_s, target=target).get(target, [])

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        return self._latency(start_s, end_s, width_s)

    def _latency(
        self, start_s: float, end_s: float, width_s: float, **wanted: str
    ) -> dict[str, list[LatencyBucket]]:
        width = width_ms(width_s)
        gathered: dict[str, dict[int, LatencyBucketBuilder]] = {}
        for piece in self._plan(stamp_ms(start_s), stamp_ms(end_s), width):
            if piece.level is Resolution.RAW:
                self._raw_latency(gathered, piece, width, wanted)
            else:
                rollup_reads.add_latency(self._directory, gathered, piece, width, wanted)
        return {
            target: [buckets[index].bucket(index * width, width) for index in sorted(buckets)]
            for target, buckets in sorted(gathered.items())
        }

    def _raw_latency(
        self,
        gathered: dict[str, dict[int, LatencyBucketBuilder]],
        piece: QueryRange,
        width: int,
        wanted: dict[str, str],
    ) -> None:
        span = (piece.start_ms, piece.end_ms)
        for part in parts(self._directory, *span):
            targets = {key: known["target"] for key, known in _series(part, PING, **wanted)}
            columns = f"series, (t + {part.begins_ms}) / {width}, {_SUMMED}"
            ids = targets if wanted else None
            for series, index, *counts, low, p95, high, medians in _rows(
                part, PING, columns, span, ids, "GROUP BY 1, 2"
            ):
                bucket = gathered.setdefault(targets[series], {}).setdefault(
                    index, LatencyBucketBuilder()
                )
                bucket.add(tuple(counts), _ms(low), _ms(p95), _ms(high), _unpacked(medians))

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        width = width_ms(width_s)
        wanted = {"device": device, "ifname": ifname}
        gathered: dict[int, ThroughputBucketBuilder] = {}
        for piece in self._plan(stamp_ms(start_s), stamp_ms(end_s), width):
            if piece.level is not Resolution.RAW:
                rollup_reads.add_throughput(self._directory, gathered, piece, width, wanted)
                continue
            span = (piece.start_ms, piece.end_ms)
            for part in parts(self._directory, *span):
                ids = dict(_series(part, INTERFACE, **wanted))
                columns = f"(t + {part.begins_ms}) / {width}, {', '.join(RATES)}"
                known = f"AND coalesce({', '.join(RATES)}) IS NOT NULL"
                for index, in_bps, out_bps, *faults in _rows(
                    part, INTERFACE, columns, span, ids, known
                ):
                    gathered.setdefault(index, ThroughputBucketBuilder()).add(
                        in_bps, out_bps, faults
                    )
        return [gathered[index].bucket(index * width, width) for index in sorted(gathered)]

    def totals(self, start_s: float, end_s: float) -> dict[str, Totals]:
        """Every target over the whole hours of [start, end) that are summed up."""
        return rollup_reads.totals(self._directory, stamp_ms(start_s), stamp_ms(end_s))

    def evidence(
        self, start_s: float, end_s: float, targets: Collection[str] | None = None
    ) -> Iterator[Packed]:
        """Packed requests (core.requests) by the time of their rows, which lies in [start, end)."""
        return evidence_between(self._directory, stamp_ms(start_s), stamp_ms(end_s), targets)

    def _plan(self, start_ms: int, end_ms: int, width: int) -> list[QueryRange]:
        marked: set[int] = set()
        old: list[tuple[int, int]] = []
        for day in days_of(self._directory, start_ms, end_ms):
            with reading(path_of(self._directory, day)) as connection:
                if connection is not None:
                    found = dirty_hours(connection, start_of(day))
                    marked |= (found or {}).keys()
                    if found is None:  # written by an older version, nothing of it is summed up
                        old.append((start_of(day) - 24 * HOUR_MS, start_of(day) + 24 * HOUR_MS))

        def summed(hour_ms: int) -> bool:
            return hour_ms not in marked and not any(low <= hour_ms < high for low, high in old)

        kept = AvailableRanges(
            self._from_ms(), self._from_ms(MINUTES), self._from_ms(HOURS), summed
        )
        return plan(start_ms, end_ms, width, kept)

    def _from_ms(self, *kind: str) -> int | None:
        labels = days_in(self._directory, *kind)
        return start_of(labels[0]) if labels else None

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        newest_s = self.newest_s()
        if newest_s is None:
            return []
        newest_ms = stamp_ms(newest_s)
        span = (newest_ms - LATEST_MS, newest_ms + 1)
        make = maker_of(INTERFACE)
        latest: dict[str, InterfaceSample] = {}
        for part in parts(self._directory, *span):
            known = dict(_series(part, INTERFACE, device=device))
            have = columns_of(part.connection, INTERFACE.name)
            columns = f"series, t + {part.begins_ms}, {selected(INTERFACE, have)}"
            for series, at_ms, *values in _rows(part, INTERFACE, columns, span, known):
                sample: InterfaceSample = make(known[series], at_ms, values)
                before = latest.get(sample.ifname)
                if before is None or sample.at_s >= before.at_s:
                    latest[sample.ifname] = sample
        return [
            replace(latest[ifname], link=link_name(latest[ifname].site, latest[ifname].link))
            for ifname in sorted(latest)
        ]

    def newest_s(self) -> float | None:
        for day in reversed(days_in(self._directory)):
            with reading(path_of(self._directory, day)) as connection:
                if connection is not None:
                    newest = connection.execute("SELECT max(t_max) FROM batch").fetchone()[0]
                    if newest is not None:
                        return seconds(start_of(day) + newest)
        return None


def _series(part: Part, measurement: Measurement, **wanted: str) -> list[tuple[int, Identity]]:
    return [
        (key, known)
        for key, known in identities(part.connection, measurement.name)
        if wanted.items() <= known.items()
    ]


def _rows(
    part: Part,
    measurement: Measurement,
    columns: str,
    span: tuple[int, int],
    series: Iterable[int] | None,
    more: str = "",
) -> Iterator[Any]:
    """The columns of some series' rows in a span (None: of all); `more`: what else is said."""
    ids = list(series or ())
    one_of = "" if series is None else f"series IN ({', '.join('?' * len(ids))}) AND"
    return part.connection.execute(
        f"SELECT {columns} FROM {quoted(measurement.name)}"  # noqa: S608 - names and numbers of ours
        f" WHERE seq BETWEEN ? AND ? AND {one_of} t >= ? AND t < ? {more}",
        (part.first, part.last, *ids, *(bound - part.begins_ms for bound in span)),
    )


def _ms(micros: int | None) -> float | None:
    return None if micros is None else micros / MICROS_PER_MS


def _unpacked(medians: str) -> list[tuple[float, int]]:
    packed: list[int] = json.loads(medians)
    return [((each >> _WEIGHT_BITS) / MICROS_PER_MS, each & _WEIGHT_MASK) for each in packed]
