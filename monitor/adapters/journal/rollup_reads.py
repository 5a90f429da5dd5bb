"""Questions that minutes and hours answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.adapters.journal.files import (
    HOURS,
    MINUTES,
    columns_of,
    days_in,
    path_of,
    reading,
    start_of,
)
from monitor.adapters.journal.rolled import MEASURED, label_of
from monitor.adapters.journal.rows import MICROS_PER_MS, Identity, identities, quoted
from monitor.core.samples.buckets import LatencyBucketBuilder, ThroughputBucketBuilder
from monitor.core.samples.histogram import unpacked
from monitor.core.samples.resolution import HOUR_MS, QueryRange, Resolution
from monitor.core.samples.rollups import plus
from monitor.core.samples.samples import Totals

FAULTS = ("in_errors_max", "out_errors_max", "in_discards_max", "out_discards_max")
KIND = {Resolution.MINUTE: MINUTES, Resolution.HOUR: HOURS}


def add_latency(
    directory: Path,
    gathered: dict[str, dict[int, LatencyBucketBuilder]],
    piece: QueryRange,
    width: int,
    wanted: Mapping[str, str],
) -> None:
    """Rollups of pings into buckets: target, then the bucket's number."""
    kind = KIND[piece.level]
    name = MEASURED[kind][0].name
    for connection, begins_ms, low, high in _files(directory, kind, piece):
        for series, known in _series(connection, name, wanted):
            buckets = gathered.setdefault(known["target"], {})
            found = connection.execute(
                f"SELECT (t + {begins_ms}) / {width}, sent, received, not_measured, rtt_min,"  # noqa: S608
                f" rtt_max, histogram FROM {quoted(name)} WHERE series = ? AND t >= ? AND t < ?",
                (series, low, high),
            )
            for index, sent, received, not_measured, rtt_min, rtt_max, histogram in found:
                bucket = buckets.get(index)
                if bucket is None:
                    bucket = buckets[index] = LatencyBucketBuilder()
                bucket.add_rollup(
                    (sent, received, not_measured),
                    None if rtt_min is None else rtt_min / MICROS_PER_MS,
                    None if rtt_max is None else rtt_max / MICROS_PER_MS,
                    unpacked(histogram) if histogram else 0,
                )
            if not buckets:
                del gathered[known["target"]]


def add_throughput(
    directory: Path,
    gathered: dict[int, ThroughputBucketBuilder],
    piece: QueryRange,
    width: int,
    wanted: Mapping[str, str],
) -> None:
    """Rollups of one port into buckets, by their numbers."""
    kind = KIND[piece.level]
    name = MEASURED[kind][1].name
    for connection, begins_ms, low, high in _files(directory, kind, piece):
        have = columns_of(connection, name)
        faults = ", ".join(each if each in have else f"NULL AS {each}" for each in FAULTS)
        for series, _ in _series(connection, name, wanted):
            found = connection.execute(
                f"SELECT (t + {begins_ms}) / {width}, in_sum, in_max, in_count, out_sum, out_max,"  # noqa: S608
                f" out_count, {faults} FROM {quoted(name)} WHERE series = ? AND t >= ? AND t < ?",
                (series, low, high),
            )
            for index, in_sum, in_max, in_count, out_sum, out_max, out_count, *worst in found:
                if not in_count and not out_count and all(rate is None for rate in worst):
                    continue
                bucket = gathered.setdefault(index, ThroughputBucketBuilder())
                bucket.add_faults(worst)
                if in_count:
                    bucket.into.append((in_sum, in_max, in_count))
                if out_count:
                    bucket.out.append((out_sum, out_max, out_count))


def totals(directory: Path, start_ms: int, end_ms: int) -> dict[str, Totals]:
    """Hours summed by SQLite."""
    first_ms = -(-start_ms // HOUR_MS) * HOUR_MS
    piece = QueryRange(Resolution.HOUR, first_ms, max(first_ms, end_ms // HOUR_MS * HOUR_MS))
    name = MEASURED[HOURS][0].name
    found: dict[str, Totals] = {}
    for connection, _, low, high in _files(directory, HOURS, piece):
        known = dict(identities(connection, name))
        for series, hours, sent, received, not_measured, *spent in connection.execute(
            "SELECT series, count(*), sum(sent), sum(received), sum(not_measured), sum(down_s),"  # noqa: S608
            f" sum(unreachable_s), sum(unknown_s), sum(maintenance_s) FROM {quoted(name)}"
            " WHERE series IN (SELECT id FROM series) AND t >= ? AND t < ? GROUP BY series",
            (low, high),
        ):
            target = known[series]["target"]
            part = Totals(hours * HOUR_MS / 1000, sent, received, not_measured, *spent)
            found[target] = _joined(found[target], part) if target in found else part
    return dict(sorted(found.items()))


def _joined(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.seconds + other.seconds,
        one.sent + other.sent,
        one.received + other.received,
        one.not_measured + other.not_measured,
        plus(one.down_s, other.down_s),
        plus(one.unreachable_s, other.unreachable_s),
        plus(one.unknown_s, other.unknown_s),
        plus(one.maintenance_s, other.maintenance_s),
    )


def _files(
    directory: Path, kind: str, piece: QueryRange
) -> Iterator[tuple[sqlite3.Connection, int, int, int]]:
    """Each file of the piece: when it begins, and the piece's bounds in the file's time."""
    if piece.end_ms <= piece.start_ms:
        return
    first, last = label_of(kind, piece.start_ms), label_of(kind, piece.end_ms - 1)
    for label in days_in(directory, kind):
        if first <= label <= last:
            with reading(path_of(directory, label, kind)) as connection:
                if connection is not None:
                    begins_ms = start_of(label)
                    yield (
                        connection,
                        begins_ms,
                        piece.start_ms - begins_ms,
                        piece.end_ms - begins_ms,
                    )


def _series(
    connection: sqlite3.Connection, measurement: str, wanted: Mapping[str, str]
) -> list[tuple[int, Identity]]:
    return [
        (key, known)
        for key, known in identities(connection, measurement)
        if wanted.items() <= known.items()
    ]
