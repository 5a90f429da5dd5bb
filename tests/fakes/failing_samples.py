"""A store of samples that can fail, as a locked or broken file does."""

from __future__ import annotations

from monitor.core.errors import StoreError
from monitor.core.samples.samples import InterfaceSample, LatencyBucket, ThroughputBucket
from tests.fakes.samples import MemorySource


class FailingSampleSource(MemorySource):
    """`SampleSource` for tests. Set `trouble` and every query raises it."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: StoreError | None = None
        self.queries = 0

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        self._answer()
        return super().latency_all(start_s, end_s, width_s)

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        self._answer()
        return super().throughput(device, ifname, start_s, end_s, width_s)

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        self._answer()
        return super().latest_interfaces(device)

    def newest_s(self) -> float | None:
        self._answer()
        return super().newest_s()

    def _answer(self) -> None:
        self.queries += 1
        if self.trouble is not None:
            raise self.trouble
