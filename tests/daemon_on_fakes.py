"""Pipeline, scheduler, period recorder and status of the daemon on fakes with one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.adapters.scheduler import Scheduler
from monitor.adapters.system.process_figures import ProcessFigures
from monitor.core.detection.detector import Detector
from monitor.core.job import Job
from monitor.core.model import Network
from monitor.core.samples.samples import MonitorSample, PingSample, Sample
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.snmp_polling import SnmpPolling
from monitor.status.status import Status
from monitor.storage.period_recorder import PeriodRecorder
from monitor.storage.self_metrics import SelfMetrics
from monitor.storage.shipper_group import ShipperGroup
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.poller import FakePoller
from tests.fakes.prober import CannotSend, FakeProber

LINK = "anjatan/utama"
NET = network({LINK: (), "bongas/utama": ()}, anchors=1)


class CountingJournal(MemoryJournal):
    """A journal that records the number of ping rows of each append."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[int] = []

    def append(self, samples: Sequence[Sample]) -> None:
        pings = sum(isinstance(sample, PingSample) for sample in samples)
        if pings:
            self.parts.append(pings)
        super().append(samples)


class DaemonOnFakes:
    """Everything except sockets. `process` and `synchronised` are the state of the machine."""

    def __init__(self, net: Network = NET, convoy: ShipperGroup | None = None) -> None:
        self.clock = ManualClock()
        self.journal = CountingJournal()
        self.process = ProcessFigures(rss_bytes=80_000_000, open_fds=30, max_fds=1024)
        self.synchronised: bool | None = True
        self.outbox_age_s: float | None = None
        self.prober = FakeProber(self.clock)
        self.ledger = MemoryLedger()
        self.pipeline = Pipeline(
            net, Detector(net), self.clock, self.ledger, self.journal, retry_s=0.01
        )
        self.schedule = Scheduler(self.clock)
        self.period_recorder = PeriodRecorder(self.pipeline, self.clock)
        self.self_metrics = SelfMetrics(
            self.pipeline,
            self.schedule,
            self.clock,
            self.prober,
            convoy,
            lambda: self.process,
            lambda: self.synchronised,
            lambda: self.outbox_age_s,
        )
        self.polling = SnmpPolling(FakePoller(self.clock), self.pipeline, self.clock)
        self.status = Status(
            self.pipeline, self.schedule, self.self_metrics, convoy, self.polling, self.clock
        )
        self.jobs: dict[str, Job] = {
            job.name: job for job in [*self.period_recorder.jobs(net), *self.self_metrics.jobs()]
        }

    def set_descriptors(self, open_fds: int, max_fds: int) -> None:
        self.process = replace(self.process, open_fds=open_fds, max_fds=max_fds)

    async def cannot_measure(self, reason: str, count: int = 1) -> None:
        """`count` requests to one link cannot be sent."""
        await self.prober.open(self.pipeline.take)
        self.prober.watch(NET.targets())
        self.prober.behave(LINK, CannotSend(reason))
        await self.prober.round([LINK] * count, 0.0)
        self.clock.advance(0.001)

    async def measure_self(self) -> MonitorSample:
        """Run the job of the monitor's own metrics."""
        await self.jobs["own figures"].run()
        assert self.self_metrics.latest is not None
        return self.self_metrics.latest

    async def record(self) -> None:
        await self.jobs["record every 10 s"].run()

    async def rows(self) -> list[PingSample]:
        """The stored ping rows; ends the pipeline."""
        self.pipeline.close()
        every = self.journal.read_after(None, 10_000).samples
        return [sample for sample in every if isinstance(sample, PingSample)]

    async def warnings(self) -> list[str]:
        self.clock.advance(1.0)
        monitor = (await self.status.document())["monitor"]
        assert isinstance(monitor, dict)
        return [str(warning) for warning in monitor["warnings"]]
