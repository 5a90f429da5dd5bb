"""What alerting knows: a case for each incident, a thread of messages, a value for each flapper.

All of it can be made again from the ledger (`recollection`). Times are on the steady
timeline, except those inside incidents and actions, which are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.core.alerting.handling import handling_of
from monitor.core.alerting.model import (
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    PolicyDecision,
    Recipient,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.routing import AlertRouting
from monitor.core.alerting.settings import AlertRules, EscalationStep, Route
from monitor.core.detection.flapping import bumped, decayed, is_flapping
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State


@dataclass(slots=True)
class IncidentAlerts:
    """One incident that somebody was told of, or may have to be.

    opened_s: when it was judged. held_from_s: the hold counts from here (a restart begins it
    anew). freed_s: when the last reason against telling went away. thread, told_s: under which
    incident's messages it runs, and since when; None: nobody was told. basis_s: escalation counts
    from here. steps_done: how many steps were told. receivers: who got a message on it, by name.
    why_not: the last no that was written down. muted: whether it was when last looked at.
    closed_s: when its end was judged; the case goes once its closing is decided.
    """

    incident: Incident
    opened_s: float
    held_from_s: float
    freed_s: float = float("-inf")
    thread: int | None = None
    told_s: float | None = None
    basis_s: float = float("-inf")
    steps_done: int = 0
    receivers: dict[str, Recipient] = field(default_factory=dict)
    why_not: tuple[EventKind, Reason] | None = None
    muted: bool = False
    actions: list[IncidentAction] = field(default_factory=list)
    closed_s: float | None = None

    @property
    def is_told(self) -> bool:
        """Has its opening been told?"""
        return self.thread is not None

    @property
    def is_closed(self) -> bool:
        """Has its end been judged?"""
        return self.closed_s is not None

    def mute(self, utc_s: float, rules: AlertRules) -> Reason | None:
        """Why it is left alone just now: taken by somebody, or snoozed; None: it is not."""
        if not self.actions:
            return None
        handling = handling_of(self.actions)
        for action, reason in (
            (handling.active_acknowledgement(utc_s), Reason.ACKNOWLEDGED),
            (handling.active_snooze(utc_s), Reason.SNOOZED),
        ):
            # Nobody can take an incident for longer than a shift, whatever was written down.
            if action is not None and utc_s < action.at_s + rules.longest_ack_s:
                return reason
        return None


@dataclass(slots=True)
class Thread:
    """Messages that belong together: those of one incident, or of a group. Its id: the first one.

    told_s: its first message. last_s: its last opening or reminder. listed_s: the last time that a
    group was listed. reminders: how many there were. closing_s: since when closings of a group wait
    to be told as one.
    """

    lead: int
    told_s: float
    last_s: float
    listed_s: float
    is_group: bool = False
    members: set[int] = field(default_factory=set)
    reminders: int = 0
    closing_s: float | None = None


@dataclass(slots=True)
class Flapper:
    """A target that goes up and down: Zino's value at `at_s`, and who was told that it flaps.

    incident: the newest one of this target. thread: under whose messages its beginning was told.
    """

    incident: Incident
    value: float = 0.0
    at_s: float = 0.0
    flapping: bool = False
    thread: int | None = None
    receivers: dict[str, Recipient] = field(default_factory=dict)

    def bump(self, incident: Incident, at_s: float) -> None:
        """It opened or closed an incident."""
        self.value = bumped(self.value, at_s - self.at_s)
        self.at_s = at_s
        self.incident = incident
        self.look(at_s)

    def look(self, now_s: float) -> bool:
        """Does it flap now? (it starts above 35 and is over below 1.5)"""
        self.flapping = is_flapping(decayed(self.value, now_s - self.at_s), self.flapping)
        return self.flapping


GOES_ON_AS = ("down", "parent_down", "removed")
"""How an incident ends without its target getting well."""


def changes_its_target(event: IncidentChange) -> bool:
    """Is it a change of state, from or to one that answers badly or not at all?

    The monitor's own troubles and restarts are none.
    """
    incident = event.incident
    if incident.scope is Scope.MONITOR or incident.state not in (State.DOWN, State.DEGRADED):
        return False
    if event.change is ChangeKind.CLOSED:
        return incident.end_reason not in GOES_ON_AS
    return event.change is ChangeKind.OPENED


@dataclass(slots=True)
class PolicyState:
    """Everything that alerting knows. sequences: the last message number of each thread.

    cut_off: the monitor's own incident is open.
    """

    cases: dict[int, IncidentAlerts] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    sequences: dict[int, int] = field(default_factory=dict)
    flappers: dict[str, Flapper] = field(default_factory=dict)
    cut_off: bool = False

    def look_at_monitor(self) -> None:
        """Is the monitor's own incident open?"""
        self.cut_off = any(
            case.incident.scope is Scope.MONITOR and case.closed_s is None
            for case in self.cases.values()
        )

    def tidy(self) -> None:
        """Forget the message numbers of threads that are over."""
        told = {flapper.thread for flapper in self.flappers.values()}
        kept = self.threads.keys() | self.cases.keys() | told
        self.sequences = {lead: last for lead, last in self.sequences.items() if lead in kept}

    def is_flapping(self, target: str) -> bool:
        """Is a target known to go up and down?"""
        flapper = self.flappers.get(target)
        return flapper is not None and flapper.flapping


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds a decision: the moment by people's clocks, and what is configured.

    covered: the targets that are under maintenance now. routes: those found already, by incident;
    they hold until another configuration is in force.
    """

    utc_s: float
    rules: AlertRules
    duty: AlertRouting
    office_open: Callable[[float], bool]
    covered: Mapping[str, MaintenanceWindow]
    routes: dict[int, Route | None] = field(default_factory=dict)
    _people: dict[tuple[str, ...], tuple[Recipient, ...]] = field(default_factory=dict)

    def route(self, incident: Incident) -> Route | None:
        """The route that takes it; None: nobody is told."""
        if incident.id not in self.routes:
            self.routes[incident.id] = self.duty.route(incident)
        return self.routes[incident.id]

    def recipients(self, to: tuple[str, ...]) -> tuple[Recipient, ...]:
        """Who that is now."""
        if to not in self._people:
            self._people[to] = self.duty.recipients(to, self.utc_s)
        return self._people[to]

    def way_to(self, recipient: Recipient) -> Recipient:
        """The same one by a channel that (still) exists, where there is one."""
        channels = self.duty.channels(recipient.name)
        if not channels or recipient.channel in channels:
            return recipient
        return Recipient(recipient.name, channels[0])


def steps_of(route: Route | None) -> Sequence[EscalationStep]:
    """Its steps; none without a route."""
    return () if route is None else route.steps


@dataclass(frozen=True, slots=True)
class Planned:
    """One message that goes out. incidents: UTC, the first one first; told: all who get it."""

    thread: int
    sequence: int
    event: EventKind
    reason: Reason
    recipient: Recipient
    incidents: tuple[Incident, ...]
    actions: tuple[IncidentAction, ...] = ()
    told: tuple[str, ...] = ()
    escalated: bool = False


@dataclass(slots=True)
class Decided:
    """What a step of `core.notices` decided: messages, and every yes and no."""

    planned: list[Planned] = field(default_factory=list)
    notices: list[PolicyDecision] = field(default_factory=list)
