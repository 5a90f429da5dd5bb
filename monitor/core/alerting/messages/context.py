"""The input and the result of wording one notification."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.alerting.model import (
    EventKind,
    IncidentAction,
    Recipient,
)
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.self_checks import SelfCheckReport
from monitor.core.model import Incident


@dataclass(frozen=True, slots=True)
class NotificationContext:
    """Everything that the words of one message need.

    incidents: what it is about, UTC, the first one first; more than one: a message about several.
    Those that are over have `ended_s`. told: who gets the same message now. most_characters: of
    the text, by the channel's limit. escalated: it comes because nobody acknowledged.
    plight: it is about the monitor itself, and about no incident.
    """

    event: EventKind
    reason: Reason
    incidents: tuple[Incident, ...]
    recipient: Recipient
    language: str
    at_s: float
    notified: tuple[str, ...] = ()
    actions: tuple[IncidentAction, ...] = ()
    most_characters: int = 4000
    escalated: bool = False
    self_check: SelfCheckReport | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """One message in words. title: one line, for channels that have one; text: stands alone."""

    title: str
    text: str
