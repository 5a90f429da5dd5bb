"""The JSON that `webhook` and `command` get (ALERTS, "Channels")."""

from __future__ import annotations

import json

from monitor.core.alerting.model import Notification
from monitor.core.documents import rfc3339


def payload(message: Notification) -> bytes:
    """One document in UTF-8; more keys may come beside these."""
    document = {
        "key": message.key,
        "event": message.event.value,
        "incident": message.incident,
        "incidents": list(message.incidents),
        "text": message.text,
        "sent_at": rfc3339(message.at_s),
        "title": message.title,
        "recipient": message.recipient,
        "code": message.code,
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
