"""Which incidents open together in one digest, and which closings of a group wait for each other.

`group_count` or more openings due within `group_s` make a group; later openings join it for
`group_join_s`. No opening waits longer than `GROUP_DELAY_S` for the others, and outages are never
in one digest with what is only degraded.

Outages of the links of one site are one message, however few; one that comes later continues the
thread of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.core.alerting.model import Recipient
from monitor.core.alerting.policy_state import IncidentAlerts, MessageThread, PolicyState
from monitor.core.alerting.settings import AlertRules
from monitor.core.model import Incident, Scope

GROUP_DELAY_S = 4.0
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
    """Incidents that open in one message. thread: the one that they join; None: a new one.

    is_digest: several places; False: one target, or links of one site.
    """

    members: tuple[DueOpening, ...]
    thread: MessageThread | None = None
    is_digest: bool = False

    @property
    def is_same_office(self) -> bool:
        """Links of a site of which others are down too."""
        return not self.is_digest and (self.thread is not None or len(self.members) > 1)


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
        found += _group_alike(state, mine, later, joinable, now_s, rules)
    return found


def _group_alike(
    state: PolicyState,
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
        return [OpeningGroup(members, joinable, is_digest=True)] if is_digest_due else []
    first_s = min(opening.due_s for opening in due)
    until_s = first_s + rules.group_s
    burst = [opening.due_s for opening in (*due, *holding) if opening.due_s < until_s]
    if len(burst) < rules.group_count:
        return _group_by_office(state, due, holding, now_s)
    if max(burst) > now_s and now_s < first_s + GROUP_DELAY_S:
        return []
    return [OpeningGroup(members, is_digest=True)]


def _group_by_office(
    state: PolicyState, due: Sequence[DueOpening], holding: Sequence[DueOpening], now_s: float
) -> list[OpeningGroup]:
    """One group a site; it waits for another link of the site that is due within the delay."""
    found: list[OpeningGroup] = []
    offices: dict[str, list[DueOpening]] = {}
    for opening in due:
        office = office_of(opening.alerts.incident)
        if office is None or not opening.alerts.is_down:
            found.append(OpeningGroup((opening,)))
        else:
            offices.setdefault(office, []).append(opening)
    for office, mine in offices.items():
        until_s = min(opening.due_s for opening in mine) + GROUP_DELAY_S
        if now_s < until_s and any(
            office_of(other.alerts.incident) == office and other.due_s <= until_s
            for other in holding
        ):
            continue
        found.append(OpeningGroup(tuple(mine), _thread_of_office(state, office, mine)))
    return found


def _thread_of_office(
    state: PolicyState, office: str, mine: Sequence[DueOpening]
) -> MessageThread | None:
    """The oldest thread about an open outage of another link of the site, digests apart."""
    own = {opening.alerts.incident.id for opening in mine}
    threads = [
        thread
        for alerts in state.alerts.values()
        if alerts.thread is not None
        and alerts.incident.id not in own
        and alerts.is_down
        and not alerts.is_closed
        and office_of(alerts.incident) == office
        and not (thread := state.threads[alerts.thread]).is_group
    ]
    return min(threads, key=lambda thread: thread.started_s, default=None)


def office_of(incident: Incident) -> str | None:
    """The id of the site of a link's incident; None: it is about no link."""
    return incident.target.partition("/")[0] if incident.scope is Scope.LINK else None


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
