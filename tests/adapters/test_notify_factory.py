"""Settings and secrets become channels; errors do not show a secret."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.notify import open_button_pollers, open_channels, open_heartbeat, secret_names
from monitor.adapters.notify.redaction import MARK, Redaction
from monitor.core.alerting.model import IncidentAction
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
from monitor.core.errors import ConfigError
from monitor.core.ledger_identity import LedgerIdentity
from tests.fakes.telegram import CHAT, TOKEN
from tests.loopback_http import LoopbackHttpServer, answering
from tests.message_fixtures import CANARY

WIB = ZoneInfo("Asia/Jakarta")
TGRAM = f"tgram://{TOKEN}/{CHAT}"

ALERTS = AlertSettings(
    channels=(
        ChannelSettings("chat", "apprise", secret="chat", buttons=True, allowed_users=(1,)),
        ChannelSettings("exact", "telegram", secret="chat", buttons=True, allowed_users=(2,)),
        ChannelSettings("ntfy", "apprise", secret="ntfy"),
        ChannelSettings("surel", "apprise", secret="surel"),
        ChannelSettings("hook", "webhook", address="http://127.0.0.1:9/x"),
        ChannelSettings("secret-hook", "webhook", secret="hook", signing_key="hook-key"),
        ChannelSettings("siren", "command", command=("true",)),
    ),
    heartbeat="beat",
)
SECRETS = {
    "chat": TGRAM,
    "ntfy": f"ntfy://127.0.0.1/{CANARY}",
    "surel": f"mailto://pantau:{CANARY}@127.0.0.1?from=a@b.example&to=c@d.example",
    "hook": f"https://hook.example/{CANARY}",
    "hook-key": CANARY,
    "beat": f"https://beat.example/{CANARY}",
}


async def keep(action: IncidentAction) -> None:
    raise AssertionError(action)


def test_each_type_of_channel_gets_its_class() -> None:
    assert secret_names(ALERTS) == {"chat", "ntfy", "surel", "hook", "hook-key", "beat"}
    found = open_channels(ALERTS, SECRETS, WIB)
    assert {name: type(channel).__name__ for name, channel in found.items()} == {
        "chat": "TelegramChannel",
        "exact": "TelegramChannel",
        "ntfy": "AppriseChannel",
        "surel": "EmailChannel",
        "hook": "WebhookChannel",
        "secret-hook": "WebhookChannel",
        "siren": "CommandChannel",
    }


def test_one_bot_with_several_chats_has_one_poller() -> None:
    assert len(open_button_pollers(ALERTS, SECRETS, keep, lambda: 0.0, LedgerIdentity())) == 1
    assert open_button_pollers(AlertSettings(), {}, keep, lambda: 0.0, LedgerIdentity()) == []


def test_no_repr_shows_a_secret() -> None:
    made: list[object] = [*open_channels(ALERTS, SECRETS, WIB).values()]
    made += open_button_pollers(ALERTS, SECRETS, keep, lambda: 0.0, LedgerIdentity())
    made += [open_heartbeat(ALERTS, SECRETS, lambda: True), Redaction(CANARY)]
    assert CANARY not in repr(made)
    assert TOKEN not in repr(made)


@pytest.mark.parametrize(
    ("channel", "secret"),
    [
        (ChannelSettings("x", "apprise", secret="x"), f"nonsense {CANARY}"),
        (ChannelSettings("x", "apprise", secret="x"), f"no-such-service://{CANARY}"),
        (ChannelSettings("x", "telegram", secret="x"), f"tgram://{CANARY}"),
        (ChannelSettings("x", "apprise", secret="x", buttons=True), f"ntfy://{CANARY}"),
        (ChannelSettings("x", "webhook", secret="x"), f"ftp://{CANARY}"),
        (ChannelSettings("x", "webhook", secret="x"), f"https://a b/{CANARY}"),
    ],
)
def test_an_unusable_secret_is_an_error_that_does_not_show_it(
    channel: ChannelSettings, secret: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_channels(AlertSettings(channels=(channel,)), {"x": secret}, WIB)
    assert "the channel x" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert CANARY not in "".join(capfd.readouterr())


def test_a_short_signing_key_is_an_error_that_says_how_to_make_one() -> None:
    hook = ChannelSettings("x", "webhook", address="http://127.0.0.1:9/", signing_key="k")
    with pytest.raises(ConfigError, match="signing key of the channel x is shorter than 16 "):
        open_channels(AlertSettings(channels=(hook,)), {"k": "kenari"}, WIB)


def test_apprise_is_loaded_only_where_a_channel_needs_it() -> None:
    script = """
