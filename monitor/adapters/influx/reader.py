"""Queries on InfluxDB by InfluxQL, the one language that 1.x, 2.x and 3.x all answer.

Three buckets: raw rows, `<bucket>_1m` and `<bucket>_1h`. Which of them answers what is planned by
core.samples.resolution.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from monitor.adapters.influx.client import InfluxClient, Series
from monitor.core.errors import InfluxError
from monitor.core.samples import schema
from monitor.core.samples.buckets import LatencyBucketBuilder, ThroughputBucketBuilder
from monitor.core.samples.histogram import from_counts
from monitor.core.samples.resolution import (
    HOUR_MS,
    AvailableRanges,
    QueryRange,
    Resolution,
    plan_ranges,
    resolution_for,
)
from monitor.core.samples.rollups import add_known
from monitor.core.samples.samples import InterfaceSample, LatencyBucket, ThroughputBucket, Totals
from monitor.core.samples.schema import (
    INTERFACE,
    MEASUREMENTS,
    PING,
    FieldKind,
    link_name,
    seconds,
    stamp_ms,
    tag_value,
    target_of,
    target_tags,
    width_ms,
)
from monitor.settings.model import InfluxSettings

LATEST_MS = 15 * 60 * 1000
DAY_MS = 24 * HOUR_MS
RAW_DAYS = 30
MINUTE_DAYS = 180

FILE_LIMIT = "file limit"
"""3 Core refuses queries that need more than 432 files, about 72 hours, with this text.

