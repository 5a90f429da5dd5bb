"""A ledger in memory: the same promises as SqlLedger, without a file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from monitor.core.alerting.model import (
    DeliveryBatch,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.outbox import due_batches
from monitor.core.errors import LedgerError, RecordRefused
from monitor.core.model import (
    Decision,
    Incident,
    IncidentChange,
    LedgerSnapshot,
    StoredState,
    Transition,
)


class MemoryLedger:
    """`AlertLedger` for tests.

    Set `trouble` and every call raises it, as a full disk would; nothing is stored then.
    """

    def __init__(self) -> None:
        self._transitions: dict[tuple[float, str, str, str], Transition] = {}
        self._changes: dict[IncidentChange, None] = {}
        self.trouble: LedgerError | None = None
        self.closed = False
        self._states: dict[str, StoredState] = {}
        self._incidents: dict[int, Incident] = {}
        self._last_alive_s: float | None = None
        self._actions: list[IncidentAction] = []
        self._notices: dict[tuple[object, ...], PolicyDecision] = {}
        self._windows: dict[int, MaintenanceWindow] = {}
        self._outbox: dict[int, OutboxRow] = {}

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        self._see_that_it_works()
        about = {number: _about(incident) for number, incident in self._incidents.items()}
        for decision in decisions:
            if isinstance(decision, IncidentChange):
                incident = decision.incident
                if about.setdefault(incident.id, _about(incident)) != _about(incident):
                    raise RecordRefused(f"incident {incident.id} is about something else")
        for decision in decisions:
            if isinstance(decision, Transition):
                self._record_transition(decision)
            else:
                self._record_change(decision)
        self._add_new(outbox)
        for notice in policy_decisions:
            self._notices.setdefault(_name_of_notice(notice), notice)

    def record_alive(self, at_s: float) -> None:
        self._see_that_it_works()
        self._last_alive_s = at_s

    def load_snapshot(self) -> LedgerSnapshot:
        self._see_that_it_works()
        return LedgerSnapshot(
            states=tuple(self._states[name] for name in sorted(self._states)),
            open_incidents=tuple(self.incidents(include_closed=False)),
            next_incident_id=max(self._incidents, default=0) + 1,
            last_alive_s=self._last_alive_s,
        )

    def incidents(
        self, *, since_s: float | None = None, include_closed: bool = True, limit: int | None = None
    ) -> list[Incident]:
        self._see_that_it_works()
        found = [
            incident
            for _, incident in sorted(self._incidents.items())
            if incident.ended_s is None
            or (include_closed and (since_s is None or incident.ended_s >= since_s))
        ]
        return found if limit is None else found[max(0, len(found) - limit) :]

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        self._see_that_it_works()
        in_order = sorted(self.transitions_told(), key=lambda told: told.at_s)
        mine = [told for told in in_order if target is None or told.target == target]
        before = {told.target: told for told in mine if told.at_s < start_s}
        last = [told for told in mine if before.get(told.target) is told]
        return last + [told for told in mine if start_s <= told.at_s < end_s]

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        self._see_that_it_works()
        return [a for a in self._actions if _is_asked_for(a, incidents, since_s)]

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        self._see_that_it_works()
        return [n for n in self._notices.values() if _is_asked_for(n, incidents, since_s)]

    def incident(self, number: int) -> Incident | None:
        self._see_that_it_works()
        return self._incidents.get(number)

    def outbox_row(self, number: int) -> OutboxRow | None:
        self._see_that_it_works()
        return self._outbox.get(number)

    def undecided_closings(self) -> list[Incident]:
        self._see_that_it_works()
        told = {n.incident for n in self._notices.values() if n.notified}
        settled = {n.incident for n in self._notices.values() if n.event is EventKind.RESOLVED}
        return [
            incident
            for number, incident in sorted(self._incidents.items())
            if incident.ended_s is not None and number in told - settled
        ]

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        self._see_that_it_works()
        found = [
            window
            for window in self._windows.values()
            if window.start_s < end_s and max(start_s, window.start_s) < window.effective_end_s
        ]
        return sorted(found, key=lambda window: (window.start_s, window.id))

    def outbox(
        self,
        status: OutboxStatus | None = None,
        *,
        incident: int | None = None,
        limit: int | None = None,
    ) -> list[OutboxRow]:
        self._see_that_it_works()
        found = [
            row
            for row in self._outbox.values()
            if status in (None, row.status) and incident in (None, row.incident)
        ]
        return found if limit is None else found[max(0, len(found) - limit) :]

    def add_action(self, action: IncidentAction) -> IncidentAction:
        self._see_that_it_works()
        if action.incident not in self._incidents:
            raise LedgerError(f"there is no incident {action.incident}")
        stored = replace(action, id=len(self._actions) + 1)
        self._actions.append(stored)
        return stored

    def add_window(self, window: MaintenanceWindow) -> MaintenanceWindow:
        self._see_that_it_works()
        stored = replace(window, id=len(self._windows) + 1)
        self._windows[stored.id] = stored
        return stored

    def end_window(self, window: int, at_s: float, who: str) -> MaintenanceWindow:
        self._see_that_it_works()
        if window not in self._windows:
            raise LedgerError(f"there is no maintenance window {window}")
        there = self._windows[window]
        if there.ended_s is not None or there.end_s <= at_s:
            raise LedgerError(f"maintenance window {window} is over already")
        self._windows[window] = replace(there, ended_s=at_s, ended_by=who)
        return self._windows[window]

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        self._see_that_it_works()
        on_their_way = (OutboxStatus.PENDING, OutboxStatus.LEASED)
        unsent = [
            row
            for row in self._outbox.values()
            if row.channel == channel and row.status in on_their_way
        ]
        parcels = due_batches(unsent, now_s, limit)
        for number in [number for parcel in parcels for number in parcel.ids]:
            row = self._outbox[number]
            self._outbox[number] = replace(
                row,
                status=OutboxStatus.LEASED,
                lease_until_s=now_s + lease_s,
                attempts=row.attempts + 1,
                first_try_s=now_s if row.first_try_s is None else row.first_try_s,
            )
        return [
            DeliveryBatch(
                self._outbox[parcel.row.id],
                tuple(self._outbox[row.id] for row in parcel.replaced),
            )
            for parcel in parcels
        ]

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        self._see_that_it_works()
        for number in (row, *replaced):
            self._outbox[number] = replace(
                self._outbox[number],
                status=OutboxStatus.SENT,
                sent_s=at_s,
                lease_until_s=None,
                merged_into=None if number == row else row,
            )

    def reschedule(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        self._see_that_it_works()
        for number in rows:
            self._outbox[number] = replace(
                self._outbox[number],
                status=OutboxStatus.PENDING,
                next_try_s=next_try_s,
                lease_until_s=None,
                last_error=why,
            )

    def release(self, rows: Collection[int]) -> None:
        self._see_that_it_works()
        for number in rows:
            row = self._outbox[number]
            self._outbox[number] = replace(
                row, status=OutboxStatus.PENDING, lease_until_s=None, attempts=row.attempts - 1
            )

    def mark_dead(self, rows: Collection[int], why: str, instead: Sequence[OutboxRow] = ()) -> None:
        self._see_that_it_works()
        for number in rows:
            self._outbox[number] = replace(
                self._outbox[number],
                status=OutboxStatus.DEAD,
                lease_until_s=None,
                last_error=why,
            )
        self._add_new(instead)

    def retry(self, row: int, now_s: float) -> OutboxRow:
        self._see_that_it_works()
        if row not in self._outbox:
            raise LedgerError(f"there is no message {row} in the outbox")
        there = self._outbox[row]
        if there.status is not OutboxStatus.DEAD:
            raise LedgerError(f"message {row} is {there.status.value}: only one that is dead")
        self._outbox[row] = replace(
            there, status=OutboxStatus.PENDING, next_try_s=now_s, attempts=0, first_try_s=None
        )
        return self._outbox[row]

    def close(self) -> None:
        self.closed = True

    def transitions_told(self) -> list[Transition]:
        """All that were recorded, in that order."""
        return list(self._transitions.values())

    def changes_told(self) -> list[IncidentChange]:
        """All that were recorded, in that order."""
        return list(self._changes)

    def _record_transition(self, transition: Transition) -> None:
        if _name(transition) in self._transitions:
            return
        self._transitions[_name(transition)] = transition
        self._states[transition.target] = StoredState(
            transition.target, transition.after, transition.at_s, transition.reason
        )

    def _record_change(self, change: IncidentChange) -> None:
        if change in self._changes:
            return
        self._changes[change] = None
        self._incidents[change.incident.id] = change.incident

    def _add_new(self, rows: Sequence[OutboxRow]) -> None:
        known = {_name_of_row(row) for row in self._outbox.values()}
        for row in rows:
            if _name_of_row(row) not in known:
                known.add(_name_of_row(row))
                number = len(self._outbox) + 1
                self._outbox[number] = replace(row, id=number)

    def _see_that_it_works(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def _name(transition: Transition) -> tuple[float, str, str, str]:
    return (transition.detected_s, transition.target, transition.before, transition.after)


def _about(incident: Incident) -> tuple[str, str]:
    return (incident.scope, incident.target)


def _name_of_row(row: OutboxRow) -> tuple[object, ...]:
    return (row.incident, row.sequence, row.channel, row.recipient)


def _name_of_notice(notice: PolicyDecision) -> tuple[object, ...]:
    return (
        *(notice.incident, notice.at_s, notice.event, notice.reason),
        *(notice.recipient, notice.channel),
    )


def _is_asked_for(
    about: IncidentAction | PolicyDecision, incidents: Collection[int] | None, since_s: float | None
) -> bool:
    return (incidents is None or about.incident in incidents) and (
        since_s is None or about.at_s >= since_s
    )
