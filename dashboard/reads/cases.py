"""Incidents, and what people did, were told and planned about them. All times UTC.

Straight from the ledger: readable while the daemon is down. What people do goes through the
daemon (`actions`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from dashboard.reads.kept import Kept
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.handling import Handling, group_by_incident, handling_of
from monitor.core.alerting.model import IncidentAction, MaintenanceWindow, OutboxRow, PolicyDecision
from monitor.core.alerting.ports import AlertReader
from monitor.core.alerting.settings import AlertSettings
from monitor.core.errors import StoreError
from monitor.core.ledger_identity import incident_uid
from monitor.core.model import Incident, Network
from monitor.core.paths.model import IncidentTrace
from monitor.status.queries import remember_windows

HISTORY_DAYS = 30
MOST = 500
"""So many incidents are listed at most, the newest; the page says when there are more."""

NO_HANDLING = Handling()


@dataclass(frozen=True, slots=True)
class Case:
    """One incident of a list, and how it is being handled. uid: its name among all ledgers."""

    incident: Incident
    handling: Handling
    uid: str


@dataclass(frozen=True, slots=True)
class File:
    """One incident whole. folded: incidents that it explains. traces: of the path, oldest first."""

    incident: Incident
    handling: Handling
    actions: tuple[IncidentAction, ...]
    notices: tuple[PolicyDecision, ...]
    messages: tuple[OutboxRow, ...]
    folded: tuple[Incident, ...]
    traces: tuple[IncidentTrace, ...] = ()
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the overview and the wall say beside open incidents; failed: the ledger is unreadable.

    taken: who has an incident in hand, by its id. until: when maintenance ends, work: what it is
    for, by target.
    """

    taken: Mapping[int, str]
    until: Mapping[str, float]
    work: Mapping[str, str]
    failed: bool = False


class Cases:
    """Answers about incidents. now: UTC seconds; steady: seconds that never jump."""

    def __init__(
        self,
        network: Network,
        ledger: AlertReader,
        alerts: AlertSettings,
        zone: tzinfo,
        now: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self.alerts = alerts
        self._network = network
        self._ledger = ledger
        self._zone = zone
        self._now = now
        self._standing = Kept(self._ask_standing, 1.0, steady)

    def standing(self) -> Standing:
        """At most a second old; never raises."""
        return self._standing.get()

    def open(self) -> list[Case]:
        """What is not over, by ascending id. Raises LedgerError."""
        return self._with_handling(self._ledger.incidents(include_closed=False))

    def over(self, start_s: float, end_s: float) -> list[Case]:
        """What began in [start, end) and is over, the newest first, MOST + 1 at most.

        Raises LedgerError.
        """
        found = [
            each
            for each in self._ledger.incidents(since_s=start_s)
            if each.ended_s is not None and start_s <= each.started_s < end_s
        ]
        found.sort(key=lambda each: (each.started_s, each.id), reverse=True)
        return self._with_handling(found[: MOST + 1])

    def ended_since(self, since_s: float) -> list[Case]:
        """What ended at or after that moment, the newest end first. Raises LedgerError."""
        ended = [
            (each.ended_s, each)
            for each in self._ledger.incidents(since_s=since_s)
            if each.ended_s is not None and each.ended_s >= since_s
        ]
        ended.sort(key=lambda pair: (pair[0], pair[1].id), reverse=True)
        return self._with_handling([each for _, each in ended[:MOST]])

    def file(self, number: int) -> File | None:
        """One incident whole; None: there is none of that number. Raises LedgerError."""
        every = self._ledger.incidents()
        found = next((each for each in every if each.id == number), None)
        if found is None:
            return None
        notices = self._ledger.policy_decisions([number])
        threads = {number, *(each.thread for each in notices if each.thread is not None)}
        messages = [
            row for thread in sorted(threads) for row in self._ledger.outbox(incident=thread)
        ]
        actions = tuple(self._ledger.actions([number]))
        return File(
            found,
            handling_of(actions),
            actions,
            tuple(notices),
            tuple(row for row in messages if number in (row.about or (row.incident,))),
            tuple(each for each in every if each.parent == number),
            tuple(self._ledger.incident_traces(number)),
            incident_uid(self._ledger.identity().value, number),
        )

    def desk(self) -> AlertingState:
        """Maintenance and duty, as they stand. Raises LedgerError."""
        desk = AlertingState(self.alerts, self._network, self._zone)
        remember_windows(self._ledger, desk, self._now())
        return desk

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        """Maintenance in force at some moment of [start, end). Raises LedgerError."""
        return self.desk().maintenance.windows_between(start_s, end_s)

    def _with_handling(self, incidents: Sequence[Incident]) -> list[Case]:
        done = group_by_incident(self._ledger.actions([each.id for each in incidents]))
        identity = self._ledger.identity().value
        return [
            Case(each, handling_of(done.get(each.id, ())), incident_uid(identity, each.id))
            for each in incidents
        ]

    def _ask_standing(self) -> Standing:
        at_s = self._now()
        try:
            cases = self.open()
            covered = self.desk().maintenance.covered_targets(at_s)
        except StoreError:
            return Standing({}, {}, {}, failed=True)
        taken = {
            case.incident.id: held.who
            for case in cases
            if (held := case.handling.active_acknowledgement(at_s)) is not None
        }
        return Standing(
            taken,
            {target: window.end_s for target, window in covered.items()},
            {target: window.why for target, window in covered.items()},
        )
