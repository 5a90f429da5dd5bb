"""The lines of a message about one incident."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import ActionKind, EventKind, IncidentAction, NotificationContext
from monitor.core.alerting.reasons import Reason
from monitor.core.detection.causes import CONGESTION, LINK, POWER, UPSTREAM
from monitor.core.model import Incident, Scope, State

Words = Mapping[str, str]

STATE_WORDS: Mapping[State, Words] = {
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
_UNSTABLE = {"id": "TIDAK STABIL: {where}, sejak {now}", "en": "FLAPPING: {where}, since {now}"}
_STEADY = {"id": "STABIL LAGI: {where}, {now}", "en": "STEADY AGAIN: {where}, {now}"}
_AFTER_MAINTENANCE = {
    "id": "{state} SETELAH PEMELIHARAAN: {where}, sejak {since}",
    "en": "{state} AFTER MAINTENANCE: {where}, since {since}",
}

_ENDS = {
    "down": {"id": "menjadi putus", "en": "it went down"},
    "removed": {"id": "dihapus dari konfigurasi", "en": "no longer configured"},
}
"""How an incident can end without anything being well again."""

_FOR = {"id": "Sudah {length}", "en": "For {length}"}
_FROM_TO = {"id": "{state} {start}–{end}", "en": "{state} {start}–{end}"}
_EARLIEST = {"id": "mungkin sudah sejak {moment}", "en": "perhaps since {moment} already"}
_ENDED_EARLIEST = {"id": "mungkin pulih sejak {moment}", "en": "perhaps over since {moment}"}
_BEHIND = {"id": "{n} jalur di belakangnya:", "en": "{n} links behind it:"}
_OTHER_LINKS = {"id": "Jalur lain:", "en": "Other links:"}
_TOLD = {"id": "Juga diberi tahu:", "en": "Also told:"}
_UNTAKEN = {"id": "Belum ada yang menangani.", "en": "Nobody has taken it yet."}
_NO_OUTAGES = {
    "id": "Selama itu status jaringan tidak diketahui; tidak ada yang dilaporkan putus.",
    "en": "Meanwhile the network's states are not known; no outage is reported.",
}
_FLAPS = {
    "id": "Putus-sambung berulang: tidak dikirim satu per satu.",
    "en": "Down and up again and again: not told one by one.",
}
_TAKEN = {"id": "Ditangani {who} sampai {until}", "en": "Taken by {who} until {until}"}
_TAKEN_OPEN = {"id": "Ditangani {who}", "en": "Taken by {who}"}
_TICKET = {"id": "Tiket: {text}", "en": "Ticket: {text}"}
_NOTE = {"id": "Catatan {clock} ({who}): {text}", "en": "Note {clock} ({who}): {text}"}
MORE_ITEMS = {"id": "+{n} lagi", "en": "+{n} more"}

_LINK, _AFFECTED, _PROVIDER, _EVIDENCE = 90, 80, 75, 70
_CAUSE, _ACTIONS, _OTHERS, _PEOPLE = 60, 50, 40, 30
"""Weights: what goes first where there is no room (see cleaning.fitted)."""

_MOST_BEHIND = 15


def state_word(incident: Incident, speech: Language) -> str:
    """`PUTUS`; the monitor's own trouble has a word of its own."""
    return speech.say(_CUT_OFF if incident.scope is Scope.MONITOR else STATE_WORDS[incident.state])


