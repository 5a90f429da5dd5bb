"""Chat buttons: what people press under a Telegram message, by long polling (`getUpdates`).

Only allow-listed user ids may press; a name or a chat proves nothing. An update is confirmed with
the next request, after its action is recorded: a crash in between delivers it once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from traceback import extract_tb

from monitor.adapters.notify.telegram import ACKNOWLEDGE, SNOOZE, BotReply, TelegramBot
from monitor.core.alerting.messages.text_layout import clean
from monitor.core.alerting.model import ActionKind, IncidentAction
from monitor.core.errors import PantauError
from monitor.core.ledger_identity import LedgerIdentity

log = logging.getLogger("monitor.notify")

POLL_S = 25
MARGIN_S = 15.0
FIRST_PAUSE_S = 5.0
MAX_PAUSE_S = 300.0
SNOOZE_S = 3600.0
MOST_INCIDENTS = 32
MAX_ATTEMPTS = 3
"""A press whose handling raises so many times is dropped: it must not block later presses."""

NO_SUCH_BOT = (401, 404)

_ANSWERS = {
    "id": {
        ACKNOWLEDGE: "Tercatat: Anda yang menangani.",
        SNOOZE: "Tercatat: ditunda 1 jam.",
        "stranger": "Anda tidak terdaftar untuk menekan tombol ini.",
        "unknown": "Tombol ini tidak dikenal lagi.",
        "other_ledger": "Tombol ini dari catatan gangguan yang lain atau lama; tidak ada yang"
        " diubah. Lihat gangguan yang sekarang di halaman pantau.",
        "failed": "Gagal dicatat: {why}",
        "partly": "Tercatat untuk gangguan {done}. Gagal: {failed}",
    },
    "en": {
        ACKNOWLEDGE: "Noted: you take it.",
        SNOOZE: "Noted: snoozed for 1 h.",
        "stranger": "You are not among those who may press this button.",
        "unknown": "This button is not known any more.",
        "other_ledger": "This button is of another or an earlier ledger; nothing was changed."
        " The page of pantau shows the present incidents.",
        "failed": "It could not be noted: {why}",
        "partly": "Noted for incident {done}. Failed: {failed}",
    },
}


@dataclass(frozen=True, slots=True)
class ButtonSettings:
    """Who may press, and what is done then.

    allowed: Telegram user ids. on_action: records the action; raises PantauError with a sentence
    for the person. utc_s: the present time (Unix seconds). longest_ack_s: how long an
    acknowledgement lasts. language: of the answers. ledger: whose incidents are numbered here.
    """

    allowed: Collection[int]
    on_action: Callable[[IncidentAction], Awaitable[object]]
    utc_s: Callable[[], float]
    longest_ack_s: float = 28_800.0
    language: str = "id"
    ledger: LedgerIdentity = LedgerIdentity()  # noqa: RUF009  frozen


class ButtonPoller:
    """Polls one bot for pressed buttons.

    error: why the last poll failed, without secrets; None: it worked.
    """

    def __init__(
        self,
        bot: TelegramBot,
        settings: ButtonSettings,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        poll_s: int = POLL_S,
    ) -> None:
        self.error: str | None = None
        self._bot = bot
        self._settings = settings
        self._sleep = sleep
        self._poll_s = poll_s
        self._offset = 0
        self._pause_s = 0.0
        self._attempts = 0

    def __repr__(self) -> str:
        return "ButtonPoller(…)"

    async def run(self) -> None:
        """Poll until cancelled; return when Telegram does not know the bot.

        An unexpected exception is logged without its message, which may hold the token, and the
        poll is repeated after a pause (5 s, doubled up to 300 s).
        """
        while True:
            try:
                reply = await self._poll()
            except Exception as error:  # noqa: BLE001  the worker boundary; its words are kept out
                place = extract_tb(error.__traceback__)[-1]
                name = type(error).__name__
                log.error("Telegram's buttons: %s at %s:%s", name, place.filename, place.lineno)
                self.error = f"a fault of pantau ({name})"
                await self._back_off(None)
                continue
            if reply.ok:
                self.error = None
                self._pause_s = 0.0
                continue
            self.error = reply.why
            if reply.code in NO_SUCH_BOT:
                log.error("Telegram's buttons are off, the bot is not known: %s", reply.why)
                return
            if self._pause_s == 0.0:
                # 409: another program polls the same bot's updates.
                log.warning("Telegram's buttons wait: %s", reply.why)
            await self._back_off(reply.retry_after_s)

    async def close(self) -> None:
        await self._bot.close()

    async def _back_off(self, retry_after_s: float | None) -> None:
        self._pause_s = min(max(FIRST_PAUSE_S, 2.0 * self._pause_s), MAX_PAUSE_S)
        await self._sleep(retry_after_s or self._pause_s)

    async def _poll(self) -> BotReply:
        """One `getUpdates`, and everything that it brings."""
        reply = await self._bot.call(
            "getUpdates",
            {
                "offset": self._offset,
                "timeout": self._poll_s,
                "allowed_updates": ["callback_query"],
            },
            total_s=self._poll_s + MARGIN_S,
        )
        if reply.ok:
            for update in _updates(reply):
                await self._handle(update)
        return reply

    async def _handle(self, update: dict[str, object]) -> None:
        query = update.get("callback_query")
        if isinstance(query, dict):
            self._attempts += 1
            try:
                answer = clean(await self._press(query), 200)
                values = {"callback_query_id": query.get("id"), "text": answer}
                await self._bot.call("answerCallbackQuery", values)
            except Exception:
                if self._attempts >= MAX_ATTEMPTS:
                    self._confirm(update)
                raise
        self._confirm(update)

    def _confirm(self, update: dict[str, object]) -> None:
        """Ask for later updates only, from the next request on."""
        self._attempts = 0
        number = update.get("update_id")
        if type(number) is int:
            self._offset = max(self._offset, number + 1)

    async def _press(self, query: dict[str, object]) -> str:
        """Record what was pressed; returns the answer for the person."""
        texts = _ANSWERS.get(self._settings.language, _ANSWERS["en"])
        sender = query.get("from")
        user = sender.get("id") if isinstance(sender, dict) else None
        if type(user) is not int or user not in self._settings.allowed:
            log.warning("a Telegram user who is not on the list pressed a button")
            return texts["stranger"]
        button, _, about = str(query.get("data", "")).partition(":")
        identity, _, numbers = about.rpartition(":")
        incidents = _numbers(numbers)
        if button not in (ACKNOWLEDGE, SNOOZE) or not incidents:
            return texts["unknown"]
        if not all(self._settings.ledger.includes(identity, incident) for incident in incidents):
            return texts["other_ledger"]
        name = sender.get("first_name") if isinstance(sender, dict) else None
        who = clean(f"{name or 'Telegram'} (Telegram {user})", 80)
        failed = await self._record(button, incidents, who)
        if not failed:
            return texts[button]
        done = [str(incident) for incident in incidents if incident not in failed]
        if len(incidents) == 1:
            return texts["failed"].format(why=failed[incidents[0]])
        reasons = "; ".join(f"{incident} ({why})" for incident, why in failed.items())
        if not done:
            return texts["failed"].format(why=reasons)
        return texts["partly"].format(done=", ".join(done), failed=reasons)

    async def _record(self, button: str, incidents: list[int], who: str) -> dict[int, str]:
        """Record the action for each incident on its own; returns why it failed, by incident."""
        now_s = self._settings.utc_s()
        if button == ACKNOWLEDGE:
            kind, length_s = ActionKind.ACKNOWLEDGE, self._settings.longest_ack_s
        else:
            kind, length_s = ActionKind.SNOOZE, SNOOZE_S
        failed: dict[int, str] = {}
        for incident in incidents:
            action = IncidentAction(incident, kind, who, now_s, "", now_s + length_s)
            try:
                await self._settings.on_action(action)
            except PantauError as error:
                failed[incident] = str(error)
        return failed


def _updates(reply: BotReply) -> Iterator[dict[str, object]]:
    if isinstance(reply.result, list):
        yield from (each for each in reply.result if isinstance(each, dict))


def _numbers(text: str) -> list[int]:
    """The incidents of a button that we made; empty when it is not one of ours."""
    parts = text.split(",")[:MOST_INCIDENTS]
    plain = [part for part in parts if part.isascii() and part.isdigit() and len(part) < 16]
    return [int(part) for part in plain] if len(plain) == len(parts) else []
