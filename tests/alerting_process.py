"""One life of a daemon that tells people, in a process of its own; killed at a named point.

The real path from judge to dispatcher on a real ledger file; the network, the channel and the clock
are fakes. What the channel took is a line in a file: the other side has it, whoever dies after.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.alerting.model import (
    Delivered,
    Delivery,
    DeliveryBatch,
    Notification,
    OutboxRow,
    PolicyDecision,
)
from monitor.core.alerting.settings import ChannelSettings
from monitor.core.model import ChangeKind, Decision, IncidentChange
from tests.alerting_fixtures import DutyHouse
from tests.core.alerting.scenario import ALERTS
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.prober import Answers, Silent

LINK = "anjatan/utama"
NET = network({LINK: (), "bongas/utama": ()}, anchors=1)
CHANNELS = (ChannelSettings("hook", "webhook", address="http://127.0.0.1:9/"),)
LONGEST_S = 400
POINTS = (
    "verdict spoken",
    "verdict in its transaction",
    "verdict committed",
    "message planned",
    "message in its transaction",
    "message committed",
    "leased",
    "before sending",
    "taken, and nobody knows",
    "taken, before it is marked",
    "mark in its transaction",
    "marked",
)


@dataclass(frozen=True)
class Life:
    """start_s: UTC at its beginning. silent: the link is cut, the story is about its opening;
    else it answers, and the story is about its closing. point: where it is killed; None: never."""

    ledger: Path
    delivered: Path
    start_s: float
    silent: bool
    point: str | None


class Doom:
    """Kills this process at the point, and nowhere else."""

    def __init__(self, life: Life) -> None:
        self.awaited = ChangeKind.OPENED if life.silent else ChangeKind.CLOSED
        self._point = life.point
        self._in_transaction: tuple[str, ...] = ()

    def reach(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def enter(self, *points: str) -> None:
        """The next commit is that of these points; none: of nothing that matters."""
        self._in_transaction = points

    def commit(self, _: Connection) -> None:
        for point in self._in_transaction:
            self.reach(point)


class DoomedLedger(SqlLedger):
    """A real ledger; the process may end before, in and after each of its transactions."""

    doom: Doom

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        changes = {each.change for each in decisions if isinstance(each, IncidentChange)}
        points = ["verdict"] if self.doom.awaited in changes else []
        points += ["message"] if outbox else []
        for point in points:
            self.doom.reach(f"{point} {'spoken' if point == 'verdict' else 'planned'}")
        self.doom.enter(*(f"{point} in its transaction" for point in points))
        super().record(decisions, outbox, policy_decisions)
        self.doom.enter()
        for point in points:
            self.doom.reach(f"{point} committed")

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        parcels = super().lease(channel, now_s, lease_s, limit)
        if parcels:
            self.doom.reach("leased")
        return parcels

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        self.doom.reach("taken, before it is marked")
        self.doom.enter("mark in its transaction")
        super().mark_sent(row, replaced, at_s)
        self.doom.enter()
        self.doom.reach("marked")


class FileChannel:
    """The other side: what it took is a line in a file."""

    def __init__(self, path: Path, doom: Doom) -> None:
        self._path = path
        self._doom = doom

    async def send(self, message: Notification) -> Delivery:
        self._doom.reach("before sending")
        line = json.dumps({"key": message.key, "event": message.event.value})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._doom.reach("taken, and nobody knows")
        return Delivered()

    async def close(self) -> None:
        return


def live(life: Life) -> None:
    """Until it is killed, or until everything is told. What a process runs."""
    asyncio.run(_live(life))


async def _live(life: Life) -> None:
    doom = Doom(life)
    event.listen(Engine, "commit", doom.commit)
    ledger = DoomedLedger.open(life.ledger)
    ledger.doom = doom
    only_hook = tuple(
        replace(route, steps=(replace(route.steps[0], to=("channel:hook",)),))
        for route in ALERTS.routes
    )
    house = DutyHouse(
        NET,
        replace(ALERTS, channels=CHANNELS, people=(), routes=only_hook),
        ManualClock(life.start_s),
        ledger,
        {"hook": FileChannel(life.delivered, doom)},
    )
    await house.open()
    house.prober.behave_by(lambda name, _: Silent() if life.silent and name == LINK else Answers())
    wanted = "opened" if life.silent else "resolved"
    for _ in range(LONGEST_S):
        await house.watch(1.0)
        # The ledger's threads have a turn in real time, as they have in real life.
        await asyncio.to_thread(ledger.load_snapshot)
        if wanted in life.delivered.read_text("utf-8") and house.is_quiet():
            break
    await house.watch(5.0)
    await house.close()
    ledger.close()
