"""The dashboard's queries on fake stores, for one synthetic history."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from dashboard.reads.questions import Reads
from tests.dashboard.router_documents import router_document_of
from tests.dashboard.synthetic_history import (
    HOUR_S,
    SyntheticHistory,
    quiet,
    shipped_network,
    trouble,
)
from tests.fakes.failing_samples import FailingSampleSource
from tests.fakes.ledger import MemoryLedger
from tests.fakes.state_source import FakeStateSource

NOW_S = 1_795_505_267.0
"""2026-11-24T07:27:47Z, 14.27 WIB."""


@dataclass
class ReadsOnFakes:
    """Queries on fakes that contain a history. The clocks are moved by `wait`."""

    history: SyntheticHistory
    state: FakeStateSource
    ledger: MemoryLedger
    samples: FailingSampleSource
    reads: Reads
    now_s: float = NOW_S
    clocks: dict[str, float] = field(default_factory=dict)

    @staticmethod
    def of(history: SyntheticHistory, samples_of_s: float = 0.0) -> ReadsOnFakes:
        """samples_of_s: age of the oldest minute row; none by default."""
        ledger = MemoryLedger()
        ledger.record(history.decisions())
        samples = FailingSampleSource()
        if samples_of_s:
            samples.add(history.pings(samples_of_s, 60.0))
            samples.add(history.ports(samples_of_s, 60.0))
        state = FakeStateSource(history.document())
        clocks = {"now": history.now_s}
        reads = Reads(
            history.network,
            state,
            ledger,
            samples,
            now=lambda: clocks["now"],
            steady=lambda: clocks["now"],
            zone=ZoneInfo("Asia/Jakarta"),
            router=lambda name: router_document_of(history, name),
        )
        return ReadsOnFakes(history, state, ledger, samples, reads, history.now_s, clocks)

    def wait(self, seconds: float) -> None:
        """Advance every clock."""
        self.clocks["now"] += seconds


def trouble_reads(samples_of_s: float = 0.0) -> ReadsOnFakes:
    """With one of each problem."""
    return ReadsOnFakes.of(trouble(shipped_network(), NOW_S), samples_of_s)


def quiet_reads(samples_of_s: float = HOUR_S) -> ReadsOnFakes:
    """Without problems."""
    return ReadsOnFakes.of(quiet(shipped_network(), NOW_S), samples_of_s)
