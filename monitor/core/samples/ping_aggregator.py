"""Aggregate outcomes to rows: one PingSample a target for each `record_s`.

A request counts in the period in which its outcome became known: a finished period is final, and
a crash loses at most one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from monitor.core.model import Network, NotMeasured, Outcome, Reply, State
from monitor.core.samples.packed_requests import RecordedRequests
from monitor.core.samples.samples import STATE_CODES, PingSample, Sample


@dataclass(frozen=True, slots=True)
class TargetTags:
    """The tags of the measurement `ping`."""

    target: str
    site: str | None = None
    link: str | None = None
    node: str | None = None
    kind: str | None = None
    provider: str | None = None


def tags_of(network: Network) -> dict[str, TargetTags]:
    """The tags of every target that is probed; an anchor is stored as a node."""
    tags = {anchor.name: TargetTags(anchor.name, node=anchor.name) for anchor in network.anchors}
    tags |= {node.id: TargetTags(node.id, node=node.id) for node in network.nodes}
    for link in network.links():
        tags[link.name] = TargetTags(
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


class PingAggregator:
    """Collects outcomes until their recording period is over."""

    def __init__(self, tags: Mapping[str, TargetTags]) -> None:
        self._tags = dict(tags)
        self._periods: dict[str, list[Outcome]] = {}

    def reconfigure(self, tags: Mapping[str, TargetTags]) -> None:
        """Use these tags from now on; what was collected for other targets still becomes a row."""
        self._tags |= tags

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add outcomes to the present period."""
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
    ) -> list[FinishedPeriod]:
        """Close the period of these targets at `at_s` (UTC); one without an outcome has no row.

        shift_s: what turns the outcomes' steady times into UTC. The rows are computed when they
        are asked for: of 10,000 targets that takes a while, and the period ends for all at once.
        """
        finished: list[FinishedPeriod] = []
        for name in names:
            period = self._periods.pop(name, None)
            if period is not None and name in self._tags:
                state = STATE_CODES[state_of(name)]
                finished.append(FinishedPeriod(self._tags[name], period, at_s, state, shift_s))
        return finished

    def names(self) -> tuple[str, ...]:
        """The targets with outcomes in the present period."""
        return tuple(self._periods)


class FinishedPeriod(NamedTuple):
    """The outcomes of one target in a period that is over, and its state at the end."""

    tags: TargetTags
    outcomes: list[Outcome]
    at_s: float
    state: int
    shift_s: float

    def row(self) -> PingSample:
        """The row to store."""
        return _row(*self)


def _row(
    tags: TargetTags, period: list[Outcome], at_s: float, state: int, shift_s: float
) -> PingSample:
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
        requests=RecordedRequests(at_s, shift_s, period),
    )


def pack_waiting(waiting: Sequence[Sequence[Sample]]) -> None:
    """Pack the requests of rows that wait to be written, to save memory; the newest first."""
    for batch in reversed(waiting):
        unpacked = [
            each.requests for each in batch if isinstance(each, PingSample) and each.requests
        ]
        if unpacked and unpacked[0].is_packed:
            return
        for requests in unpacked:
            requests.packed()
