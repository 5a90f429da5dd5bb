"""The e-mail channel: our Message-ID, and server codes as in RFC 5321."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.notify.factory import open_channels
from monitor.adapters.notify.http_client import Timeouts
from monitor.core.alerting.model import Channel, Delivered, Delivery, Rejected, RetryLater
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from tests.fakes.smtp import MailServer
from tests.message_fixtures import CANARY, KEY, message
from tests.waiting import eventually_async

WIB = ZoneInfo("Asia/Jakarta")


def mailbox(url: str, bounds: Timeouts | None = None) -> Channel:
    alerts = AlertSettings(channels=(ChannelSettings("surel", "apprise", secret="surel"),))
    return open_channels(alerts, {"surel": url}, WIB, bounds)["surel"]


async def test_a_mail_arrives_once_readable_and_with_the_key_as_its_message_id() -> None:
    async with MailServer() as server:
        delivery = await mailbox(server.url("&cc=budi@noc.example")).send(message())
    assert delivery == Delivered(f"<{KEY}@noc.example>")
    (mail,) = server.mails
    assert mail.get_all("Message-ID") == [f"<{KEY}@noc.example>"]
    assert mail["Subject"] == message().title
    assert mail["From"] == "pantau <pantau@noc.example>"
    assert (mail["To"], mail["Cc"]) == ("ani@noc.example", "budi@noc.example")
    assert mail["Date"] == "Wed, 18 Nov 2026 18:06:40 +0700"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == message().text.split("\n")
    assert server.envelopes[0].rcpt_tos == ["ani@noc.example", "budi@noc.example"]


async def test_a_title_cannot_add_a_header() -> None:
    odd = message("PUTUS\r\nBcc: maling@jahat.example\r\n\r\nx")
    async with MailServer() as server:
        assert isinstance(await mailbox(server.url()).send(odd), Delivered)
    assert server.mails[0]["Bcc"] is None
    assert server.envelopes[0].rcpt_tos == ["ani@noc.example"]


@pytest.mark.parametrize(
    ("data", "delivery"),
    [
        ("451 try again", RetryLater("SMTP 451: try again")),
        ("452 disk full", RetryLater("SMTP 452: disk full")),
        ("550 no such thing", Rejected("SMTP 550: no such thing")),
        ("554 spam", Rejected("SMTP 554: spam")),
    ],
)
async def test_4xx_is_retried_and_5xx_is_refused(data: str, delivery: Delivery) -> None:
    async with MailServer() as server:
        server.data = data
        assert await mailbox(server.url()).send(message()) == delivery


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("550 no such user", Rejected), ("450 greylisted", RetryLater)],
)
async def test_the_code_of_a_refused_recipient_decides(answer: str, kind: type[Delivery]) -> None:
    async with MailServer() as server:
        server.recipient["ani@noc.example"] = answer
        assert type(await mailbox(server.url()).send(message())) is kind


async def test_one_accepted_recipient_of_two_is_a_delivery() -> None:
    """A second try would send it twice to the one who has it."""
    async with MailServer() as server:
        server.recipient["budi@noc.example"] = "550 no such user"
        delivery = await mailbox(server.url("&cc=budi@noc.example")).send(message())
    assert isinstance(delivery, Delivered)


async def test_a_wrong_password_is_refused_and_not_repeated() -> None:
    async with MailServer() as server:
        delivery = await mailbox(server.url(login=f"pantau:{CANARY}salah@")).send(message())
    assert isinstance(delivery, Rejected)
    assert CANARY not in delivery.why
    assert delivery.why.startswith("SMTP 535")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
async def test_a_server_that_echoes_the_login_shows_no_secret(mechanism: str) -> None:
    """In base64, as it was sent; a server with a debug setting does."""
    password = f"{CANARY}salah"
    async with EchoingServer(mechanism) as server:
        url = f"mailto://ani:{password}@127.0.0.1:{server.port}?from=pantau@noc.example&to=ani@noc.example"
        delivery = await mailbox(url).send(message())
    assert isinstance(delivery, Rejected)
    assert delivery.why.startswith("SMTP 535")
    assert server.echoed
    for echoed in server.echoed:
        assert echoed not in delivery.why
    assert CANARY not in delivery.why


class EchoingServer:
    """Refuses every login and repeats all its lines. echoed: those lines."""

    def __init__(self, mechanism: str) -> None:
        self.echoed: list[str] = []
        self.port = 0
        self._mechanism = mechanism
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> EchoingServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 gema\r\n")
        said: list[str] = []
        while line := (await reader.readline()).decode().strip():
            if line.upper().startswith("EHLO"):
                writer.write(f"250-gema\r\n250 AUTH {self._mechanism}\r\n".encode())
                continue
            words = line.split()
            said.append(words[-1])
            is_first = words[0].upper() == "AUTH"
            if is_first and self._mechanism == "CRAM-MD5":
                writer.write(b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\n")
            elif is_first and self._mechanism == "LOGIN":
                writer.write(b"334 UGFzc3dvcmQ6\r\n")
            else:
                # The last word holds the password, of CRAM-MD5 a digest made with it.
                self.echoed.append(said[-1])
                writer.write(f"535 5.7.8 bad login: {' '.join(said)}\r\n".encode())
        writer.close()


async def test_a_silent_server_is_left_at_the_time_limit() -> None:
    async with MailServer() as server:
        channel = mailbox(server.url(), Timeouts(0.5, 0.7))
        server.silent = True
        assert await channel.send(message()) == RetryLater("no answer within 0.7 s")


async def test_a_refused_connection_is_retried() -> None:
    async with MailServer() as server:
        gone = server.url()
    assert isinstance(await mailbox(gone, Timeouts(0.5, 2.0)).send(message()), RetryLater)


async def test_a_server_without_a_greeting_is_retried() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"mailto://127.0.0.1:{port}?from=pantau@noc.example&to=ani@noc.example"
    delivery = await mailbox(url, Timeouts(0.3, 2.0)).send(message())
    assert isinstance(delivery, RetryLater)
    server.close()
    await server.wait_closed()


async def test_a_server_without_tls_is_refused_when_tls_is_configured() -> None:
    async with MailServer() as server:
        url = server.url("&mode=starttls").replace("mailto://", "mailtos://")
        delivery = await mailbox(url).send(message())
    assert isinstance(delivery, Rejected)
    assert await eventually_async(lambda: server.mails == [])
