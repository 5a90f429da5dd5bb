"""Write title and text of a notification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from monitor.core.alerting.messages.digest_message import digest_lines
from monitor.core.alerting.messages.duty_message import duty_lines
from monitor.core.alerting.messages.incident_message import incident_lines
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.self_alert_message import channel_test_lines, self_alert_lines
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean, clean_text, cut, fit_lines
from monitor.core.alerting.model import NotificationContext, Wording
from monitor.core.alerting.office_status import OfficeStatus, office_document
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Incident, Network, Scope, State

TITLE_CHARACTERS = 110
"""What a lock screen or the subject of an e-mail shows."""


class MessageWriter:
    """Writes messages for one configuration. zone: of the readers. link_key: see TargetNames."""

    __slots__ = ("_names", "_zone")

    def __init__(
        self,
        network: Network,
        alerts: AlertSettings,
        zone: tzinfo,
        link_key: bytes | None = None,
        ledger: str = "",
    ) -> None:
        self._names = TargetNames(network, alerts, link_key, ledger)
        self._zone = zone

    def write(self, context: NotificationContext) -> Wording:
        """Never raises: when the text cannot be made, it is `plain_text` with `error` set.

        title: the first line of the text. text: at most `context.most_characters`.
        """
        error = None
        try:
            text = fit_lines(self._lines(context), context.most_characters)
        except Exception as failure:  # noqa: BLE001  a faulty text must not cost the notification
            error = f"{type(failure).__name__}: {failure}"
            text = cut(plain_text(context), context.most_characters)
        text = clean_text(text)
        return Wording(cut(text.partition("\n")[0], TITLE_CHARACTERS), text, error)

    @property
    def list_address(self) -> str | None:
        """The page that lists all incidents; None: no base_url is configured."""
        return self._names.list_address

    def facts(
        self, incident: Incident, offices: Mapping[str, OfficeStatus], now_s: float
    ) -> dict[str, object]:
        """What a program that receives the incident wants to know of its target, from the settings.

        What does not apply or is not configured is None; url: of its page.
        """
        link = self._names.link(incident.target)
        office = None if link is None else offices.get(link.site)
        return {
            "name": self._names.target(incident.target, Language("id", self._zone)),
            "site": None if link is None else link.site,
            "kind": None if link is None else link.kind,
            "provider": None if link is None else link.provider,
            "contact": None if link is None else link.contact,
            "circuit": None if link is None else link.circuit,
            "url": self._names.page_address(incident.id, now_s),
            "office": None if office is None else office_document(office),
        }

    def _lines(self, context: NotificationContext) -> list[TextLine]:
        language = Language(context.language, self._zone)
        if context.self_check is not None:
            return self_alert_lines(context.self_check, context.at_s, language)
        if not context.incidents:
            return channel_test_lines(context, self._names, language)
        if context.reason is Reason.HAND_OVER:
            return duty_lines(context, self._names, language)
        if len(context.incidents) == 1 or _is_one_office(context.incidents):
            return incident_lines(context, self._names, language)
        return digest_lines(context, self._names, language)


def _is_one_office(incidents: Sequence[Incident]) -> bool:
    """Whether all of them are open outages of links of one site."""
    return len({each.target.partition("/")[0] for each in incidents}) == 1 and all(
        each.scope is Scope.LINK and each.state is State.DOWN and each.ended_s is None
        for each in incidents
    )


def plain_text(context: NotificationContext) -> str:
    """Event, state, target and UTC times only: a text that depends on nothing that can be broken.

    One line an incident: `opened: down anjatan/utama since 2026-11-24 07:05:00 UTC`.
    """
    event = context.event.value
    check = context.self_check
    if check is not None:
        return f"{event}: {check.check.value} {_period(check.since_s, check.ended_s)}"
    return "\n".join(f"{event}: {_incident(each)}" for each in context.incidents) or event


def _incident(incident: Incident) -> str:
    period = _period(incident.started_s, incident.ended_s)
    return f"{incident.state.value} {clean(incident.target)} {period}"


def _period(start_s: float, end_s: float | None) -> str:
    start = f"since {_utc(start_s)}"
    return start if end_s is None else f"{start} until {_utc(end_s)}"


def _utc(at_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at_s} s"
