"""`telegram`: the Bot API, the address of a chat, and the channel that sends to it.

429 waits as long as Telegram asks; a 400 is retried once as plain text; a group that became a
supergroup is followed to its new id; `{"ok": false}` is a failure, whatever the HTTP status.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from monitor.adapters.notify.http_client import (
    MAX_RETRY_AFTER_S,
    HttpClient,
    HttpResponse,
    NoResponse,
    Timeouts,
)
from monitor.adapters.notify.redaction import Redaction
from monitor.core.alerting.model import (
    Delivered,
    Delivery,
    EventKind,
    Notification,
    Rejected,
    RetryLater,
)

log = logging.getLogger("monitor.notify")

MAX_TEXT_UNITS = 4096
"""Of one text without its markup, in UTF-16 units."""

MAX_CALLBACK_BYTES = 64
ACKNOWLEDGE = "ack"
SNOOZE = "snooze"

_ADDRESS = re.compile(
    r"tgram://(?:bot)?(?P<token>\d{3,20}:[A-Za-z0-9_-]{6,100})"
    r"/(?P<chat>-?\d{1,20}|@\w{1,64})(?::(?P<topic>\d{1,10}))?/?"
)
_LABELS = {"id": ("Tangani", "Tunda 1 jam"), "en": ("Acknowledge", "Snooze 1 h")}
_WITH_BUTTONS = (EventKind.OPENED, EventKind.UPDATED, EventKind.REMINDER, EventKind.DIGEST)


_COMMAND = re.compile(r"`((?:pantau|systemctl) [^`\n]{1,80})`")

PUBLIC_API = "https://api.telegram.org"
"""https://core.telegram.org/bots/api#making-requests"""


@dataclass(frozen=True, slots=True)
class BotReply:
    """A response of the Bot API. code 0: unreadable; why: without secrets.

    retry_after_s (seconds), migrate_to (chat id): of its `parameters`.
    """

    ok: bool
    code: int = 0
    why: str = ""
    result: object = None
    retry_after_s: float | None = None
    migrate_to: int | None = field(default=None, repr=False)


