"""The webhook channel: its JSON, the meaning of each status, and its time limits."""

from __future__ import annotations

import hmac
import json
import os
import re
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.notify.http_client import HttpClient, Timeouts
from monitor.adapters.notify.redaction import Redaction
from monitor.adapters.notify.webhook import (
    WebhookChannel,
    notification_json,
    signature_headers,
)
from monitor.core.alerting.model import Delivered, Delivery, Rejected, RetryLater
from tests.loopback_http import (
    Behaviour,
    LoopbackHttpServer,
    answering,
    hanging,
    hanging_up,
    never_ending,
    stalling,
    trickling,
)
from tests.message_fixtures import INCIDENT, KEY, message

HANDBOOK = Path(__file__).parents[2] / "config" / "README.md"
QUICK = Timeouts(connect_s=0.5, total_s=0.6)


async def sent_to(
    behave: Behaviour, bounds: Timeouts | None = None
) -> tuple[Delivery, LoopbackHttpServer]:
    async with LoopbackHttpServer(behave) as server:
        channel = WebhookChannel(f"{server.url}/pantau", Redaction(), bounds)
        try:
            return await channel.send(message()), server
        finally:
            await channel.close()


async def test_the_json_has_the_documented_keys_and_the_idempotency_key() -> None:
    delivery, server = await sent_to(answering(204))
    assert delivery == Delivered()
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/pantau")
    assert request.headers["idempotency-key"] == KEY
    assert request.headers["content-type"] == "application/json"
    document = request.json
    assert document["key"] == KEY
    assert document["event"] == "opened"
    assert document["incident"] == INCIDENT
    assert document["incidents"] == []
    assert document["text"] == message().text
    assert document["sent_at"] == "2026-11-18T11:06:40.000Z"
    assert document["schema"] == 2
    assert "x-pantau-signature" not in request.headers


async def test_provider_circuit_and_page_stand_beside_the_incident() -> None:
    facts = {
        "uid": "k3v7q2ma-17",
        "provider": "Penyedia A",
        "circuit": "FO-1",
        "url": "https://p/i/17",
    }
    one = json.loads(notification_json(message(incident=INCIDENT | facts)))
    assert {key: one[key] for key in facts} == facts
    assert one["incident"]["provider"] == "Penyedia A"
    several = replace(
        message(), incident=None, incidents=(INCIDENT, INCIDENT), list_address="https://p/insiden"
    )
    document = json.loads(notification_json(several))
    assert (document["url"], document["provider"], document["uid"]) == (
        "https://p/insiden",
        None,
        None,
    )


SIGNING_KEY = "0123456789abcdef0123456789abcdef"


async def test_with_a_signing_key_timestamp_and_body_are_signed_for_each_attempt() -> None:
    async with LoopbackHttpServer(answering(204)) as server:
        channel = WebhookChannel(f"{server.url}/x", Redaction(), None, SIGNING_KEY)
        await channel.send(message())
        await channel.send(replace(message(), at_s=message().at_s + 60))
        await channel.close()
    first, second = server.requests
    for request in (first, second):
        timestamp = request.headers["x-pantau-timestamp"]
        signed = f"{timestamp}.".encode() + request.body
        digest = hmac.new(SIGNING_KEY.encode(), signed, "sha256").hexdigest()
        assert request.headers["x-pantau-signature"] == f"sha256={digest}"
    assert (
        int(second.headers["x-pantau-timestamp"]) - int(first.headers["x-pantau-timestamp"]) == 60
    )


