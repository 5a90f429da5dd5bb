"""Signs of life to systemd, which restarts a daemon that does not send them.

They are sent while rounds end, the ledger answers and the outbox is worked on. An error of the
ledger is an answer, too: a restart mends no full disk, it would end the measuring and lose what
waits in memory. Such trouble shows in the heartbeat, in `/healthz` and in the warnings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from monitor.core.alerting.model import MaintenanceWindow
from monitor.core.alerting.ports import AlertReader
from monitor.core.errors import LedgerError
from monitor.core.executor import Executor
from monitor.core.job import Job
from monitor.core.ports import Clock

log = logging.getLogger("monitor.daemon.watchdog")

ANSWER_S = 5.0
"""How long the ledger may take for a small query."""

FIRST_ROUND_S = 30.0
"""No round is expected to have ended this soon after the start."""


class ServiceNotifier(Protocol):
    """Notifications to the service manager; see adapters.system.systemd."""

    @property
    def watchdog_s(self) -> float | None: ...

    def alive(self) -> None: ...

    def status(self, text: str) -> None: ...


class Watchdog:
    """Notifies systemd that the daemon is alive, while a restart could not make it better.

    rounds_ok: whether a round ended recently. outbox_ok: whether each delivery worker runs.
    answer_s: how long the ledger may take for a question.
    """

    def __init__(
        self,
        systemd: ServiceNotifier,
        clock: Clock,
        ledger: AlertReader,
        executor: Executor,
        rounds_ok: Callable[[], bool],
        outbox_ok: Callable[[], bool],
        answer_s: float = ANSWER_S,
    ) -> None:
        self._systemd = systemd
        self._clock = clock
        self._ledger = ledger
        self._executor = executor
        self._rounds_ok = rounds_ok
        self._outbox_ok = outbox_ok
        self._answer_s = answer_s
        self._started_s = clock.steady_s()
        self._query: asyncio.Future[list[MaintenanceWindow]] | None = None
        self._problem: str | None = None

    def jobs(self) -> list[Job]:
        """A check three times within the interval of systemd's watchdog; none without one."""
        watchdog_s = self._systemd.watchdog_s
        if watchdog_s is None:
            return []
        every_s = max(1.0, watchdog_s // 3)
        return [Job("watchdog", every_s, self.check, deadline_s=every_s + self._answer_s)]

    async def check(self) -> None:
        """Notify systemd, or log why not."""
        problem = await self._find_problem()
        if problem != self._problem:
            if problem is None:
                log.info("rounds, ledger and outbox work again")
            else:
                log.error("%s: systemd is not notified and will restart this daemon", problem)
            self._systemd.status(problem or "")
            self._problem = problem
        if problem is None:
            self._systemd.alive()

    async def _find_problem(self) -> str | None:
        starting = self._clock.steady_s() - self._started_s < FIRST_ROUND_S
        if not starting and not self._rounds_ok():
            return "no round has ended for 30 s"
        if not await self._ledger_answers():
            return "the ledger does not answer"
        return None if self._outbox_ok() else "a worker of the outbox does not run"

    async def _ledger_answers(self) -> bool:
        """Whether the ledger answers in time, be it with an error; one query at a time."""
        if self._query is None:
            now_s = self._clock.utc_s(self._clock.steady_s())
            windows = partial(self._ledger.windows, now_s, now_s + 1.0)
            self._query = asyncio.ensure_future(self._executor(windows))
        query = self._query
        done, _ = await asyncio.wait({query}, timeout=self._answer_s)
        if not done:
            return False
        self._query = None
        error = query.exception()
        if error is not None and not isinstance(error, LedgerError):
            raise error
        return True
