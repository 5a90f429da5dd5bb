"""`apprise`: every service that Apprise reaches. Imported only when configured (see `factory`).

Apprise blocks, and reports a failure only in its log: the status in `error=403` distinguishes a
refusal from a temporary failure. Its log may hold addresses, so it is not forwarded.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import tzinfo

import apprise
from apprise.plugins.email import NotifyEmail

from monitor.adapters.notify.blocking_calls import BlockingCalls
from monitor.adapters.notify.email import EmailAccount, EmailChannel
from monitor.adapters.notify.http_client import Timeouts
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
_RETRY_STATUSES = frozenset({408, 425, 429})


class AppriseChannel:
    """`Channel`: one Apprise address, plain text."""

    def __init__(
        self,
        name: str,
        service: apprise.NotifyBase,
        redact: Redaction,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._service = service
        self._redact = redact
        self._timeouts = timeouts or Timeouts()
        self._calls = BlockingCalls(f"pantau-{name}", self._timeouts.total_s)

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
        title_repeated = has_title and first == message.title and bool(rest)
        result = outer.notify(
            body=(rest if title_repeated else message.text).encode("utf-8", "replace").decode(),
            title=message.title if has_title else "",
            body_format=apprise.NotifyFormat.TEXT,
            timeout=self._timeouts.total_s,
            log_level=logging.WARNING,
        )
        if result.status in (
            apprise.AppriseResultStatus.SUCCESS,
            # Some of several receivers got it: a retry would send it to them again.
            apprise.AppriseResultStatus.PARTIAL,
        ):
            return Delivered()
        return self._failure(entry.message for entry in result.logs())

    def _failure(self, logs: Iterable[str]) -> Delivery:
        texts = [text for text in logs if text]
        why = self._redact(texts[0]) if texts else "Apprise could not send it and does not say why"
        codes = [int(code) for text in texts for code in _STATUS.findall(text)]
        final = [code for code in codes if 400 <= code < 500 and code not in _RETRY_STATUSES]
        return Rejected(why) if final and len(final) == len(codes) else RetryLater(why)


def open_apprise(
    name: str, url: str, redact: Redaction, zone: tzinfo, timeouts: Timeouts | None = None
) -> Channel:
    """Open the channel of an Apprise address; e-mail gets `EmailChannel`.

    Raises ConfigError for a text that is no Apprise address.
    """
    _mute_logs()
    timeouts = timeouts or Timeouts()
    asset = apprise.AppriseAsset(
        app_id="pantau",
        app_desc="pantau",
        async_mode=False,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=timeouts.total_s,
        allow_templates=False,
    )
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(service, apprise.NotifyBase):
        raise ConfigError(
            f"the secret of the channel {name} is no address that Apprise knows: "
            "see its list of services, or use a webhook"
        )
    service.socket_connect_timeout = timeouts.connect_s
    service.socket_read_timeout = timeouts.total_s
    # The dispatcher limits the rate: Apprise would sleep inside our time limit.
    service.request_rate_per_sec = 0
    if type(service) is NotifyEmail and service.pgp_mode == "no":
        return EmailChannel(name, _email_account(service), redact, zone, timeouts)
    return AppriseChannel(name, service, redact, timeouts)


def _email_account(mail: NotifyEmail) -> EmailAccount:
    default_port = {"ssl": 465, "starttls": 587}.get(str(mail.secure_mode), 25)
    return EmailAccount(
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


def _mute_logs() -> None:
    """Keep Apprise's and its HTTP client's log lines out of ours: they hold tokens."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    for name in ("urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.WARNING)
