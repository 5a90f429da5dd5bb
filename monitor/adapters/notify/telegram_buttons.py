"""What people press under a message in Telegram, by long polling (`getUpdates`).

Only allow-listed user ids may; a name or a chat proves nothing. An update is confirmed with the
next request, after its action was kept: a crash in between brings it once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass

from monitor.adapters.notify.telegram import ACKNOWLEDGE, SNOOZE
from monitor.adapters.notify.telegram_bot import BotReply, TelegramBot
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.alerting.model import ActionKind, IncidentAction
from monitor.core.errors import PantauError

log = logging.getLogger("monitor.notify")

POLL_S = 25
MARGIN_S = 15.0
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
SNOOZE_S = 3600.0
MOST_INCIDENTS = 32

_SAID = {
    "id": {
        ACKNOWLEDGE: "Tercatat: Anda yang menangani.",
        SNOOZE: "Tercatat: ditunda 1 jam.",
        "stranger": "Anda tidak terdaftar untuk menekan tombol ini.",
        "unknown": "Tombol ini tidak dikenal lagi.",
        "failed": "Gagal dicatat: {why}",
    },
    "en": {
        ACKNOWLEDGE: "Noted: you take it.",
        SNOOZE: "Noted: snoozed for 1 h.",
        "stranger": "You are not among those who may press this button.",
        "unknown": "This button is not known any more.",
        "failed": "It could not be noted: {why}",
    },
}


@dataclass(frozen=True, slots=True)
class Pressing:
    """Who may press, and what becomes of it.

    on_action: keeps it; raises PantauError with a sentence for the person. utc_s: the time now.
    longest_ack_s: until when an acknowledgement holds.
    """

    allowed: Collection[int]
    on_action: Callable[[IncidentAction], Awaitable[object]]
    utc_s: Callable[[], float]
    longest_ack_s: float = 28_800.0
    language: str = "id"


class ButtonPresses:
    """Asks one bot for presses, until it is cancelled."""

    def __init__(
        self,
        bot: TelegramBot,
        pressing: Pressing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        poll_s: int = POLL_S,
    ) -> None:
        self._bot = bot
        self._pressing = pressing
        self._sleep = sleep
        self._poll_s = poll_s
        self._offset = 0
        self._pause_s = 0.0

    def __repr__(self) -> str:
        return "ButtonPresses(…)"

    async def run(self) -> None:
        """Until it is cancelled; ends by itself when Telegram does not know the bot."""
        while True:
            said = await self._bot.call(
                "getUpdates",
                {
                    "offset": self._offset,
                    "timeout": self._poll_s,
                    "allowed_updates": ["callback_query"],
                },
                whole_s=self._poll_s + MARGIN_S,
            )
            if said.ok:
                self._pause_s = 0.0
                for update in _updates(said):
                    await self._take(update)
            elif said.code in (401, 404):
                log.error("Telegram's buttons are off, the bot is not known: %s", said.why)
                return
            else:
                await self._wait(said)

    async def close(self) -> None:
        await self._bot.close()

    async def _wait(self, said: BotReply) -> None:
        if self._pause_s == 0.0:
            # 409: another program asks for the same bot's updates.
            log.warning("Telegram's buttons wait: %s", said.why)
        self._pause_s = min(max(FIRST_PAUSE_S, 2.0 * self._pause_s), LONGEST_PAUSE_S)
        await self._sleep(said.retry_after_s or self._pause_s)

    async def _take(self, update: dict[str, object]) -> None:
        number = update.get("update_id")
        query = update.get("callback_query")
        if isinstance(query, dict):
            reply = await self._press(query)
            await self._bot.call(
                "answerCallbackQuery",
                {"callback_query_id": query.get("id"), "text": clean(reply, 200)},
            )
        if type(number) is int:
            self._offset = max(self._offset, number + 1)

    async def _press(self, query: dict[str, object]) -> str:
        """What is said to whoever pressed."""
        words = _SAID.get(self._pressing.language, _SAID["en"])
        sender = query.get("from")
        user = sender.get("id") if isinstance(sender, dict) else None
        if type(user) is not int or user not in self._pressing.allowed:
            log.warning("a Telegram user who is not on the list pressed a button")
            return words["stranger"]
        kind, _, numbers = str(query.get("data", "")).partition(":")
        incidents = _numbers(numbers)
        if kind not in (ACKNOWLEDGE, SNOOZE) or not incidents:
            return words["unknown"]
        name = sender.get("first_name") if isinstance(sender, dict) else None
        who = clean(f"{name or 'Telegram'} (Telegram {user})", 80)
        now_s = self._pressing.utc_s()
        length_s = self._pressing.longest_ack_s if kind == ACKNOWLEDGE else SNOOZE_S
        action = ActionKind.ACKNOWLEDGE if kind == ACKNOWLEDGE else ActionKind.SNOOZE
        try:
            for incident in incidents:
                await self._pressing.on_action(
                    IncidentAction(incident, action, who, now_s, "", now_s + length_s)
                )
        except PantauError as error:
            return words["failed"].format(why=error)
        return words[kind]


def _updates(said: BotReply) -> Iterator[dict[str, object]]:
    if isinstance(said.result, list):
        yield from (each for each in said.result if isinstance(each, dict))


def _numbers(text: str) -> list[int]:
    """The incidents of a button that we made; nothing when it is another's."""
    parts = text.split(",")[:MOST_INCIDENTS]
    plain = [part for part in parts if part.isascii() and part.isdigit() and len(part) < 16]
    return [int(part) for part in plain] if len(plain) == len(parts) else []
