"""Ping rounds and the pipeline on fakes: prober, stores and one manual clock."""

from __future__ import annotations

from collections import Counter

from monitor.core.alerting.notifier import Notifier
from monitor.core.detection.detector import Detector
from monitor.core.job import Job
from monitor.core.model import Network
from monitor.pipeline.pipeline import Pipeline
from monitor.probing.ping_rounds import PingRounds
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.journal import MemoryJournal
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prober import FakeProber
from tests.job_driver import run_jobs

LINK, OTHER = "anjatan/utama", "bongas/utama"
NET = network({LINK: ("pop",), OTHER: ("pop",)}, {"pop": ()}, anchors=1)


class ProbingRig:
    """`watch(s)` runs the rounds for so long; `probed()` counts requests since the last call."""

    def __init__(self, net: Network = NET, notifier: Notifier | None = None) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.journal = MemoryJournal()
        self.prober = FakeProber(self.clock)
        self.pipeline = Pipeline(
            net,
            Detector(net),
            self.clock,
            self.ledger,
            self.journal,
            retry_s=0.01,
            notifier=notifier,
        )
        self.progress = self.pipeline.progress
        self.rounds = PingRounds(self.prober, self.pipeline, self.clock)
        self.configure(net)

    def configure(self, net: Network) -> None:
        self.rounds.prepare(net)()
        self.pipeline.reconfigure(net)
        self.jobs: list[Job] = self.rounds.jobs()

    async def watch(self, for_s: float) -> None:
        await self.prober.open(self.pipeline.take)
        await run_jobs(self.jobs, self.clock, for_s)

    def probed(self) -> Counter[str]:
        counts = Counter(name for names, _ in self.prober.rounds for name in names)
        self.prober.rounds.clear()
        return counts