def incident_lines(
    occasion: NotificationContext, places: TargetNames, speech: Language
) -> list[TextLine]:
    """The headline first; each further line with its weight."""
    incident = occasion.incidents[0]
    now_s = occasion.at_s
    found = [TextLine(_headline(occasion, incident, places, speech), 100)]
    found.append(TextLine(_duration_and_evidence(incident, occasion, speech), _EVIDENCE))
    if incident.scope is Scope.MONITOR:
        found.append(TextLine(speech.say(_NO_OUTAGES), _AFFECTED))
    if occasion.reason in (Reason.FLAPPING_BEGAN, Reason.STILL_DOWN_AFTER_15_MIN):
        found.append(TextLine(speech.say(_FLAPS), _CAUSE))
    if occasion.escalated:
        found.append(TextLine(speech.say(_UNTAKEN), _AFFECTED))
    affected = places.affected(incident, speech)
    if affected:
        head = speech.say(_BEHIND, n=len(affected))
        more = speech.say(MORE_ITEMS, n="{n}")
        found.append(TextLine(head, _AFFECTED, tuple(affected), more, most=_MOST_BEHIND))
    cause = suspected_cause_text(incident, places, speech)
    if cause is not None:
        found.append(TextLine(cause, _CAUSE))
    others = places.other_links(incident, speech)
    if others:
        found.append(
            TextLine(
                speech.say(_OTHER_LINKS), _OTHERS, tuple(others), speech.say(MORE_ITEMS, n="{n}")
            )
        )
    provider = places.provider(incident, speech)
    if provider is not None:
        found.append(TextLine(provider, _PROVIDER))
    found += [
        TextLine(text, _ACTIONS)
        for text in _action_lines(occasion.actions, incident, speech, now_s)
    ]
    found += footer_lines(occasion, places, speech)
    return found


def footer_lines(
    occasion: NotificationContext, places: TargetNames, speech: Language
) -> list[TextLine]:
    """Who else was told, and where to read on: the end of every message."""
    found = []
    people = places.people(occasion.notified, occasion.recipient.name)
    if people:
        found.append(
            TextLine(speech.say(_TOLD), _PEOPLE, tuple(people), speech.say(MORE_ITEMS, n="{n}"))
        )
    number = occasion.incidents[0].id if occasion.incidents else 0
    address = places.address(number, occasion.at_s) if number else None
    if address is not None:
        found.append(TextLine(address, _LINK))
    return found


def _headline(
    occasion: NotificationContext, incident: Incident, places: TargetNames, speech: Language
) -> str:
    now_s = occasion.at_s
    end_s = incident.ended_s
    values = {
        "where": places.target(incident.target, speech),
        "state": state_word(incident, speech),
        "since": speech.moment(incident.started_s, now_s),
        "now": speech.moment(now_s, now_s),
        "end": speech.moment(end_s if end_s is not None else now_s, now_s),
        "start": speech.clock(incident.started_s, now_s),
        "length": speech.length((end_s if end_s is not None else now_s) - incident.started_s),
    }
    if occasion.reason is Reason.FLAPPING_OVER:
        return speech.say(_STEADY, **values)
    if occasion.reason is Reason.FLAPPING_BEGAN:
        return speech.say(_UNSTABLE, **values)
    if end_s is not None:
        ends = _ENDS.get(incident.end_reason or "")
        if ends is not None:
            lower = {**values, "state": values["state"].lower(), "why": speech.say(ends)}
            return speech.say(_ENDED, **lower)
        if occasion.reason is Reason.WAS_DOWN:
            return speech.say(_WAS_DOWN, **values)
        return speech.say(_RESOLVED, **{**values, "state": values["state"].lower()})
    if occasion.reason is Reason.MAINTENANCE_OVER:
        return speech.say(_AFTER_MAINTENANCE, **values)
    still = occasion.event is EventKind.REMINDER or occasion.escalated
    still = still or occasion.reason is Reason.STILL_DOWN_AFTER_15_MIN
    return speech.say(_STILL if still else _OPENED, **values)


def _duration_and_evidence(
    incident: Incident, occasion: NotificationContext, speech: Language
) -> str:
    """For how long, from when to when, and what was seen."""
    now_s = occasion.at_s
    if incident.ended_s is None:
        parts = [speech.say(_FOR, length=speech.length(now_s - incident.started_s))]
    else:
        parts = [
            speech.say(
                _FROM_TO,
                state=state_word(incident, speech).capitalize(),
                start=speech.clock(incident.started_s, now_s),
                end=speech.moment(incident.ended_s, now_s),
            )
        ]
    if incident.started_earliest_s is not None:
        earliest = speech.clock(incident.started_earliest_s, now_s)
        parts.append(speech.say(_EARLIEST, moment=earliest))
    if incident.ended_earliest_s is not None:
        earliest = speech.clock(incident.ended_earliest_s, now_s)
        parts.append(speech.say(_ENDED_EARLIEST, moment=earliest))
    parts.append(evidence_text(incident, speech))
    return " · ".join(parts)


