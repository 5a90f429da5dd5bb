"""Median RTT and loss of each target over the last 60 s, for the status.

For 10,000 targets these are a million numbers, so they are stored in arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

from monitor.core.model import Lost, Outcome, Reply
from monitor.core.samples.ping_aggregator import median

RECENT_S = 60.0
LOST_MS = -1.0
"""Stored as the RTT of a lost request."""

TRIM_EVERY = 32
"""Requests after which old ones are removed."""


class RecentFigures(NamedTuple):
    """rtt_ms: the median, None without a reply. loss_pct: None without a request."""

    rtt_ms: float | None
    loss_pct: float | None


class _Requests:
    """The requests of one target in the order in which their outcome became known."""

    __slots__ = ("rtts_ms", "sent_s")

    def __init__(self) -> None:
        self.sent_s = array("d")
        self.rtts_ms = array("d")


class RecentProbes:
    """The requests of the last 60 s of every target."""

    def __init__(self) -> None:
        self._requests: dict[str, _Requests] = {}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add replies and losses; NotMeasured is neither."""
        for outcome in outcomes:
            requests = self._requests.get(outcome[0])
            if requests is None:
                requests = self._requests[outcome[0]] = _Requests()
            sent_s = requests.sent_s
            if isinstance(outcome, Reply):
                requests.rtts_ms.append(outcome[3])
            elif isinstance(outcome, Lost):
                requests.rtts_ms.append(LOST_MS)
            else:
                continue
            sent_s.append(outcome[1])
            if not len(sent_s) % TRIM_EVERY:
                _trim(requests, outcome[1] - RECENT_S)

    def of(self, target: str, now_s: float) -> RecentFigures:
        """The requests of one target that were sent in the last 60 s."""
        requests = self._requests.get(target)
        if requests is None:
            return RecentFigures(None, None)
        oldest_s = now_s - RECENT_S
        pairs = zip(requests.sent_s, requests.rtts_ms, strict=True)
        young = [rtt_ms for sent_s, rtt_ms in pairs if sent_s > oldest_s]
        if not young:
            return RecentFigures(None, None)
        rtts_ms = sorted(rtt_ms for rtt_ms in young if rtt_ms >= 0.0)
        loss_pct = 100.0 * (len(young) - len(rtts_ms)) / len(young)
        return RecentFigures(median(rtts_ms) if rtts_ms else None, loss_pct)

    def forget(self, keep: Iterable[str]) -> None:
        """Drop every target that is not in `keep`."""
        wanted = set(keep)
        for name in self._requests.keys() - wanted:
            del self._requests[name]


def _trim(requests: _Requests, oldest_s: float) -> None:
    """Remove old requests, up to the first that is not old."""
    old = 0
    for sent_s in requests.sent_s:
        if sent_s > oldest_s:
            break
        old += 1
    del requests.sent_s[:old], requests.rtts_ms[:old]
