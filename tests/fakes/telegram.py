"""Telegram's Bot API on loopback, by its documentation (https://core.telegram.org/bots/api).

Answers are objects with `ok`; on failure `error_code`, `description` and perhaps `parameters`.
"""

from __future__ import annotations

import asyncio
import json
import re
from html.parser import HTMLParser
from typing import Any

from tests.loopback_http import HttpRequest, LoopbackHttpServer, reply

TOKEN = "123456789:AAkenari7-Rahasia_9XyZ0123456789abc"
CHAT = -1001234567890
MOST_CHARACTERS = 4096

Answer = tuple[int, object]


class BotApi:
    """The API of the bot `TOKEN`. Started by `async with`.

    next: answers that come before the usual ones, in order (HTTP status, object).
    chats: the ids it may write to. moved: old id → new id of a group. updates: pressed buttons.
    """

    def __init__(self) -> None:
        self.peer = LoopbackHttpServer(self._serve)
        self.next: list[Answer] = []
        self.sent: list[dict[str, Any]] = []
        self.tried: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []
        self.polls: list[dict[str, Any]] = []
        self.chats: set[object] = {CHAT}
        self.moved: dict[object, int] = {}
        self.updates: list[dict[str, Any]] = []
        self._more = asyncio.Event()

    @property
    def url(self) -> str:
        return self.peer.url

    async def __aenter__(self) -> BotApi:
        await self.peer.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.peer.__aexit__(*error)

    def press(self, data: str, user: int, first_name: str = "Budi") -> None:
        """Add an update for a pressed button."""
        number = 500 + len(self.updates)
        self.updates.append(
            {
                "update_id": number,
                "callback_query": {
                    "id": f"query-{number}",
                    "from": {"id": user, "is_bot": False, "first_name": first_name},
                    "chat_instance": "1",
                    "data": data,
                },
            }
        )
        self._more.set()

    async def _serve(self, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
        status, answer = await self._answer(request)
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        reply(writer, status, raw, {"Content-Type": "application/json"})

    async def _answer(self, request: HttpRequest) -> Answer:
        found = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path)
        if found is None or found[1] != TOKEN:
            return _no(401, "Unauthorized") if found else _no(404, "Not Found")
        values = request.json
        if found[2] == "sendMessage":
            self.tried.append(values)
        if self.next and found[2] != "answerCallbackQuery":
            return self.next.pop(0)
        if found[2] == "sendMessage":
            return self._send(values)
        if found[2] == "getUpdates":
            return await self._updates(values)
        if found[2] == "answerCallbackQuery":
            self.answered.append(values)
            return 200, {"ok": True, "result": True}
        return _no(404, "Not Found")

    def _send(self, values: dict[str, Any]) -> Answer:
        chat = values["chat_id"]
        if chat in self.moved:
            return _no(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": self.moved[chat]},
            )
        if chat not in self.chats:
            return _no(400, "Bad Request: chat not found")
        text = values["text"]
        if values.get("parse_mode") == "HTML":
            try:
                text = plain(text)
            except ValueError as error:
                return _no(400, f"Bad Request: can't parse entities: {error}")
        if not text.strip():
            return _no(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
            return _no(400, "Bad Request: message is too long")
        self.sent.append({**values, "plain": text})
        result = {"message_id": len(self.sent), "chat": {"id": chat}, "text": text}
        return 200, {"ok": True, "result": result}

    async def _updates(self, values: dict[str, Any]) -> Answer:
        """Those from `offset` on; earlier ones are confirmed and removed."""
        self.polls.append(values)
        self.updates = [each for each in self.updates if each["update_id"] >= values["offset"]]
        if not self.updates:
            self._more.clear()
            try:
                async with asyncio.timeout(values["timeout"]):
                    await self._more.wait()
            except TimeoutError:
                pass
        return 200, {"ok": True, "result": list(self.updates)}


def _no(code: int, description: str, parameters: dict[str, object] | None = None) -> Answer:
    answer: dict[str, object] = {"ok": False, "error_code": code, "description": description}
    return code, answer | ({"parameters": parameters} if parameters else {})


class _Entities(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"b", "i", "u", "s", "code", "pre", "a"}:
            raise ValueError(f'Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise ValueError(f'Unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text += data


def plain(html: str) -> str:
    """The visible text. ValueError for what Telegram would not parse."""
    parser = _Entities()
    parser.feed(html)
    parser.close()
    if parser.open or re.search(r"<(?!/?[a-z])", html):
        raise ValueError("Can't find end tag")
    return parser.text
