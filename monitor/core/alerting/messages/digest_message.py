"""Write one message about incidents of several places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from monitor.core.alerting.messages.action_text import (
    MOST_COMMAND_NUMBERS,
    how_to_take,
    nothing_to_do,
)
from monitor.core.alerting.messages.headline import NOT_WELL_ENDS, incident_numbers, state_word
from monitor.core.alerting.messages.incident_message import (
    ADDRESS,
    AFFECTED,
    MORE_ITEMS,
    OFFICE,
    WHAT_TO_DO,
    all_well,
    footer_lines,
)
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import EventKind, NotificationContext
from monitor.core.alerting.office_status import OfficeState
from monitor.core.alerting.reasons import Reason
from monitor.core.model import Incident, Link, Scope

_LINKS = {"id": "{n} jalur", "en": "{n} links"}
_TARGETS = {"id": "{n} sasaran", "en": "{n} targets"}
_SAME = {"id": "{state}: {what}", "en": "{state}: {what}"}
_STILL = {"id": "MASIH {state}: {what}", "en": "STILL {state}: {what}"}
_NOT_TAKEN = {
    "id": "MASIH {state}, BELUM DITANGANI: {what}",
    "en": "STILL {state}, NOBODY HAS IT: {what}",
}
_MIXED = {"id": "{what} BERMASALAH", "en": "{what} IN TROUBLE"}
_STILL_MIXED = {"id": "{what} MASIH BERMASALAH", "en": "{what} STILL IN TROUBLE"}
_SINCE = {"id": "sejak {since}", "en": "since {since}"}
_ALL_OVER = {"id": "PULIH: {what}, {end}", "en": "UP AGAIN: {what}, {end}"}
_SOME_OVER = {"id": "PULIH: {over} dari {what}, {end}", "en": "UP AGAIN: {over} of {what}, {end}"}
_OPEN_ITEM = {
    "id": "{state} {where}, {since} (insiden {n})",
    "en": "{state} {where}, {since} (incident {n})",
}
_OVER_ITEM = {"id": "pulih {where}, {was} {length}", "en": "up again {where}, was {was} {length}"}
_ENDED_ITEM = {
    "id": "tidak lagi {was} {where}, tetapi belum pulih",
    "en": "no longer {was} {where}, but not well",
}
_ALL_BY = {"id": "semuanya {name}", "en": "all of {name}"}
_ALL_VIA = {"id": "semuanya lewat {name}", "en": "all via {name}"}
_SOME_BY = {"id": "{n} dari {total} {name}", "en": "{n} of {total} {name}"}
_SOME_VIA = {"id": "{n} dari {total} lewat {name}", "en": "{n} of {total} via {name}"}
_COMMON = {"id": "Yang sama: {what}", "en": "In common: {what}"}
_NOTHING_COMMON = {
    "id": "Penyedia dan PoP berbeda-beda",
    "en": "Providers and PoPs differ",
}
_DARK_COUNT = {"id": "{n} kantor GELAP", "en": "{n} offices DARK"}
_ONE_DARK = {"id": "1 kantor GELAP", "en": "1 office DARK"}
_DARK = {"id": "Kantor GELAP:", "en": "Offices DARK:"}
_ON = {
    "id": "Kantor yang tetap terhubung lewat jalur lain:",
    "en": "Offices still connected by another link:",
}
_NOT_KNOWN = {
    "id": "Kantor yang keadaannya tidak diketahui:",
    "en": "Offices whose state is not known:",
}
_CALL = {"id": "Hubungi", "en": "Call"}
_TAKE_LIST = {"id": "Tangani lewat daftar di bawah", "en": "Take them in the list below"}
_TAKE_EACH = {
    "id": "Tangani: `pantau ack <insiden> …`",
    "en": "Take them: `pantau ack <incident> …`",
}
_LIST = {"id": "Daftar: {list}", "en": "List: {list}"}

MOST_OFFICES, MOST_OTHERS = 15, 6
"""Dark offices, and others, that are named at most."""

MOST_SHOWN = 3
"""Providers, and PoPs, that are named at most."""

_COMMON_SHARE = 0.5
"""What at least so many of the incidents share is named in the first line."""


def digest_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """A headline, what is common, which offices are dark, whom to call, then each incident."""
    still_open = [each for each in context.incidents if each.ended_s is None]
    over = [each for each in context.incidents if each.ended_s is not None]
    found = [TextLine(_headline(context, still_open, over, names, language), 100)]
    if still_open:
        found.append(TextLine(common_text(still_open, names, language), OFFICE))
        found += _office_lines(context, names, language)
        found += _to_do_lines(context, still_open, names, language)
    elif all_well(context):
        found.append(TextLine(nothing_to_do(language), AFFECTED))
    items = [_open_item(each, context, names, language) for each in still_open]
    items += [_over_item(each, names, language) for each in over]
    more = language.text(MORE_ITEMS, n="{n}")
    found.append(TextLine("", AFFECTED, tuple(items), more, separators=("", "\n")))
    address = names.list_address
    if address is not None:
        found.append(TextLine(language.text(_LIST, list=address), ADDRESS))
    people = footer_lines(context, names, language)
    return found + [line for line in people if line.weight != ADDRESS]


def common_text(incidents: Sequence[Incident], names: TargetNames, language: Language) -> str:
    """`Yang sama: 12 dari 14 lewat PoP Jatibarang; semuanya Penyedia A`."""
    via, providers = _counts(incidents, names)
    parts = [
        *_shares(via, len(incidents), _ALL_VIA, _SOME_VIA, language),
        *_shares(providers, len(incidents), _ALL_BY, _SOME_BY, language),
    ]
    if not parts:
        return language.text(_NOTHING_COMMON)
    return language.text(_COMMON, what="; ".join(parts))


def _counts(incidents: Sequence[Incident], names: TargetNames) -> tuple[Counter[str], Counter[str]]:
    """How many of the incidents' links lead over each node, and belong to each provider."""
    links = _links(incidents, names)
    via = Counter(
        clean(node.name, 60) for link in links for id_ in link.via if (node := names.node(id_))
    )
    return via, Counter(clean(link.provider, 60) for link in links if link.provider)