https://docs.influxdata.com/influxdb3/core/admin/query-system-data/ and its release notes.
"""

NEWEST_WITHIN = ("7d", "90d", "5000d")
"""Spans in which the newest rollup is looked for, in turn: the server opens every shard of one."""

BUCKET_SUFFIX = {Resolution.MINUTE: "_1m", Resolution.HOUR: "_1h"}
ROLLUPS = {Resolution.MINUTE: schema.MINUTES, Resolution.HOUR: schema.HOURS}

_COUNTS = ("sent", "received", "not_measured")
_STATE_SECONDS = ("down_s", "unreachable_s", "unknown_s", "maintenance_s")
_TARGET_TAGS = '"site", "link", "node"'
_RATES = '"in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards"'
_FAULT_MAXIMA = (
    'max("in_errors_max"), max("out_errors_max"), max("in_discards_max"), max("out_discards_max")'
)
_LATENCY_SUMS = (
    'sum("sent"), sum("received"), sum("not_measured"),'
    ' min("rtt_min"), max("rtt_p95"), max("rtt_max")'
)
_ROLLUPS_AS_THEY_ARE = (
    'SELECT "sent" AS s, "received" AS r, "not_measured" AS n, "rtt_min" AS low, "rtt_max" AS high,'
    " /^h[0-9]+$/"
)
_ROLLUP_SUMS = (
    'SELECT sum("sent") AS s, sum("received") AS r, sum("not_measured") AS n,'
    ' min("rtt_min") AS low, max("rtt_max") AS high, sum(/^h[0-9]+$/)'
)
_HISTOGRAM_COLUMN = re.compile(r"(?:sum_)?h(\d+)")

LatencyBuilders = dict[str, dict[int, LatencyBucketBuilder]]
"""By target, then by the number of the bucket (its start divided by its width)."""


class InfluxReader:
    """`SampleSource` on a server; may be used from any thread. Raises InfluxError.

    secret: the text of the secret that `settings.token` names (see InfluxClient).
    """

    def __init__(self, settings: InfluxSettings, secret: str | None) -> None:
        self._raw = InfluxClient(settings, secret)
        self._rollups = {
            level: InfluxClient(replace(settings, bucket=settings.bucket + suffix), secret)
            for level, suffix in BUCKET_SUFFIX.items()
        }

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self._latency(start_s, end_s, width_s, target_tags(target)).get(target, [])

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        return self._latency(start_s, end_s, width_s, {})

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        width = width_ms(width_s)
        tags = {"device": device, "ifname": ifname}
        builders: dict[int, ThroughputBucketBuilder] = {}
        for part in self._plan(stamp_ms(start_s), stamp_ms(end_s), width):
            raw = part.level is Resolution.RAW
            add = self._add_raw_throughput if raw else self._add_rollup_throughput
            split_query(part, width, partial(add, builders, width, tags))
        return [builders[index].bucket(index * width, width) for index in sorted(builders)]

    def totals(self, start_s: float, end_s: float) -> dict[str, Totals]:
        """Every target over the whole hours of [start, end) that were shipped."""
        first_ms = -(-stamp_ms(start_s) // HOUR_MS) * HOUR_MS
        last_ms = stamp_ms(end_s) // HOUR_MS * HOUR_MS
        found: dict[str, Totals] = {}
        if first_ms < last_ms:
            part = QueryRange(Resolution.HOUR, first_ms, last_ms)
            split_query(part, HOUR_MS, partial(self._add_totals, found))
        return dict(sorted(found.items()))

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        newest_s = self.newest_s()
        if newest_s is None:
            return []
        newest_ms = stamp_ms(newest_s)
        tags = {"device": device}
        columns = ", ".join(f'"{field.name}"' for field in INTERFACE.fields)
        condition = _where(newest_ms - LATEST_MS, newest_ms + 1, tags)
        [found] = self._raw.query(
            [
                f'SELECT {columns}, "site", "link" FROM "{INTERFACE.name}" {condition}'  # noqa: S608
                f' GROUP BY "ifname" ORDER BY time DESC LIMIT 1'
            ],
            _params(tags),
        )
        samples = [_interface_sample(device, series) for series in found]
        return sorted(samples, key=lambda sample: sample.ifname)

    def newest_s(self) -> float | None:
        # The last hour first: without a bound the server looks into every shard that it has.
        for recent in ("WHERE time > now() - 1h", ""):
            names = ", ".join(f'"{measurement.name}"' for measurement in MEASUREMENTS)
            statement = f"SELECT * FROM {names} {recent} ORDER BY time DESC LIMIT 1"  # noqa: S608
            newest = _newest_ms(self._raw, statement)
            if newest is not None:
                return seconds(newest)
        return None

    def close(self) -> None:
        for client in (self._raw, *self._rollups.values()):
            client.close()

    def _latency(
        self, start_s: float, end_s: float, width_s: float, tags: Mapping[str, str]
    ) -> dict[str, list[LatencyBucket]]:
        width = width_ms(width_s)
        builders: LatencyBuilders = {}
        for part in self._plan(stamp_ms(start_s), stamp_ms(end_s), width):
            raw = part.level is Resolution.RAW
            add = self._add_raw_latency if raw else self._add_rollup_latency
            split_query(part, width, partial(add, builders, width, tags))
        return {
            target: [buckets[index].bucket(index * width, width) for index in sorted(buckets)]
            for target, buckets in sorted(builders.items())
        }

    def _plan(self, start_ms: int, end_ms: int, width: int) -> list[QueryRange]:
        """Rollups for long ranges, raw rows for short ones and for hours not shipped yet."""
        if end_ms <= start_ms:
            return []
        if resolution_for(end_ms - start_ms, width) is Resolution.RAW:
            return [QueryRange(Resolution.RAW, start_ms, end_ms)]
        until_ms = self._rollups_until_ms()
        if until_ms is None:
            return [QueryRange(Resolution.RAW, start_ms, end_ms)]
        available = AvailableRanges(
            raw_from_ms=until_ms - RAW_DAYS * DAY_MS,
            minutes_from_ms=until_ms - MINUTE_DAYS * DAY_MS,
            hours_from_ms=0,
            summed=lambda hour_ms: hour_ms < until_ms,
        )
        return plan_ranges(start_ms, end_ms, width, available)

    def _rollups_until_ms(self) -> int | None:
        """Up to when both buckets of rollups are complete; None: raw rows have to do.

        The newest hour may have come in part only.
        """
        newest = []
        for level, client in self._rollups.items():
            name = ROLLUPS[level][0].name
            try:
                found = None
                for span in NEWEST_WITHIN:
                    statement = (
                        f'SELECT "rows" FROM "{name}" WHERE time > now() - {span}'  # noqa: S608
                        " ORDER BY time DESC LIMIT 1"
                    )
                    found = _newest_ms(client, statement)
                    if found is not None:
                        break
            except InfluxError as error:
                if error.status is None:
                    raise
                return None  # no such bucket
            if found is None:
                return None
            newest.append(found // HOUR_MS * HOUR_MS)
        return min(newest)

    def _add_raw_latency(
        self, builders: LatencyBuilders, width: int, tags: Mapping[str, str], part: QueryRange
    ) -> None:
        """Sums by the server; medians row by row, as it has no weighted median."""
        condition = _where(part.start_ms, part.end_ms, tags)
        sums, rows = self._raw.query(
            [
                f'SELECT {_LATENCY_SUMS} FROM "{PING.name}" {condition}'  # noqa: S608 - bound values
                f" GROUP BY time({width}ms), {_TARGET_TAGS} fill(none)",
                f'SELECT "rtt_p50", "received" FROM "{PING.name}" {condition}'  # noqa: S608
                f" GROUP BY {_TARGET_TAGS}",
            ],
            _params(tags),
        )
        medians: dict[tuple[str, int], list[tuple[float, int]]] = {}
        for series in rows:
            target = target_of(series.tags)
            for at_ms, median, received in series.values:
                if median is not None:
                    key = (target, at_ms // width)
                    medians.setdefault(key, []).append((float(median), received))
        for series in sums:
            target = target_of(series.tags)
            buckets = builders.setdefault(target, {})
            for at_ms, sent, received, not_measured, low, p95, high in series.values:
                index = at_ms // width
                buckets.setdefault(index, LatencyBucketBuilder()).add(
                    (sent, received, not_measured),
                    _float(low),
                    _float(p95),
                    _float(high),
                    medians.get((target, index), ()),
                )

    def _add_rollup_latency(
        self, builders: LatencyBuilders, width: int, tags: Mapping[str, str], part: QueryRange
    ) -> None:
        """Sums by the server, those of the histograms too."""
        name = ROLLUPS[part.level][0].name
        source = f'FROM "{name}" {_where(part.start_ms, part.end_ms, tags)}'
        # Rows as they are where each bucket is one of them: a tenth of the time.
        statement = (
            f"{_ROLLUPS_AS_THEY_ARE} {source} GROUP BY {_TARGET_TAGS}"
            if width == part.level
            else f"{_ROLLUP_SUMS} {source} GROUP BY time({width}ms), {_TARGET_TAGS} fill(none)"
        )
        [found] = self._rollups[part.level].query([statement], _params(tags))
        for series in found:
            buckets = builders.setdefault(target_of(series.tags), {})
            histogram_columns = _histogram_columns(series)
            column = {name: number for number, name in enumerate(series.columns)}
            for row in series.values:
                counts = (row[column["s"]], row[column["r"]], row[column["n"]])
                histogram = from_counts(
                    {
                        bucket: int(row[number])
                        for number, bucket in histogram_columns
                        if row[number] is not None
                    }
                )
                low, high = _float(row[column["low"]]), _float(row[column["high"]])
                builder = buckets.setdefault(row[0] // width, LatencyBucketBuilder())
                builder.add_rollup(counts, low, high, histogram)

    def _add_raw_throughput(
        self,
        builders: dict[int, ThroughputBucketBuilder],
        width: int,
        tags: Mapping[str, str],
        part: QueryRange,
    ) -> None:
        condition = _where(part.start_ms, part.end_ms, tags)
        [found] = self._raw.query(
            [f'SELECT {_RATES} FROM "{INTERFACE.name}" {condition}'],  # noqa: S608
            _params(tags),
        )
        for series in found:
            for at_ms, *rates in series.values:
                in_bps, out_bps, *faults = map(_float, rates)
                builder = builders.setdefault(at_ms // width, ThroughputBucketBuilder())
                builder.add(in_bps, out_bps, faults)

    def _add_rollup_throughput(
        self,
        builders: dict[int, ThroughputBucketBuilder],
        width: int,
        tags: Mapping[str, str],
        part: QueryRange,
    ) -> None:
        """Sums and maxima by the server."""
        name = ROLLUPS[part.level][1].name
        [found] = self._rollups[part.level].query(
            [
                'SELECT sum("in_sum"), max("in_max"), sum("in_count"), sum("out_sum"),'  # noqa: S608
                f' max("out_max"), sum("out_count"), {_FAULT_MAXIMA} FROM "{name}"'
                f" {_where(part.start_ms, part.end_ms, tags)} GROUP BY time({width}ms) fill(none)"
            ],
            _params(tags),
        )
        for series in found:
            for row in series.values:
                at_ms, in_sum, in_max, in_count, out_sum, out_max, out_count, *maxima = row
                faults = [_float(rate) for rate in maxima]
                if not in_count and not out_count and all(rate is None for rate in faults):
                    continue
                builder = builders.setdefault(at_ms // width, ThroughputBucketBuilder())
                builder.add_faults(faults)
                if in_count:
                    builder.into.append((float(in_sum), float(in_max), in_count))
                if out_count:
                    builder.out.append((float(out_sum), float(out_max), out_count))

    def _add_totals(self, found: dict[str, Totals], part: QueryRange) -> None:
        """Half of the columns each on a connection of its own: 1.6 uses one core a query."""
        with ThreadPoolExecutor(2) as pool:
            counts_query = pool.submit(self._sums, 'count("rows")', _COUNTS, part)
            states_query = pool.submit(self._sums, "", _STATE_SECONDS, part)
            counts, states = counts_query.result(), states_query.result()
        for target, (hours, *sums) in counts.items():
            in_states = states.get(target, [None] * len(_STATE_SECONDS))
            values: list[Any] = [hours * HOUR_MS / 1000, *sums, *in_states]
            before = found.get(target)
            if before is not None:
                earlier = (
                    *(before.seconds, before.sent, before.received, before.not_measured),
                    *(before.down_s, before.unreachable_s, before.unknown_s, before.maintenance_s),
                )
                values = [add_known(one, other) for one, other in zip(earlier, values, strict=True)]
            found[target] = Totals(*values[:4], *map(_float, values[4:]))

    def _sums(self, first: str, names: tuple[str, ...], part: QueryRange) -> dict[str, list[Any]]:
        """Each target's sums of these columns of hours, after the expression `first` if any."""
        columns = ", ".join([*filter(None, [first]), *(f'sum("{name}")' for name in names)])
        [found] = self._rollups[Resolution.HOUR].query(
            [
                f'SELECT {columns} FROM "{ROLLUPS[Resolution.HOUR][0].name}"'  # noqa: S608
                f" {_where(part.start_ms, part.end_ms, {})} GROUP BY {_TARGET_TAGS}"
            ],
            {},
        )
        return {target_of(series.tags): list(series.values[0][1:]) for series in found}


