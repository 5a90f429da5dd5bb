"""Test messages through the channels: `pantau alert-test`, and every day at 07:30.

They are outbox rows like any other, under incident 0. The daily one is numbered by its date: a
restart within that minute, or a clock that is set back, sends no second one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitor.alerting.monitor_messages import MonitorMessages
from monitor.core.alerting.model import EventKind, OutboxRow, Recipient
from monitor.core.alerting.settings import ChannelSettings
from monitor.core.errors import Conflict, LedgerError, NotFound
from monitor.core.job import Job

log = logging.getLogger("monitor.alerting.channel_test")

DAILY_TEST_INTERVAL_S = 60.0
TEST_INCIDENT = 0
MAX_DELAY = timedelta(minutes=30)
"""A daemon that was down at the time of the daily test sends it until then."""


class ChannelTests:
    """Sends test messages, on request and daily."""

    def __init__(self, messages: MonitorMessages) -> None:
        self._messages = messages
        self._last_day: int | None = None

    def jobs(self) -> list[Job]:
        """The daily test, every minute."""
        interval_s = DAILY_TEST_INTERVAL_S
        return [Job("daily test", interval_s, self.run_daily, deadline_s=interval_s)]

    async def send(self, channel: str | None, who: str) -> list[OutboxRow]:
        """Queue a test message for one channel (None: all); returns the rows with their ids.

        Raises NotFound for an unknown channel, Conflict when none is configured, LedgerError.
        """
        channels = self._messages.alerting_state.alerts.channels
        if not channels:
            raise Conflict("alerts.toml names no channel yet: there is nothing to test")
        chosen = [each for each in channels if channel in (None, each.id)]
        if not chosen:
            names = ", ".join(each.id for each in channels)
            raise NotFound(f"there is no channel {channel!r} in alerts.toml; it has {names}")
        log.info("%s tests %s", who, ", ".join(each.id for each in chosen))
        sequence = round(self._messages.now_s() * 1000)
        await self._queue(chosen, sequence)
        return await self._messages.rows(TEST_INCIDENT, sequence)

    async def run_daily(self) -> None:
        """Queue the daily test when it is due; called every minute."""
        state = self._messages.alerting_state
        local = datetime.fromtimestamp(self._messages.now_s(), UTC).astimezone(state.zone)
        due = datetime.combine(local.date(), state.alerts.test_at, state.zone)
        day = local.year * 10_000 + local.month * 100 + local.day
        chosen = [each for each in state.alerts.channels if each.daily_test]
        if not chosen or self._last_day == day or not due <= local < due + MAX_DELAY:
            return
        try:
            await self._queue(chosen, day)
        except LedgerError as error:
            log.error("the daily test of the channels waits for the ledger: %s", error)
        else:
            self._last_day = day

    async def _queue(self, channels: Sequence[ChannelSettings], sequence: int) -> None:
        recipients = [Recipient(f"channel:{each.id}", each.id) for each in channels]
        await self._messages.queue(TEST_INCIDENT, sequence, EventKind.TEST, recipients)
