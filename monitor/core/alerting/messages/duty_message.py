"""Write the message to the person who goes on duty: what is open, and who has it in hand."""

from __future__ import annotations

from monitor.core.alerting.handling import handling_of
from monitor.core.alerting.messages.action_text import taken_incidents
from monitor.core.alerting.messages.headline import office_of, state_word
from monitor.core.alerting.messages.incident_message import ADDRESS, MORE_ITEMS
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean
from monitor.core.alerting.model import NotificationContext
from monitor.core.alerting.office_status import OfficeState
from monitor.core.model import Incident

_HEAD = {
    "id": "SERAH TERIMA PIKET: {n} insiden terbuka, {left} belum ditangani, {now}",
    "en": "YOU ARE ON CALL: {n} open incidents, {left} that nobody has, {now}",
}
_ON_CALL = {"id": "Anda piket mulai sekarang.", "en": "You are on call from now on."}
_ITEM = {
    "id": "Insiden {number}: {state} {where}, sejak {since} ({length}): {handling}",
    "en": "Incident {number}: {state} {where}, since {since} ({length}): {handling}",
}
_DARK = {"id": "{where} (kantor GELAP)", "en": "{where} (office DARK)"}
_OPEN = {"id": "belum ditangani", "en": "nobody has it"}
_TAKEN = {"id": "ditangani {who} sampai {until}", "en": "taken by {who} until {until}"}
_TAKEN_OPEN = {"id": "ditangani {who}", "en": "taken by {who}"}
_SNOOZED = {"id": "ditunda {who} sampai {until}", "en": "snoozed by {who} until {until}"}
_ADVICE = {
    "id": "Ambil alih: `pantau ack <nomor insiden>`. Selengkapnya: `pantau handover`",
    "en": "Take one over: `pantau ack <incident number>`. All of it: `pantau handover`",
}
_LIST = {"id": "Daftar: {list}", "en": "List: {list}"}


def duty_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """A headline with the count, then one incident a line with its acknowledgement."""
    now = language.clock_with_zone(context.at_s, context.at_s)
    taken = taken_incidents(context)
    left = sum(each.id not in taken for each in context.incidents)
    head = language.text(_HEAD, n=len(context.incidents), left=left, now=now)
    items = tuple(_item(each, context, names, language) for each in context.incidents)
    more = language.text(MORE_ITEMS, n="{n}")
    address = names.list_address
    return [
        TextLine(head, 100),
        TextLine(language.text(_ON_CALL), 50),
        TextLine("", 80, items, more, separators=("", "\n")),
        TextLine(language.text(_ADVICE), 60),
        *([] if address is None else [TextLine(language.text(_LIST, list=address), ADDRESS)]),
    ]


def _item(
    incident: Incident, context: NotificationContext, names: TargetNames, language: Language
) -> str:
    where = names.target(incident.target, language)
    office = office_of(context, incident)
    if office is not None and office.state is OfficeState.DARK:
        where = language.text(_DARK, where=where)
    return language.text(
        _ITEM,
        number=incident.id,
        state=state_word(incident, language),
        where=where,
        since=language.clock(incident.started_s, context.at_s),
        length=language.duration(context.at_s - incident.started_s),
        handling=_handling(incident, context, language),
    )


def _handling(incident: Incident, context: NotificationContext, language: Language) -> str:
    now_s = context.at_s
    handling = handling_of([each for each in context.actions if each.incident == incident.id])
    taken, snoozed = handling.active_acknowledgement(now_s), handling.active_snooze(now_s)
    action = taken or snoozed
    if action is None:
        return language.text(_OPEN)
    who = clean(action.who)
    if action.until_s is None:
        return language.text(_TAKEN_OPEN, who=who)
    until = language.clock(action.until_s, now_s)
    return language.text(_TAKEN if taken else _SNOOZED, who=who, until=until)