import sys
from collections.abc import Iterator
from datetime import UTC
from monitor.adapters.notify import open_channels
from monitor.core.alerting.settings import AlertSettings, ChannelSettings
hook = ChannelSettings("hook", "webhook", address="http://127.0.0.1:9/x")
open_channels(AlertSettings(channels=(hook,)), {}, UTC)
assert "apprise" not in sys.modules and "requests" not in sys.modules
ntfy = ChannelSettings("ntfy", "apprise", secret="ntfy")
open_channels(AlertSettings(channels=(ntfy,)), {"ntfy": "ntfy://127.0.0.1/x"}, UTC)
assert "apprise" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        (CANARY, f"https://x/{CANARY}?a"),
        (f"https://user:{CANARY}@hook.example/a", f"login {CANARY} failed"),
        (f"https://hook.example/s/{CANARY}/t", f"cannot connect to hook.example/s/{CANARY}"),
        ("https://hook.example/kenari7%20rahasia", "GET kenari7 rahasia"),
        ("mailto://a:kenari7 rahasia@x.example", "kenari7%20rahasia"),
        (TGRAM, f"POST /bot{TOKEN}/sendMessage"),
    ],
)
def test_redaction_removes_a_secret_and_its_parts_in_every_spelling(secret: str, text: str) -> None:
    redacted = Redaction(secret)(text)
    assert MARK in redacted
    assert "enari7" not in redacted
    assert "ahasia" not in redacted.replace(MARK, "")


def test_redaction_leaves_one_short_line_and_the_host() -> None:
    redacted = Redaction("https://hook.example/abcdefgh")(
        "hook.example\n\x1b[31mrefused " + "x" * 900
    )
    assert redacted.startswith("hook.example [31mrefused xxx")
    assert len(redacted) == 300


async def test_the_heartbeat_is_sent_only_while_the_monitor_is_healthy() -> None:
    well = True
    async with LoopbackHttpServer(answering(200)) as server:
        alerts = AlertSettings(heartbeat="beat")
        beat = open_heartbeat(alerts, {"beat": f"{server.url}/ping/{CANARY}"}, lambda: well)
        assert beat is not None
        assert await beat.beat()
        well = False
        assert not await beat.beat()
        assert len(server.requests) == 1
        well = True
        assert await beat.beat()
        await beat.close()
    assert [(each.method, each.path) for each in server.requests] == [
        ("GET", f"/ping/{CANARY}")
    ] * 2


async def test_a_failing_heartbeat_is_logged_once_without_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with LoopbackHttpServer(answering(500)) as server:
        beat = open_heartbeat(
            AlertSettings(heartbeat="beat"), {"beat": f"{server.url}/{CANARY}"}, lambda: True
        )
        assert beat is not None
        with caplog.at_level("INFO", "monitor.notify"):
            assert not await beat.beat()
            assert not await beat.beat()
            server.behave = answering(200)
            assert await beat.beat()
        await beat.close()
    assert [each.getMessage() for each in caplog.records if each.name == "monitor.notify"] == [
        "no heartbeat: HTTP 500",
        "the heartbeat is heard again",
    ]
    assert CANARY not in caplog.text


def test_without_a_usable_address_there_is_no_heartbeat() -> None:
    assert open_heartbeat(AlertSettings(), {}, lambda: True) is None
    with pytest.raises(ConfigError):
        open_heartbeat(AlertSettings(heartbeat="beat"), {"beat": CANARY}, lambda: True)


async def test_a_crashed_heartbeat_is_logged_and_sent_again_after_ten_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    checks: Iterator[RuntimeError | bool] = iter([RuntimeError(CANARY), True])
    pauses: list[float] = []

    def healthy() -> bool:
        check = next(checks)
        if isinstance(check, RuntimeError):
            raise check
        return check

    async def pause(length_s: float) -> None:
        pauses.append(length_s)
        if len(pauses) == 2:
            raise asyncio.CancelledError

    async with LoopbackHttpServer(answering(200)) as server:
        beat = open_heartbeat(AlertSettings(heartbeat="beat"), {"beat": server.url}, healthy)
        assert beat is not None
        with pytest.raises(asyncio.CancelledError):
            await beat.run(pause)
        await beat.close()
    assert pauses == [10.0, 60.0]
    assert len(server.requests) == 1
    assert "no heartbeat: a fault of pantau (RuntimeError)" in caplog.text
    assert CANARY not in caplog.text


async def test_the_first_heartbeat_is_sent_as_soon_as_the_monitor_is_healthy() -> None:
    slept: list[float] = []
    sent_s: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)
        if sum(slept) > 200:
            raise asyncio.CancelledError

    async with LoopbackHttpServer(answering(200)) as server:
        alerts = AlertSettings(heartbeat="beat")
        address = {"beat": f"{server.url}/ping"}
        beat = open_heartbeat(alerts, address, lambda: sum(slept) >= 3.0)
        assert beat is not None

        def note() -> None:
            sent_s.extend([sum(slept)] * (len(server.requests) - len(sent_s)))

        async def noted_sleep(delay_s: float) -> None:
            note()
            await sleep(delay_s)

        with pytest.raises(asyncio.CancelledError):
            await beat.run(noted_sleep)
        await beat.close()
    assert sent_s == [3.0, 63.0, 123.0, 183.0]


async def test_a_heartbeat_that_was_not_accepted_is_repeated_after_ten_seconds() -> None:
    slept: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)
        server.behave = answering(200)
        if len(slept) == 2:
            raise asyncio.CancelledError

    async with LoopbackHttpServer(answering(503)) as server:
        alerts = AlertSettings(heartbeat="beat")
        beat = open_heartbeat(alerts, {"beat": f"{server.url}/ping"}, lambda: True)
        assert beat is not None
        with pytest.raises(asyncio.CancelledError):
            await beat.run(sleep)
        await beat.close()
    assert slept == [10.0, 60.0]
