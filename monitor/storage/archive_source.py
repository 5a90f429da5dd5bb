"""Read samples from InfluxDB; from the journal what is recent or what InfluxDB cannot answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from monitor.core.errors import StoreError
from monitor.core.ports import SampleSource
from monitor.core.samples.resolution import RAW_UP_TO_MS
from monitor.core.samples.samples import InterfaceSample, LatencyBucket, ThroughputBucket

log = logging.getLogger(__name__)

RECENT_S = RAW_UP_TO_MS / 1000

Result = TypeVar("Result")


class ArchiveSource:
    """`SampleSource`: ranges come from the archive, short ones that the journal holds from there.

    What was measured a second ago is in the journal, not yet in the archive. Whatever the archive
    cannot answer (it is away, or has lost its bucket) the journal answers as far as it can.
    journal_from_s: when the journal's raw rows begin, None: it has none.
    """

    def __init__(
        self,
        archive: SampleSource,
        journal: SampleSource,
        journal_from_s: Callable[[], float | None],
    ) -> None:
        self._archive = archive
        self._journal = journal
        self._journal_from_s = journal_from_s
        self._lock = threading.Lock()
        self._error: str | None = None

    def latency(
        self, target: str, start_s: float, end_s: float, width_s: float
    ) -> list[LatencyBucket]:
        return self._answer(
            lambda source: source.latency(target, start_s, end_s, width_s), start_s, end_s
        )

    def latency_all(
        self, start_s: float, end_s: float, width_s: float
    ) -> dict[str, list[LatencyBucket]]:
        return self._answer(
            lambda source: source.latency_all(start_s, end_s, width_s), start_s, end_s
        )

    def throughput(
        self, device: str, ifname: str, start_s: float, end_s: float, width_s: float
    ) -> list[ThroughputBucket]:
        return self._answer(
            lambda source: source.throughput(device, ifname, start_s, end_s, width_s),
            start_s,
            end_s,
        )

    def latest_interfaces(self, device: str) -> list[InterfaceSample]:
        found = self._journal.latest_interfaces(device)
        return found or self._from_archive(lambda source: source.latest_interfaces(device))

    def newest_s(self) -> float | None:
        found = self._journal.newest_s()
        return found if found is not None else self._from_archive(lambda source: source.newest_s())

    def _answer(
        self, ask: Callable[[SampleSource], Result], start_s: float, end_s: float
    ) -> Result:
        from_s = self._journal_from_s()
        if from_s is not None and from_s <= start_s and end_s - start_s <= RECENT_S:
            return ask(self._journal)
        return self._from_archive(ask)

    def _from_archive(self, ask: Callable[[SampleSource], Result]) -> Result:
        try:
            answer = ask(self._archive)
        except StoreError as error:
            self._note(str(error))
            return ask(self._journal)
        self._note(None)
        return answer

    def _note(self, error: str | None) -> None:
        """Log when the archive begins and ends to fail."""
        with self._lock:
            before, self._error = self._error, error
        if error is not None and before is None:
            log.warning("%s; the journal answers instead, as far back as it reaches", error)
        elif error is None and before is not None:
            log.info("InfluxDB answers again")
