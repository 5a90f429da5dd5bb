"""Replay: recorded evidence in the order in which it became known, and two replays compared.

CONTRACT, "`replay` input": a line's `t` is when the request was sent. A reply and an error are
known at `t`, a loss at `t` plus its target's time-out. The last line ends the replay: what would
become known later is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

from monitor.core.model import Evidence, Incident, Lost, NotMeasured, Reply


class ReplayLine(NamedTuple):
    """One request as recorded; rtt_ms None without an error: it was lost."""

    t: float
    target: str
    rtt_ms: float | None = None
    error: str | None = None


def read_evidence(
    lines: Iterable[ReplayLine], timeouts_s: Mapping[str, float]
) -> Iterator[Evidence]:
    """Yield evidence by the time at which it became known.

    Lines must be in order of `t` (equal times in any order: ties are sorted by target).
    timeouts_s: by target; others have 1 s (the detector leaves them out).
    Raises ValueError for a line that goes back in time.
    """
    pending: list[tuple[float, str, float]] = []
    now_s = float("-inf")
    instant: list[ReplayLine] = []
    for line in lines:
        t = line.t
        if t != now_s:
            if t < now_s:
                raise ValueError(f"time goes back from {now_s:.3f} to {t:.3f} ({line.target})")
            if len(instant) == 1 and not (pending and pending[0][0] <= now_s):
                # Almost every line: alone in its instant, and no loss becomes known then.
                _, target, rtt_ms, error = instant[0]
                if rtt_ms is not None and error is None:
                    yield Reply(target, now_s, now_s, rtt_ms)
                    instant.clear()
            if instant:
                yield from _known_at(instant, pending, now_s, timeouts_s)
                instant.clear()
            now_s = t
        instant.append(line)
    yield from _known_at(instant, pending, now_s, timeouts_s)


def _known_at(
    instant: list[ReplayLine],
    pending: list[tuple[float, str, float]],
    now_s: float,
    timeouts_s: Mapping[str, float],
) -> Iterator[Evidence]:
    """Yield the losses known by `now_s`, then what was sent at that moment."""
    while pending and pending[0][0] <= now_s:
        known_s, target, sent_s = heappop(pending)
        yield Lost(target, sent_s, known_s)
    if len(instant) > 1:
        instant.sort(key=lambda line: line.target)
    for line in instant:
        if line.error is not None:
            yield NotMeasured(line.target, line.t, line.t, line.error)
        elif line.rtt_ms is not None:
            yield Reply(line.target, line.t, line.t, line.rtt_ms)
        else:
            known_s = line.t + timeouts_s.get(line.target, 1.0)
            heappush(pending, (known_s, line.target, line.t))


@dataclass(frozen=True, slots=True)
class IncidentPair:
    """The same incident in two replays. detected_later_s > 0: the second detected it later."""

    before: Incident
    after: Incident

    @property
    def detected_later_s(self) -> float:
        return self.after.detected_s - self.before.detected_s

    @property
    def longer_s(self) -> float | None:
        """How much longer it lasts in the second; None when one of them is open."""
        if self.before.ended_s is None or self.after.ended_s is None:
            return None
        first_s = self.before.ended_s - self.before.started_s
        return self.after.ended_s - self.after.started_s - first_s


@dataclass(frozen=True, slots=True)
class ReplayComparison:
    """more: only in the second; less: only in the first; both: in each, in order of time."""

    more: tuple[Incident, ...]
    less: tuple[Incident, ...]
    both: tuple[IncidentPair, ...]

    @property
    def sooner(self) -> tuple[IncidentPair, ...]:
        return tuple(pair for pair in self.both if pair.detected_later_s < 0)

    @property
    def later(self) -> tuple[IncidentPair, ...]:
        return tuple(pair for pair in self.both if pair.detected_later_s > 0)


def compare_replays(before: Sequence[Incident], after: Sequence[Incident]) -> ReplayComparison:
    """Pair the incidents of two replays.

    They are the same when scope, target and state agree and their times overlap. Of several the
    one with the nearest start is taken; each is taken once.
    """
    free = list(after)
    both: list[IncidentPair] = []
    less: list[Incident] = []
    for incident in before:
        partners = [other for other in free if _is_same(incident, other)]
        if not partners:
            less.append(incident)
            continue
        partner = min(partners, key=lambda other: abs(other.started_s - incident.started_s))
        free.remove(partner)
        both.append(IncidentPair(incident, partner))
    return ReplayComparison(tuple(free), tuple(less), tuple(both))


def _is_same(one: Incident, other: Incident) -> bool:
    if (one.scope, one.target, one.state) != (other.scope, other.target, other.state):
        return False
    one_end_s = inf if one.ended_s is None else one.ended_s
    other_end_s = inf if other.ended_s is None else other.ended_s
    return one.started_s <= other_end_s and other.started_s <= one_end_s
