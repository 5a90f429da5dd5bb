"""Test messages: does every channel still work? `pantau alert-test`, and each day at 07:30.

They are rows of the outbox like any other, about incident 0. The daily one is numbered by its
date: a restart within that minute, or a clock that is set back, sends no second one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import EventKind, NotificationContext, OutboxRow, Recipient
from monitor.core.alerting.outbox import CODE_CHARACTERS, encode_body
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.reasons import Reason
from monitor.core.alerting.settings import ChannelSettings
from monitor.core.errors import Conflict, LedgerError, NotFound
from monitor.core.executor import Executor
from monitor.core.job import Job
from monitor.core.ports import Clock

log = logging.getLogger("monitor.alerting.channel_test")

MINUTE_S = 60.0
NO_INCIDENT = 0
LATE = timedelta(minutes=30)
"""A daemon that was down at 07:30 makes up for it until then."""


class ChannelTests:
    """queued: is told that there is something to send."""

    def __init__(
        self,
        ledger: AlertLedger,
        clock: Clock,
        alerting_state: AlertingState,
        executor: Executor,
        queued: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._alerting_state = alerting_state
        self._executor = executor
        self._queued = queued
        self._tested: int | None = None

    def jobs(self) -> list[Job]:
        return [Job("daily test", MINUTE_S, self.run_daily, deadline_s=MINUTE_S)]

    async def send(self, channel: str | None, who: str) -> list[OutboxRow]:
        """One test message now through a channel, or through every one; the rows, with ids.

        Raises NoSuchThing for an unknown channel, TooLate where none is configured.
        """
        channels = self._alerting_state.alerts.channels
        if not channels:
            raise Conflict("alerts.toml names no channel yet: there is nothing to test")
        chosen = [each for each in channels if channel in (None, each.id)]
        if not chosen:
            names = ", ".join(each.id for each in channels)
            raise NotFound(f"there is no channel {channel!r} in alerts.toml; it has {names}")
        now_s = self._now_s()
        log.info("%s tests %s", who, ", ".join(each.id for each in chosen))
        return await self._record(chosen, round(now_s * 1000), now_s)

    async def run_daily(self) -> None:
        """Once a day, from the appointed time on; to be asked every minute."""
        now_s = self._now_s()
        local = datetime.fromtimestamp(now_s, UTC).astimezone(self._alerting_state.zone)
        due = datetime.combine(
            local.date(), self._alerting_state.alerts.test_at, self._alerting_state.zone
        )
        day = local.year * 10_000 + local.month * 100 + local.day
        chosen = [each for each in self._alerting_state.alerts.channels if each.daily_test]
        if not chosen or self._tested == day or not due <= local < due + LATE:
            return
        try:
            await self._record(chosen, day, now_s)
        except LedgerError as error:
            log.error("the daily test of the channels waits for the ledger: %s", error)
        else:
            self._tested = day

    async def _record(
        self, channels: Sequence[ChannelSettings], sequence: int, now_s: float
    ) -> list[OutboxRow]:
        rows = [self._row(channel, sequence, now_s) for channel in channels]
        await self._executor(partial(self._ledger.record, [], rows))
        self._queued()
        stored = await self._executor(partial(self._ledger.outbox, incident=NO_INCIDENT))
        return [row for row in stored if row.sequence == sequence]

    def _row(self, channel: ChannelSettings, sequence: int, now_s: float) -> OutboxRow:
        recipient = Recipient(f"channel:{channel.id}", channel.id)
        occasion = NotificationContext(
            event=EventKind.TEST,
            reason=Reason.TEST,
            incidents=(),
            recipient=recipient,
            language=channel.language,
            at_s=now_s,
            most_characters=channel.most_characters - CODE_CHARACTERS,
        )
        return OutboxRow(
            incident=NO_INCIDENT,
            sequence=sequence,
            channel=channel.id,
            recipient=recipient.name,
            event=EventKind.TEST,
            body=encode_body(self._alerting_state.message_writer.write(occasion), []),
            next_try_s=now_s,
        )

    def _now_s(self) -> float:
        return round(self._clock.utc_s(self._clock.steady_s()), 3)
