"""Say whether an office is connected, and by which link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import LINK_KIND_WORDS
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.alerting.office_status import OfficeState, OfficeStatus
from monitor.core.model import Link, State

Translations = Mapping[str, str]

_ONLY = {"id": "satu-satunya jalur putus", "en": "its only link is down"}
_BOTH = {"id": "kedua jalur putus", "en": "both links down"}
_ALL = {"id": "semua {n} jalur putus", "en": "all {n} links down"}
_NONE_ANSWERS = {"id": "tidak ada jalur yang menjawab", "en": "no link answers"}
_DARK = {"id": "Kantor GELAP: {how}", "en": "The office is DARK: {how}"}
_STILL_ON = {
    "id": "Kantor tetap terhubung lewat {links}",
    "en": "The office is still connected by {links}",
}
_ON = {"id": "Kantor terhubung lewat {links}", "en": "The office is connected by {links}"}
_NOT_KNOWN = {
    "id": "Tidak diketahui apakah kantor masih terhubung: tidak ada data dari {links}",
    "en": "It is not known whether the office is still connected: no data of {links}",
}
_ALL_WELL = {"id": "Semua jalur kantor normal", "en": "All links of the office are normal"}
_SHORT_ON = {"id": "kantor lewat {links}", "en": "office on {links}"}
_SHORT_NOT_KNOWN = {"id": "{links} tidak diketahui", "en": "{links} not known"}
_DEGRADED = {"id": "terganggu", "en": "degraded"}
_STILL = {
    State.DOWN: {"id": "{links} masih putus", "en": "{links} is still down"},
    State.UNREACHABLE: {"id": "{links} tidak terjangkau", "en": "{links} is unreachable"},
}
_SHORT_DARK = {"id": "kantor masih GELAP", "en": "office still DARK"}
_NOW = {
    State.DOWN: {"id": "{links} putus", "en": "{links} is down"},
    State.UNREACHABLE: {
        "id": "{links} tidak terjangkau (hulu putus)",
        "en": "{links} is unreachable (upstream down)",
    },
    State.UNKNOWN: {"id": "{links} tidak ada data", "en": "no data of {links}"},
}
_MAINTENANCE = {"id": "pemeliharaan", "en": "maintenance"}
_AND = {"id": " dan ", "en": " and "}


def dark_words(office: OfficeStatus, language: Language) -> str:
    """Why no link of a dark office answers: `kedua jalur putus`."""
    count = len(office.links)
    if len(office.links_in(State.DOWN)) < count:
        return language.text(_NONE_ANSWERS)
    return language.text(_ONLY if count == 1 else _BOTH if count == 2 else _ALL, n=count)


def office_phrase(office: OfficeStatus, language: Language) -> str:
    """What the first line of an outage says of an office that is not dark; may be empty."""
    answering = office.links_in(State.UP)
    if answering:
        return language.text(_SHORT_ON, links=_names(answering, language))
    degraded = office.links_in(State.DEGRADED)
    if degraded:
        links = f"{_names(degraded, language)} ({language.text(_DEGRADED)})"
        return language.text(_SHORT_ON, links=links)
    unknown = office.links_in(State.UNKNOWN)
    return language.text(_SHORT_NOT_KNOWN, links=_names(unknown, language)) if unknown else ""


def recovered_phrase(office: OfficeStatus, target: str, language: Language) -> str:
    """What the first line of a recovery says of the other links; empty: they are well."""
    if office.state is OfficeState.DARK:
        return language.text(_SHORT_DARK)
    parts = [
        language.text(words, links=_names(links, language))
        for state, words in _STILL.items()
        if (links := office.links_in(state, but=target))
    ]
    return ", ".join(parts)


def office_line(
    office: OfficeStatus, language: Language, *, but: str = "", over: bool = False
) -> str:
    """One sentence about the office: connected by which link, dark, or not known, and the rest.

    but: the full name of a link that is not named among the rest. over: the incident that it
    stands under has ended.
    """
    if office.state is OfficeState.DARK:
        first = language.text(_DARK, how=dark_words(office, language))
        if len(office.links) > len(office.links_in(State.DOWN)):
            first += "; " + _others(office, language, "")
        return first + _maintained(office, language)
    up, degraded = office.links_in(State.UP), office.links_in(State.DEGRADED)
    if not up and not degraded:
        names = [link_with_kind(link, language) for link in office.links_in(State.UNKNOWN)]
        unknown = _joined(names, language)
        return language.text(_NOT_KNOWN, links=unknown) + _maintained(office, language)
    if len(up) == len(office.links) > 1 or (over and len(up) == len(office.links)):
        return language.text(_ALL_WELL)
    answering = [link_with_kind(link, language) for link in up]
    answering += [link_with_kind(link, language, degraded=True) for link in degraded]
    first = language.text(_ON if over else _STILL_ON, links=_joined(answering, language))
    rest = _others(office, language, but)
    return "; ".join(part for part in (first, rest) if part) + _maintained(office, language)


def _others(office: OfficeStatus, language: Language, but: str) -> str:
    """The links that do not answer: `utama putus; satelit tidak ada data`."""
    return "; ".join(
        language.text(words, links=_names(links, language))
        for state, words in _NOW.items()
        if (links := office.links_in(state, but=but))
    )


def _maintained(office: OfficeStatus, language: Language) -> str:
    """` (pemeliharaan: cadangan)`, or nothing."""
    covered = [link for link, _ in office.links if link.name in office.maintenance]
    if not covered:
        return ""
    return f" ({language.text(_MAINTENANCE)}: {_names(covered, language)})"


def _names(links: Sequence[Link], language: Language) -> str:
    return _joined([clean(link.id, 60) for link in links], language)


def link_with_kind(link: Link, language: Language, *, degraded: bool = False) -> str:
    """`cadangan (LTE)`, `cadangan (LTE, terganggu)`; the id alone for a kind without a word."""
    kind = LINK_KIND_WORDS.get(link.kind)
    parts = [] if kind is None else [language.text(kind)]
    if degraded:
        parts.append(language.text(_DEGRADED))
    name = clean(link.id, 60)
    return f"{name} ({', '.join(parts)})" if parts else name


def _joined(names: Sequence[str], language: Language) -> str:
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + language.text(_AND) + names[-1]
