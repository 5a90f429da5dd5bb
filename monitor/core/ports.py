"""Interfaces to the outside world: implemented by the adapters, and by fakes in tests.

One contract suite each in tests/contracts checks the adapter and its fake alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.core.model import (
    Decision,
    Device,
    Incident,
    LedgerSnapshot,
    Outcome,
    Target,
    Transition,
)
from monitor.core.samples.samples import (
    InterfaceSample,
    LatencyBucket,
    Sample,
    ThroughputBucket,
)
from monitor.core.samples.snmp_poll import DevicePoll, PollFailed


class Clock(Protocol):
    """Steady time for deadlines and durations, and the UTC that belongs to it."""

    def steady_s(self) -> float:
        """Seconds on the steady timeline (counts through suspend, never steps)."""
        ...

    def utc_s(self, steady_s: float) -> float:
        """The Unix time of a moment on the steady timeline, as far as is known."""
        ...

    def step_s(self) -> float | None:
        """Compare with the wall clock; the size of a step over 2 s since the last call, else None.

        A smaller difference is followed slowly, so that `utc_s` stays monotonic.
        """
        ...


Commit = Callable[[], None]
"""Puts in force what was prepared: it cannot fail and does not await, so that several parts
of the daemon can be exchanged at one moment."""

OutcomeSink = Callable[[Sequence[Outcome]], None]
"""Takes outcomes in the order in which they became known; called on the event loop."""


@dataclass(frozen=True, slots=True)
class ProbeCounters:
    """Totals since the start. unmeasured: `not_measured` by reason. errors: by name.

    trace_requests: sent to trace paths; they are in none of the others.
    """

    sent: int = 0
    received: int = 0
    lost: int = 0
    not_measured: int = 0
    late: int = 0
    duplicate: int = 0
    foreign: int = 0
    spoofed: int = 0
    malformed: int = 0
    stalled_rounds: int = 0
    trace_requests: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    unmeasured: Mapping[str, int] = field(default_factory=dict)


class Prober(Protocol):
    """Sends echo requests and delivers exactly one outcome for each."""

    async def open(self, sink: OutcomeSink) -> None:
        """Get the sockets. Raises ProbeError in one sentence when this machine may not."""
        ...

    def prepare(self, targets: Iterable[Target]) -> Commit:
        """Check a new set of targets. Raises ProbeError and changes nothing.

        After the commit no outcome of a removed target, or of the former address of a target
        that moved, is delivered any more.
        """
        ...

    def watch(self, targets: Iterable[Target]) -> None:
        """`prepare` and commit at once. Raises ProbeError."""
        ...

    async def round(self, names: Sequence[str], over_s: float) -> None:
        """One request to each name, sends paced evenly over `over_s` seconds; returns when sent."""
        ...

    def counters(self) -> ProbeCounters: ...

    async def close(self) -> None: ...


class Poller(Protocol):
    """Reads routers' counters by SNMP."""

    async def prepare(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> Commit:
        """Make ready to poll exactly these devices. Raises SnmpError and changes nothing.

        secrets: the text of each credential by its name (see core.snmp_credentials).
        """
        ...

    async def open(self, devices: Sequence[Device], secrets: Mapping[str, str]) -> None:
        """`prepare` and commit at once. Raises SnmpError."""
        ...

    async def poll(self, device: Device) -> DevicePoll | PollFailed:
        """Never raises for a router's fault; bounded by the device's time-out and retries."""
        ...

    async def close(self) -> None: ...


class LedgerReader(Protocol):
    """Queries of states and incidents. All times UTC. Raises LedgerError."""

    def load_snapshot(self) -> LedgerSnapshot: ...

    def incidents(
        self, *, since_s: float | None = None, include_closed: bool = True, limit: int | None = None
    ) -> list[Incident]:
        """By ascending id; `since_s`: those that were open at or after it."""
        ...

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        """Those whose `at` lies in [start, end), and each target's last one before `start`."""
        ...


class Ledger(LedgerReader, Protocol):
    """The one writer of states and incidents."""

    def record(self, decisions: Sequence[Decision]) -> None:
        """Store decisions (UTC) in one synced transaction.

        Idempotent: what is stored already is skipped. Raises RecordRefused for decisions that can
        never be stored, another LedgerError when it is worth trying again.
        """
        ...

    def record_alive(self, at_s: float) -> None:
        """Note that the daemon is alive at this UTC time; called every 10 s."""
        ...

    def check(self) -> None:
        """See that what is stored is where it was; mend that, or raise LedgerError."""
        ...

    def close(self) -> None: ...


class SampleSource(Protocol):
    """Queries of a store of samples. All times UTC, ranges [start, end).

    Raises StoreError. Buckets are aligned to multiples of their width since the epoch.
    """

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]: ...

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        """The same for every target at once (sparklines)."""
        ...

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]: ...

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        """The newest sample of each port of a device, of the last 15 minutes."""
        ...

    def newest_s(self) -> float | None:
        """The time of the newest sample; None when empty."""
        ...


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """Samples after a cursor, in the order of writing; `cursor` is the place after them."""

    cursor: str
    samples: tuple[Sample, ...]