def _links(incidents: Sequence[Incident], names: TargetNames) -> list[Link]:
    found = (names.link(each.target) for each in incidents)
    return [link for link in found if link is not None]


def _shares(
    counts: Counter[str],
    total: int,
    every: dict[str, str],
    some: dict[str, str],
    language: Language,
) -> list[str]:
    """The names that more than one incident has, the most frequent first."""
    return [
        language.text(every if count == total else some, name=name, n=count, total=total)
        for name, count in counts.most_common(MOST_SHOWN)
        if count > 1
    ]


def _headline(
    context: NotificationContext,
    still_open: Sequence[Incident],
    over: Sequence[Incident],
    names: TargetNames,
    language: Language,
) -> str:
    now_s = context.at_s
    what = _what(context.incidents, language)
    numbers = incident_numbers(context.incidents, language)
    if over:
        end = language.clock_with_zone(max(each.ended_s or 0.0 for each in over), now_s)
        headline = _SOME_OVER if still_open else _ALL_OVER
        return f"{language.text(headline, what=what, over=len(over), end=end)} {numbers}"
    since = language.clock_with_zone(min(each.started_s for each in still_open), now_s)
    states = {state_word(each, language) for each in still_open}
    reminds = context.event is EventKind.REMINDER or context.reason is Reason.REMINDER_DUE
    if len(states) > 1:
        first = language.text(_STILL_MIXED if reminds or context.escalated else _MIXED, what=what)
    else:
        words = _NOT_TAKEN if context.escalated else _STILL if reminds else _SAME
        first = language.text(words, state=states.pop(), what=what)
    dark = sum(each.state is OfficeState.DARK for each in context.offices.values())
    parts = [
        first,
        language.text(_ONE_DARK if dark == 1 else _DARK_COUNT, n=dark) if dark else "",
        _shared(still_open, names, language),
        language.text(_SINCE, since=since),
    ]
    return f"{', '.join(part for part in parts if part)} {numbers}"


def _shared(incidents: Sequence[Incident], names: TargetNames, language: Language) -> str:
    """What most of the incidents share: their PoP, else their provider; empty: nothing."""
    total = len(incidents)
    via, providers = _counts(incidents, names)
    for counts, every, some in ((via, _ALL_VIA, _SOME_VIA), (providers, _ALL_BY, _SOME_BY)):
        for name, count in counts.most_common(1):
            if count > 1 and count > total * _COMMON_SHARE:
                words = every if count == total else some
                return language.text(words, name=name, n=count, total=total)
    return ""


def _what(incidents: Sequence[Incident], language: Language) -> str:
    """`14 jalur`; `14 sasaran` when nodes are among them."""
    are_links = all(each.scope is Scope.LINK for each in incidents)
    return language.text(_LINKS if are_links else _TARGETS, n=len(incidents))


def _office_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """Which offices are dark, still connected, or not known."""
    more = language.text(MORE_ITEMS, n="{n}")
    found = []
    for words, state in (
        (_DARK, OfficeState.DARK),
        (_ON, OfficeState.CONNECTED),
        (_NOT_KNOWN, OfficeState.UNKNOWN),
    ):
        sites = [names.site(id_) for id_, each in context.offices.items() if each.state is state]
        if sites:
            most = MOST_OFFICES if state is OfficeState.DARK else MOST_OTHERS
            found.append(TextLine(language.text(words), OFFICE, tuple(sites), more, max_items=most))
    return found


def _to_do_lines(
    context: NotificationContext,
    still_open: Sequence[Incident],
    names: TargetNames,
    language: Language,
) -> list[TextLine]:
    """Whom to call (each provider once), and how to take the incidents."""
    contacts: dict[str, str] = {}
    for link in _links(still_open, names):
        if link.provider and link.provider not in contacts:
            contact = f" · {clean(link.contact, 60)}" if link.contact else ""
            contacts[link.provider] = clean(link.provider, 60) + contact
    found = []
    if contacts:
        items = tuple(contacts.values())
        more = language.text(MORE_ITEMS, n="{n}")
        line = TextLine(
            language.text(_CALL), WHAT_TO_DO, items, more, separators=(" ", "; "), max_items=5
        )
        found.append(line)
    take = how_to_take(context, still_open, language, whole=False)
    if take is None and len(still_open) > MOST_COMMAND_NUMBERS:
        take = language.text(_TAKE_EACH if names.list_address is None else _TAKE_LIST)
    if take is not None:
        found.append(TextLine(take, WHAT_TO_DO))
    return found


def _open_item(
    incident: Incident, context: NotificationContext, names: TargetNames, language: Language
) -> str:
    return language.text(
        _OPEN_ITEM,
        state=state_word(incident, language),
        where=names.target(incident.target, language),
        since=language.clock(incident.started_s, context.at_s),
        n=incident.id,
    )


def _over_item(incident: Incident, names: TargetNames, language: Language) -> str:
    is_well = incident.end_reason not in NOT_WELL_ENDS
    length_s = (incident.ended_s or incident.started_s) - incident.started_s
    return language.text(
        _OVER_ITEM if is_well else _ENDED_ITEM,
        where=names.target(incident.target, language),
        was=state_word(incident, language).lower(),
        length=language.duration(length_s),
    )
