"""How long a target was in which state, from its transitions; times UTC."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.core.model import State, Transition


@dataclass(frozen=True, slots=True)
class TimeInStates:
    """Seconds of one span in each state; the rest was up or degraded."""

    down_s: float = 0.0
    unreachable_s: float = 0.0
    unknown_s: float = 0.0
    maintenance_s: float = 0.0


Spans = Sequence[tuple[float, float]]
"""(start, end), the end not included."""


@dataclass(frozen=True, slots=True)
class StateHistory:
    """States and maintenance of all targets over some span.

    changes: by target (since, state) in order of time; unknown before the first.
    maintenance: by target, in any order.
    """

    changes: Mapping[str, Sequence[tuple[float, State]]]
    maintenance: Mapping[str, Spans] = field(default_factory=dict)

    @staticmethod
    def of(
        transitions: Iterable[Transition], maintenance: Mapping[str, Spans] | None = None
    ) -> StateHistory:
        """transitions: all of the span, and the last one of each target before it."""
        changes: dict[str, list[tuple[float, State]]] = {}
        for each in sorted(transitions, key=lambda change: (change.at_s, change.detected_s)):
            changes.setdefault(each.target, []).append((each.at_s, each.after))
        return StateHistory(changes, maintenance or {})

    def within(self, target: str, start_s: float, end_s: float) -> TimeInStates:
        """Seconds within [start_s, end_s); those of maintenance count in their state as well."""
        changes = self.changes.get(target, ())
        place = bisect_right(changes, start_s, key=lambda change: change[0])
        state = changes[place - 1][1] if place else State.UNKNOWN
        spent = dict.fromkeys(State, 0.0)
        at_s = start_s
        for since_s, after in changes[place:]:
            if since_s >= end_s:
                break
            spent[state] += since_s - at_s
            at_s, state = since_s, after
        spent[state] += end_s - at_s
        return TimeInStates(
            down_s=spent[State.DOWN],
            unreachable_s=spent[State.UNREACHABLE],
            unknown_s=spent[State.UNKNOWN],
            maintenance_s=covered_s(self.maintenance.get(target, ()), start_s, end_s),
        )


def covered_s(spans: Spans, start_s: float, end_s: float) -> float:
    """Seconds of [start_s, end_s) that at least one of the spans covers."""
    total_s, reached_s = 0.0, start_s
    for from_s, to_s in sorted(spans):
        begin_s, over_s = max(from_s, reached_s), min(to_s, end_s)
        if over_s > begin_s:
            total_s += over_s - begin_s
            reached_s = over_s
    return total_s
