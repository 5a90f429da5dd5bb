"""Ways out for messages: `core.alerting.Channel` by Apprise, e-mail, Telegram, webhook, command.

Only `opening` is for others. Apprise is imported where a channel needs it and nowhere else.
No text that leaves here (a log line, a `why`, a repr) holds a secret: see `redaction`.
"""

from __future__ import annotations

from monitor.adapters.notify.heartbeat import Heartbeat
from monitor.adapters.notify.opening import (
    open_button_pollers,
    open_channels,
    open_heartbeat,
    secret_names,
)
from monitor.adapters.notify.telegram_buttons import ButtonPoller

__all__ = [
    "ButtonPoller",
    "Heartbeat",
    "open_button_pollers",
    "open_channels",
    "open_heartbeat",
    "secret_names",
]
