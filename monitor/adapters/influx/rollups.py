"""Questions that the buckets of minutes and hours answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from monitor.adapters.influx.client import InfluxClient
from monitor.adapters.influx.conditions import as_float, bound, in_parts, where
from monitor.adapters.influx.query import Series, ask
from monitor.core.errors import InfluxError
from monitor.core.samples import schema
from monitor.core.samples.buckets import LatencyBucketBuilder, ThroughputBucketBuilder
from monitor.core.samples.histogram import joined
from monitor.core.samples.resolution import (
    HOUR_MS,
    AvailableRanges,
    QueryRange,
    Resolution,
    plan,
    resolution_for,
)
from monitor.core.samples.rollups import plus
from monitor.core.samples.samples import Totals
from monitor.core.samples.schema import target_of
from monitor.settings.model import InfluxSettings

SUFFIX = {Resolution.MINUTE: "_1m", Resolution.HOUR: "_1h"}
MEASURED = {Resolution.MINUTE: schema.MINUTES, Resolution.HOUR: schema.HOURS}
DAY_MS = 24 * HOUR_MS
RAW_DAYS = 30
MINUTE_DAYS = 180
LOOKED_BACK = ("7d", "90d", "5000d")
"""Where the newest row is looked for, in turn: the server opens every shard of a span."""

COUNTED = ("sent", "received", "not_measured")
SPENT = ("down_s", "unreachable_s", "unknown_s", "maintenance_s")
_WHO = '"site", "link", "node"'
_WORST = (
    'max("in_errors_max"), max("out_errors_max"), max("in_discards_max"), max("out_discards_max")'
)
_COUNTED = re.compile(r"(?:sum_)?h(\d+)")
_AS_THEY_ARE = (
    'SELECT "sent" AS s, "received" AS r, "not_measured" AS n, "rtt_min" AS low, "rtt_max" AS high,'
    " /^h[0-9]+$/"
)
_SUMMED = (
    'SELECT sum("sent") AS s, sum("received") AS r, sum("not_measured") AS n,'
    ' min("rtt_min") AS low, max("rtt_max") AS high, sum(/^h[0-9]+$/)'
)


class Rollups:
    """The two buckets beside the raw one, and which of their hours may be used."""

    def __init__(self, settings: InfluxSettings, secret: str | None) -> None:
        self._at = {
            level: InfluxClient(replace(settings, bucket=settings.bucket + suffix), secret)
            for level, suffix in SUFFIX.items()
        }

    def close(self) -> None:
        for connection in self._at.values():
            connection.close()

    def plan(self, start_ms: int, end_ms: int, width: int) -> list[QueryRange]:
        """Raw rows for short ranges and for the hours that are not shipped yet."""
        if end_ms <= start_ms:
            return []
        if resolution_for(end_ms - start_ms, width) is Resolution.RAW:
            return [QueryRange(Resolution.RAW, start_ms, end_ms)]
        until_ms = self._until_ms()
        if until_ms is None:
            return [QueryRange(Resolution.RAW, start_ms, end_ms)]
        kept = AvailableRanges(
            raw_from_ms=until_ms - RAW_DAYS * DAY_MS,
            minutes_from_ms=until_ms - MINUTE_DAYS * DAY_MS,
            hours_from_ms=0,
            summed=lambda hour_ms: hour_ms < until_ms,
        )
        return plan(start_ms, end_ms, width, kept)

    def _until_ms(self) -> int | None:
        """Up to when both are there: the newest hour may have come in part only."""
        newest = []
        for level, connection in self._at.items():
            name = MEASURED[level][0].name
            statement = (
                f'SELECT "rows" FROM "{name}" WHERE time > now() - {{back}}'  # noqa: S608
                " ORDER BY time DESC LIMIT 1"
            )
            try:
                found = self._newest(connection, statement)
            except InfluxError as error:
                if error.status is None:
                    raise
                return None  # no such bucket: raw rows have to do
            if found is None:
                return None
            newest.append(found // HOUR_MS * HOUR_MS)
        return min(newest)

    def _newest(self, connection: InfluxClient, statement: str) -> int | None:
        for back in LOOKED_BACK:
            [found] = ask(connection, [statement.format(back=back)], {})
            times = [int(row[0]) for series in found for row in series.values]
            if times:
                return max(times)
        return None

    def add_latency(
        self,
        gathered: dict[str, dict[int, LatencyBucketBuilder]],
        width: int,
        tags: Mapping[str, str],
        piece: QueryRange,
    ) -> None:
        """Sums by the server, the histograms' too."""
        source = (
            f'FROM "{MEASURED[piece.level][0].name}" {where(piece.start_ms, piece.end_ms, tags)}'
        )
        # Rows as they are where a bucket is one of them: a tenth of the time.
        statement = (
            f"{_AS_THEY_ARE} {source} GROUP BY {_WHO}"
            if width == piece.level
            else f"{_SUMMED} {source} GROUP BY time({width}ms), {_WHO} fill(none)"
        )
        [found] = ask(self._at[piece.level], [statement], bound(tags))
        for series in found:
            buckets = gathered.setdefault(target_of(series.tags), {})
            counted = _histogram_columns(series)
            place = {column: number for number, column in enumerate(series.columns)}
            for row in series.values:
                counts = (row[place["s"]], row[place["r"]], row[place["n"]])
                histogram = joined(
                    {bucket: int(row[at]) for at, bucket in counted if row[at] is not None}
                )
                low, high = as_float(row[place["low"]]), as_float(row[place["high"]])
                bucket = buckets.setdefault(row[0] // width, LatencyBucketBuilder())
                bucket.add_rollup(counts, low, high, histogram)

    def add_throughput(
        self,
        gathered: dict[int, ThroughputBucketBuilder],
        width: int,
        tags: Mapping[str, str],
        piece: QueryRange,
    ) -> None:
        """Sums and the largest by the server."""
        name = MEASURED[piece.level][1].name
        [found] = ask(
            self._at[piece.level],
            [
                'SELECT sum("in_sum"), max("in_max"), sum("in_count"), sum("out_sum"),'  # noqa: S608
                f' max("out_max"), sum("out_count"), {_WORST} FROM "{name}"'
                f" {where(piece.start_ms, piece.end_ms, tags)} GROUP BY time({width}ms) fill(none)"
            ],
            bound(tags),
        )
        for series in found:
            for (
                at_ms,
                in_sum,
                in_max,
                in_count,
                out_sum,
                out_max,
                out_count,
                *most,
            ) in series.values:
                worst = [as_float(rate) for rate in most]
                if not in_count and not out_count and all(rate is None for rate in worst):
                    continue
                bucket = gathered.setdefault(at_ms // width, ThroughputBucketBuilder())
                bucket.add_faults(worst)
                if in_count:
                    bucket.into.append((float(in_sum), float(in_max), in_count))
                if out_count:
                    bucket.out.append((float(out_sum), float(out_max), out_count))

    def totals(self, start_ms: int, end_ms: int) -> dict[str, Totals]:
        """Hours summed by the server."""
        first_ms = -(-start_ms // HOUR_MS) * HOUR_MS
        last_ms = end_ms // HOUR_MS * HOUR_MS
        found: dict[str, Totals] = {}
        if first_ms < last_ms:
            piece = QueryRange(Resolution.HOUR, first_ms, last_ms)
            in_parts(piece, HOUR_MS, lambda part: self._add_totals(found, part))
        return dict(sorted(found.items()))

    def _add_totals(self, found: dict[str, Totals], piece: QueryRange) -> None:
        """Half of the columns each on a connection of its own: 1.6 works on one core a question."""
        with ThreadPoolExecutor(2) as pool:
            counting = pool.submit(self._sums, 'count("rows")', COUNTED, piece)
            spending = pool.submit(self._sums, "", SPENT, piece)
            counts, spans = counting.result(), spending.result()
        for target, (hours, *sums) in counts.items():
            spent = spans.get(target, [None] * len(SPENT))
            known: list[Any] = [hours * HOUR_MS / 1000, *sums, *spent]
            before = found.get(target)
            if before is not None:
                earlier = (
                    *(before.seconds, before.sent, before.received, before.not_measured),
                    *(before.down_s, before.unreachable_s, before.unknown_s, before.maintenance_s),
                )
                known = [plus(one, other) for one, other in zip(earlier, known, strict=True)]
            found[target] = Totals(*known[:4], *map(as_float, known[4:]))

    def _sums(self, first: str, names: tuple[str, ...], piece: QueryRange) -> dict[str, list[Any]]:
        """Each target's sums of these columns, by the server; behind what else is asked for."""
        columns = ", ".join([*filter(None, [first]), *(f'sum("{name}")' for name in names)])
        [told] = ask(
            self._at[Resolution.HOUR],
            [
                f'SELECT {columns} FROM "{MEASURED[Resolution.HOUR][0].name}"'  # noqa: S608
                f" {where(piece.start_ms, piece.end_ms, {})} GROUP BY {_WHO}"
            ],
            {},
        )
        return {target_of(series.tags): list(series.values[0][1:]) for series in told}


def _histogram_columns(series: Series) -> list[tuple[int, int]]:
    """Where which bucket of the histogram stands: (column, bucket)."""
    return [
        (number, int(match[1]))
        for number, column in enumerate(series.columns)
        if (match := _COUNTED.fullmatch(column))
    ]
