"""Write the first line of a message about one office, link or node.

It is all that a lock screen or the subject of an e-mail shows: what happened, where, whether the
office is still connected, since when, and the number of the incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.messages.evidence_text import short_evidence
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.office_text import (
    dark_words,
    office_phrase,
    recovered_phrase,
)
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.alerting.model import EventKind, NotificationContext
from monitor.core.alerting.office_status import OfficeState, OfficeStatus
from monitor.core.alerting.reasons import Reason
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
_CUT_OFF = {"id": "PEMANTAU TERPUTUS DARI JARINGAN", "en": "THE MONITOR IS CUT OFF"}
_CANNOT_SEND = {"id": "PEMANTAU TIDAK DAPAT MENGUKUR", "en": "THE MONITOR CANNOT MEASURE"}
_DARK = {"id": "KANTOR GELAP", "en": "OFFICE DARK"}

_STILL = {"id": "MASIH {state}", "en": "STILL {state}"}
_STILL_DARK = {"id": "KANTOR MASIH GELAP", "en": "OFFICE STILL DARK"}
_NOT_TAKEN = {"id": "{state}, BELUM DITANGANI", "en": "{state}, NOBODY HAS IT"}
_AFTER_MAINTENANCE = {"id": "{state} SETELAH PEMELIHARAAN", "en": "{state} AFTER MAINTENANCE"}
_STAYS = {"id": "TETAP {state}", "en": "STAYS {state}"}

_SINCE = {"id": "sejak {since}", "en": "since {since}"}
_UNSTABLE = {"id": "TIDAK STABIL", "en": "FLAPPING"}
_UP_AND_DOWN = {"id": "putus-sambung berulang", "en": "down and up again and again"}
_STEADY = {"id": "STABIL LAGI", "en": "STEADY AGAIN"}
_NOT_FLAPPING = {"id": "tidak lagi putus-sambung", "en": "no longer flapping"}
_OVER = {"id": "PULIH", "en": "UP AGAIN"}
_WAS = {"id": "{state} {length}", "en": "was {state} {length}"}
_WAS_DOWN = {"id": "SEMPAT {state}, SUDAH PULIH", "en": "WAS {state}, IS UP AGAIN"}
_ALSO_DOWN = {"id": "kini {link} juga putus", "en": "now {link} is down too"}
_BEHIND = {"id": "{n} jalur ikut putus", "en": "{n} links cut off"}
_OFFICES_DARK = {"id": "{n} kantor GELAP", "en": "{n} offices DARK"}
_ONE_OFFICE_DARK = {"id": "1 kantor GELAP", "en": "1 office DARK"}
_STATES_UNKNOWN = {
    "id": "keadaan jalur tidak diketahui",
    "en": "the states of the links are not known",
}
_MONITOR_BACK = {
    "id": "PULIH: pemantau mengukur lagi",
    "en": "RESOLVED: the monitor measures again",
}
_BLIND_FOR = {"id": "setelah {length}", "en": "after {length}"}
_NUMBER = {"id": "(insiden {n})", "en": "(incident {n})"}
_NUMBERS = {"id": "(insiden {n})", "en": "(incidents {n})"}

NOT_WELL_ENDS: Mapping[str, tuple[Translations, Translations]] = {
    "down": (
        {"id": "KINI PUTUS", "en": "NOW DOWN"},
        {
            "id": "Belum perlu bertindak: bila putusnya berlanjut, pesan PUTUS menyusul.",
            "en": "No action yet: if the outage lasts, a DOWN message follows.",
        },
    ),
    "parent_down": (
        {"id": "KINI TIDAK TERJANGKAU", "en": "NOW UNREACHABLE"},
        {
            "id": "Hulunya putus; itu insiden tersendiri.",
            "en": "Its upstream is down, which is an incident of its own.",
        },
    ),
    "removed": (
        {"id": "TIDAK DIPANTAU LAGI", "en": "NO LONGER WATCHED"},
        {
            "id": "Dihapus dari konfigurasi; keadaannya tidak diketahui.",
            "en": "It was removed from the configuration; its state is not known.",
        },
    ),
}
"""End reasons of incidents whose target is not well again: the word, and what it means."""

_MOST_NUMBERS = 12


def state_word(incident: Incident, language: Language) -> str:
    """`PUTUS`, `DOWN`; an incident of the monitor itself has its own words."""
    if incident.scope is Scope.MONITOR:
        return language.text(_CANNOT_SEND if incident.reason == "send_failure" else _CUT_OFF)
    return language.text(STATE_WORDS[incident.state])


def incident_numbers(incidents: Sequence[Incident], language: Language) -> str:
    """`(insiden 17)`, `(insiden 17, 18)`, `(insiden 17–30)`."""
    numbers = sorted({each.id for each in incidents})
    words = _NUMBER if len(numbers) == 1 else _NUMBERS
    return language.text(words, n=number_list(numbers))


def number_list(numbers: Sequence[int]) -> str:
    """`17, 18`; `17–30` for three or more in a row; cut after twelve."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}–{numbers[-1]}"
    shown = ", ".join(str(number) for number in numbers[:_MOST_NUMBERS])
    left = len(numbers) - _MOST_NUMBERS
    return f"{shown} +{left}" if left > 0 else shown


def office_of(context: NotificationContext, incident: Incident) -> OfficeStatus | None:
    """The office of a link's incident, as it is now; None: not known."""
    if incident.scope is not Scope.LINK:
        return None
    return context.offices.get(incident.target.partition("/")[0])


