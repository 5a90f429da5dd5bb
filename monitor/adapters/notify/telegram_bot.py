"""Telegram's Bot API, by its documentation: https://core.telegram.org/bots/api#making-requests ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.adapters.notify.exchange import (
    LONGEST_WAIT_S,
    Bounds,
    HttpAnswer,
    HttpExchange,
    NoAnswer,
)
from monitor.adapters.notify.redaction import Redaction

PUBLIC_API = "https://api.telegram.org"


@dataclass(frozen=True, slots=True)
class BotReply:
    """What the Bot API answered. code 0: nothing that could be read.

    retry_after_s, migrate_to: of its `parameters`; why: without secrets.
    """

    ok: bool
    code: int = 0
    why: str = ""
    result: object = None
    retry_after_s: float | None = None
    migrate_to: int | None = field(default=None, repr=False)


class TelegramBot:
    """One bot. Its token is part of every address, so no address ever leaves here."""

    def __init__(
        self,
        token: str,
        redact: Redaction,
        api: str | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._root = f"{(api or PUBLIC_API).rstrip('/')}/bot{token}"
        self._redact = redact
        self._exchange = HttpExchange(redact, bounds)

    def __repr__(self) -> str:
        return "TelegramBot(…)"

    async def call(
        self, method: str, values: Mapping[str, object], whole_s: float | None = None
    ) -> BotReply:
        """One method. whole_s: how long it may take, when it is another bound than usual."""
        body = json.dumps(dict(values), ensure_ascii=False).encode("utf-8", "replace")
        answer = await self._exchange.post(f"{self._root}/{method}", body, whole_s=whole_s)
        if isinstance(answer, NoAnswer):
            return BotReply(False, why=self._redact(answer.why))
        return self._read(answer)

    async def close(self) -> None:
        await self._exchange.close()

    def _read(self, answer: HttpAnswer) -> BotReply:
        """HTTP status and body may contradict each other: the body counts (`ok`)."""
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
            code = answer.status if answer.status >= 400 else 0
            why = f"HTTP {answer.status} without an answer of Telegram"
            return BotReply(False, code, why, retry_after_s=answer.retry_after_s)
        if told["ok"]:
            return BotReply(True, 200, result=told.get("result"))
        parameters = told.get("parameters")
        more = parameters if isinstance(parameters, dict) else {}
        given = told.get("error_code")
        wait, migrate = more.get("retry_after"), more.get("migrate_to_chat_id")
        status = answer.status if answer.status >= 400 else 0
        code = given if type(given) is int else status
        return BotReply(
            ok=False,
            code=code,
            why=self._redact(f"Telegram {code or ''}: {told.get('description', 'not ok')}"),
            retry_after_s=min(max(0.0, float(wait)), LONGEST_WAIT_S)
            if isinstance(wait, int | float)
            else answer.retry_after_s,
            migrate_to=migrate if type(migrate) is int else None,
        )
