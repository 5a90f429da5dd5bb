"""Samples from InfluxDB by InfluxQL, the one language that 1.x, 2.x and 3.x all answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.adapters.influx.connection import Connection
from monitor.adapters.influx.query import Series, ask
from monitor.core.buckets import Latency, Throughput
from monitor.core.samples import InterfaceSample, LatencyBucket, ThroughputBucket
from monitor.core.schema import (
    INTERFACE,
    MEASUREMENTS,
    PING,
    Kind,
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

_SUMMED = (
    'sum("sent"), sum("received"), sum("not_measured"),'
    ' min("rtt_min"), max("rtt_p95"), max("rtt_max")'
)
_WHO = '"site", "link", "node"'


class InfluxSource:
    """`SampleSource` on a server; may be used from any thread. Raises InfluxError.

    secret: the text of the secret that `settings.token` names (see Connection).
    """

    def __init__(self, settings: InfluxSettings, secret: str | None) -> None:
        self._connection = Connection(settings, secret)

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self._latency(start_s, end_s, width_s, target_tags(target)).get(target, [])

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        return self._latency(start_s, end_s, width_s, {})

    def _latency(
        self, start_s: float, end_s: float, width_s: float, tags: Mapping[str, str]
    ) -> dict[str, list[LatencyBucket]]:
        """Sums by the server; the medians of the rows as they are: it knows no weighted median."""
        width = width_ms(width_s)
        where = _where(stamp_ms(start_s), stamp_ms(end_s), tags)
        sums, rows = ask(
            self._connection,
            [
                f'SELECT {_SUMMED} FROM "{PING.name}" {where}'  # noqa: S608 - values are bound
                f" GROUP BY time({width}ms), {_WHO} fill(none)",
                f'SELECT "rtt_p50", "received" FROM "{PING.name}" {where} GROUP BY {_WHO}',  # noqa: S608
            ],
            _bound(tags),
        )
        medians: dict[tuple[str, int], list[tuple[float, int]]] = {}
        for series in rows:
            target = target_of(series.tags)
            for at_ms, median, received in series.values:
                if median is not None:
                    key = (target, at_ms // width)
                    medians.setdefault(key, []).append((float(median), received))
        answer: dict[str, list[LatencyBucket]] = {}
        for series in sums:
            target = target_of(series.tags)
            for at_ms, sent, received, not_measured, low, p95, high in series.values:
                gathered = Latency()
                counts = (sent, received, not_measured)
                replies = medians.get((target, at_ms // width), ())
                gathered.add(counts, _float(low), _float(p95), _float(high), replies)
                answer.setdefault(target, []).append(gathered.bucket(at_ms, width))
        return dict(sorted(answer.items()))

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        width = width_ms(width_s)
        tags = {"device": device, "ifname": ifname}
        where = _where(stamp_ms(start_s), stamp_ms(end_s), tags)
        [found] = ask(
            self._connection,
            [f'SELECT "in_bps", "out_bps" FROM "{INTERFACE.name}" {where}'],  # noqa: S608
            _bound(tags),
        )
        gathered: dict[int, Throughput] = {}
        for series in found:
            for at_ms, in_bps, out_bps in series.values:
                bucket = gathered.setdefault(at_ms // width, Throughput())
                bucket.add(_float(in_bps), _float(out_bps))
        return [gathered[index].bucket(index * width, width) for index in sorted(gathered)]

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        newest_s = self.newest_s()
        if newest_s is None:
            return []
        newest_ms = stamp_ms(newest_s)
        tags = {"device": device}
        columns = ", ".join(f'"{field.name}"' for field in INTERFACE.fields)
        where = _where(newest_ms - LATEST_MS, newest_ms + 1, tags)
        [found] = ask(
            self._connection,
            [
                f'SELECT {columns}, "site", "link" FROM "{INTERFACE.name}" {where}'  # noqa: S608
                f' GROUP BY "ifname" ORDER BY time DESC LIMIT 1'
            ],
            _bound(tags),
        )
        samples = [_interface(device, series) for series in found]
        return sorted(samples, key=lambda sample: sample.ifname)

    def newest_s(self) -> float | None:
        # The last hour first: without a bound the server looks into every shard that it has.
        for bound in ("WHERE time > now() - 1h", ""):
            names = ", ".join(f'"{measurement.name}"' for measurement in MEASUREMENTS)
            statement = f"SELECT * FROM {names} {bound} ORDER BY time DESC LIMIT 1"  # noqa: S608
            [found] = ask(self._connection, [statement], {})
            times = [row[0] for series in found for row in series.values]
            if times:
                return seconds(max(times))
        return None

    def close(self) -> None:
        self._connection.close()


def _interface(device: str, series: Series) -> InterfaceSample:
    at_ms, *values, site, link = series.values[0]
    measured: dict[str, Any] = {
        field.attribute: value if field.kind is Kind.COUNT else _float(value)
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


def _float(value: float | None) -> float | None:
    # JSON writes 2.0 as 2.
    return None if value is None else float(value)


def _where(start_ms: int, end_ms: int, tags: Mapping[str, str]) -> str:
    """A span of time, and tags by the names under which their values are bound."""
    conditions = [f"time >= {start_ms}ms", f"time < {end_ms}ms"]
    conditions += [f'"{name}" = ${name}' for name in tags]
    return f"WHERE {' AND '.join(conditions)}"


def _bound(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: tag_value(text) for name, text in tags.items()}
