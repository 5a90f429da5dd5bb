"""E-mail by smtplib, to the account of an Apprise address (`mailto://…`).

Apprise parses the address but does not send: it reports no SMTP codes and allows no Message-ID of
our choice.
"""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from monitor.adapters.notify.blocking_calls import BlockingCalls
from monitor.adapters.notify.http_client import Timeouts
from monitor.adapters.notify.redaction import MARK, Redaction
from monitor.core.alerting.model import Delivered, Delivery, Notification, Rejected, RetryLater

log = logging.getLogger("monitor.notify")

_LONG_BASE64 = re.compile(r"[A-Za-z0-9+/=]{16,}")


@dataclass(frozen=True, slots=True)
class EmailAccount:
    """A server and addresses. security: insecure, ssl or starttls."""

    host: str
    port: int
    security: str
    sender: tuple[str, str]
    to: tuple[tuple[str, str], ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    copies: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    verify: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class EmailChannel:
    """`Channel`: 2xx of the server is accepted, 4xx is retried, 5xx is refused."""

    def __init__(
        self,
        name: str,
        account: EmailAccount,
        redact: Redaction,
        zone: tzinfo,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._account = account
        self._redact = redact
        self._zone = zone
        self._timeouts = timeouts or Timeouts()
        self._calls = BlockingCalls(f"pantau-{name}", self._timeouts.total_s)

    def __repr__(self) -> str:
        return "MailChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        return await self._calls.call(message.key, lambda: self._deliver(message))

    async def close(self) -> None:
        """Nothing stays open between messages."""

    def _deliver(self, message: Notification) -> Delivery:
        try:
            mail = compose_email(self._account, message, self._zone)
            with self._connect() as server:
                return self._submit(server, mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            why = self._redact(f"SMTP: no recipient accepted ({codes})")
            return RetryLater(why) if any(400 <= code < 500 for code in codes) else Rejected(why)
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error
            reply = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
            if isinstance(error, smtplib.SMTPAuthenticationError):
                # An echoed digest (CRAM-MD5) is no form of the password, but can be tried against.
                reply = _LONG_BASE64.sub(MARK, reply)
            why = self._redact(f"SMTP {error.smtp_code}: {reply}")
            return Rejected(why) if 500 <= error.smtp_code < 600 else RetryLater(why)
        except smtplib.SMTPNotSupportedError as error:
            return Rejected(self._redact(f"SMTP: {error}"))
        except (smtplib.SMTPException, OSError) as error:
            return RetryLater(self._redact(f"SMTP: {type(error).__name__}: {error}"))
        except ValueError as error:
            return Rejected(self._redact(f"no mail can be written: {error}"))

    def _connect(self) -> smtplib.SMTP:
        account = self._account
        context = ssl.create_default_context()
        if not account.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connect_s = self._timeouts.connect_s
        server: smtplib.SMTP = (
            smtplib.SMTP_SSL(account.host, account.port, timeout=connect_s, context=context)
            if account.security == "ssl"
            else smtplib.SMTP(account.host, account.port, timeout=connect_s)
        )
        try:
            if server.sock is not None:
                server.sock.settimeout(self._timeouts.total_s)
            if account.security == "starttls":
                server.starttls(context=context)
            if account.user and account.password:
                server.login(account.user, account.password)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _submit(self, server: smtplib.SMTP, mail: EmailMessage) -> Delivery:
        account = self._account
        recipients = [address for _, address in account.to] + [*account.copies, *account.hidden]
        refused = server.send_message(mail, account.sender[1], recipients)
        if refused:
            log.warning("mail: %d of %d recipients refused", len(refused), len(recipients))
        return Delivered(str(mail["Message-ID"]))


def compose_email(account: EmailAccount, message: Notification, zone: tzinfo) -> EmailMessage:
    """A plain-text e-mail of the message."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = formataddr(account.sender)
    mail["To"] = ", ".join(formataddr(each) for each in account.to)
    if account.copies:
        mail["Cc"] = ", ".join(account.copies)
    if account.reply_to:
        mail["Reply-To"] = ", ".join(account.reply_to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at_s, zone))
    mail["Message-ID"] = f"<{message.key}@{account.sender[1].rpartition('@')[2]}>"
    # RFC 3834: no automatic replies to this one.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Pantau-Event"] = message.event.value
    for name, value in account.headers.items():
        if name not in mail:
            mail[name] = value
    mail.set_content(message.text.encode("utf-8", "replace").decode())
    return mail
