"""E-mail by smtplib, to where an Apprise address (`mailto://…`) says.

Apprise reads the address; it does not send, for it tells neither a server's code from another nor
lets a message have a Message-ID of our choice.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from monitor.adapters.notify.bounded import BoundedCalls
from monitor.adapters.notify.exchange import Bounds
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import Delivered, Delivery, Notification, Rejected, RetryLater

log = logging.getLogger("monitor.notify")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A server and the addresses. security: insecure, ssl or starttls."""

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


class MailChannel:
    """`Channel`: 2xx of the server is accepted, 4xx is tried later, 5xx is refused."""

    def __init__(
        self,
        name: str,
        mailbox: Mailbox,
        redact: Redaction,
        zone: tzinfo,
        bounds: Bounds | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._redact = redact
        self._zone = zone
        self._bounds = bounds or Bounds()
        self._calls = BoundedCalls(f"pantau-{name}", self._bounds.whole_s)

    def __repr__(self) -> str:
        return "MailChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        return await self._calls.call(message.key, lambda: self._deliver(message))

    async def close(self) -> None:
        """Nothing stays open between messages."""

    def _deliver(self, message: Notification) -> Delivery:
        try:
            mail = written(self._mailbox, message, self._zone)
            with self._connected() as server:
                return self._handed_over(server, mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            why = self._redact(f"SMTP: no recipient accepted ({codes})")
            return RetryLater(why) if any(400 <= code < 500 for code in codes) else Rejected(why)
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error
            said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
            why = self._redact(f"SMTP {error.smtp_code}: {said}")
            return Rejected(why) if 500 <= error.smtp_code < 600 else RetryLater(why)
        except smtplib.SMTPNotSupportedError as error:
            return Rejected(self._redact(f"SMTP: {error}"))
        except (smtplib.SMTPException, OSError) as error:
            return RetryLater(self._redact(f"SMTP: {type(error).__name__}: {error}"))
        except ValueError as error:
            return Rejected(self._redact(f"no mail can be written: {error}"))

    def _connected(self) -> smtplib.SMTP:
        box = self._mailbox
        context = ssl.create_default_context()
        if not box.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connect_s = self._bounds.connect_s
        server: smtplib.SMTP = (
            smtplib.SMTP_SSL(box.host, box.port, timeout=connect_s, context=context)
            if box.security == "ssl"
            else smtplib.SMTP(box.host, box.port, timeout=connect_s)
        )
        try:
            if server.sock is not None:
                server.sock.settimeout(self._bounds.whole_s)
            if box.security == "starttls":
                server.starttls(context=context)
            if box.user and box.password:
                server.login(box.user, box.password)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _handed_over(self, server: smtplib.SMTP, mail: EmailMessage) -> Delivery:
        box = self._mailbox
        everybody = [address for _, address in box.to] + [*box.copies, *box.hidden]
        refused = server.send_message(mail, box.sender[1], everybody)
        if refused:
            log.warning("mail: %d of %d recipients refused", len(refused), len(everybody))
        return Delivered(str(mail["Message-ID"]))


def written(box: Mailbox, message: Notification, zone: tzinfo) -> EmailMessage:
    """The message as a mail of plain text."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = formataddr(box.sender)
    mail["To"] = ", ".join(formataddr(each) for each in box.to)
    if box.copies:
        mail["Cc"] = ", ".join(box.copies)
    if box.reply_to:
        mail["Reply-To"] = ", ".join(box.reply_to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at_s, zone))
    mail["Message-ID"] = f"<{message.key}@{box.sender[1].rpartition('@')[2]}>"
    # RFC 3834: no machine answers this one.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Pantau-Event"] = message.event.value
    for name, value in box.headers.items():
        if name not in mail:
            mail[name] = value
    mail.set_content(message.text.encode("utf-8", "replace").decode())
    return mail