def headline(context: NotificationContext, names: TargetNames, language: Language) -> str:
    """The first line about one incident, or about several outages of one office."""
    incident = context.incidents[0]
    if incident.scope is Scope.MONITOR:
        parts = _about_monitor(incident, context, language)
    elif context.reason in (Reason.FLAPPING_BEGAN, Reason.FLAPPING_OVER):
        parts = _about_flapping(incident, context, names, language)
    elif incident.ended_s is not None:
        parts = _about_end(incident, incident.ended_s, context, names, language)
    else:
        parts = _about_open(context, names, language)
    line = ", ".join(part for part in parts if part)
    return f"{line} {incident_numbers(context.incidents, language)}"


def _about_open(context: NotificationContext, names: TargetNames, language: Language) -> list[str]:
    incident = context.incidents[0]
    office = office_of(context, incident)
    is_dark = (
        office is not None and office.state is OfficeState.DARK and incident.state is State.DOWN
    )
    word = _prefixed(is_dark, context, language)
    since_s = max(each.started_s for each in context.incidents)
    since = language.text(_SINCE, since=language.clock_with_zone(since_s, context.at_s))
    if is_dark and office is not None:
        how = dark_words(office, language)
        if len(context.incidents) == 1 and context.reason is Reason.SAME_OFFICE:
            how = language.text(_ALSO_DOWN, link=clean(incident.target.partition("/")[2], 60))
        return [f"{word}: {names.site(office.site.id)}", how, since]
    where = names.target(incident.target, language)
    for other in context.incidents[1:]:
        where += ", " + clean(other.target.partition("/")[2], 60)
    what = ""
    if incident.state is State.DEGRADED:
        what = short_evidence(incident, language)
    elif incident.scope is Scope.NODE:
        what = _behind(incident, context, language)
    elif office is not None and incident.state is State.DOWN:
        what = office_phrase(office, language)
    return [f"{word}: {where}", what, since]


def _prefixed(is_dark: bool, context: NotificationContext, language: Language) -> str:
    """The state with what the message adds to it: still, nobody has it, after maintenance."""
    word = language.text(_DARK) if is_dark else state_word(context.incidents[0], language)
    if context.reason is Reason.MAINTENANCE_OVER:
        return language.text(_AFTER_MAINTENANCE, state=word)
    still = context.event is EventKind.REMINDER or context.escalated
    if still or context.reason is Reason.STILL_DOWN_AFTER_15_MIN:
        word = language.text(_STILL_DARK) if is_dark else language.text(_STILL, state=word)
    return language.text(_NOT_TAKEN, state=word) if context.escalated else word


def _behind(incident: Incident, context: NotificationContext, language: Language) -> str:
    """`32 jalur ikut putus, 12 kantor GELAP` of a node; empty: nothing is behind it."""
    if not incident.affected:
        return ""
    parts = [language.text(_BEHIND, n=len(incident.affected))]
    dark = sum(office.state is OfficeState.DARK for office in context.offices.values())
    if dark:
        parts.append(language.text(_ONE_OFFICE_DARK if dark == 1 else _OFFICES_DARK, n=dark))
    return ", ".join(parts)


def _about_end(
    incident: Incident,
    end_s: float,
    context: NotificationContext,
    names: TargetNames,
    language: Language,
) -> list[str]:
    where = names.target(incident.target, language)
    end = language.clock_with_zone(end_s, context.at_s)
    length = language.duration(end_s - incident.started_s)
    state = state_word(incident, language)
    was = language.text(_WAS, state=state.lower(), length=length)
    not_well = NOT_WELL_ENDS.get(incident.end_reason or "")
    if not_well is not None:
        return [f"{language.text(not_well[0])}: {where}", end, was]
    office = office_of(context, incident)
    rest = "" if office is None else recovered_phrase(office, incident.target, language)
    if context.reason is Reason.WAS_DOWN:
        word = language.text(_WAS_DOWN, state=state)
        period = language.period(incident.started_s, end_s, context.at_s)
        return [f"{word}: {where}", length, period, rest]
    return [f"{language.text(_OVER)}: {where}", end, was, rest]


def _about_flapping(
    incident: Incident, context: NotificationContext, names: TargetNames, language: Language
) -> list[str]:
    where = names.target(incident.target, language)
    now = language.clock_with_zone(context.at_s, context.at_s)
    if context.reason is Reason.FLAPPING_BEGAN:
        return [f"{language.text(_UNSTABLE)}: {where}", language.text(_UP_AND_DOWN), now]
    if incident.ended_s is not None:
        return [f"{language.text(_STEADY)}: {where}", now]
    word = language.text(_STAYS, state=state_word(incident, language))
    since = language.clock_with_zone(incident.started_s, context.at_s)
    office = office_of(context, incident)
    is_down = incident.state is State.DOWN
    return [
        f"{word}: {where}",
        office_phrase(office, language) if office is not None and is_down else "",
        language.text(_NOT_FLAPPING),
        language.text(_SINCE, since=since),
    ]


def _about_monitor(
    incident: Incident, context: NotificationContext, language: Language
) -> list[str]:
    now_s, end_s = context.at_s, incident.ended_s
    if end_s is None:
        since = language.clock_with_zone(incident.started_s, now_s)
        word = _prefixed(False, context, language)
        return [word, language.text(_STATES_UNKNOWN), language.text(_SINCE, since=since)]
    length = language.duration(end_s - incident.started_s)
    end = language.clock_with_zone(end_s, now_s)
    return [language.text(_MONITOR_BACK), end, language.text(_BLIND_FOR, length=length)]
