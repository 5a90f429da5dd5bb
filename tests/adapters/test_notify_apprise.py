"""The Apprise channel: what Apprise logs of a failure decides between retry and refusal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.notify.factory import open_channels
from monitor.adapters.notify.http_client import Timeouts
from monitor.core.alerting.model import Channel, Delivered, Delivery, Rejected, RetryLater
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from tests.loopback_http import Behaviour, LoopbackHttpServer, answering, hanging, trickling
from tests.message_fixtures import message

WIB = ZoneInfo("Asia/Jakarta")


def channel(url: str, bounds: Timeouts | None = None) -> Channel:
    alerts = AlertSettings(channels=(ChannelSettings("ntfy", "apprise", secret="ntfy"),))
    return open_channels(alerts, {"ntfy": url}, WIB, bounds)["ntfy"]


async def sent_to(
    behave: Behaviour, bounds: Timeouts | None = None
) -> tuple[Delivery, LoopbackHttpServer]:
    async with LoopbackHttpServer(behave) as server:
        ntfy = channel(f"ntfy://127.0.0.1:{server.port}/gangguan", bounds)
        return await ntfy.send(message()), server


async def test_a_message_reaches_ntfy_with_its_title_once() -> None:
    delivery, server = await sent_to(answering(200, {"id": "x"}))
    assert delivery == Delivered()
    (request,) = server.requests
    title, body = message().text.split("\n")
    assert request.json["topic"] == "gangguan"
    assert request.json["title"] == title
    assert request.json["message"] == body


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(status, Rejected) for status in (400, 401, 403, 404)],
        *[(status, RetryLater) for status in (408, 429, 500, 503)],
    ],
)
async def test_the_http_status_in_its_log_decides_between_refusal_and_retry(
    status: int, kind: type[Delivery]
) -> None:
    delivery, _ = await sent_to(answering(status, b"no"))
    assert type(delivery) is kind
    assert str(status) in getattr(delivery, "why", "")


async def test_a_redirect_is_not_followed() -> None:
    async with LoopbackHttpServer(answering(200, {})) as elsewhere:
        away = answering(307, headers={"Location": f"{elsewhere.url}/stolen"})
        delivery, _ = await sent_to(away)
        assert not isinstance(delivery, Delivered)
        assert elsewhere.requests == []


@pytest.mark.parametrize("behave", [hanging, trickling])
async def test_a_server_that_never_ends_its_answer_is_left_at_the_time_limit(
    behave: Behaviour,
) -> None:
    delivery, _ = await sent_to(behave, Timeouts(0.3, 0.5))
    assert isinstance(delivery, RetryLater)


async def test_a_refused_connection_is_retried() -> None:
    async with LoopbackHttpServer(hanging) as server:
        gone = server.port
    delivery = await channel(f"ntfy://127.0.0.1:{gone}/gangguan").send(message())
    assert isinstance(delivery, RetryLater)
