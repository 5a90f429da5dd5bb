"""`webhook`: our JSON to an HTTP address, with the key as `Idempotency-Key`."""

from __future__ import annotations

from monitor.adapters.notify.exchange import Bounds, HttpAnswer, HttpExchange, NoAnswer
from monitor.adapters.notify.payload import payload
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import Delivered, Delivery, Notification, Rejected, RetryLater

_LATER = frozenset({408, 409, 425, 429})
"""Time-out, still at it (a key seen before), too early, too many: it may succeed later."""


class WebhookChannel:
    """`Channel`: 2xx is accepted; 429 and 5xx are tried later; anything else is refused."""

    def __init__(self, url: str, redact: Redaction, bounds: Bounds | None = None) -> None:
        self._url = url
        self._exchange = HttpExchange(redact, bounds)

    def __repr__(self) -> str:
        return "WebhookChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        answer = await self._exchange.post(
            self._url, payload(message), {"Idempotency-Key": message.key}
        )
        return RetryLater(answer.why) if isinstance(answer, NoAnswer) else delivery_of(answer)

    async def close(self) -> None:
        await self._exchange.close()


def delivery_of(answer: HttpAnswer) -> Delivery:
    """What a status means for a message."""
    status = answer.status
    if 200 <= status < 300:
        return Delivered()
    if status in _LATER or status >= 500:
        return RetryLater(f"HTTP {status}", answer.retry_after_s)
    if 300 <= status < 400:
        return Rejected(f"HTTP {status}: it sends us elsewhere, and we follow no redirect")
    return Rejected(f"HTTP {status}")
