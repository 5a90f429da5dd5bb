"""Say where the path to a target breaks off, and show the hops of a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.paths.model import (
    SKIPPED,
    FindingKind,
    IncidentTrace,
    NamedHop,
    PathFinding,
    RouteHop,
)

Translations = Mapping[str, str]

NOTHING_NEW = (FindingKind.DIRECT, FindingKind.REACHED)
"""Findings that a message leaves out; the page shows them."""

_STOPPED = {
    "id": "terakhir menjawab: {last}; biasanya {usual} lompatan, {now} berhenti di {ttl}",
    "en": "last to answer: {last}; usually {usual} hops, {now} it ends at {ttl}",
}
_MISSING = {"id": "sesudahnya biasanya {next}", "en": "usually followed by {next}"}
_BEFORE_TARGET = {
    "id": "terakhir menjawab: {last} (lompatan {ttl} dari {usual}): router terakhir sebelum"
    " sasaran, hanya sasarannya yang tidak menjawab",
    "en": "last to answer: {last} (hop {ttl} of {usual}): the last router before the target, only"
    " the target does not answer",
}
_NOWHERE = {
    "id": "tidak ada router di jalur yang menjawab, juga tidak {next} (lompatan {next_ttl}) yang"
    " biasanya menjawab",
    "en": "no router on the path answers, not even {next} (hop {next_ttl}), which usually does",
}
_LOOP = {
    "id": "paket berputar-putar antara {last} dan {next}",
    "en": "packets go round and round between {last} and {next}",
}
_OTHER_PATH = {
    "id": "terakhir menjawab: {last} (lompatan {ttl}), lewat jalur yang lain dari biasanya",
    "en": "last to answer: {last} (hop {ttl}), on another path than usual",
}
_OWN_ADDRESS = {
    "id": "router di alamat sasaran sendiri ({last}) masih menjawab, yang di belakangnya"
    " (NAT) tidak",
    "en": "the router at the target's own address ({last}) still answers, what is behind it (NAT)"
    " does not",
}
_DIRECT = {
    "id": "tidak ada router di antara pemantau dan sasaran: jejak jalur tidak menambah keterangan",
    "en": "there is no router between the monitor and the target: a trace shows nothing more",
}
_UNPROVEN = {
    "id": "terakhir menjawab: {last} (lompatan {ttl} dari {usual}); router sesudahnya tidak"
    " selalu menjawab jejak, jadi tempat putusnya tidak diketahui",
    "en": "last to answer: {last} (hop {ttl} of {usual}); the routers after it do not always"
    " answer traces, so the place of the break is not known",
}
_UNPROVEN_SILENT = {
    "id": "router di jalur ini tidak selalu menjawab jejak: tempat putusnya tidak diketahui",
    "en": "the routers on this path do not always answer traces: the place of the"
    " break is not known",
}
_NO_BASELINE = {
    "id": "terakhir menjawab: {last} (lompatan {ttl}); jalur biasanya belum tercatat",
    "en": "last to answer: {last} (hop {ttl}); the usual path is not recorded yet",
}
_NO_BASELINE_SILENT = {
    "id": "tidak ada router yang menjawab; jalur biasanya belum tercatat",
    "en": "no router answers; the usual path is not recorded yet",
}
_REACHED = {
    "id": "sasaran menjawab lagi waktu jejaknya diambil",
    "en": "the target answered again when its path was traced",
}
_ERROR = {"id": "katanya: {error}", "en": "it says: {error}"}
_CHANGED = {"id": "jalur berubah pada {moment}", "en": "the path changed at {moment}"}
_NOW = {"id": "kini", "en": "now"}
_THEN = {"id": "waktu itu", "en": "then"}
_SKIPPED = {
    "id": "jejak jalur dilewati: terlalu banyak sasaran putus bersamaan",
    "en": "the path was not traced: too many targets were down at once",
}

_TEXTS: Mapping[FindingKind, Translations] = {
    FindingKind.STOPPED: _STOPPED,
    FindingKind.BEFORE_TARGET: _BEFORE_TARGET,
    FindingKind.NOWHERE: _NOWHERE,
    FindingKind.LOOP: _LOOP,
    FindingKind.OTHER_PATH: _OTHER_PATH,
    FindingKind.OWN_ADDRESS: _OWN_ADDRESS,
    FindingKind.DIRECT: _DIRECT,
    FindingKind.UNPROVEN: _UNPROVEN,
    FindingKind.NO_BASELINE: _NO_BASELINE,
    FindingKind.REACHED: _REACHED,
}
_SILENT_TEXTS: Mapping[FindingKind, Translations] = {
    FindingKind.UNPROVEN: _UNPROVEN_SILENT,
    FindingKind.NO_BASELINE: _NO_BASELINE_SILENT,
}


def path_text(finding: PathFinding, language: Language, now_s: float, *, over: bool) -> str:
    """Where the path breaks off, in one line that begins in lower case. over: the outage is."""
    texts = _SILENT_TEXTS if finding.last is None and finding.kind in _SILENT_TEXTS else _TEXTS
    last, following = finding.last, finding.next
    parts = [
        language.text(
            texts[finding.kind],
            last=_hop_text(last),
            ttl="" if last is None else last.ttl,
            next=_hop_text(following),
            next_ttl="" if following is None else following.ttl,
            usual=finding.usual_hops,
            now=language.text(_THEN if over else _NOW),
        )
    ]
    if finding.kind is FindingKind.STOPPED and following is not None:
        parts[0] += ", " + language.text(_MISSING, next=_hop_text(following))
    if finding.error is not None:
        parts.append(language.text(_ERROR, error=clean(finding.error)))
    if finding.changed_s is not None:
        moment = language.clock_with_zone(finding.changed_s, now_s)
        parts.append(language.text(_CHANGED, moment=moment))
    return "; ".join(parts)


def path_line(finding: PathFinding | None, language: Language, now_s: float) -> str | None:
    """The line of a message about an open outage; None: nothing that a person could use."""
    if finding is None or finding.kind in NOTHING_NEW:
        return None
    text = path_text(finding, language, now_s, over=False)
    return text[:1].upper() + text[1:]


def hops_text(trace: IncidentTrace, language: Language) -> str:
    """All hops in one line: `1 10.77.0.10 Pusat data · 2 *`; that it was skipped, where it was."""
    if trace.result == SKIPPED:
        return language.text(_SKIPPED)
    return " · ".join(f"{hop.ttl} {route_text(hop)}" for hop in trace.hops) or "*"


def route_text(hop: RouteHop) -> str:
    """`10.77.0.11 PoP Jatibarang`; `*` for a hop that did not answer."""
    if hop.address is None:
        return "*"
    error = "" if hop.error is None else f" ({clean(hop.error)})"
    return _address_text(hop.address, hop.name) + error


def hop_at(hops: Sequence[RouteHop], ttl: int) -> RouteHop | None:
    """The hop of that TTL; None: there is none."""
    return next((hop for hop in hops if hop.ttl == ttl), None)


def _hop_text(hop: NamedHop | None) -> str:
    return "" if hop is None else _address_text(hop.address, hop.name)


def _address_text(address: str, name: str | None) -> str:
    return clean(address) if name is None else f"{clean(address)} {clean(name, 60)}"
