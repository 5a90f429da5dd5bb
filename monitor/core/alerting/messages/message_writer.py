"""Write title and text of a notification."""

from __future__ import annotations

from datetime import tzinfo

from monitor.core.alerting.messages.digest_message import digest_lines
from monitor.core.alerting.messages.incident_message import incident_lines
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.self_alert_message import channel_test_lines, self_alert_lines
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.messages.text_layout import TextLine, clean_text, cut, fit_lines
from monitor.core.alerting.model import NotificationContext, Wording
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Network

TITLE_CHARACTERS = 110
"""What a lock screen or the subject of an e-mail shows."""


class MessageWriter:
    """Writes messages for one configuration. zone: of the readers. link_key: see TargetNames."""

    __slots__ = ("_names", "_zone")

    def __init__(
        self, network: Network, alerts: AlertSettings, zone: tzinfo, link_key: bytes | None = None
    ) -> None:
        self._names = TargetNames(network, alerts, link_key)
        self._zone = zone

    def write(self, context: NotificationContext) -> Wording:
        """title: the first line of the text. text: at most `context.most_characters`."""
        text = clean_text(fit_lines(self._lines(context), context.most_characters))
        return Wording(cut(text.partition("\n")[0], TITLE_CHARACTERS), text)

    def _lines(self, context: NotificationContext) -> list[TextLine]:
        language = Language(context.language, self._zone)
        if context.self_check is not None:
            return self_alert_lines(context.self_check, context.at_s, language)
        if not context.incidents:
            return channel_test_lines(context, self._names, language)
        if len(context.incidents) == 1:
            return incident_lines(context, self._names, language)
        return digest_lines(context, self._names, language)
