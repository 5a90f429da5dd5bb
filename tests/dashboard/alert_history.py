"""Incident actions, notifications and maintenance of a synthetic history, in a ledger."""

from __future__ import annotations

from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.reasons import Reason
from monitor.core.model import Incident, Network, State
from tests.dashboard.synthetic_history import PastEvent, SyntheticHistory

BUDI, RINA = "Budi S.", "Rina W."


def write_alert_history(ledger: AlertLedger, history: SyntheticHistory) -> None:
    """Write acknowledgements, notes, notification decisions, outbox rows and maintenance."""
    by_target = {each.target: each for each in history.incidents() if each.ended_s is None}
    _notify(ledger, by_target.get("losarang/utama"), acknowledged=False)
    hub = by_target.get("pop-karangampel")
    _notify(ledger, hub, acknowledged=True)
    if hub is not None:
        at_s = hub.started_s + 180
        _act(ledger, hub, ActionKind.ACKNOWLEDGE, BUDI, at_s, "teknisi berangkat", at_s + 14_400)
        _act(ledger, hub, ActionKind.NOTE, BUDI, at_s + 300, "Listrik PLN di Karangampel padam.")
        _act(ledger, hub, ActionKind.TICKET, BUDI, at_s + 420, "INC-2026-118734")
        _act(ledger, hub, ActionKind.CAUSE, BUDI, at_s + 600, "power")
    slow = by_target.get("bangodua/utama")
    if slow is not None:
        at_s = slow.started_s + 900
        _act(ledger, slow, ActionKind.ACKNOWLEDGE, RINA, at_s, "", at_s + 28_800)
    if "cantigi/utama" in history.maintenance:
        ledger.add_window(
            MaintenanceWindow(
                ("cantigi/utama",), history.now_s - 1500, history.now_s + 3300, RINA,
                "Ganti radio, WO-0412",
            )
        )  # fmt: skip


def _notify(ledger: AlertLedger, incident: Incident | None, *, acknowledged: bool) -> None:
    if incident is None:
        return
    at_s, number = incident.detected_s, incident.id
    opened = EventKind.OPENED
    notices = [PolicyDecision(number, at_s, opened, False, Reason.WITHIN_HOLD)]
    steps = [(at_s + 15, opened, Reason.FIRST_NOTICE, "petugas-1", 1, 0)]
    if not acknowledged:
        steps.append((at_s + 915, EventKind.REMINDER, Reason.ESCALATION_STEP, "petugas-2", 2, 1))
    rows = []
    for when_s, event, reason, who, sequence, step in steps:
        notices.append(
            PolicyDecision(
                number, when_s, event, True, reason, who, "telegram-noc", number, sequence, step
            )
        )
        rows.append(
            OutboxRow(
                number, sequence, "telegram-noc", who, event, "{}", when_s, OutboxStatus.PENDING
            )
        )
    ledger.record([], rows, notices)
    for parcel in ledger.lease("telegram-noc", at_s + 1000, 60, 10):
        ledger.mark_sent(parcel.row.id, [row.id for row in parcel.replaced], at_s + 17)


def _act(
    ledger: AlertLedger,
    incident: Incident,
    kind: ActionKind,
    who: str,
    at_s: float,
    text: str = "",
    until_s: float | None = None,
) -> None:
    ledger.add_action(IncidentAction(incident.id, kind, who, at_s, text, until_s))


def mass_outage(network: Network, now_s: float) -> SyntheticHistory:
    """A mass outage: fourteen sites go down within five minutes."""
    sites = [site for site in network.sites if site.links][:28:2]
    events = [
        PastEvent(link.name, State.DOWN, 420.0 - 20 * number)
        for number, site in enumerate(sites)
        for link in site.links[:1]
    ]
    events.append(PastEvent("terisi/utama", State.DOWN, 2400.0))
    return SyntheticHistory(network, now_s, tuple(events))
