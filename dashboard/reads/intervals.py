"""From changes of state to stretches of time: what a timeline draws. Pure; times are UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.core.detection.site_state import site_state
from monitor.core.model import State, Transition


@dataclass(frozen=True, slots=True)
class Stretch:
    """One state from start_s to end_s; state None: before the first evidence there is."""

    start_s: float
    end_s: float
    state: State | None


def by_target(transitions: Iterable[Transition]) -> dict[str, list[Transition]]:
    """The changes of each target, in the order in which they came."""
    found: dict[str, list[Transition]] = {}
    for change in transitions:
        found.setdefault(change.target, []).append(change)
    return found


def target_stretches(
    transitions: Iterable[Transition], start_s: float, end_s: float
) -> list[Stretch]:
    """The states of one target over [start_s, end_s), without a hole.

    transitions: those of the target, its last one before start_s included, in any order.
    """
    state: State | None = None
    at_s = start_s
    found: list[Stretch] = []
    for change in sorted(transitions, key=lambda each: (each.at_s, each.detected_s)):
        if change.at_s >= end_s:
            break
        if change.at_s > at_s:
            _add(found, at_s, change.at_s, state)
            at_s = change.at_s
        state = change.after
    _add(found, at_s, end_s, state)
    return found


def site_stretches(
    links: Sequence[Sequence[Stretch]], start_s: float, end_s: float
) -> list[Stretch]:
    """The state of a site over [start_s, end_s), from the stretches of each of its links.

    A link counts from its first evidence on: one that came later does not make its site degraded.
    """
    edges = sorted(
        {start_s, end_s}
        | {each.start_s for stretches in links for each in stretches}
        | {each.end_s for stretches in links for each in stretches}
    )
    at = [0] * len(links)
    found: list[Stretch] = []
    for left, right in pairwise(edges):
        if left < start_s or right > end_s:
            continue
        states: list[State] = []
        for index, stretches in enumerate(links):
            while at[index] < len(stretches) and stretches[at[index]].end_s <= left:
                at[index] += 1
            if at[index] < len(stretches):
                state = stretches[at[index]].state
                if state is not None:
                    states.append(state)
        _add(found, left, right, site_state(states) if states else None)
    return found


def _add(found: list[Stretch], start_s: float, end_s: float, state: State | None) -> None:
    if end_s <= start_s:
        return
    if found and found[-1].state is state and found[-1].end_s == start_s:
        found[-1] = Stretch(found[-1].start_s, end_s, state)
    else:
        found.append(Stretch(start_s, end_s, state))


def union_s(stretches: Iterable[tuple[float, float]]) -> float:
    """How many seconds are covered by at least one of these (start, end)."""
    total, reach = 0.0, float("-inf")
    for start_s, end_s in sorted(stretches):
        if end_s > reach:
            total += end_s - max(start_s, reach)
            reach = end_s
    return total
