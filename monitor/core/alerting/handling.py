"""Fold the actions of people on an incident into who handles it now.

Times are UTC seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core.alerting.model import ActionKind, IncidentAction

REPORTED_CAUSES = ("power", "link", "upstream", "congestion", "other")
"""Causes that a person may report; the first four are suspected automatically, too."""


@dataclass(frozen=True, slots=True)
class Handling:
    """acknowledged, snoozed: the last such action, which may have expired.

    ticket: number at the provider. cause: as reported. notes: oldest first.
    """

    acknowledged: IncidentAction | None = None
    snoozed: IncidentAction | None = None
    ticket: str | None = None
    cause: str | None = None
    notes: tuple[IncidentAction, ...] = ()

    def active_acknowledgement(self, at_s: float) -> IncidentAction | None:
        """The acknowledgement in force at that moment, or None."""
        return _in_force(self.acknowledged, at_s)

    def active_snooze(self, at_s: float) -> IncidentAction | None:
        """The snooze in force at that moment, or None."""
        return _in_force(self.snoozed, at_s)


def handling_of(actions: Iterable[IncidentAction]) -> Handling:
    """The result of these actions on one incident, oldest first: the last of a kind counts.

    A release ends acknowledgement and snooze.
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
    """The actions of each incident, in the given order."""
    found: dict[int, list[IncidentAction]] = {}
    for action in actions:
        found.setdefault(action.incident, []).append(action)
    return found


def _in_force(action: IncidentAction | None, at_s: float) -> IncidentAction | None:
    if action is None or (action.until_s is not None and action.until_s <= at_s):
        return None
    return action
