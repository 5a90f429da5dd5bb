"""A ledger in memory: the same promises as SqlLedger, without a file."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.errors import LedgerError
from monitor.core.model import Decision, Incident, IncidentChange, Transition
from monitor.core.ports import Remembered, StoredState


class MemoryLedger:
    """`Ledger` for tests.

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

    def record(self, decisions: Sequence[Decision]) -> None:
        self._see_that_it_works()
        about = {number: _about(incident) for number, incident in self._incidents.items()}
        for decision in decisions:
            if isinstance(decision, IncidentChange):
                incident = decision.incident
                if about.setdefault(incident.id, _about(incident)) != _about(incident):
                    raise LedgerError(f"incident {incident.id} is about something else")
        for decision in decisions:
            if isinstance(decision, Transition):
                self._record_transition(decision)
            else:
                self._record_change(decision)

    def alive(self, at_s: float) -> None:
        self._see_that_it_works()
        self._last_alive_s = at_s

    def remember(self) -> Remembered:
        self._see_that_it_works()
        return Remembered(
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

    def _see_that_it_works(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def _name(transition: Transition) -> tuple[float, str, str, str]:
    return (transition.detected_s, transition.target, transition.before, transition.after)


def _about(incident: Incident) -> tuple[str, str]:
    return (incident.scope, incident.target)