class SampleLog(Protocol):
    """Samples in the order of writing, for a shipper. Called from a worker thread."""

    def read_after(self, cursor: str | None, limit: int) -> JournalBatch:
        """Up to `limit` samples after `cursor` (None: from the oldest kept); empty when none."""

    def lag(self, cursor: str | None) -> int:
        """How many samples lie after `cursor`."""

    def head(self, back: int = 0) -> str:
        """The place behind the last sample, or up to `back` samples before it."""

    def span(self, since_s: float, until_s: float) -> tuple[str, str]:
        """The places before and behind all samples of [since_s, until_s) that are there (UTC).

        Others may lie between them; what is written later does not.
        """

    def save_cursor(self, name: str, cursor: str | None) -> None:
        """None: there is no such cursor any more."""

    def load_cursor(self, name: str) -> str | None: ...


class Journal(SampleSource, SampleLog, Protocol):
    """All samples, on this machine. Thread-safe: called from a worker thread."""

    def append(self, samples: Sequence[Sample]) -> None:
        """One transaction; the rows are durable when it returns. Raises JournalError."""

    def check(self) -> None:
        """See that what is stored is where it was; mend that, or raise JournalError."""

    def close(self) -> None: ...


class SampleSink(Protocol):
    """Where the shipper sends samples (InfluxDB). Synchronous; called from a worker thread."""

    def write(self, samples: Sequence[Sample]) -> None:
        """All of them are stored when this returns. Raises InfluxError with the status."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class RefusedPoint:
    """One sample that InfluxDB refuses for good. at_s: when it did (UTC).

    cursor: the place behind it in the journal. line: in line protocol. words: of the server,
    without secrets.
    """

    at_s: float
    cursor: str
    status: int | None
    words: str
    line: str


class DeadLetterStore(Protocol):
    """Where refused samples are set aside. Called from a worker thread."""

    def add(self, refused: RefusedPoint) -> None:
        """Durable when it returns; the same place in a row is kept once. Raises StoreError.

        The oldest ones make room when there are too many.
        """

    def count(self, now_s: float) -> int:
        """How many are kept, without those that are too old (UTC). Raises StoreError."""


@dataclass(frozen=True, slots=True)
class ResendRequest:
    """A span of a log that is to be sent again.

    position: how far it is done; end: where it is finished, None: a measurement that the server
    refuses as a whole, to be sent once it is accepted again. measurement: only its samples.
    since_s, until_s: only samples of [since_s, until_s) (UTC), as a person asked for.
    """

    position: str
    end: str | None
    measurement: str | None = None
    since_s: float | None = None
    until_s: float | None = None


class ResendStore(Protocol):
    """Saves the requests of each shipper. Called from a worker thread. Raises StoreError."""

    def load(self, name: str) -> tuple[ResendRequest, ...]: ...

    def save(self, name: str, requests: Sequence[ResendRequest]) -> None:
        """Durable when it returns."""
