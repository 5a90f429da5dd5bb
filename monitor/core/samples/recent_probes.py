"""The last 60 s of each target, for people: median RTT and loss.

Of 10,000 targets these are a million numbers: they are kept as numbers, not as objects.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

from monitor.core.model import Lost, Outcome, Reply
from monitor.core.samples.ping_aggregator import median

RECENT_S = 60.0
LOST_MS = -1.0
"""What stands for the RTT of a lost request."""

CLEANED_EVERY = 32
"""Requests after which what is too old is thrown away."""


class RecentFigures(NamedTuple):
    """rtt_ms: the median, None without a reply. loss_pct: None without a request."""

    rtt_ms: float | None
    loss_pct: float | None


class _Kept:
    """Requests in the order in which their outcome became known."""

    __slots__ = ("rtts_ms", "sent_s")

    def __init__(self) -> None:
        self.sent_s = array("d")
        self.rtts_ms = array("d")


class RecentProbes:
    """Takes every outcome, and says what the last 60 s were like."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Keep replies and losses; what was not measured is neither."""
        for outcome in outcomes:
            kept = self._kept.get(outcome[0])
            if kept is None:
                kept = self._kept[outcome[0]] = _Kept()
            sent_s = kept.sent_s
            if isinstance(outcome, Reply):
                kept.rtts_ms.append(outcome[3])
            elif isinstance(outcome, Lost):
                kept.rtts_ms.append(LOST_MS)
            else:
                continue
            sent_s.append(outcome[1])
            if not len(sent_s) % CLEANED_EVERY:
                _clean(kept, outcome[1] - RECENT_S)

    def of(self, target: str, now_s: float) -> RecentFigures:
        """The requests of one target that were sent in the last 60 s."""
        kept = self._kept.get(target)
        if kept is None:
            return RecentFigures(None, None)
        oldest_s = now_s - RECENT_S
        pairs = zip(kept.sent_s, kept.rtts_ms, strict=True)
        young = [rtt_ms for sent_s, rtt_ms in pairs if sent_s > oldest_s]
        if not young:
            return RecentFigures(None, None)
        rtts_ms = sorted(rtt_ms for rtt_ms in young if rtt_ms >= 0.0)
        loss_pct = 100.0 * (len(young) - len(rtts_ms)) / len(young)
        return RecentFigures(median(rtts_ms) if rtts_ms else None, loss_pct)

    def forget(self, keep: Iterable[str]) -> None:
        """Drop every target that is not in `keep`."""
        wanted = set(keep)
        for name in self._kept.keys() - wanted:
            del self._kept[name]


def _clean(kept: _Kept, oldest_s: float) -> None:
    """Throw away what is too old, up to the first that is not."""
    old = 0
    for sent_s in kept.sent_s:
        if sent_s > oldest_s:
            break
        old += 1
    del kept.sent_s[:old], kept.rtts_ms[:old]
