"""Samples from InfluxDB by InfluxQL, the one language that 1.x, 2.x and 3.x all answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from monitor.adapters.influx.client import InfluxClient
from monitor.adapters.influx.conditions import as_float, bound, in_parts, where
from monitor.adapters.influx.query import Series, ask
from monitor.adapters.influx.rollups import Rollups
from monitor.core.samples.buckets import LatencyBucketBuilder, ThroughputBucketBuilder
from monitor.core.samples.resolution import QueryRange, Resolution
from monitor.core.samples.samples import InterfaceSample, LatencyBucket, ThroughputBucket, Totals
from monitor.core.samples.schema import (
    INTERFACE,
    MEASUREMENTS,
    PING,
    FieldKind,
    link_name,
    seconds,
    stamp_ms,
    target_of,
    target_tags,
    width_ms,
)
from monitor.settings.model import InfluxSettings

LATEST_MS = 15 * 60 * 1000

_SUMMED = (
    'sum("sent"), sum("received"), sum("not_measured"),'
    ' min("rtt_min"), max("rtt_p95"), max("rtt_max")'
)
_RATES = '"in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards"'
_WHO = '"site", "link", "node"'


class InfluxReader:
    """`SampleSource` on a server; may be used from any thread. Raises InfluxError.

    secret: the text of the secret that `settings.token` names (see Connection).
    """

    def __init__(self, settings: InfluxSettings, secret: str | None) -> None:
        self._connection = InfluxClient(settings, secret)
        self._rollups = Rollups(settings, secret)

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self._latency(start_s, end_s, width_s, target_tags(target)).get(target, [])

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        return self._latency(start_s, end_s, width_s, {})

    def totals(self, start_s: float, end_s: float) -> dict[str, Totals]:
        """Every target over the whole hours of [start, end) that were shipped."""
        return self._rollups.totals(stamp_ms(start_s), stamp_ms(end_s))

    def _latency(
        self, start_s: float, end_s: float, width_s: float, tags: Mapping[str, str]
    ) -> dict[str, list[LatencyBucket]]:
        width = width_ms(width_s)
        gathered: dict[str, dict[int, LatencyBucketBuilder]] = {}
        for piece in self._rollups.plan(stamp_ms(start_s), stamp_ms(end_s), width):
            add = self._raw_latency if piece.level is Resolution.RAW else self._rollups.add_latency
            in_parts(piece, width, partial(add, gathered, width, tags))
        return {
            target: [buckets[index].bucket(index * width, width) for index in sorted(buckets)]
            for target, buckets in sorted(gathered.items())
        }

    def _raw_latency(
        self,
        gathered: dict[str, dict[int, LatencyBucketBuilder]],
        width: int,
        tags: Mapping[str, str],
        piece: QueryRange,
    ) -> None:
        """Sums by the server; the medians of the rows as they are: it knows no weighted median."""
        condition = where(piece.start_ms, piece.end_ms, tags)
        sums, rows = ask(
            self._connection,
            [
                f'SELECT {_SUMMED} FROM "{PING.name}" {condition}'  # noqa: S608 - values are bound
                f" GROUP BY time({width}ms), {_WHO} fill(none)",
                f'SELECT "rtt_p50", "received" FROM "{PING.name}" {condition} GROUP BY {_WHO}',  # noqa: S608
            ],
            bound(tags),
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
            buckets = gathered.setdefault(target, {})
            for at_ms, sent, received, not_measured, low, p95, high in series.values:
                index = at_ms // width
                counts = (sent, received, not_measured)
                replies = medians.get((target, index), ())
                bucket = buckets.setdefault(index, LatencyBucketBuilder())
                bucket.add(counts, as_float(low), as_float(p95), as_float(high), replies)

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        width = width_ms(width_s)
        tags = {"device": device, "ifname": ifname}
        gathered: dict[int, ThroughputBucketBuilder] = {}
        for piece in self._rollups.plan(stamp_ms(start_s), stamp_ms(end_s), width):
            raw = piece.level is Resolution.RAW
            add = self._raw_throughput if raw else self._rollups.add_throughput
            in_parts(piece, width, partial(add, gathered, width, tags))
        return [gathered[index].bucket(index * width, width) for index in sorted(gathered)]

    def _raw_throughput(
        self,
        gathered: dict[int, ThroughputBucketBuilder],
        width: int,
        tags: Mapping[str, str],
        piece: QueryRange,
    ) -> None:
        condition = where(piece.start_ms, piece.end_ms, tags)
        [found] = ask(
            self._connection,
            [f'SELECT {_RATES} FROM "{INTERFACE.name}" {condition}'],  # noqa: S608
            bound(tags),
        )
        for series in found:
            for at_ms, *rates in series.values:
                in_bps, out_bps, *faults = map(as_float, rates)
                gathered.setdefault(at_ms // width, ThroughputBucketBuilder()).add(
                    in_bps, out_bps, faults
                )

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        newest_s = self.newest_s()
        if newest_s is None:
            return []
        newest_ms = stamp_ms(newest_s)
        tags = {"device": device}
        columns = ", ".join(f'"{field.name}"' for field in INTERFACE.fields)
        condition = where(newest_ms - LATEST_MS, newest_ms + 1, tags)
        [found] = ask(
            self._connection,
            [
                f'SELECT {columns}, "site", "link" FROM "{INTERFACE.name}" {condition}'  # noqa: S608
                f' GROUP BY "ifname" ORDER BY time DESC LIMIT 1'
            ],
            bound(tags),
        )
        samples = [_interface(device, series) for series in found]
        return sorted(samples, key=lambda sample: sample.ifname)

    def newest_s(self) -> float | None:
        # The last hour first: without a bound the server looks into every shard that it has.
        for recent in ("WHERE time > now() - 1h", ""):
            names = ", ".join(f'"{measurement.name}"' for measurement in MEASUREMENTS)
            statement = f"SELECT * FROM {names} {recent} ORDER BY time DESC LIMIT 1"  # noqa: S608
            [found] = ask(self._connection, [statement], {})
            times = [row[0] for series in found for row in series.values]
            if times:
                return seconds(max(times))
        return None

    def close(self) -> None:
        self._connection.close()
        self._rollups.close()


def _interface(device: str, series: Series) -> InterfaceSample:
    at_ms, *values, site, link = series.values[0]
    measured: dict[str, Any] = {
        field.attribute: value if field.kind is FieldKind.COUNT else as_float(value)
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
