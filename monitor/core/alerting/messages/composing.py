"""The port `core.alertports.Words`: an occasion in words."""

from __future__ import annotations

from datetime import tzinfo

from monitor.core.alerting.messages import digest, incident, self_alert
from monitor.core.alerting.messages.cleaning import clean_lines, cut, fitted
from monitor.core.alerting.messages.context import NotificationContext, Wording
from monitor.core.alerting.messages.language import Language
from monitor.core.alerting.messages.target_names import TargetNames
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Network

TITLE_CHARACTERS = 110
"""What a lock screen or the subject of an e-mail shows."""


class MessageWriter:
    """Words for one configuration. zone: of the people who read them. link_key: as in Places."""

    __slots__ = ("_places", "_zone")

    def __init__(
        self, network: Network, alerts: AlertSettings, zone: tzinfo, link_key: bytes | None = None
    ) -> None:
        self._places = TargetNames(network, alerts, link_key)
        self._zone = zone

    def __call__(self, occasion: NotificationContext) -> Wording:
        """title: the first line; text: all of it, never over `occasion.most_characters`."""
        places = self._places
        speech = Language(occasion.language, self._zone)
        if occasion.self_check is not None:
            lines = self_alert.lines(occasion.self_check, occasion.at_s, speech)
        elif not occasion.incidents:
            lines = digest.test_lines(occasion, places, speech)
        elif len(occasion.incidents) == 1:
            lines = incident.lines(occasion, places, speech)
        else:
            lines = digest.lines(occasion, places, speech)
        text = clean_lines(fitted(lines, occasion.most_characters))
        title = text.partition("\n")[0]
        return Wording(cut(title, TITLE_CHARACTERS), text)
