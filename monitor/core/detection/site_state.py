"""A site's state, derived from its links (VERDICTS, "Targets": the first row that fits)."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.model import State

ANSWERS = (State.UP, State.DEGRADED)


def site_state(links: Sequence[State]) -> State:
    """The state of a site whose links have these states; no link: unknown."""
    if not links:
        return State.UNKNOWN
    if all(state is State.UP for state in links):
        return State.UP
    if any(state in ANSWERS for state in links):
        return State.DEGRADED
    for state in (State.DOWN, State.UNREACHABLE):
        if state in links:
            return state
    return State.UNKNOWN


def site_since(links: Sequence[tuple[State, float]]) -> float | None:
    """Since when the derived state holds, as far as the links' present states tell (seconds).

    The newest change among all links; for `degraded` the oldest among those that are not up.
    """
    if not links:
        return None
    state = site_state([link_state for link_state, _ in links])
    deciding = [
        since
        for link_state, since in links
        if state is not State.DEGRADED or link_state is not State.UP
    ]
    return min(deciding) if state is State.DEGRADED else max(deciding)
