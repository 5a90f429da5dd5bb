"""Why an incident is believed, and what it was probably caused by: always with the numbers."""

from __future__ import annotations

from monitor.core.alerting.messages.cleaning import clean
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.detection.causes import CONGESTION, LINK, POWER, UPSTREAM
from monitor.core.model import Incident

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

_CAUSE = {
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


def reason(incident: Incident, speech: Language) -> str:
    """What was seen, with its numbers; one line."""
    proof = incident.proof
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


def suspected(incident: Incident, places: TargetNames, speech: Language) -> str | None:
    """The suspected cause with its evidence, never as a fact; None: nothing is suspected."""
    cause, proof = incident.suspected_cause, incident.proof
    if cause is None:
        return None
    words = _CAUSE.get(cause)
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


def confirmed(who: str, cause: str, speech: Language) -> str:
    """What a person says the cause was."""
    words = _CAUSE.get(cause)
    said = speech.say(words).partition(": ")[2] if words is not None else clean(cause)
    return speech.say(_CONFIRMED, who=clean(who, 40), cause=said)
