"""Outcomes → rows: one PingSample a target for each `record_s`, and the last 60 s for people.

A request counts in the period in which its outcome became known: a finished period is final, and
a crash loses at most one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from monitor.core.model import Lost, Network, NotMeasured, Outcome, Reply, State
from monitor.core.requests import Requests
from monitor.core.samples import STATE_CODES, PingSample, Sample

RECENT_S = 60.0


@dataclass(frozen=True, slots=True)
class Tags:
    """Who a row is about: the tags of the measurement `ping`."""

    target: str
    site: str | None = None
    link: str | None = None
    node: str | None = None
    kind: str | None = None
    provider: str | None = None


def tags_of(network: Network) -> dict[str, Tags]:
    """The tags of every target that is probed; an anchor is stored as a node."""
    tags = {anchor.name: Tags(anchor.name, node=anchor.name) for anchor in network.anchors}
    tags |= {node.id: Tags(node.id, node=node.id) for node in network.nodes}
    for link in network.links():
        tags[link.name] = Tags(
            link.name, link.site, link.id, kind=link.kind, provider=link.provider
        )
    return tags


def percentile(ordered: list[float], share: float) -> float:
    """Nearest-rank percentile of a sorted, non-empty list (share 0 to 1)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def median(ordered: list[float]) -> float:
    """Median of a sorted, non-empty list."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


class Recorder:
    """Collects outcomes until a period is over, then says them as rows."""

    def __init__(self, tags: Mapping[str, Tags]) -> None:
        self._tags = dict(tags)
        self._periods: dict[str, list[Outcome]] = {}

    def reconfigure(self, tags: Mapping[str, Tags]) -> None:
        """Other targets from now on; what was collected for the others is kept for its row."""
        self._tags |= tags

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count outcomes in the present period."""
        periods = self._periods
        for outcome in outcomes:
            period = periods.get(outcome[0])
            if period is None:
                periods[outcome[0]] = [outcome]
            else:
                period.append(outcome)

    def finish(
        self,
        at_s: float,
        state_of: Callable[[str], State],
        names: Iterable[str],
        shift_s: float = 0.0,
    ) -> list[PingSample]:
        """Close the period of these targets at `at_s` (UTC); one without an outcome has no row.

        shift_s: what turns the outcomes' steady times into UTC.
        """
        rows: list[PingSample] = []
        for name in names:
            period = self._periods.pop(name, None)
            if period is not None and name in self._tags:
                state = STATE_CODES[state_of(name)]
                rows.append(_row(self._tags[name], period, at_s, state, shift_s))
        return rows

    def names(self) -> tuple[str, ...]:
        """Targets that have something in the present period."""
        return tuple(self._periods)


def _row(tags: Tags, period: list[Outcome], at_s: float, state: int, shift_s: float) -> PingSample:
    rtts = [outcome.rtt_ms for outcome in period if isinstance(outcome, Reply)]
    not_measured = sum(isinstance(outcome, NotMeasured) for outcome in period)
    steps = [abs(b - a) for a, b in pairwise(rtts)]
    ordered = sorted(rtts)
    some = bool(ordered)
    return PingSample(
        at_s=at_s,
        target=tags.target,
        site=tags.site,
        link=tags.link,
        node=tags.node,
        kind=tags.kind,
        provider=tags.provider,
        sent=len(period) - not_measured,
        received=len(rtts),
        not_measured=not_measured,
        state=state,
        rtt_min=ordered[0] if some else None,
        rtt_avg=sum(ordered) / len(ordered) if some else None,
        rtt_p50=median(ordered) if some else None,
        rtt_p95=percentile(ordered, 0.95) if some else None,
        rtt_max=ordered[-1] if some else None,
        jitter=sum(steps) / len(steps) if steps else None,
        requests=Requests(at_s, shift_s, period),
    )


class Recent:
    """The last 60 s of each target, for the page: median RTT and loss."""

    def __init__(self) -> None:
        self._outcomes: dict[str, deque[tuple[float, float | None]]] = {}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Keep replies and losses; what was not measured is neither."""
        for outcome in outcomes:
            kept = self._outcomes.get(outcome.target)
            if kept is None:
                kept = self._outcomes[outcome.target] = deque()
            if isinstance(outcome, Reply):
                kept.append((outcome.sent_s, outcome.rtt_ms))
            elif isinstance(outcome, Lost):
                kept.append((outcome.sent_s, None))
            oldest_s = outcome.sent_s - RECENT_S
            while kept and kept[0][0] <= oldest_s:
                kept.popleft()

    def rtt_ms(self, target: str, now_s: float) -> float | None:
        """Median RTT of the last 60 s; None without a reply."""
        rtts = sorted(rtt for _, rtt in self._kept(target, now_s) if rtt is not None)
        return median(rtts) if rtts else None

    def loss_pct(self, target: str, now_s: float) -> float | None:
        """Share of lost requests of the last 60 s, in percent; None without a request."""
        kept = self._kept(target, now_s)
        if not kept:
            return None
        return 100.0 * sum(rtt is None for _, rtt in kept) / len(kept)

    def forget(self, keep: Iterable[str]) -> None:
        """Drop every target that is not in `keep`."""
        wanted = set(keep)
        for name in [name for name in self._outcomes if name not in wanted]:
            del self._outcomes[name]

    def _kept(self, target: str, now_s: float) -> list[tuple[float, float | None]]:
        oldest_s = now_s - RECENT_S
        return [item for item in self._outcomes.get(target, ()) if item[0] > oldest_s]


def pack_waiting(waiting: Sequence[Sequence[Sample]]) -> None:
    """Rows that wait shall take little room: their requests as bytes, the newest first."""
    for batch in reversed(waiting):
        kept = [each.requests for each in batch if isinstance(each, PingSample) and each.requests]
        if kept and kept[0].is_packed:
            return
        for requests in kept:
            requests.packed()
