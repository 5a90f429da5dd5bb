"""Which incidents open together in one digest, and which closings of a group wait for each other.

`group_count` or more openings due within `group_s` make a group; later openings join it for
`group_join_s`. No opening waits longer than `GROUP_DELAY_S` for the others, and outages are never
in one digest with what is only degraded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.core.alerting.model import Recipient
from monitor.core.alerting.policy_state import IncidentAlerts, MessageThread, PolicyState
from monitor.core.alerting.settings import AlertRules

GROUP_DELAY_S = 5.0
"""What grouping adds to the hold at most; also the time between two digests of a group."""


@dataclass(frozen=True, slots=True)
class DueOpening:
    """An opening that nothing blocks, for those with the same hold.

    due_s: the end of the hold, on the steady timeline. step: of the route; number and recipients.
    """

    due_s: float
    alerts: IncidentAlerts
    hold_s: float
    step: int
    recipients: tuple[Recipient, ...]

    @property
    def kind(self) -> tuple[bool, float]:
        """Only openings of one kind are grouped: outages or degradations, with one hold."""
        return self.alerts.is_down, self.hold_s


@dataclass(frozen=True, slots=True)
class OpeningGroup:
    """Incidents that open in one message. thread: the group that they join; None: a new thread."""

    members: tuple[DueOpening, ...]
    thread: MessageThread | None = None

    @property
    def is_digest(self) -> bool:
        return self.thread is not None or len(self.members) > 1


def group_openings(
    state: PolicyState,
    due: Sequence[DueOpening],
    holding: Sequence[DueOpening],
    now_s: float,
    rules: AlertRules,
) -> list[OpeningGroup]:
    """Group the openings that are due; those in no group wait for a digest.

    holding: openings that are not due yet, but may complete a group.
    """
    found: list[OpeningGroup] = []
    for kind in sorted({opening.kind for opening in due}, key=lambda kind: (not kind[0], kind[1])):
        mine = [opening for opening in due if opening.kind == kind]
        later = [opening for opening in holding if opening.kind == kind]
        joinable = _joinable_thread(state, kind[0], now_s, rules)
        found += _group_alike(mine, later, joinable, now_s, rules)
    return found


def _group_alike(
    due: Sequence[DueOpening],
    holding: Sequence[DueOpening],
    joinable: MessageThread | None,
    now_s: float,
    rules: AlertRules,
) -> list[OpeningGroup]:
    """Group openings of outages, or openings of degradations; empty: all wait for a digest."""
    members = tuple(due)
    if joinable is not None:
        is_digest_due = now_s >= joinable.last_digest_s + GROUP_DELAY_S
        return [OpeningGroup(members, joinable)] if is_digest_due else []
    first_s = min(opening.due_s for opening in due)
    until_s = first_s + rules.group_s
    burst = [opening.due_s for opening in (*due, *holding) if opening.due_s < until_s]
    if len(burst) < rules.group_count:
        return [OpeningGroup((each,)) for each in members]
    is_complete = max(burst) <= now_s
    return [OpeningGroup(members)] if is_complete or now_s >= first_s + GROUP_DELAY_S else []


def closings_wait(
    thread: MessageThread, closed: Sequence[IncidentAlerts], now_s: float, rules: AlertRules
) -> bool:
    """Whether closings of a group wait up to `hold_s` for the other members to close too."""
    if thread.is_group and len(closed) < len(thread.members):
        if thread.closings_from_s is None:
            thread.closings_from_s = now_s
        if now_s < thread.closings_from_s + rules.hold_s:
            return True
    thread.closings_from_s = None
    return False


def _joinable_thread(
    state: PolicyState, is_down: bool, now_s: float, rules: AlertRules
) -> MessageThread | None:
    """The newest group of this kind that is not too old; its members are of one kind."""
    groups = [
        thread
        for thread in state.threads.values()
        if thread.is_group
        and now_s < thread.started_s + rules.group_join_s
        and all(state.alerts[number].is_down is is_down for number in thread.members)
    ]
    return max(groups, key=lambda thread: thread.started_s, default=None)
