"""`webhook`: POSTs the notification as JSON, with its key as `Idempotency-Key`, perhaps signed."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256

from monitor.adapters.notify.http_client import HttpClient, HttpResponse, NoResponse, Timeouts
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import Delivered, Delivery, Notification, Rejected, RetryLater
from monitor.core.documents import rfc3339

SCHEMA = 2
"""Version of the document; the first one had no such key. Keys may be added without a new one."""

_RETRY_STATUSES = frozenset({408, 409, 425, 429})
"""Time-out, still processing (a key seen before), too early, too many: it may succeed later."""


class WebhookChannel:
    """`Channel`: 2xx is accepted; 408, 409, 425, 429 and 5xx are retried; the rest is refused."""

    def __init__(
        self,
        url: str,
        redact: Redaction,
        timeouts: Timeouts | None = None,
        signing_key: str | None = None,
    ) -> None:
        """signing_key: None: the requests are not signed."""
        self._url = url
        self._signing_key = signing_key
        self._client = HttpClient(redact, timeouts)

    def __repr__(self) -> str:
        return "WebhookChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        body = notification_json(message)
        headers = {"Idempotency-Key": message.key}
        if self._signing_key is not None:
            headers |= signature_headers(self._signing_key, body, message.at_s)
        response = await self._client.post(self._url, body, headers)
        if isinstance(response, NoResponse):
            return RetryLater(response.why)
        return delivery_from_status(response)

    async def close(self) -> None:
        await self._client.close()


def signature_headers(key: str, body: bytes, at_s: float) -> dict[str, str]:
    """HMAC-SHA256 over `<timestamp>.<body>`; the timestamp (Unix seconds) is that of the attempt.

    A receiver that refuses old timestamps cannot be sent an earlier request again.
    """
    timestamp = str(int(at_s))
    digest = hmac.new(key.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()
    return {"X-Pantau-Timestamp": timestamp, "X-Pantau-Signature": f"sha256={digest}"}


def delivery_from_status(response: HttpResponse) -> Delivery:
    """What an HTTP status means for a message."""
    status = response.status
    if 200 <= status < 300:
        return Delivered()
    if status in _RETRY_STATUSES or status >= 500:
        return RetryLater(f"HTTP {status}", response.retry_after_s)
    if 300 <= status < 400:
        return Rejected(f"HTTP {status}: it sends us elsewhere, and we follow no redirect")
    return Rejected(f"HTTP {status}")


def notification_json(message: Notification) -> bytes:
    """The document that `webhook` and `command` get, in UTF-8; keys may be added, never removed."""
    incident = message.incident or {}
    document = {
        "schema": SCHEMA,
        "key": message.key,
        "event": message.event.value,
        "incident": message.incident,
        "incidents": list(message.incidents),
        "text": message.text,
        "sent_at": rfc3339(message.at_s),
        "title": message.title,
        "recipient": message.recipient,
        "code": message.code,
        "event_id": message.event_id,
        "recorded": message.is_recorded,
        "uid": incident.get("uid"),
        "provider": incident.get("provider"),
        "circuit": incident.get("circuit"),
        "contact": incident.get("contact"),
        "url": incident.get("url", message.list_address),
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
