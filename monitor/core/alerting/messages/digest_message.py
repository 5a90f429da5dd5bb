"""Write one message about several incidents."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.alerting.messages.incident_message import MORE_ITEMS, footer_lines, state_word
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine
from monitor.core.alerting.model import NotificationContext
from monitor.core.alerting.reasons import Reason
from monitor.core.model import Incident

_SAME = {"id": "{state}: {n} sasaran, sejak {since}", "en": "{state}: {n} targets, since {since}"}
_STILL = {
    "id": "MASIH {state}: {n} sasaran, sejak {since}",
    "en": "STILL {state}: {n} targets, since {since}",
}
_MIXED = {"id": "{n} GANGGUAN, sejak {since}", "en": "{n} INCIDENTS, since {since}"}
_ALL_OVER = {"id": "PULIH: semua {n} sasaran, {end}", "en": "UP AGAIN: all {n} targets, {end}"}
_SOME_OVER = {
    "id": "PULIH: {over} dari {n} sasaran, {end}",
    "en": "UP AGAIN: {over} of {n} targets, {end}",
}
_OPEN_ITEM = {"id": "{state} {where}, {since}", "en": "{state} {where}, {since}"}
_OVER_ITEM = {"id": "pulih {where}, {length}", "en": "up again {where}, {length}"}


def digest_lines(
    context: NotificationContext, names: TargetNames, language: Language
) -> list[TextLine]:
    """A headline with the count, then one incident a line, the open ones first."""
    still_open = [each for each in context.incidents if each.ended_s is None]
    over = [each for each in context.incidents if each.ended_s is not None]
    items = [
        language.text(
            _OPEN_ITEM,
            state=state_word(each, language),
            where=names.target(each.target, language),
            since=language.clock(each.started_s, context.at_s),
        )
        for each in still_open
    ]
    items += [
        language.text(
            _OVER_ITEM,
            where=names.target(each.target, language),
            length=language.duration((each.ended_s or each.started_s) - each.started_s),
        )
        for each in over
    ]
    listing = TextLine(
        "", 80, tuple(items), language.text(MORE_ITEMS, n="{n}"), separators=("", "\n")
    )
    head = _headline(context, still_open, over, language)
    return [TextLine(head, 100), listing, *footer_lines(context, names, language)]


def _headline(
    context: NotificationContext,
    still_open: Sequence[Incident],
    over: Sequence[Incident],
    language: Language,
) -> str:
    now_s = context.at_s
    count = len(context.incidents)
    if over:
        end_s = max(each.ended_s or 0.0 for each in over)
        end = language.clock_with_zone(end_s, now_s)
        headline = _SOME_OVER if still_open else _ALL_OVER
        return language.text(headline, n=count, over=len(over), end=end)
    since = language.clock_with_zone(min(each.started_s for each in still_open), now_s)
    states = {state_word(each, language) for each in still_open}
    if len(states) > 1:
        return language.text(_MIXED, n=count, since=since)
    still = context.escalated or context.reason is Reason.REMINDER_DUE
    return language.text(_STILL if still else _SAME, state=states.pop(), n=count, since=since)
