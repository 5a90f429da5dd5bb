"""Who watches the watcher: signs of life to systemd, and the daily test of the channels.

A sign of life is sent while rounds end, the ledger answers and the outbox is worked on: what a
restart can mend. A full disk is an answer, too: killing the daemon for it would end the measuring
and lose what waits in memory; that trouble is told by the heartbeat, `/healthz` and the warnings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from monitor.alerting.channel_test import ChannelTests
from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.alerting.ports import AlertReader
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.job import Job
from monitor.core.ports import Clock

log = logging.getLogger("monitor.daemon.watchdog")

ANSWER_S = 5.0
MINUTE_S = 60.0
FIRST_ROUND_S = 30.0
"""A daemon that has just begun has not ended a round yet."""


class ServiceNotifier(Protocol):
    """The service manager; see adapters.system.systemd."""

    @property
    def watchdog_s(self) -> float | None: ...

    def alive(self) -> None: ...

    def status(self, words: str) -> None: ...


class Watchdog:
    """rounds_end: has a round ended lately? outbox_turns: does each worker of it still turn?"""

    def __init__(
        self,
        manager: ServiceNotifier,
        clock: Clock,
        ledger: AlertReader,
        executor: Executor,
        rounds_end: Callable[[], bool],
        outbox_turns: Callable[[], bool],
        channel_tests: ChannelTests,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._manager = manager
        self._clock = clock
        self._ledger = ledger
        self._executor = executor
        self._rounds_end = rounds_end
        self._outbox_turns = outbox_turns
        self._channel_tests = channel_tests
        self._answer_s = answer_s
        self._begun_s = clock.steady_s()
        self._asked: asyncio.Future[list[MaintenanceWindow]] | None = None
        self._trouble: str | None = None

    def jobs(self) -> list[Job]:
        """The daily test; and signs of life, thrice in the time that systemd waits for one."""
        jobs = [Job("daily test", MINUTE_S, self._channel_tests.run_daily, deadline_s=MINUTE_S)]
        watchdog_s = self._manager.watchdog_s
        if watchdog_s is not None:
            every_s = max(1.0, watchdog_s // 3)
            jobs.append(Job("watchdog", every_s, self.beat, deadline_s=every_s + self._answer_s))
        return jobs

    async def beat(self) -> None:
        """One sign of life, if all is well enough for it."""
        trouble = await self._what_stands_still()
        if trouble != self._trouble:
            if trouble is None:
                log.info("everything turns again")
            else:
                log.error("%s: systemd is told nothing, and will restart this daemon", trouble)
            self._manager.status(trouble or "")
            self._trouble = trouble
        if trouble is None:
            self._manager.alive()

    async def _what_stands_still(self) -> str | None:
        begins = self._clock.steady_s() - self._begun_s < FIRST_ROUND_S
        if not begins and not self._rounds_end():
            return "no round has ended for 30 s"
        if not await self._ledger_answers():
            return "the ledger does not answer"
        return None if self._outbox_turns() else "the outbox is not worked on"

    async def _ledger_answers(self) -> bool:
        """An error is an answer; one question at a time, however long it takes."""
        asked = self._asked if self._asked is not None else self._ask()
        self._asked = asked
        done, _ = await asyncio.wait({asked}, timeout=self._answer_s)
        if not done:
            return False
        self._asked = None
        error = asked.exception()
        if error is not None and not isinstance(error, LedgerError):
            raise error
        return True

    def _ask(self) -> asyncio.Future[list[MaintenanceWindow]]:
        now_s = self._clock.utc_s(self._clock.steady_s())
        return asyncio.ensure_future(
            self._executor(partial(self._ledger.windows, now_s, now_s + 1.0))
        )
