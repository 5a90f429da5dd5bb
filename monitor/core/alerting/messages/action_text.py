"""Say what the person who is called should do about an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.alerting.model import ActionKind, NotificationContext
from monitor.core.detection.causes import POWER
from monitor.core.model import Incident, Scope, State

Translations = Mapping[str, str]

_CALL = {"id": "Hubungi {provider}", "en": "Call {provider}"}
_POWER_FIRST = {
    "id": "Tanyakan dulu listrik di kantor; bila menyala, hubungi {provider}",
    "en": "First ask at the office whether there is power; if there is, call {provider}",
}
_NO_PROVIDER = {
    "id": "Tanyakan listrik dan router di kantor; kontak penyedia tidak tercatat",
    "en": "Ask at the office about power and router; no provider's contact is configured",
}
_NODE = {
    "id": "Periksa {node} ({address}): listrik, perangkat, jalur ke sana",
    "en": "Check {node} ({address}): power, device, the line to it",
}
_MONITOR = {
    "id": "Periksa kabel, switch, dan gateway server pemantau",
    "en": "Check cable, switch and gateway of the monitor's server",
}
_NO_DATA = {
    "id": "Belum tentu putus: pemantau tidak dapat mengukurnya. Periksa server pemantau:"
    " `pantau status`",
    "en": "It may be up: the monitor cannot measure it. Check the monitor's server:"
    " `pantau status`",
}
_TAKE = {"id": "Tangani: `pantau ack {n}`", "en": "Take it: `pantau ack {n}`"}
_TAKE_BUTTON = {
    "id": "Tangani: tombol di Telegram atau `pantau ack {n}`",
    "en": "Take it: the button in Telegram or `pantau ack {n}`",
}
_TAKES_ALL = {
    "id": " (berlaku untuk semua jalur kantor ini)",
    "en": " (for all links of this office)",
}
_NOTHING = {"id": "Tidak ada yang perlu dilakukan.", "en": "There is nothing to do."}

MOST_COMMAND_NUMBERS = 6
"""More incidents are not typed at night: the message names the list instead."""


def what_to_do(incident: Incident, names: TargetNames, language: Language) -> str:
    """Whom to call about an open incident, or where to look."""
    if incident.scope is Scope.MONITOR:
        return language.text(_MONITOR)
    if incident.state is State.UNKNOWN:
        return language.text(_NO_DATA)
    node = names.node(incident.target)
    if node is not None:
        return language.text(_NODE, node=clean(node.name, 60), address=clean(node.address))
    provider = names.provider_line(incident, language)
    if provider is None:
        return language.text(_NO_PROVIDER)
    is_power = incident.suspected_cause == POWER
    return language.text(_POWER_FIRST if is_power else _CALL, provider=provider)


def how_to_take(
    context: NotificationContext, incidents: Sequence[Incident], language: Language, *, whole: bool
) -> str | None:
    """The command (and the button) that takes these incidents; None: all of them are taken.

    whole: one of them takes every outage of its office.
    """
    taken = taken_incidents(context)
    left = sorted(x.id for x in incidents if x.id not in taken and x.ended_s is None)
    if not left or (len(left) > MOST_COMMAND_NUMBERS and not whole):
        return None
    numbers = str(left[0]) if whole else " ".join(str(number) for number in left)
    text = language.text(_TAKE_BUTTON if context.buttons else _TAKE, n=numbers)
    return text + language.text(_TAKES_ALL) if whole else text


def command_to_take(incident: Incident, language: Language) -> str:
    """`tangani: `pantau ack 17``, as a part of a sentence."""
    text = language.text(_TAKE, n=incident.id)
    return text[:1].lower() + text[1:]


def taken_incidents(context: NotificationContext) -> set[int]:
    """The ids of the incidents that somebody has in hand now."""
    taken: set[int] = set()
    for action in context.actions:
        until_s = action.until_s
        if action.kind is ActionKind.ACKNOWLEDGE:
            if until_s is None or until_s > context.at_s:
                taken.add(action.incident)
        elif action.kind is ActionKind.RELEASE:
            taken.discard(action.incident)
    return taken


def nothing_to_do(language: Language) -> str:
    """For what is over."""
    return language.text(_NOTHING)
