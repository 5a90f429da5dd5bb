"""A store of samples in memory, which computes every answer in the simplest way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from monitor.core.samples.samples import (
    InterfaceSample,
    LatencyBucket,
    PingSample,
    Sample,
    ThroughputBucket,
)

LATEST_S = 900.0


class MemorySource:
    """`SampleSource` for tests, over samples that it is given."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []

    def add(self, samples: Iterable[Sample]) -> None:
        """Add them; times to the millisecond, RTTs to the microsecond, as every store does."""
        self._samples += [rounded(sample) for sample in samples]

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self.latency_all(start_s, end_s, width_s).get(target, [])

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        found: dict[str, dict[int, list[PingSample]]] = defaultdict(lambda: defaultdict(list))
        for row in self._samples:
            if isinstance(row, PingSample) and start_s <= row.at_s < end_s:
                found[row.target][_bucket(row.at_s, width_s)].append(row)
        return {
            target: [
                _latency(index * width_s, width_s, buckets[index]) for index in sorted(buckets)
            ]
            for target, buckets in found.items()
        }

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        found: dict[int, list[InterfaceSample]] = defaultdict(list)
        for row in self._samples:
            if (
                isinstance(row, InterfaceSample)
                and (row.device, row.ifname) == (device, ifname)
                and start_s <= row.at_s < end_s
                and any(rate is not None for rate in _rates(row))
            ):
                found[_bucket(row.at_s, width_s)].append(row)
        return [_throughput(index * width_s, width_s, found[index]) for index in sorted(found)]

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        newest_s = self.newest_s() or 0.0
        newest: dict[str, InterfaceSample] = {}
        for row in sorted(self._samples, key=lambda sample: sample.at_s):
            if (
                isinstance(row, InterfaceSample)
                and row.device == device
                and row.at_s >= newest_s - LATEST_S
            ):
                full = row.link if row.link is None or "/" in row.link else f"{row.site}/{row.link}"
                newest[row.ifname] = replace(row, link=full)
        return [newest[name] for name in sorted(newest)]

    def newest_s(self) -> float | None:
        return max((sample.at_s for sample in self._samples), default=None)


def rounded(sample: Sample) -> Sample:
    """The sample as any store gives it back."""
    sample = replace(sample, at_s=round(sample.at_s, 3))
    if not isinstance(sample, PingSample):
        return sample
    return replace(
        sample,
        rtt_min=_micros(sample.rtt_min),
        rtt_avg=_micros(sample.rtt_avg),
        rtt_p50=_micros(sample.rtt_p50),
        rtt_p95=_micros(sample.rtt_p95),
        rtt_max=_micros(sample.rtt_max),
        jitter=_micros(sample.jitter),
    )


def _micros(rtt: float | None) -> float | None:
    return None if rtt is None else round(rtt, 3)


def _bucket(at_s: float, width_s: float) -> int:
    return round(at_s * 1000) // round(width_s * 1000)


def _latency(start_s: float, width_s: float, rows: list[PingSample]) -> LatencyBucket:
    replies = sorted(row.rtt_p50 for row in rows for _ in range(row.received) if row.rtt_p50)
    return LatencyBucket(
        start_s=start_s,
        width_s=width_s,
        sent=sum(row.sent for row in rows),
        received=sum(row.received for row in rows),
        not_measured=sum(row.not_measured for row in rows),
        rtt_low=min((row.rtt_min for row in rows if row.rtt_min is not None), default=None),
        rtt_mid=replies[(len(replies) - 1) // 2] if replies else None,
        rtt_p95=max((row.rtt_p95 for row in rows if row.rtt_p95 is not None), default=None),
        rtt_high=max((row.rtt_max for row in rows if row.rtt_max is not None), default=None),
    )


def _rates(row: InterfaceSample) -> tuple[float | None, ...]:
    faults = (row.in_errors, row.out_errors, row.in_discards, row.out_discards)
    return (row.in_bps, row.out_bps, *faults)


def _worst(rates: Iterable[float | None]) -> float | None:
    return max((rate for rate in rates if rate is not None), default=None)


def _throughput(start_s: float, width_s: float, rows: list[InterfaceSample]) -> ThroughputBucket:
    into = [row.in_bps for row in rows if row.in_bps is not None]
    out = [row.out_bps for row in rows if row.out_bps is not None]
    return ThroughputBucket(
        start_s=start_s,
        width_s=width_s,
        in_bps=sum(into) / len(into) if into else None,
        out_bps=sum(out) / len(out) if out else None,
        in_bps_max=max(into, default=None),
        out_bps_max=max(out, default=None),
        in_errors_max=_worst(row.in_errors for row in rows),
        out_errors_max=_worst(row.out_errors for row in rows),
        in_discards_max=_worst(row.in_discards for row in rows),
        out_discards_max=_worst(row.out_discards for row in rows),
    )