def _action_lines(
    actions: tuple[IncidentAction, ...], incident: Incident, speech: Language, now_s: float
) -> list[str]:
    """Who has it, the ticket, the cause as confirmed, and the newest note."""
    newest: dict[ActionKind, IncidentAction] = {}
    for action in actions:
        if action.incident == incident.id:
            newest[action.kind] = action
    found = []
    taken, released = newest.get(ActionKind.ACKNOWLEDGE), newest.get(ActionKind.RELEASE)
    if taken is not None and (released is None or released.at_s < taken.at_s):
        who = clean(taken.who, 40)
        if taken.until_s is None:
            found.append(speech.say(_TAKEN_OPEN, who=who))
        elif taken.until_s > now_s:
            until = speech.moment(taken.until_s, now_s)
            found.append(speech.say(_TAKEN, who=who, until=until))
    ticket = newest.get(ActionKind.TICKET)
    if ticket is not None:
        found.append(speech.say(_TICKET, text=clean(ticket.text, 60)))
    cause = newest.get(ActionKind.CAUSE)
    if cause is not None:
        found.append(reported_cause_text(cause.who, cause.text, speech))
    note = newest.get(ActionKind.NOTE)
    if note is not None:
        clock = speech.clock(note.at_s, now_s)
        text, who = clean(note.text, 160), clean(note.who, 40)
        found.append(speech.say(_NOTE, clock=clock, who=who, text=text))
    return found


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


_CONFIRMED = {"id": "Penyebab (kata {who}): {cause}", "en": "Cause (says {who}): {cause}"}


def evidence_text(incident: Incident, speech: Language) -> str:
    """What was seen, with its numbers; one line."""
    proof = incident.evidence
    if incident.reason == "loss" and proof.loss_ratio is not None and proof.limit is not None:
        return speech.say(
            _LOSS, value=speech.percent(proof.loss_ratio), limit=speech.percent(proof.limit)
        )
    if incident.reason == "rtt" and proof.rtt_ms is not None and proof.limit is not None:
        return speech.say(_RTT, value=speech.number(proof.rtt_ms), limit=speech.number(proof.limit))
    words = _REASONS.get(incident.reason)
    parts = [speech.say(words) if words is not None else clean(incident.reason)]
    if proof.lost_in_row is not None and proof.silence_s is not None:
        parts.append(
            speech.say(_LOST, lost=proof.lost_in_row, length=speech.length(proof.silence_s))
        )
    if proof.silent_share is not None:
        parts.append(speech.say(_SILENT, share=speech.percent(proof.silent_share)))
    if proof.error is not None:
        parts.append(clean(proof.error))
    return ", ".join(parts)


def suspected_cause_text(incident: Incident, places: TargetNames, speech: Language) -> str | None:
    """The suspected cause with its evidence, never as a fact; None: nothing is suspected."""
    cause, proof = incident.suspected_cause, incident.evidence
    if cause is None:
        return None
    words = _CAUSE_WORDS.get(cause)
    said = speech.say(words) if words is not None else speech.say(_OTHER, cause=clean(cause))
    parts = []
    if cause in _UPTIME and proof.router_uptime_s is not None:
        length = speech.length(proof.router_uptime_s)
        parts.append(speech.say(_UPTIME[cause], length=length))
    if cause == POWER and proof.near_sites:
        sites = ", ".join(places.site(site) for site in proof.near_sites[:3])
        left = len(proof.near_sites) - 3
        parts.append(speech.say(_NEAR, sites=sites + (f" +{left}" if left > 0 else "")))
    if cause == LINK and proof.port_oper is not None:
        parts.append(speech.say(_PORT))
    if cause == CONGESTION and proof.utilisation is not None:
        parts.append(speech.say(_FULL, share=speech.percent(proof.utilisation)))
    return f"{said} ({'; '.join(parts)})" if parts else said


def reported_cause_text(who: str, cause: str, speech: Language) -> str:
    """What a person says the cause was."""
    words = _CAUSE_WORDS.get(cause)
    said = speech.say(words).partition(": ")[2] if words is not None else clean(cause)
    return speech.say(_CONFIRMED, who=clean(who, 40), cause=said)
