"""Send a span of the journal to InfluxDB once more.

A request comes from a person (`pantau influx resend`: a lost bucket, a restored backup, samples
that were set aside), or from the shipper for a measurement that the server refused as a whole
(`blocked`), once it is accepted again. Requests are saved, so that a restart goes on with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.core.ports import JournalBatch, ResendRequest, ResendStore, SampleLog
from monitor.core.samples.samples import Sample
from monitor.core.samples.schema import measurement_of


class ResendQueue:
    """The requests of one shipper; blocking, called from its thread. Raises StoreError.

    name: of the shipper. The first position that a blocked measurement still needs is saved as
    the cursor `<name>_resend`, which holds old files of the journal back.
    """

    def __init__(self, log: SampleLog, store: ResendStore, name: str) -> None:
        self._log = log
        self._store = store
        self._name = name
        self._requests: tuple[ResendRequest, ...] = ()

    @property
    def blocked(self) -> dict[str, ResendRequest]:
        """The measurements that the server refuses as a whole."""
        return {
            each.measurement: each
            for each in self._requests
            if each.end is None and each.measurement is not None
        }

    def load(self) -> None:
        """Load the requests of the last run."""
        self._requests = self._store.load(self._name)

    def add(self, since_s: float, until_s: float, measurement: str | None) -> ResendRequest:
        """Send what was taken in [since_s, until_s) (UTC); measurement: only this one."""
        position, end = self._log.span(since_s, until_s)
        request = ResendRequest(position, end, measurement, since_s, until_s)
        self._save((*self._requests, request))
        return request

    def block(self, measurement: str, position: str) -> None:
        """From this position on, samples of a measurement are not sent for the time being."""
        if measurement not in self.blocked:
            self._save((*self._requests, ResendRequest(position, None, measurement)))

    def unblock(self, measurement: str, position: str | None) -> None:
        """The server accepts it again: send what it has missed up to now.

        position: up to which everything else was sent. Nothing was missed that lies behind it.
        """
        missed = self.blocked[measurement]
        others = [each for each in self._requests if each is not missed]
        if missed.position == (position or ""):
            self._save(others)
        else:
            self._save([*others, replace(missed, end=self._log.head())])

    def next(self, lines: int) -> tuple[ResendRequest, JournalBatch] | None:
        """The first request that is not finished, and its next rows; None: there is none.

        The rows are those at its position, wanted or not: see `wanted`. Requests that include a
        blocked measurement wait.
        """
        blocked = self.blocked
        for request in self._requests:
            if request.end is None or (
                blocked and (request.measurement is None or request.measurement in blocked)
            ):
                continue
            lines_left = self._left(request)
            if lines_left > 0:
                batch = self._log.read_after(request.position, min(lines, lines_left))
                return request, batch
            self._save([each for each in self._requests if each is not request])
        return None

    def advance(self, request: ResendRequest, batch: JournalBatch) -> None:
        """Move past rows that were sent (or were not wanted)."""
        moved = replace(request, position=batch.cursor)
        self._save([moved if each is request else each for each in self._requests])

    def lag(self) -> int:
        """How many rows of the journal the unfinished requests have still to pass."""
        return sum(self._left(each) for each in self._requests if each.end is not None)

    def _left(self, request: ResendRequest) -> int:
        return max(0, self._log.lag(request.position) - self._log.lag(request.end))

    def _save(self, requests: Sequence[ResendRequest]) -> None:
        self._store.save(self._name, requests)
        self._requests = tuple(requests)
        held = [each.position for each in self._requests if each.since_s is None]
        self._log.save_cursor(f"{self._name}_resend", held[0] if held else None)


def wanted(request: ResendRequest, samples: Sequence[Sample]) -> list[Sample]:
    """The samples of the rows that a request is about."""
    return [
        each
        for each in samples
        if (request.measurement is None or measurement_of(each).name == request.measurement)
        and (request.since_s is None or each.at_s >= request.since_s)
        and (request.until_s is None or each.at_s < request.until_s)
    ]