@pytest.mark.parametrize("language", ["python", "sh"])
async def test_the_examples_of_the_handbook_accept_what_is_signed_and_nothing_else(
    language: str, tmp_path: Path
) -> None:
    """The receivers in config/README.md, run as they stand there."""
    found = re.search(
        rf"<!-- signature: {language} -->\n```{language}\n(.*?)```", HANDBOOK.read_text(), re.S
    )
    assert found is not None
    body = notification_json(message())
    headers = signature_headers(SIGNING_KEY, body, message().at_s)
    (tmp_path / "body").write_bytes(body)
    (tmp_path / "key").write_text(SIGNING_KEY + "\n")
    environment = {
        "PATH": os.environ["PATH"],
        "TIMESTAMP": headers["X-Pantau-Timestamp"],
        "SIGNATURE": headers["X-Pantau-Signature"],
    }
    program = ["python3", "-c"] if language == "python" else ["sh", "-c"]

    def accepted(**changed: str) -> bool:
        done = subprocess.run(
            [*program, found[1]],
            cwd=tmp_path,
            env=environment | {"NOW": headers["X-Pantau-Timestamp"]} | changed,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    assert accepted()
    assert not accepted(SIGNATURE="sha256=" + "0" * 64)
    assert not accepted(TIMESTAMP=str(int(headers["X-Pantau-Timestamp"]) + 1))
    assert not accepted(NOW=str(int(headers["X-Pantau-Timestamp"]) + 301))
    (tmp_path / "body").write_bytes(body + b" ")
    assert not accepted()


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        *((status, Delivered()) for status in (200, 201, 202, 204)),
        *((s, RetryLater(f"HTTP {s}")) for s in (408, 409, 425, 500, 502, 503, 504)),
        *((s, Rejected(f"HTTP {s}")) for s in (400, 401, 403, 404, 410, 413, 422)),
    ],
)
async def test_the_status_decides_the_delivery(status: int, delivery: Delivery) -> None:
    assert (await sent_to(answering(status)))[0] == delivery


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "86400"}, 300.0),
        ({"Retry-After": "9" * 400}, 300.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
        (
            {
                "Date": "Tue, 24 Nov 2026 03:00:00 GMT",
                "Retry-After": "Tue, 24 Nov 2026 03:01:30 GMT",
            },
            90.0,
        ),
        ({"Retry-After": "Tue, 24 Nov 2026 03:01:30 GMT"}, None),
    ],
)
async def test_retry_after_of_429_is_obeyed_up_to_300_s(
    headers: dict[str, str], after_s: float | None
) -> None:
    assert (await sent_to(answering(429, headers=headers)))[0] == RetryLater("HTTP 429", after_s)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with LoopbackHttpServer(answering(200)) as elsewhere:
        away = answering(status, headers={"Location": f"{elsewhere.url}/stolen"})
        delivery, _ = await sent_to(away)
        assert isinstance(delivery, Rejected)
        assert elsewhere.requests == []


@pytest.mark.parametrize("behave", [hanging, trickling])
async def test_a_server_that_never_ends_its_answer_is_left_at_the_time_limit(
    behave: Behaviour,
) -> None:
    assert (await sent_to(behave, QUICK))[0] == RetryLater("no answer within 0.6 s")


@pytest.mark.parametrize("behave", [never_ending, stalling])
async def test_a_status_counts_even_if_its_body_never_ends(behave: Behaviour) -> None:
    """Trying again would only send twice what was accepted."""
    assert (await sent_to(behave, QUICK))[0] == Delivered()


async def test_at_most_64_kib_of_a_body_are_read() -> None:
    async with LoopbackHttpServer(never_ending) as server, HttpClient(Redaction(), QUICK) as client:
        answer = await client.get(server.url)
    assert (len(getattr(answer, "body", b"")), getattr(answer, "complete", None)) == (65_536, False)


@pytest.mark.parametrize("behave", [hanging_up, answering(200, headers={"x": "y" * 20_000})])
async def test_a_malformed_answer_is_retried(behave: Behaviour) -> None:
    assert isinstance((await sent_to(behave))[0], RetryLater)


async def test_a_refused_connection_and_an_unknown_host_are_retried() -> None:
    async with LoopbackHttpServer(hanging_up) as server:
        gone = server.url
    for url in (gone, "http://tidak-ada.invalid/x"):
        channel = WebhookChannel(url, Redaction(), QUICK)
        assert isinstance(await channel.send(message()), RetryLater)
        await channel.close()


async def test_a_hanging_connect_is_left_at_the_time_limit() -> None:
    """Its queue is full, so that connecting hangs."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        channel = WebhookChannel(
            f"http://127.0.0.1:{server.getsockname()[1]}/x", Redaction(), Timeouts(0.3, 20.0)
        )
        assert isinstance(await channel.send(message()), RetryLater)
        await channel.close()
        for one in waiting:
            one.close()
