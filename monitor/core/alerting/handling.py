"""How an incident is being handled: what people did about it, folded into one standing. Pure.

Actions are append-only; the later one counts. Times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core.alerting.model import ActionKind, IncidentAction

REPORTED_CAUSES = ("power", "link", "upstream", "congestion", "other")
"""What a person may name as the cause; the first four are those that are suspected, too."""


@dataclass(frozen=True, slots=True)
class Handling:
    """acknowledged, snoozed: the action in force, or the last one, which may have run out.

    ticket: the provider's number. cause: as a person named it. notes: in the order of writing.
    """

    acknowledged: IncidentAction | None = None
    snoozed: IncidentAction | None = None
    ticket: str | None = None
    cause: str | None = None
    notes: tuple[IncidentAction, ...] = ()

    def active_acknowledgement(self, at_s: float) -> IncidentAction | None:
        """The acknowledgement in force at that moment; None: nobody has it in hand."""
        return _in_force(self.acknowledged, at_s)

    def active_snooze(self, at_s: float) -> IncidentAction | None:
        """The snooze in force at that moment."""
        return _in_force(self.snoozed, at_s)


def handling_of(actions: Iterable[IncidentAction]) -> Handling:
    """The standing after all these actions on one incident, in the order in which they were done.

    A release ends the acknowledgement and the snooze.
    """
    acknowledged = snoozed = ticket = cause = None
    notes: list[IncidentAction] = []
    for action in actions:
        match action.kind:
            case ActionKind.ACKNOWLEDGE:
                acknowledged = action
            case ActionKind.SNOOZE:
                snoozed = action
            case ActionKind.RELEASE:
                acknowledged = snoozed = None
            case ActionKind.TICKET:
                ticket = action.text
            case ActionKind.CAUSE:
                cause = action.text
            case ActionKind.NOTE:
                notes.append(action)
    return Handling(acknowledged, snoozed, ticket, cause, tuple(notes))


def group_by_incident(actions: Iterable[IncidentAction]) -> dict[int, list[IncidentAction]]:
    """The actions on each incident, in the order in which they were done."""
    found: dict[int, list[IncidentAction]] = {}
    for action in actions:
        found.setdefault(action.incident, []).append(action)
    return found


def _in_force(action: IncidentAction | None, at_s: float) -> IncidentAction | None:
    if action is None or (action.until_s is not None and action.until_s <= at_s):
        return None
    return action
