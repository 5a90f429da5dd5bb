"""Two judgements of the same evidence: what one would have reported more, less, sooner or later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from monitor.core.model import Incident


@dataclass(frozen=True, slots=True)
class IncidentPair:
    """The same trouble in both; positive seconds: the second judgement said it later."""

    before: Incident
    after: Incident

    @property
    def detected_later_s(self) -> float:
        return self.after.detected_s - self.before.detected_s

    @property
    def longer_s(self) -> float | None:
        """How much longer it lasts in the second; None while one of them is open."""
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
    """Incidents are the same trouble when target and state agree and their times overlap.

    Of several that overlap, the one that started nearest is taken; each is taken once.
    """
    free = list(after)
    both: list[IncidentPair] = []
    less: list[Incident] = []
    for incident in before:
        partners = [other for other in free if _same(incident, other)]
        if not partners:
            less.append(incident)
            continue
        partner = min(partners, key=lambda other: abs(other.started_s - incident.started_s))
        free.remove(partner)
        both.append(IncidentPair(incident, partner))
    return ReplayComparison(tuple(free), tuple(less), tuple(both))


def _same(one: Incident, other: Incident) -> bool:
    if (one.scope, one.target, one.state) != (other.scope, other.target, other.state):
        return False
    one_end_s = inf if one.ended_s is None else one.ended_s
    other_end_s = inf if other.ended_s is None else other.ended_s
    return one.started_s <= other_end_s and other.started_s <= one_end_s
