"""`telegram`: messages to one chat, exactly as the Bot API wants them.

429 waits as long as Telegram asks; a 400 is tried once more as plain text; a group that became a
supergroup is followed to its new id; `{"ok": false}` is no success, whatever the HTTP status.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from html import escape

from monitor.adapters.notify.telegram_bot import BotReply, TelegramBot
from monitor.core.alerting.model import (
    Delivered,
    Delivery,
    EventKind,
    Notification,
    Rejected,
    RetryLater,
)

log = logging.getLogger("monitor.notify")

MOST_UNITS = 4096
"""Of one text, in UTF-16 units, after its markup is taken out."""

MOST_CALLBACK_BYTES = 64
ACKNOWLEDGE = "ack"
SNOOZE = "snooze"

_ADDRESS = re.compile(
    r"tgram://(?:bot)?(?P<token>\d{3,20}:[A-Za-z0-9_-]{6,100})"
    r"/(?P<chat>-?\d{1,20}|@\w{1,64})(?::(?P<topic>\d{1,10}))?/?"
)
_LABELS = {"id": ("Tangani", "Tunda 1 jam"), "en": ("Acknowledge", "Snooze 1 h")}
_WITH_BUTTONS = (EventKind.OPENED, EventKind.UPDATED, EventKind.REMINDER, EventKind.DIGEST)


@dataclass(frozen=True, slots=True)
class TelegramAddress:
    """What a `tgram://<token>/<chat>[:<topic>]` says."""

    token: str = field(repr=False)
    chat: int | str = field(repr=False)
    topic: int | None = None


def telegram_address(url: str) -> TelegramAddress | None:
    """None: it is none, or it asks for more than we do (then Apprise serves it)."""
    found = _ADDRESS.fullmatch(url.strip())
    if found is None:
        return None
    chat, topic = found["chat"], found["topic"]
    return TelegramAddress(
        found["token"],
        chat if chat.startswith("@") else int(chat),
        int(topic) if topic is not None else None,
    )


class TelegramChannel:
    """`Channel`: one chat of one bot. buttons: offered under what is still open."""

    def __init__(
        self,
        bot: TelegramBot,
        chat: int | str,
        topic: int | None = None,
        buttons: bool = False,
        language: str = "id",
    ) -> None:
        self._bot = bot
        self._chat = chat
        self._topic = topic
        self._buttons = buttons
        self._language = language

    def __repr__(self) -> str:
        return "TelegramChannel(…)"

    async def send(self, message: Notification) -> Delivery:
        """At most three requests: as it is, to the group's new id, as plain text."""
        said = await self._say(message, markup=True)
        if said.migrate_to is not None:
            log.warning("a Telegram group has a new id: write it into the channel's secret")
            self._chat = said.migrate_to
            said = await self._say(message, markup=True)
        if said.code == 400:
            said = await self._say(message, markup=False)
        return _delivery(said)

    async def close(self) -> None:
        await self._bot.close()

    async def _say(self, message: Notification, *, markup: bool) -> BotReply:
        values: dict[str, object] = {
            "chat_id": self._chat,
            "text": _marked_up(message.text) if markup else within(message.text, MOST_UNITS),
            "link_preview_options": {"is_disabled": True},
        }
        if markup:
            values["parse_mode"] = "HTML"
        if self._topic is not None:
            values["message_thread_id"] = self._topic
        keyboard = _keyboard(message, self._language) if self._buttons else None
        if keyboard is not None:
            values["reply_markup"] = keyboard
        return await self._bot.call("sendMessage", values)


def within(text: str, most: int) -> str:
    """At most so many UTF-16 units, no pair cut in half."""
    raw = text.encode("utf-16-le", "replace")
    if len(raw) <= 2 * most:
        return text
    return raw[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "…"


def _marked_up(text: str) -> str:
    """The first line bold; everything else stays what it is."""
    first, line_end, rest = within(text, MOST_UNITS).partition("\n")
    return f"<b>{escape(first, quote=False)}</b>{line_end}{escape(rest, quote=False)}"


def _keyboard(message: Notification, language: str) -> dict[str, object] | None:
    """Buttons for the incidents of a message that are not over; None: there is none."""
    if message.event not in _WITH_BUTTONS:
        return None
    documents = [message.incident] if message.incident is not None else list(message.incidents)
    ids = [each["id"] for each in documents if each.get("ended") is None and "id" in each]
    numbers = ",".join(str(number) for number in ids)
    if not ids or len(f"{SNOOZE}:{numbers}") > MOST_CALLBACK_BYTES:
        return None
    take, later = _LABELS.get(language, _LABELS["en"])
    row = [
        {"text": take, "callback_data": f"{ACKNOWLEDGE}:{numbers}"},
        {"text": later, "callback_data": f"{SNOOZE}:{numbers}"},
    ]
    return {"inline_keyboard": [row]}


def _delivery(said: BotReply) -> Delivery:
    if said.ok:
        return Delivered(_receipt(said))
    if said.code == 429 or said.code >= 500 or said.code in (0, 408, 409):
        return RetryLater(said.why, said.retry_after_s)
    return Rejected(said.why)


def _receipt(said: BotReply) -> str | None:
    number = said.result.get("message_id") if isinstance(said.result, dict) else None
    return json.dumps(number) if isinstance(number, int) else None
