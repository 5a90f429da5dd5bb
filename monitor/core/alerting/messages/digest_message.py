"""The lines of a message about several incidents, and of the test."""

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
    occasion: NotificationContext, places: TargetNames, speech: Language
) -> list[TextLine]:
    """A headline with the count, then an item a line: those still open first."""
    still_open = [each for each in occasion.incidents if each.ended_s is None]
    over = [each for each in occasion.incidents if each.ended_s is not None]
    items = [
        speech.say(
            _OPEN_ITEM,
            state=state_word(each, speech),
            where=places.target(each.target, speech),
            since=speech.clock(each.started_s, occasion.at_s),
        )
        for each in still_open
    ]
    items += [
        speech.say(
            _OVER_ITEM,
            where=places.target(each.target, speech),
            length=speech.length((each.ended_s or each.started_s) - each.started_s),
        )
        for each in over
    ]
    listing = TextLine("", 80, tuple(items), speech.say(MORE_ITEMS, n="{n}"), glue=("", "\n"))
    head = _headline(occasion, still_open, over, speech)
    return [TextLine(head, 100), listing, *footer_lines(occasion, places, speech)]


def _headline(
    occasion: NotificationContext,
    still_open: Sequence[Incident],
    over: Sequence[Incident],
    speech: Language,
) -> str:
    now_s = occasion.at_s
    count = len(occasion.incidents)
    if over:
        end_s = max(each.ended_s or 0.0 for each in over)
        end = speech.moment(end_s, now_s)
        words = _SOME_OVER if still_open else _ALL_OVER
        return speech.say(words, n=count, over=len(over), end=end)
    since = speech.moment(min(each.started_s for each in still_open), now_s)
    states = {state_word(each, speech) for each in still_open}
    if len(states) > 1:
        return speech.say(_MIXED, n=count, since=since)
    still = occasion.escalated or occasion.reason is Reason.REMINDER_DUE
    return speech.say(_STILL if still else _SAME, state=states.pop(), n=count, since=since)
