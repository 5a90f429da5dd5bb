"""Telegram: answers of the Bot API as documented, and chat buttons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.notify.http_client import Timeouts
from monitor.adapters.notify.redaction import Redaction
from monitor.adapters.notify.telegram import (
    TelegramBot,
    TelegramChannel,
    parse_telegram_address,
    truncate_utf16,
)
from monitor.adapters.notify.telegram_buttons import ButtonPoller, ButtonSettings
from monitor.core.alerting.model import (
    ActionKind,
    Delivered,
    EventKind,
    IncidentAction,
    Rejected,
    RetryLater,
)
from monitor.core.errors import Conflict, LedgerError
from monitor.core.ledger_identity import LedgerIdentity
from tests.fakes.telegram import CHAT, TOKEN, Answer, BotApi
from tests.message_fixtures import INCIDENT, message
from tests.waiting import eventually_async


@asynccontextmanager
async def chat(
    api: BotApi, *, buttons: bool = False, token: str = TOKEN, topic: int | None = None
) -> AsyncIterator[TelegramChannel]:
    bot = TelegramBot(token, Redaction(token), api.url, Timeouts(0.5, 2.0))
    channel = TelegramChannel(bot, CHAT, topic, buttons)
    try:
        yield channel
    finally:
        await channel.close()


async def test_a_message_arrives_as_it_was_written() -> None:
    async with BotApi() as api, chat(api, topic=7) as channel:
        assert await channel.send(message()) == Delivered("1")
    (sent,) = api.sent
    assert sent["plain"] == message().text
    assert sent["text"].startswith("<b>PUTUS: Anjatan · utama, sejak 14.05 WIB</b>\n")
    assert sent["message_thread_id"] == 7
    assert "reply_markup" not in sent


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_arrives_as_it_was_written_and_within_the_limit(text: str) -> None:
    async def run() -> None:
        async with BotApi() as api, chat(api) as channel:
            assert isinstance(await channel.send(message(text)), Delivered)
        assert len(api.tried) == 1
        assert api.sent[0]["plain"] == text.encode("utf-8", "replace").decode()

    asyncio.run(run())


async def test_a_text_that_is_too_long_is_cut_at_4096_units() -> None:
    async with BotApi() as api, chat(api) as channel:
        assert isinstance(await channel.send(message("🚨" * 5000)), Delivered)
    assert len(api.sent[0]["plain"].encode("utf-16-le")) <= 2 * 4096
    assert truncate_utf16("🚨🚨", 3) == "🚨…"


def no(code: int, description: str = "x", **parameters: object) -> Answer:
    told: dict[str, object] = {"ok": False, "error_code": code, "description": description}
    return code, told | ({"parameters": parameters} if parameters else {})


@pytest.mark.parametrize(
    ("answer", "delivery"),
    [
        (no(429, "Too Many Requests: retry after 7", retry_after=7), RetryLater("", 7.0)),
        (no(429, "Too Many Requests", retry_after=86_400), RetryLater("", 300.0)),
        (no(429, "Too Many Requests"), RetryLater("", None)),
        (no(401, "Unauthorized"), Rejected("")),
        (no(403, "Forbidden: bot was kicked from the group chat"), Rejected("")),
        (no(404, "Not Found"), Rejected("")),
        (no(500, "Internal Server Error"), RetryLater("")),
        ((502, b"<html>Bad Gateway</html>"), RetryLater("")),
        ((200, {"ok": False, "description": "no"}), RetryLater("")),
        ((200, {"ok": False, "error_code": 403, "description": "no"}), Rejected("")),
        (
            (200, {"ok": False, "error_code": 429, "parameters": {"retry_after": 3}}),
            RetryLater("", 3.0),
        ),
        ((200, b"<html>Welcome to the hotel</html>"), RetryLater("")),
        ((200, b"[" * 50_000), RetryLater("")),
        ((200, {"ok": "yes"}), RetryLater("")),
        ((302, b""), RetryLater("")),
    ],
)
async def test_each_answer_of_the_api_gives_the_documented_delivery(
    answer: Answer, delivery: RetryLater | Rejected
) -> None:
    async with BotApi() as api, chat(api) as channel:
        api.next = [answer]
        received = await channel.send(message())
    assert type(received) is type(delivery)
    assert not isinstance(received, Delivered)
    assert received.why
    if isinstance(received, RetryLater) and isinstance(delivery, RetryLater):
        assert received.after_s == delivery.after_s
    assert api.sent == []


async def test_a_message_that_telegram_cannot_parse_is_sent_again_as_plain_text() -> None:
    async with BotApi() as api, chat(api) as channel:
        api.next = [no(400, "Bad Request: can't parse entities: Can't find end tag")]
        assert await channel.send(message()) == Delivered("1")
    assert "parse_mode" not in api.sent[0]
    assert api.sent[0]["text"] == message().text


async def test_a_second_400_is_refused() -> None:
    async with BotApi() as api, chat(api) as channel:
        api.chats = set()
        received = await channel.send(message())
    assert received == Rejected("Telegram 400: Bad Request: chat not found")
    assert len(api.tried) == 2


async def test_a_group_that_became_a_supergroup_is_followed_and_remembered() -> None:
    async with BotApi() as api, chat(api) as channel:
        api.moved, api.chats = {CHAT: -100777}, {-100777}
        assert await channel.send(message()) == Delivered("1")
        assert await channel.send(message()) == Delivered("2")
    assert [each["chat_id"] for each in api.tried] == [CHAT, -100777, -100777]


async def test_a_wrong_token_is_refused_and_not_repeated() -> None:
    wrong = "987654321:AAsomething-wrong_0123456789"
    async with BotApi() as api, chat(api, token=wrong) as channel:
        received = await channel.send(message())
    assert isinstance(received, Rejected)
    assert "987654321" not in received.why


@pytest.mark.parametrize(
    ("url", "chat_id", "topic"),
    [
        (f"tgram://{TOKEN}/{CHAT}", CHAT, None),
        (f"tgram://bot{TOKEN}/{CHAT}:12/", CHAT, 12),
        (f"tgram://{TOKEN}/@noc_indramayu", "@noc_indramayu", None),
    ],
)
def test_an_address_is_parsed_as_by_apprise(
    url: str, chat_id: int | str, topic: int | None
) -> None:
    address = parse_telegram_address(url)
    assert address is not None
    assert (address.token, address.chat, address.topic) == (TOKEN, chat_id, topic)
    assert TOKEN not in repr(address)


@pytest.mark.parametrize(
    "url",
    ["", "mailto://x", f"tgram://{TOKEN}/1/2/3", f"tgram://{TOKEN}/1?silent=yes", "tgram://x/1"],
)
def test_an_address_with_options_is_left_to_apprise(url: str) -> None:
    assert parse_telegram_address(url) is None


async def test_only_open_incidents_have_buttons() -> None:
    over = {**INCIDENT, "ended": "2026-11-24T03:00:00.000Z"}
    async with BotApi() as api, chat(api, buttons=True) as channel:
        await channel.send(message())
        await channel.send(message(event=EventKind.RESOLVED, incident=over))
        await channel.send(message(event=EventKind.OPENED, incident=over))
        await channel.send(message(event=EventKind.TEST, incident={}))
    assert [each.get("reply_markup") for each in api.sent] == [
        {
            "inline_keyboard": [
                [
                    {"text": "Tangani", "callback_data": "ack:17"},
                    {"text": "Tunda 1 jam", "callback_data": "snooze:17"},
                ]
            ]
        },
        None,
        None,
        None,
    ]


BUDI = 4711
NOW_S = 1_795_000_000.0
OURS = LedgerIdentity("k3v7q2ma", last_old_incident=99)


class ActionRecorder:
    """Records the actions of pressed buttons."""

    def __init__(self, error: str | None = None) -> None:
        self.done: list[IncidentAction] = []
        self._error = error

    async def keep(self, action: IncidentAction) -> None:
        if self._error is not None:
            raise LedgerError(self._error)
        self.done.append(action)


@asynccontextmanager
async def polling(
    api: BotApi,
    on_action: Callable[[IncidentAction], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    language: str = "id",
    ledger: LedgerIdentity = OURS,
) -> AsyncIterator[ButtonPoller]:
    bot = TelegramBot(TOKEN, Redaction(TOKEN), api.url)
    pressing = ButtonSettings(
        frozenset({BUDI}), on_action, lambda: NOW_S, 28_800.0, language, ledger
    )
    presses = ButtonPoller(bot, pressing, sleep, poll_s=1)
    task = asyncio.create_task(presses.run())
    try:
        yield presses
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await presses.close()


async def test_a_press_becomes_an_action_and_is_answered() -> None:
    recorder = ActionRecorder()
    async with BotApi() as api, polling(api, recorder.keep):
        api.press("ack:k3v7q2ma:17", BUDI)
        await eventually_async(lambda: len(api.answered) == 1)
        api.press("snooze:k3v7q2ma:17,18", BUDI)
        await eventually_async(lambda: len(api.answered) == 2)
    who = "Budi (Telegram 4711)"
    assert recorder.done == [
        IncidentAction(17, ActionKind.ACKNOWLEDGE, who, NOW_S, "", NOW_S + 28_800.0),
        IncidentAction(17, ActionKind.SNOOZE, who, NOW_S, "", NOW_S + 3600.0),
        IncidentAction(18, ActionKind.SNOOZE, who, NOW_S, "", NOW_S + 3600.0),
    ]
    assert api.answered[0] == {
        "callback_query_id": "query-500",
        "text": "Tercatat: Anda yang menangani.",
    }


async def test_a_button_of_another_ledger_does_nothing_and_says_so() -> None:
    recorder = ActionRecorder()
    ours = LedgerIdentity("k3v7q2ma", last_old_incident=17)
    async with BotApi() as api, polling(api, recorder.keep, ledger=ours):
        for data in ("ack:zzzzzzzz:17", "snooze:17,18", "ack:18"):
            api.press(data, BUDI)
        await eventually_async(lambda: len(api.answered) == 3)
        assert recorder.done == []
        # Sent by a version without identities, about an incident that this ledger has from it.
        api.press("ack:17", BUDI)
        await eventually_async(lambda: len(recorder.done) == 1)
    assert {each["text"] for each in api.answered[:3]} == {
        "Tombol ini dari catatan gangguan yang lain atau lama; tidak ada yang diubah. Lihat"
        " gangguan yang sekarang di halaman pantau."
    }


async def test_the_data_of_a_button_names_the_ledger_and_fits_into_64_bytes() -> None:
    many = tuple({**INCIDENT, "id": 100_000 + n} for n in range(7))
    digest = replace(message(event=EventKind.DIGEST), incident=None, ledger="k3v7q2ma")
    sent = [
        replace(message(), ledger="k3v7q2ma"),
        replace(digest, incidents=many),
        replace(digest, incidents=(*many, {**INCIDENT, "id": 100_008})),
    ]
    async with BotApi() as api, chat(api, buttons=True) as channel:
        for each in sent:
            await channel.send(each)
    assert "reply_markup" not in api.sent[2]
    first, full = [each["reply_markup"] for each in api.sent[:2]]
    assert first["inline_keyboard"][0][0]["callback_data"] == "ack:k3v7q2ma:17"
    snooze = full["inline_keyboard"][0][1]["callback_data"]
    assert snooze.startswith("snooze:k3v7q2ma:100000,")
    assert len(snooze.encode()) == 64


async def test_an_update_is_confirmed_after_its_action_is_recorded() -> None:
    recorder = ActionRecorder()
    async with BotApi() as api, polling(api, recorder.keep):
        api.press("ack:17", BUDI)
        await eventually_async(lambda: api.polls and api.polls[-1]["offset"] == 501)
        assert len(recorder.done) == 1
    assert all(each["allowed_updates"] == ["callback_query"] for each in api.polls)


async def test_unlisted_users_and_forged_buttons_do_nothing() -> None:
    recorder = ActionRecorder()
    async with BotApi() as api, polling(api, recorder.keep):
        api.press("ack:17", 666)
        for data in (
            "ack:",
            "ack:x",
            "ack:17;18",
            "rm:17",
            "",
            "ack:-1",
            "ack:" + "9" * 60,
            "ack:²",
        ):
            api.press(data, BUDI)
        await eventually_async(lambda: len(api.answered) == 9)
    assert recorder.done == []
    assert api.answered[0]["text"] == "Anda tidak terdaftar untuk menekan tombol ini."
    assert {each["text"] for each in api.answered[1:]} == {"Tombol ini tidak dikenal lagi."}


async def test_malformed_updates_are_skipped() -> None:
    recorder = ActionRecorder()
    async with BotApi() as api, polling(api, recorder.keep):
        odd: list[object] = [7, {"update_id": 1, "message": {}}, {"callback_query": {"from": 3}}]
        api.next = [(200, {"ok": True, "result": odd}), (200, {"ok": True, "result": 5})]
        await eventually_async(lambda: len(api.answered) == 1)
        api.press("ack:17", BUDI)
        await eventually_async(lambda: len(recorder.done) == 1)


async def test_a_failed_action_is_answered_with_its_reason() -> None:
    async with BotApi() as api, polling(api, ActionRecorder("gangguan 17 sudah selesai").keep):
        api.press("ack:17", BUDI)
        await eventually_async(lambda: len(api.answered) == 1)
    assert api.answered[0]["text"] == "Gagal dicatat: gangguan 17 sudah selesai"


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("id", "Tercatat untuk gangguan 2, 3. Gagal: 1 (incident 1 is over already)"),
        ("en", "Noted for incident 2, 3. Failed: 1 (incident 1 is over already)"),
    ],
)
async def test_a_button_for_three_incidents_acknowledges_those_that_are_still_open(
    language: str, answer: str
) -> None:
    done: list[int] = []

    async def acknowledge(action: IncidentAction) -> None:
        if action.incident == 1:
            raise Conflict("incident 1 is over already")
        done.append(action.incident)

    async with BotApi() as api, polling(api, acknowledge, language=language):
        api.press("ack:1,2,3", BUDI)
        await eventually_async(lambda: len(api.answered) == 1)
    assert done == [2, 3]
    assert api.answered[0]["text"] == answer


async def test_a_poller_that_crashed_is_logged_shown_and_started_again_after_a_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[int] = []
    pauses: list[float] = []
    errors: list[str | None] = []

    async def acknowledge(action: IncidentAction) -> None:
        if len(pauses) < 2:
            raise RuntimeError(f"https://api.telegram.org/bot{TOKEN}/getUpdates")
        done.append(action.incident)

    async def pause(length_s: float) -> None:
        pauses.append(length_s)
        errors.append(poller.error)
        await asyncio.sleep(0)

    async with BotApi() as api, polling(api, acknowledge, pause) as poller:
        api.press("ack:17", BUDI)
        await eventually_async(lambda: len(api.answered) == 1)
        await eventually_async(lambda: poller.error is None)
    assert done == [17], "the press is not lost"
    assert pauses == [5.0, 10.0]
    assert errors == ["a fault of pantau (RuntimeError)"] * 2
    assert "RuntimeError" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_press_that_fails_again_and_again_does_not_block_the_next() -> None:
    done: list[int] = []

    async def acknowledge(action: IncidentAction) -> None:
        if action.incident == 17:
            raise RuntimeError
        done.append(action.incident)

    async def pause(_: float) -> None:
        await asyncio.sleep(0)

    async with BotApi() as api, polling(api, acknowledge, pause):
        api.press("ack:17", BUDI)
        api.press("ack:18", BUDI)
        await eventually_async(lambda: done == [18])


async def test_failed_polls_back_off() -> None:
    pauses: list[float] = []

    async def pause(length_s: float) -> None:
        pauses.append(length_s)
        await asyncio.sleep(0)

    recorder = ActionRecorder()
    async with BotApi() as api:
        api.next = [no(409, "Conflict: terminated by other getUpdates request")] * 3
        api.next += [no(429, retry_after=11)]
        async with polling(api, recorder.keep, pause):
            await eventually_async(lambda: len(pauses) == 4)
            api.press("ack:17", BUDI)
            await eventually_async(lambda: len(recorder.done) == 1)
    assert pauses[:4] == [5.0, 10.0, 20.0, 11.0]


async def test_the_poller_ends_when_the_bot_is_unknown() -> None:
    async with BotApi() as api:
        bot = TelegramBot("1:unknown", Redaction("1:unknown"), api.url)
        presses = ButtonPoller(
            bot, ButtonSettings(frozenset(), ActionRecorder().keep, lambda: NOW_S)
        )
        async with asyncio.timeout(5):
            await presses.run()
        await presses.close()
