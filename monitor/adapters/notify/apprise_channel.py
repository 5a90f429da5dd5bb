"""`apprise`: whatever Apprise reaches. Imported only where a channel needs it (see `opening`).

Apprise blocks, and says of a failure no more than a line of its log: `error=403` in it is what
tells a refusal from a bad moment. What it logs may hold addresses, so its log goes nowhere.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import tzinfo

import apprise
from apprise.plugins.email import NotifyEmail

from monitor.adapters.notify.bounded import BoundedCalls
from monitor.adapters.notify.exchange import Bounds
from monitor.adapters.notify.mail import Mailbox, MailChannel
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import (
    Channel,
    Delivered,
    Delivery,
    Notification,
    Rejected,
    RetryLater,
)
from monitor.core.errors import ConfigError

_STATUS = re.compile(r"error\s*=\s*(\d{3})\b")
_LATER = frozenset({408, 425, 429})


class AppriseChannel:
    """`Channel`: one Apprise address, plain text."""

    def __init__(
        self,
        name: str,
        service: apprise.NotifyBase,
        redact: Redaction,
        bounds: Bounds | None = None,
    ) -> None:
        self._service = service
        self._redact = redact
        self._bounds = bounds or Bounds()
        self._calls = BoundedCalls(f"pantau-{name}", self._bounds.whole_s)

    def __repr__(self) -> str:
        return "AppriseChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        return await self._calls.call(message.key, lambda: self._notify(message))

    async def close(self) -> None:
        """Nothing stays open between messages."""

    def _notify(self, message: Notification) -> Delivery:
        outer = apprise.Apprise(asset=self._service.asset)
        outer.add(self._service)
        has_title = self._service.title_maxlen > 0
        first, _, rest = message.text.partition("\n")
        said_twice = has_title and first == message.title and bool(rest)
        result = outer.notify(
            body=(rest if said_twice else message.text).encode("utf-8", "replace").decode(),
            title=message.title if has_title else "",
            body_format=apprise.NotifyFormat.TEXT,
            timeout=self._bounds.whole_s,
            log_level=logging.WARNING,
        )
        if result.status in (
            apprise.AppriseResultStatus.SUCCESS,
            # Some of several receivers have it: another try would send it to them again.
            apprise.AppriseResultStatus.PARTIAL,
        ):
            return Delivered()
        return self._failure(entry.message for entry in result.logs())

    def _failure(self, logs: Iterable[str]) -> Delivery:
        said = [text for text in logs if text]
        why = self._redact(said[0]) if said else "Apprise could not send it and does not say why"
        codes = [int(code) for text in said for code in _STATUS.findall(text)]
        final = [code for code in codes if 400 <= code < 500 and code not in _LATER]
        return Rejected(why) if final and len(final) == len(codes) else RetryLater(why)


def open_apprise(
    name: str, url: str, redact: Redaction, zone: tzinfo, bounds: Bounds | None = None
) -> Channel:
    """The channel for an Apprise address; e-mail has one of our own.

    Raises ConfigError for what is no such address.
    """
    _silence()
    bounds = bounds or Bounds()
    asset = apprise.AppriseAsset(
        app_id="pantau",
        app_desc="pantau",
        async_mode=False,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=bounds.whole_s,
        allow_templates=False,
    )
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(service, apprise.NotifyBase):
        raise ConfigError(
            f"the secret of the channel {name} is no address that Apprise knows: "
            "see its list of services, or use a webhook"
        )
    service.socket_connect_timeout = bounds.connect_s
    service.socket_read_timeout = bounds.whole_s
    # How many messages a minute is the outbox's affair: Apprise would sleep inside our bound.
    service.request_rate_per_sec = 0
    if type(service) is NotifyEmail and service.pgp_mode == "no":
        return MailChannel(name, _mailbox(service), redact, zone, bounds)
    return AppriseChannel(name, service, redact, bounds)


def _mailbox(mail: NotifyEmail) -> Mailbox:
    default_port = {"ssl": 465, "starttls": 587}.get(str(mail.secure_mode), 25)
    return Mailbox(
        host=str(mail.smtp_host),
        port=int(mail.port or default_port),
        security=str(mail.secure_mode),
        sender=(str(mail.from_addr[0] or "pantau"), str(mail.from_addr[1])),
        to=tuple((str(name or ""), str(address)) for name, address in mail.targets),
        user=mail.user,
        password=mail.password,
        copies=tuple(sorted(mail.cc)),
        hidden=tuple(sorted(mail.bcc)),
        reply_to=tuple(sorted(mail.reply_to)),
        verify=bool(mail.verify_certificate),
        headers={str(key): str(value) for key, value in mail.headers.items()},
    )


def _silence() -> None:
    """Apprise's and its HTTP client's logs hold addresses, and those hold tokens."""
    told = logging.getLogger("apprise")
    told.propagate = False
    if not told.handlers:
        told.addHandler(logging.NullHandler())
    for name in ("urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.WARNING)