class TelegramBot:
    """One bot. Its token is part of every address, so no address is logged or returned."""

    def __init__(
        self,
        token: str,
        redact: Redaction,
        api: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._root = f"{(api or PUBLIC_API).rstrip('/')}/bot{token}"
        self._redact = redact
        self._client = HttpClient(redact, timeouts)

    def __repr__(self) -> str:
        return "TelegramBot(…)"

    async def call(
        self, method: str, values: Mapping[str, object], total_s: float | None = None
    ) -> BotReply:
        """Call one method. total_s: instead of the usual time limit."""
        body = json.dumps(dict(values), ensure_ascii=False).encode("utf-8", "replace")
        response = await self._client.post(f"{self._root}/{method}", body, total_s=total_s)
        if isinstance(response, NoResponse):
            return BotReply(False, why=self._redact(response.why))
        return self._parse(response)

    async def close(self) -> None:
        await self._client.close()

    def _parse(self, response: HttpResponse) -> BotReply:
        """HTTP status and body may contradict each other: the body (`ok`) counts."""
        try:
            document = json.loads(response.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or not isinstance(document.get("ok"), bool):
            code = response.status if response.status >= 400 else 0
            why = f"HTTP {response.status} without an answer of Telegram"
            return BotReply(False, code, why, retry_after_s=response.retry_after_s)
        if document["ok"]:
            return BotReply(True, 200, result=document.get("result"))
        parameters = document.get("parameters")
        more = parameters if isinstance(parameters, dict) else {}
        given = document.get("error_code")
        wait, migrate = more.get("retry_after"), more.get("migrate_to_chat_id")
        status = response.status if response.status >= 400 else 0
        code = given if type(given) is int else status
        return BotReply(
            ok=False,
            code=code,
            why=self._redact(f"Telegram {code or ''}: {document.get('description', 'not ok')}"),
            retry_after_s=min(max(0.0, float(wait)), MAX_RETRY_AFTER_S)
            if isinstance(wait, int | float)
            else response.retry_after_s,
            migrate_to=migrate if type(migrate) is int else None,
        )


@dataclass(frozen=True, slots=True)
class TelegramAddress:
    """The parts of `tgram://<token>/<chat>[:<topic>]`."""

    token: str = field(repr=False)
    chat: int | str = field(repr=False)
    topic: int | None = None


def parse_telegram_address(url: str) -> TelegramAddress | None:
    """Parse it; None: no such address, or one with options that only Apprise serves."""
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
    """`Channel`: one chat of one bot. buttons: shown under incidents that are still open."""

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
        """At most three requests: with markup, to the group's new id, as plain text."""
        reply = await self._post(message, markup=True)
        if reply.migrate_to is not None:
            log.warning("a Telegram group has a new id: write it into the channel's secret")
            self._chat = reply.migrate_to
            reply = await self._post(message, markup=True)
        if reply.code == 400:
            reply = await self._post(message, markup=False)
        return _delivery(reply)

    async def close(self) -> None:
        await self._bot.close()

    async def _post(self, message: Notification, *, markup: bool) -> BotReply:
        values = message_values(message, self._language, buttons=self._buttons, markup=markup)
        values["chat_id"] = self._chat
        if self._topic is not None:
            values["message_thread_id"] = self._topic
        return await self._bot.call("sendMessage", values)


def message_values(
    message: Notification, language: str, *, buttons: bool, markup: bool = True
) -> dict[str, object]:
    """The values of `sendMessage` that depend on the message. language: of the buttons."""
    plain = truncate_utf16(message.text, MAX_TEXT_UNITS)
    values: dict[str, object] = {
        "text": _to_html(plain) if markup else plain,
        "link_preview_options": {"is_disabled": True},
    }
    if markup:
        values["parse_mode"] = "HTML"
    keyboard = _keyboard(message, language) if buttons else None
    if keyboard is not None:
        values["reply_markup"] = keyboard
    return values


def truncate_utf16(text: str, most: int) -> str:
    """Cut to `most` UTF-16 units without splitting a surrogate pair."""
    raw = text.encode("utf-16-le", "replace")
    if len(raw) <= 2 * most:
        return text
    return raw[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "…"


def _to_html(text: str) -> str:
    """Escape the text; the first line is bold, a `command` is copied with a touch."""
    first, line_end, rest = text.partition("\n")
    body = _COMMAND.sub(r"<code>\1</code>", escape(rest, quote=False))
    return f"<b>{escape(first, quote=False)}</b>{line_end}{body}"


def _keyboard(message: Notification, language: str) -> dict[str, object] | None:
    """Buttons for the open incidents of a message; None: no button.

    Their data: `ack:<identity of the ledger>:<incident>,<incident>…`.
    """
    if message.event not in _WITH_BUTTONS:
        return None
    documents = [message.incident] if message.incident is not None else list(message.incidents)
    ids = [each["id"] for each in documents if each.get("ended") is None and "id" in each]
    numbers = ",".join(str(number) for number in ids)
    about = f"{message.ledger}:{numbers}" if message.ledger else numbers
    if not ids or len(f"{SNOOZE}:{about}") > MAX_CALLBACK_BYTES:
        return None
    take, later = _LABELS.get(language, _LABELS["en"])
    row = [
        {"text": take, "callback_data": f"{ACKNOWLEDGE}:{about}"},
        {"text": later, "callback_data": f"{SNOOZE}:{about}"},
    ]
    return {"inline_keyboard": [row]}


def _delivery(reply: BotReply) -> Delivery:
    if reply.ok:
        return Delivered(_receipt(reply))
    if reply.code == 429 or reply.code >= 500 or reply.code in (0, 408, 409):
        return RetryLater(reply.why, reply.retry_after_s)
    return Rejected(reply.why)


def _receipt(reply: BotReply) -> str | None:
    number = reply.result.get("message_id") if isinstance(reply.result, dict) else None
    return json.dumps(number) if isinstance(number, int) else None
