"""A ledger in memory: the same behaviour as SqlLedger, without a file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

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
from monitor.core.ledger_identity import LedgerIdentity
from monitor.core.model import (
    Decision,
    Incident,
    IncidentChange,
    LedgerSnapshot,
    StoredState,
    Transition,
)
from monitor.core.paths.model import BASELINE_DAYS, MOST_TRACES, IncidentTrace, PathBaseline

T = TypeVar("T")


class MemoryLedger:
    """`AlertLedger` for tests. While `trouble` is set every call raises it and stores nothing."""

    def __init__(self) -> None:
        self.trouble: LedgerError | None = None
        self.closed = False
        self._transitions: dict[tuple[object, ...], Transition] = {}
        self._changes: dict[IncidentChange, None] = {}
        self._states: dict[str, StoredState] = {}
        self._incidents: dict[int, Incident] = {}
        self._last_alive_s: float | None = None
        self._actions: list[IncidentAction] = []
        self._policy_decisions: dict[tuple[object, ...], PolicyDecision] = {}
        self._windows: dict[int, MaintenanceWindow] = {}
        self._outbox: dict[int, OutboxRow] = {}
        self._path_baselines: dict[str, PathBaseline] = {}
        self._incident_traces: list[IncidentTrace] = []

    def check(self) -> None:
        self._check()

    def identity(self) -> LedgerIdentity:
        self._check()
        return LedgerIdentity("memory22")

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        self._check()
        changes = [decision for decision in decisions if isinstance(decision, IncidentChange)]
        known = dict(self._incidents)
        for incident in (change.incident for change in changes):
            before = known.setdefault(incident.id, incident)
            if (before.scope, before.target) != (incident.scope, incident.target):
                raise RecordRefused(f"incident {incident.id} is about something else")
        for decision in decisions:
            if isinstance(decision, Transition):
                self._record_transition(decision)
        for change in changes:
            if change not in self._changes:
                self._changes[change] = None
                self._incidents[change.incident.id] = change.incident
        self._add_rows(outbox)
        for each in policy_decisions:
            key = (each.incident, each.at_s, each.event, each.reason, each.recipient, each.channel)
            self._policy_decisions.setdefault(key, each)

    def record_alive(self, at_s: float) -> None:
        self._check()
        self._last_alive_s = at_s

    def load_snapshot(self) -> LedgerSnapshot:
        return LedgerSnapshot(
            states=tuple(self._states[name] for name in sorted(self._states)),
            open_incidents=tuple(self.incidents(include_closed=False)),
            next_incident_id=max(self._incidents, default=0) + 1,
            last_alive_s=self._last_alive_s,
        )

    def incidents(
        self, *, since_s: float | None = None, include_closed: bool = True, limit: int | None = None
    ) -> list[Incident]:
        self._check()
        found = [
            incident
            for _, incident in sorted(self._incidents.items())
            if incident.ended_s is None
            or (include_closed and (since_s is None or incident.ended_s >= since_s))
        ]
        return _newest(found, limit)

    def transitions(
        self, start_s: float, end_s: float, target: str | None = None
    ) -> list[Transition]:
        self._check()
        ordered = sorted(self._transitions.values(), key=lambda transition: transition.at_s)
        wanted = [each for each in ordered if target in (None, each.target)]
        last_before = {each.target: each for each in wanted if each.at_s < start_s}
        return [each for each in wanted if last_before.get(each.target) is each] + [
            each for each in wanted if start_s <= each.at_s < end_s
        ]

    def actions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[IncidentAction]:
        self._check()
        return [each for each in self._actions if _matches(each, incidents, since_s)]

    def policy_decisions(
        self, incidents: Collection[int] | None = None, *, since_s: float | None = None
    ) -> list[PolicyDecision]:
        self._check()
        found = self._policy_decisions.values()
        return [each for each in found if _matches(each, incidents, since_s)]

    def incident(self, number: int) -> Incident | None:
        self._check()
        return self._incidents.get(number)

    def outbox_row(self, number: int) -> OutboxRow | None:
        self._check()
        return self._outbox.get(number)

    def undecided_closings(self) -> list[Incident]:
        decisions = self.policy_decisions()
        notified = {each.incident for each in decisions if each.notified}
        resolved = {each.incident for each in decisions if each.event is EventKind.RESOLVED}
        return [
            incident
            for number, incident in sorted(self._incidents.items())
            if incident.ended_s is not None and number in notified - resolved
        ]

    def windows(self, start_s: float, end_s: float) -> list[MaintenanceWindow]:
        self._check()
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
        self._check()
        found = [
            row
            for row in self._outbox.values()
            if status in (None, row.status) and incident in (None, row.incident)
        ]
        return _newest(found, limit)

    def add_action(self, action: IncidentAction) -> IncidentAction:
        self._check()
        if action.incident not in self._incidents:
            raise LedgerError(f"there is no incident {action.incident}")
        self._actions.append(replace(action, id=len(self._actions) + 1))
        return self._actions[-1]

    def add_window(self, window: MaintenanceWindow) -> MaintenanceWindow:
        self._check()
        number = len(self._windows) + 1
        self._windows[number] = replace(window, id=number)
        return self._windows[number]

    def end_window(self, window: int, at_s: float, who: str) -> MaintenanceWindow:
        self._check()
        if window not in self._windows:
            raise LedgerError(f"there is no maintenance window {window}")
        stored = self._windows[window]
        if stored.ended_s is not None or stored.end_s <= at_s:
            raise LedgerError(f"maintenance window {window} is over already")
        self._windows[window] = replace(stored, ended_s=at_s, ended_by=who)
        return self._windows[window]

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        self._check()
        unsent = [
            row
            for row in self._outbox.values()
            if row.channel == channel and row.status in (OutboxStatus.PENDING, OutboxStatus.LEASED)
        ]

        def leased(number: int) -> OutboxRow:
            row = self._outbox[number]
            return self._change(
                number,
                OutboxStatus.LEASED,
                lease_until_s=now_s + lease_s,
                attempts=row.attempts + 1,
                first_try_s=now_s if row.first_try_s is None else row.first_try_s,
            )

        return [
            DeliveryBatch(leased(batch.row.id), tuple(leased(row.id) for row in batch.replaced))
            for batch in due_batches(unsent, now_s, limit)
        ]

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        self._check()
        for number in (row, *replaced):
            merged_into = None if number == row else row
            self._change(number, OutboxStatus.SENT, sent_s=at_s, merged_into=merged_into)

    def reschedule(self, rows: Collection[int], why: str, next_try_s: float) -> None:
        self._check()
        for number in rows:
            self._change(number, OutboxStatus.PENDING, next_try_s=next_try_s, last_error=why)

    def release(self, rows: Collection[int]) -> None:
        self._check()
        for number in rows:
            attempts = self._outbox[number].attempts - 1
            self._change(number, OutboxStatus.PENDING, attempts=attempts)

    def release_all(self) -> int:
        self._check()
        leased = [row.id for row in self._outbox.values() if row.status is OutboxStatus.LEASED]
        for number in leased:
            self._change(number, OutboxStatus.PENDING)
        return len(leased)

    def release_waiting(self, channel: str, but: Collection[int], now_s: float) -> int:
        self._check()
        waiting = [
            row.id
            for row in self._outbox.values()
            if row.channel == channel
            and row.status is OutboxStatus.PENDING
            and row.next_try_s > now_s
            and row.id not in but
        ]
        for number in waiting:
            self._change(number, OutboxStatus.PENDING, next_try_s=now_s)
        return len(waiting)

    def waiting_openings(self, before_s: float) -> list[OutboxRow]:
        self._check()
        rows = sorted(self._outbox.values(), key=lambda row: row.id)
        return [
            row
            for row in rows
            if row.status in (OutboxStatus.PENDING, OutboxStatus.LEASED)
            and row.event in (EventKind.OPENED, EventKind.DIGEST)
            and (row.queued_s or row.first_try_s or row.next_try_s) <= before_s
            and not any(
                (each.incident, each.sequence, each.recipient)
                == (row.incident, row.sequence, row.recipient)
                and each.id > row.id
                for each in rows
            )
        ]

    def mark_dead(
        self,
        rows: Collection[int],
        why: str,
        instead: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        self._check()
        for number in rows:
            self._change(number, OutboxStatus.DEAD, last_error=why)
        self._add_rows(instead)
        self.record([], (), policy_decisions)

    def retry(self, row: int, now_s: float) -> OutboxRow:
        self._check()
        if row not in self._outbox:
            raise LedgerError(f"there is no message {row} in the outbox")
        status = self._outbox[row].status
        if status is not OutboxStatus.DEAD:
            raise LedgerError(f"message {row} is {status.value}: only one that is dead")
        return self._change(
            row, OutboxStatus.PENDING, next_try_s=now_s, attempts=0, first_try_s=None
        )

    def path_baselines(self) -> list[PathBaseline]:
        self._check()
        return [self._path_baselines[name] for name in sorted(self._path_baselines)]

    def incident_traces(self, incident: int) -> list[IncidentTrace]:
        self._check()
        return [each for each in self._incident_traces if each.incident == incident]

    def record_paths(
        self, baselines: Collection[PathBaseline], traces: Sequence[IncidentTrace]
    ) -> None:
        self._check()
        for each in baselines:
            self._path_baselines[each.target] = each
            oldest_s = each.at_s - BASELINE_DAYS * 86_400
            self._path_baselines = {
                name: kept for name, kept in self._path_baselines.items() if kept.at_s >= oldest_s
            }
        known = {(each.incident, each.at_s) for each in self._incident_traces}
        new = [each for each in traces if (each.incident, each.at_s) not in known]
        self._incident_traces = [*self._incident_traces, *new][-MOST_TRACES:]

    def close(self) -> None:
        self.closed = True

    def recorded_transitions(self) -> list[Transition]:
        """All of them, in the order of recording."""
        return list(self._transitions.values())

    def recorded_changes(self) -> list[IncidentChange]:
        """All of them, in the order of recording."""
        return list(self._changes)

    def _record_transition(self, new: Transition) -> None:
        key = (new.detected_s, new.target, new.before, new.after)
        if key not in self._transitions:
            self._transitions[key] = new
            self._states[new.target] = StoredState(new.target, new.after, new.at_s, new.reason)

    def _add_rows(self, rows: Sequence[OutboxRow]) -> None:
        known = {_key(row) for row in self._outbox.values()}
        for row in rows:
            if _key(row) not in known:
                known.add(_key(row))
                number = len(self._outbox) + 1
                self._outbox[number] = replace(row, id=number)
            elif row.status in (OutboxStatus.SENT, OutboxStatus.DEAD):
                for number, stored in self._outbox.items():
                    if _key(stored) == _key(row) and stored.status is OutboxStatus.PENDING:
                        self._outbox[number] = replace(row, id=number)

    def _change(self, number: int, status: OutboxStatus, **values: Any) -> OutboxRow:
        values.setdefault("lease_until_s", None)
        self._outbox[number] = replace(self._outbox[number], status=status, **values)
        return self._outbox[number]

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def _newest(found: list[T], limit: int | None) -> list[T]:
    return found if limit is None else found[max(0, len(found) - limit) :]


def _key(row: OutboxRow) -> tuple[object, ...]:
    return (row.incident, row.sequence, row.channel, row.recipient)


def _matches(
    each: IncidentAction | PolicyDecision, incidents: Collection[int] | None, since_s: float | None
) -> bool:
    return (incidents is None or each.incident in incidents) and (
        since_s is None or each.at_s >= since_s
    )
