"""Write the message about one incident, or about several outages of one office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.messages.action_text import (
    how_to_take,
    nothing_to_do,
    taken_incidents,
    what_to_do,
)
from monitor.core.alerting.messages.evidence_text import (
    evidence_text,
    reported_cause_text,
    suspected_cause_text,
)
from monitor.core.alerting.messages.headline import NOT_WELL_ENDS, headline, office_of, state_word
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.office_text import office_line
from monitor.core.alerting.messages.path_text import path_line
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import ActionKind, EventKind, IncidentAction, NotificationContext
from monitor.core.alerting.office_status import OfficeState
from monitor.core.alerting.reasons import Reason
from monitor.core.model import Incident, Scope, State

Translations = Mapping[str, str]
"""The text by language."""

_FOR = {"id": "Sudah {length}", "en": "For {length}"}
_FROM_TO = {"id": "{state} {period}", "en": "{state} {period}"}
_CUT_OFF = {"id": "Tidak mengukur", "en": "Did not measure"}
_EARLIEST = {"id": "mungkin sudah sejak {moment}", "en": "perhaps since {moment} already"}
_ENDED_EARLIEST = {"id": "mungkin pulih sejak {moment}", "en": "perhaps over since {moment}"}
_BEHIND = {"id": "{n} jalur di belakangnya:", "en": "{n} links behind it:"}
_DARK_OFFICES = {"id": "Kantor GELAP:", "en": "Offices DARK:"}
_STILL_ON = {
    "id": "Tetap terhubung lewat jalur lain:",
    "en": "Still connected by another link:",
}
_ALSO_NOTIFIED = {"id": "Juga diberi tahu:", "en": "Also told:"}
_NOT_ACKNOWLEDGED = {"id": "Belum ada yang menangani.", "en": "Nobody has taken it yet."}
_NO_OUTAGES = {
    "id": "Selama itu tidak ada jalur yang dilaporkan putus; kantor mungkin baik-baik saja.",
    "en": "Meanwhile no link is reported as down; the offices may be well.",
}
_AGAIN = {
    "id": "Yang masih putus sekarang dikabarkan tersendiri.",
    "en": "What is still down now is told on its own.",
}
_FLAPS = {
    "id": "Putus-sambung berulang: tidak dikirim satu per satu; kabar lagi bila tetap putus"
    " 15 mnt atau stabil.",
    "en": "Down and up again and again: not told one by one; next news when it stays down for"
    " 15 min or is steady.",
}
_STAYED_DOWN = {
    "id": "Jalur ini putus-sambung, dan kini tetap putus.",
    "en": "This link was flapping, and now it stays down.",
}
_LATE = {
    "id": "Sudah selesai sebelum pesan ini dikirim.",
    "en": "It was over before this message was sent.",
}
_ACKNOWLEDGED = {"id": "Ditangani {who} sampai {until}", "en": "Taken by {who} until {until}"}
_ACKNOWLEDGED_OPEN = {"id": "Ditangani {who}", "en": "Taken by {who}"}
_TICKET = {"id": "Tiket: {text}", "en": "Ticket: {text}"}
_NOTE = {"id": "Catatan {clock} ({who}): {text}", "en": "Note {clock} ({who}): {text}"}
_LINK = {"id": "{link}: {text}", "en": "{link}: {text}"}
MORE_ITEMS = {"id": "+{n} lagi", "en": "+{n} more"}

ADDRESS, OFFICE, WHAT_TO_DO, AFFECTED, EVIDENCE = 90, 87, 85, 80, 70
PATH, CAUSE, ACTIONS, PEOPLE = 65, 60, 50, 30
"""Weights: lines of a small weight go first where there is no room (see fit_lines)."""

_MOST_BEHIND = 15


def incident_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """All lines, the headline first, each with its weight."""
    incident = context.incidents[0]
    is_over = incident.ended_s is not None
    is_alone = len(context.incidents) == 1
    first = headline(context, names, language)
    found = [TextLine(first, 100)]
    office = office_of(context, incident)
    if office is not None and (incident.end_reason or "") not in NOT_WELL_ENDS:
        but = incident.target if is_alone and not is_over else ""
        line = office_line(office, language, but=but, over=is_over)
        if line.partition(": ")[2] not in first or ": " not in line:
            found.append(TextLine(line, OFFICE))
    found += _what_happens(incident, context, language)
    found += _offices_behind(incident, context, names, language)
    found += _to_do_lines(context, names, language)
    for each in context.incidents:
        text = _duration_and_evidence(each, context, language)
        if not is_alone:
            link = clean(each.target.partition("/")[2], 60)
            text = language.text(_LINK, link=link, text=text)
        found.append(TextLine(text, EVIDENCE))
    affected = names.affected(incident, language)
    if affected:
        head = language.text(_BEHIND, n=len(affected))
        more = language.text(MORE_ITEMS, n="{n}")
        found.append(TextLine(head, AFFECTED, tuple(affected), more, max_items=_MOST_BEHIND))
    for each in context.incidents:
        path = path_line(each.evidence.path, language, context.at_s)
        if path is not None and each.ended_s is None:
            found.append(TextLine(path, PATH))
        cause = suspected_cause_text(each, names, language)
        if cause is not None:
            found.append(TextLine(cause, CAUSE))
        found += [
            TextLine(text, ACTIONS)
            for text in _action_lines(context.actions, each, language, context.at_s)
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
                PEOPLE,
                tuple(people),
                language.text(MORE_ITEMS, n="{n}"),
            )
        )
    number = context.incidents[0].id if context.incidents else 0
    address = names.page_address(number, context.at_s) if number else None
    if address is not None:
        found.append(TextLine(address, ADDRESS))
    return found


def _what_happens(
    incident: Incident, context: NotificationContext, language: Language
) -> list[TextLine]:
    """What the headline alone may leave open: what follows, and who has it in hand."""
    found = []
    not_well = NOT_WELL_ENDS.get(incident.end_reason or "")
    if not_well is not None:
        found.append(TextLine(language.text(not_well[1]), WHAT_TO_DO))
    if context.reason is Reason.WAS_DOWN:
        found.append(TextLine(language.text(_LATE), AFFECTED))
    if incident.scope is Scope.MONITOR:
        text = _NO_OUTAGES if incident.ended_s is None else _AGAIN
        found.append(TextLine(language.text(text), AFFECTED))
    if context.reason is Reason.FLAPPING_BEGAN:
        found.append(TextLine(language.text(_FLAPS), AFFECTED))
    if context.reason is Reason.STILL_DOWN_AFTER_15_MIN:
        found.append(TextLine(language.text(_STAYED_DOWN), CAUSE))
    if (
        context.event is EventKind.REMINDER
        and not context.escalated
        and not taken_incidents(context)
    ):
        found.append(TextLine(language.text(_NOT_ACKNOWLEDGED), AFFECTED))
    return found


def _offices_behind(
    incident: Incident, context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """Of a node: the offices that are dark now, and those that are not."""
    more = language.text(MORE_ITEMS, n="{n}")
    found = []
    if incident.scope is Scope.NODE and incident.ended_s is None:
        for words, state in ((_DARK_OFFICES, OfficeState.DARK), (_STILL_ON, OfficeState.CONNECTED)):
            sites = [
                names.site(id_) for id_, each in context.offices.items() if each.state is state
            ]
            if sites:
                head = language.text(words)
                found.append(TextLine(head, OFFICE, tuple(sites), more, max_items=_MOST_BEHIND))
    return found


def _to_do_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """Whom to call and how to take it; of what is over: nothing."""
    still_open = [each for each in context.incidents if each.ended_s is None]
    if not still_open:
        return [TextLine(nothing_to_do(language), ACTIONS)] if all_well(context) else []
    texts = dict.fromkeys(what_to_do(each, names, language) for each in still_open)
    office = office_of(context, still_open[0])
    whole = (
        office is not None
        and office.state is OfficeState.DARK
        and len(office.links_in(State.DOWN)) > 1
        and still_open[0].state is State.DOWN
    )
    take = how_to_take(context, still_open, language, whole=whole)
    return [TextLine(text, WHAT_TO_DO) for text in (*texts, take) if text is not None]


def all_well(context: NotificationContext) -> bool:
    """Whether everything in the message is over, and no link of these offices is down."""
    return all(
        each.ended_s is not None and (each.end_reason or "") not in NOT_WELL_ENDS
        for each in context.incidents
    ) and not any(
        office.links_in(State.DOWN, State.UNREACHABLE) for office in context.offices.values()
    )


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
                state=_period_word(incident, language),
                period=language.period(incident.started_s, incident.ended_s, now_s),
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


def _period_word(incident: Incident, language: Language) -> str:
    if incident.scope is Scope.MONITOR:
        return language.text(_CUT_OFF)
    return state_word(incident, language).capitalize()


def _action_lines(
    actions: Sequence[IncidentAction], incident: Incident, language: Language, now_s: float
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
