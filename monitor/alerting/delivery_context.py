"""What the workers share, and how each of them is doing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from random import random
from typing import ParamSpec, TypeVar

from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.model import Delivery, Notification, Rejected
from monitor.core.alerting.ports import AlertLedger
from monitor.core.executor import Executor
from monitor.core.ports import Clock

LEASE_S = 60.0

P = ParamSpec("P")
T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """What every worker needs. executor: where the ledger is asked. A test brings time and luck."""

    ledger: AlertLedger
    alerting_state: AlertingState
    clock: Clock
    executor: Executor
    sleep: Sleep = asyncio.sleep
    chance: Callable[[], float] = random
    lease_s: float = LEASE_S

    async def call(self, what: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What waits for the disk, beside the event loop."""
        return await self.executor(partial(what, *args, **kwargs))

    def utc_s(self) -> float:
        """The present moment by people's clocks."""
        return self.clock.utc_s(self.clock.steady_s())


@dataclass(slots=True)
class ChannelState:
    """How a channel is doing (steady seconds); outlives a reload.

    why: it failed last time; None: it did not. tries: those of the last minute. not_before_s: the
    channel asked for a pause until then.
    """

    why: str | None = None
    failing_since_s: float | None = None
    turned_s: float = float("-inf")
    sent: int = 0
    failed: int = 0
    dead: int = 0
    faults: int = 0
    tries: deque[float] = field(default_factory=deque)
    not_before_s: float = float("-inf")


class MissingChannel:
    """The `Channel` of rows that name one which is no longer configured."""

    async def send(self, message: Notification) -> Delivery:
        return Rejected("alerts.toml names no such channel")

    async def close(self) -> None:
        return
