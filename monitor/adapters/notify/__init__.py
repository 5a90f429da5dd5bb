"""Adapters of `core.alerting.model.Channel`: Apprise, e-mail, Telegram, webhook, command.

Use `factory` to open them from settings and secrets. Apprise is imported only where a channel
needs it. No text that leaves this package (a log line, a `why`, a repr) holds a secret: see
`redaction`.
"""

from __future__ import annotations

from monitor.adapters.notify.factory import (
    open_button_pollers,
    open_channels,
    open_heartbeat,
    secret_names,
)
from monitor.adapters.notify.heartbeat import Heartbeat
from monitor.adapters.notify.telegram_buttons import ButtonPoller

__all__ = [
    "ButtonPoller",
    "Heartbeat",
    "open_button_pollers",
    "open_channels",
    "open_heartbeat",
    "secret_names",
]
