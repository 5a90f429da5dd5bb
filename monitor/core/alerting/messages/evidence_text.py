"""Say what was measured, and what is suspected or reported as the cause of an incident."""

from __future__ import annotations

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import clean
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
_SHORT_LOSS = {"id": "hilang paket {value}", "en": "packet loss {value}"}
_SHORT_RTT = {"id": "latensi {value} ms", "en": "RTT {value} ms"}
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


def short_evidence(incident: Incident, language: Language) -> str:
    """`hilang paket 12 %` or `latensi 84 ms` of a degradation; empty for anything else."""
    evidence = incident.evidence
    if incident.reason == "loss" and evidence.loss_ratio is not None:
        return language.text(_SHORT_LOSS, value=language.percent(evidence.loss_ratio))
    if incident.reason == "rtt" and evidence.rtt_ms is not None:
        return language.text(_SHORT_RTT, value=language.number(evidence.rtt_ms))
    return ""


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
