"""Write the message about one incident."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.path_text import path_line
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import ActionKind, EventKind, IncidentAction, NotificationContext
from monitor.core.alerting.reasons import Reason
from monitor.core.detection.causes import CONGESTION, LINK, POWER, UPSTREAM
from monitor.core.model import Incident, Scope, State

Translations = Mapping[str, str]
"""The text by language."""

STATE_WORDS: Mapping[State, Translations] = {
    State.DOWN: {"id": "PUTUS", "en": "DOWN"},
    State.DEGRADED: {"id": "TERGANGGU", "en": "DEGRADED"},
    State.UNKNOWN: {"id": "TIDAK ADA DATA", "en": "NO DATA"},
    State.UNREACHABLE: {"id": "TIDAK TERJANGKAU", "en": "UNREACHABLE"},
    State.UP: {"id": "NORMAL", "en": "NORMAL"},
}
_CUT_OFF = {"id": "TERPUTUS DARI JARINGAN", "en": "CUT OFF FROM THE NETWORK"}

_OPENED = {"id": "{state}: {where}, sejak {since}", "en": "{state}: {where}, since {since}"}
_STILL = {
    "id": "MASIH {state}: {where}, sejak {since}",
    "en": "STILL {state}: {where}, since {since}",
}
_RESOLVED = {
    "id": "PULIH: {where}, {end}, {state} {length}",
    "en": "UP AGAIN: {where}, {end}, was {state} {length}",
}
_ENDED = {
    "id": "SELESAI: {where}, {end}, {why}; {state} {length}",
    "en": "ENDED: {where}, {end}, {why}; was {state} {length}",
}
_WAS_DOWN = {
    "id": "SEMPAT {state}: {where}, {length} ({start}–{end})",
    "en": "WAS {state}: {where}, {length} ({start}–{end})",
}
_FLAPPING = {"id": "TIDAK STABIL: {where}, sejak {now}", "en": "FLAPPING: {where}, since {now}"}
_FLAPPING_OVER = {"id": "STABIL LAGI: {where}, {now}", "en": "STEADY AGAIN: {where}, {now}"}
_AFTER_MAINTENANCE = {
    "id": "{state} SETELAH PEMELIHARAAN: {where}, sejak {since}",
    "en": "{state} AFTER MAINTENANCE: {where}, since {since}",
}

_ENDS = {
    "down": {"id": "menjadi putus", "en": "it went down"},
    "removed": {"id": "dihapus dari konfigurasi", "en": "no longer configured"},
}
"""End reasons of incidents whose target is not well again."""

_FOR = {"id": "Sudah {length}", "en": "For {length}"}
_FROM_TO = {"id": "{state} {start}–{end}", "en": "{state} {start}–{end}"}
_EARLIEST = {"id": "mungkin sudah sejak {moment}", "en": "perhaps since {moment} already"}
_ENDED_EARLIEST = {"id": "mungkin pulih sejak {moment}", "en": "perhaps over since {moment}"}
_BEHIND = {"id": "{n} jalur di belakangnya:", "en": "{n} links behind it:"}
_OTHER_LINKS = {"id": "Jalur lain:", "en": "Other links:"}
_ALSO_NOTIFIED = {"id": "Juga diberi tahu:", "en": "Also told:"}
_NOT_ACKNOWLEDGED = {"id": "Belum ada yang menangani.", "en": "Nobody has taken it yet."}
_NO_OUTAGES = {
    "id": "Selama itu status jaringan tidak diketahui; tidak ada yang dilaporkan putus.",
    "en": "Meanwhile the network's states are not known; no outage is reported.",
}
_FLAPS = {
    "id": "Putus-sambung berulang: tidak dikirim satu per satu.",
    "en": "Down and up again and again: not told one by one.",
}
_ACKNOWLEDGED = {"id": "Ditangani {who} sampai {until}", "en": "Taken by {who} until {until}"}
_ACKNOWLEDGED_OPEN = {"id": "Ditangani {who}", "en": "Taken by {who}"}
_TICKET = {"id": "Tiket: {text}", "en": "Ticket: {text}"}
_NOTE = {"id": "Catatan {clock} ({who}): {text}", "en": "Note {clock} ({who}): {text}"}
MORE_ITEMS = {"id": "+{n} lagi", "en": "+{n} more"}


_REASONS = {
    "silence": {"id": "tidak menjawab", "en": "no answer"},
    "still_silent": {"id": "masih tidak menjawab", "en": "still no answer"},
    "parent_down": {"id": "hulu putus", "en": "upstream down"},
    "loss": {"id": "hilang paket", "en": "packet loss"},
    "rtt": {"id": "latensi tinggi", "en": "high latency"},
    "not_measured": {"id": "tidak dapat diukur", "en": "cannot be measured"},
    "send_failure": {
        "id": "pemantau tidak dapat mengirim",
        "en": "the monitor cannot send",
    },
    "isolated": {
        "id": "pemantau terputus dari jaringan",
        "en": "the monitor is cut off from the network",
    },
    "blind": {"id": "pemantau tidak berjalan", "en": "the monitor did not run"},
}
_LOST = {
    "id": "{lost} permintaan hilang berturut-turut dalam {length}",
    "en": "{lost} requests lost in a row within {length}",
}
_LOSS = {"id": "hilang paket {value} (batas {limit})", "en": "packet loss {value} (limit {limit})"}
_RTT = {"id": "latensi {value} ms (batas {limit} ms)", "en": "RTT {value} ms (limit {limit} ms)"}
_SILENT = {"id": "{share} sasaran diam", "en": "{share} of all targets silent"}
_CAUSE_WORDS = {
    POWER: {"id": "Dugaan: listrik", "en": "Suspected: power"},
    LINK: {"id": "Dugaan: jalur", "en": "Suspected: the link"},
    UPSTREAM: {"id": "Dugaan: hulu", "en": "Suspected: upstream"},
    CONGESTION: {"id": "Dugaan: jalur penuh", "en": "Suspected: congestion"},
}
_OTHER = {"id": "Dugaan: {cause}", "en": "Suspected: {cause}"}
_UPTIME = {
    POWER: {"id": "router menyala ulang, {length} lalu", "en": "router restarted {length} ago"},
    LINK: {
        "id": "router tidak mati, menyala {length}",
        "en": "router never stopped, up {length}",
    },
}
_NEAR = {"id": "putus bersamaan: {sites}", "en": "fell together: {sites}"}
_PORT = {"id": "porta router mati", "en": "the router's port is down"}
_FULL = {"id": "{share} kapasitas terpakai", "en": "{share} of the capacity in use"}
_REPORTED = {"id": "Penyebab (kata {who}): {cause}", "en": "Cause (says {who}): {cause}"}

_LINK, _AFFECTED, _PROVIDER, _EVIDENCE = 90, 80, 75, 70
_PATH = 65
_CAUSE, _ACTIONS, _OTHERS, _PEOPLE = 60, 50, 40, 30
"""Weights: lines of a small weight go first where there is no room (see fit_lines)."""

_MOST_BEHIND = 15


def state_word(incident: Incident, language: Language) -> str:
    """`PUTUS`, `DOWN`; an isolation of the monitor has its own word."""
    return language.text(
        _CUT_OFF if incident.scope is Scope.MONITOR else STATE_WORDS[incident.state]
    )


def incident_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """All lines, the headline first, each with its weight."""
    incident = context.incidents[0]
    now_s = context.at_s
    found = [TextLine(_headline(context, incident, names, language), 100)]
    found.append(TextLine(_duration_and_evidence(incident, context, language), _EVIDENCE))
    if incident.scope is Scope.MONITOR:
        found.append(TextLine(language.text(_NO_OUTAGES), _AFFECTED))
    if context.reason in (Reason.FLAPPING_BEGAN, Reason.STILL_DOWN_AFTER_15_MIN):
        found.append(TextLine(language.text(_FLAPS), _CAUSE))
    if context.escalated:
        found.append(TextLine(language.text(_NOT_ACKNOWLEDGED), _AFFECTED))
    affected = names.affected(incident, language)
    if affected:
        head = language.text(_BEHIND, n=len(affected))
        more = language.text(MORE_ITEMS, n="{n}")
        found.append(TextLine(head, _AFFECTED, tuple(affected), more, max_items=_MOST_BEHIND))
    path = path_line(incident.evidence.path, language, now_s)
    if path is not None and incident.ended_s is None:
        found.append(TextLine(path, _PATH))
    cause = suspected_cause_text(incident, names, language)
    if cause is not None:
        found.append(TextLine(cause, _CAUSE))
    others = names.other_links(incident, language)
    if others:
        found.append(
            TextLine(
                language.text(_OTHER_LINKS),
                _OTHERS,
                tuple(others),
                language.text(MORE_ITEMS, n="{n}"),
            )
        )
    provider = names.provider_line(incident, language)
    if provider is not None:
        found.append(TextLine(provider, _PROVIDER))
    found += [
        TextLine(text, _ACTIONS)
        for text in _action_lines(context.actions, incident, language, now_s)
    ]
    found += footer_lines(context, names, language)
    return found


def footer_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """The last lines of every message: who else is notified, and the address of the page."""
    found = []
    people = names.people(context.notified, context.recipient.name)
    if people:
        found.append(
            TextLine(
                language.text(_ALSO_NOTIFIED),
                _PEOPLE,
                tuple(people),
                language.text(MORE_ITEMS, n="{n}"),
            )
        )
    number = context.incidents[0].id if context.incidents else 0
    address = names.page_address(number, context.at_s) if number else None
    if address is not None:
        found.append(TextLine(address, _LINK))
    return found


def _headline(
    context: NotificationContext, incident: Incident, names: TargetNames, language: Language
) -> str:
    now_s = context.at_s
    end_s = incident.ended_s
    values = {
        "where": names.target(incident.target, language),
        "state": state_word(incident, language),
        "since": language.clock_with_zone(incident.started_s, now_s),
        "now": language.clock_with_zone(now_s, now_s),
        "end": language.clock_with_zone(end_s if end_s is not None else now_s, now_s),
        "start": language.clock(incident.started_s, now_s),
        "length": language.duration((end_s if end_s is not None else now_s) - incident.started_s),
    }
    if context.reason is Reason.FLAPPING_OVER:
        return language.text(_FLAPPING_OVER, **values)
    if context.reason is Reason.FLAPPING_BEGAN:
        return language.text(_FLAPPING, **values)
    if end_s is not None:
        ends = _ENDS.get(incident.end_reason or "")
        if ends is not None:
            lower = {**values, "state": values["state"].lower(), "why": language.text(ends)}
            return language.text(_ENDED, **lower)
        if context.reason is Reason.WAS_DOWN:
            return language.text(_WAS_DOWN, **values)
        return language.text(_RESOLVED, **{**values, "state": values["state"].lower()})
    if context.reason is Reason.MAINTENANCE_OVER:
        return language.text(_AFTER_MAINTENANCE, **values)
    still = context.event is EventKind.REMINDER or context.escalated
    still = still or context.reason is Reason.STILL_DOWN_AFTER_15_MIN
    return language.text(_STILL if still else _OPENED, **values)


def _duration_and_evidence(
    incident: Incident, context: NotificationContext, language: Language
) -> str:
    """How long it lasts or from when to when, and the evidence, in one line."""
    now_s = context.at_s
    if incident.ended_s is None:
        parts = [language.text(_FOR, length=language.duration(now_s - incident.started_s))]
    else:
        parts = [
            language.text(
                _FROM_TO,
                state=state_word(incident, language).capitalize(),
                start=language.clock(incident.started_s, now_s),
                end=language.clock_with_zone(incident.ended_s, now_s),
            )
        ]
    if incident.started_earliest_s is not None:
        earliest = language.clock(incident.started_earliest_s, now_s)
        parts.append(language.text(_EARLIEST, moment=earliest))
    if incident.ended_earliest_s is not None:
        earliest = language.clock(incident.ended_earliest_s, now_s)
        parts.append(language.text(_ENDED_EARLIEST, moment=earliest))
    parts.append(evidence_text(incident, language))
    return " · ".join(parts)


def _action_lines(
    actions: tuple[IncidentAction, ...], incident: Incident, language: Language, now_s: float
) -> list[str]:
    """Acknowledgement, ticket, reported cause and newest note."""
    newest: dict[ActionKind, IncidentAction] = {}
    for action in actions:
        if action.incident == incident.id:
            newest[action.kind] = action
    found = []
    acknowledged, released = newest.get(ActionKind.ACKNOWLEDGE), newest.get(ActionKind.RELEASE)
    if acknowledged is not None and (released is None or released.at_s < acknowledged.at_s):
        who = clean(acknowledged.who, 40)
        if acknowledged.until_s is None:
            found.append(language.text(_ACKNOWLEDGED_OPEN, who=who))
        elif acknowledged.until_s > now_s:
            until = language.clock_with_zone(acknowledged.until_s, now_s)
            found.append(language.text(_ACKNOWLEDGED, who=who, until=until))
    ticket = newest.get(ActionKind.TICKET)
    if ticket is not None:
        found.append(language.text(_TICKET, text=clean(ticket.text, 60)))
    cause = newest.get(ActionKind.CAUSE)
    if cause is not None:
        found.append(reported_cause_text(cause.who, cause.text, language))
    note = newest.get(ActionKind.NOTE)
    if note is not None:
        clock = language.clock(note.at_s, now_s)
        text, who = clean(note.text, 160), clean(note.who, 40)
        found.append(language.text(_NOTE, clock=clock, who=who, text=text))
    return found


def evidence_text(incident: Incident, language: Language) -> str:
    """What the detector measured, with numbers, in one line."""
    evidence = incident.evidence
    if incident.reason == "loss" and evidence.loss_ratio is not None and evidence.limit is not None:
        return language.text(
            _LOSS,
            value=language.percent(evidence.loss_ratio),
            limit=language.percent(evidence.limit),
        )
    if incident.reason == "rtt" and evidence.rtt_ms is not None and evidence.limit is not None:
        return language.text(
            _RTT, value=language.number(evidence.rtt_ms), limit=language.number(evidence.limit)
        )
    known = _REASONS.get(incident.reason)
    parts = [clean(incident.reason) if known is None else language.text(known)]
    if evidence.lost_in_row is not None and evidence.silence_s is not None:
        parts.append(
            language.text(
                _LOST, lost=evidence.lost_in_row, length=language.duration(evidence.silence_s)
            )
        )
    if evidence.silent_share is not None:
        parts.append(language.text(_SILENT, share=language.percent(evidence.silent_share)))
    if evidence.error is not None:
        parts.append(clean(evidence.error))
    return ", ".join(parts)


def suspected_cause_text(incident: Incident, names: TargetNames, language: Language) -> str | None:
    """The suspected cause with its evidence, never as a fact; None: nothing is suspected."""
    cause, evidence = incident.suspected_cause, incident.evidence
    if cause is None:
        return None
    known = _CAUSE_WORDS.get(cause)
    text = language.text(_OTHER, cause=clean(cause)) if known is None else language.text(known)
    parts = []
    if cause in _UPTIME and evidence.router_uptime_s is not None:
        length = language.duration(evidence.router_uptime_s)
        parts.append(language.text(_UPTIME[cause], length=length))
    if cause == POWER and evidence.near_sites:
        sites = ", ".join(names.site(site) for site in evidence.near_sites[:3])
        left = len(evidence.near_sites) - 3
        parts.append(language.text(_NEAR, sites=sites + (f" +{left}" if left > 0 else "")))
    if cause == LINK and evidence.port_oper is not None:
        parts.append(language.text(_PORT))
    if cause == CONGESTION and evidence.utilisation is not None:
        parts.append(language.text(_FULL, share=language.percent(evidence.utilisation)))
    return f"{text} ({'; '.join(parts)})" if parts else text


def reported_cause_text(who: str, cause: str, language: Language) -> str:
    """The cause as a person reported it."""
    known = _CAUSE_WORDS.get(cause)
    name = clean(cause) if known is None else language.text(known).partition(": ")[2]
    return language.text(_REPORTED, who=clean(who, 40), cause=name)
