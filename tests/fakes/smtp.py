"""An SMTP server (aiosmtpd) on loopback that accepts mail or answers as a test sets it."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "pantau"
PASSWORD = "kenari7-Rahasia_9XyZ"


class MailServer:
    """Started by `async with`. mails: those accepted; recipient, data: other answers than 250."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.recipient: dict[str, str] = {}
        self.data: str | None = None
        self.login: str | None = None
        self.silent = False
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> MailServer:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self,
                hostname="localhost",
                authenticator=self._authenticate,
                auth_require_tls=False,
                enable_SMTPUTF8=True,
                loop=loop,
            ),
            "127.0.0.1",
            0,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: Any) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def url(self, more: str = "", login: str = f"{USER}:{PASSWORD}@") -> str:
        """The Apprise address of a mailbox here."""
        return (
            f"mailto://{login}127.0.0.1:{self.port}"
            f"?from=pantau@noc.example&to=ani@noc.example{more}"
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd asks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipient.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.silent:
            await asyncio.Event().wait()
        if self.data is not None:
            return self.data
        self.envelopes.append(envelope)
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"