def split_query(part: QueryRange, width: int, run: Callable[[QueryRange], None]) -> None:
    """Query a range; where it is too long for the server, its halves, split between buckets."""
    try:
        run(part)
    except InfluxError as error:
        grid = max(width, HOUR_MS)
        middle = (part.start_ms + part.end_ms) // 2 // grid * grid
        if FILE_LIMIT not in str(error) or not part.start_ms < middle < part.end_ms:
            raise
        split_query(QueryRange(part.level, part.start_ms, middle), width, run)
        split_query(QueryRange(part.level, middle, part.end_ms), width, run)


def _where(start_ms: int, end_ms: int, tags: Mapping[str, str]) -> str:
    """A condition on the time and on tags, whose values are bound (`_params`)."""
    conditions = [f"time >= {start_ms}ms", f"time < {end_ms}ms"]
    conditions += [f'"{name}" = ${name}' for name in tags]
    return f"WHERE {' AND '.join(conditions)}"


def _params(tags: Mapping[str, str]) -> dict[str, str]:
    """The values of the tags as they are stored."""
    return {name: tag_value(text) for name, text in tags.items()}


def _float(value: float | None) -> float | None:
    """JSON writes 2.0 as 2."""
    return None if value is None else float(value)


def _newest_ms(client: InfluxClient, statement: str) -> int | None:
    [found] = client.query([statement], {})
    return max((int(row[0]) for series in found for row in series.values), default=None)


def _histogram_columns(series: Series) -> list[tuple[int, int]]:
    """(number of the column, bucket of the histogram) of each histogram column."""
    return [
        (number, int(match[1]))
        for number, column in enumerate(series.columns)
        if (match := _HISTOGRAM_COLUMN.fullmatch(column))
    ]


def _interface_sample(device: str, series: Series) -> InterfaceSample:
    at_ms, *values, site, link = series.values[0]
    measured: dict[str, Any] = {
        field.attribute: value if field.kind is FieldKind.COUNT else _float(value)
        for field, value in zip(INTERFACE.fields, values, strict=True)
    }
    return InterfaceSample(
        at_s=seconds(at_ms),
        device=device,
        ifname=series.tags["ifname"],
        site=site,
        link=link_name(site, link),
        **measured,
    )
