"""An alerting daemon in a process of its own that is killed at a named point.

The real path from detector to dispatcher on a real ledger file; network, channel and clock are
fakes. A message that the channel accepted is a line in a file.
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
from tests.alerting_rig import AlertingRig
from tests.core.alerting.scenario import ALERTS
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.fakes.prober import Answers, Silent

LINK = "anjatan/utama"
NET = network({LINK: (), "bongas/utama": ()}, anchors=1)
CHANNELS = (ChannelSettings("hook", "webhook", address="http://127.0.0.1:9/"),)
MAX_RUN_S = 400
POINTS = (
    "decisions made",
    "decisions in its transaction",
    "decisions committed",
    "message made",
    "message in its transaction",
    "message committed",
    "leased",
    "before sending",
    "accepted, not returned",
    "accepted, not marked",
    "mark in its transaction",
    "marked",
)


@dataclass(frozen=True)
class ProcessRun:
    """start_s: UTC at its start. silent: the link is down, and the opening is awaited; else it
    answers, and the closing is awaited. point: where the process is killed; None: never."""

    ledger: Path
    delivered: Path
    start_s: float
    silent: bool
    point: str | None


class KillPoint:
    """Kills this process at one of POINTS."""

    def __init__(self, run: ProcessRun) -> None:
        self.awaited = ChangeKind.OPENED if run.silent else ChangeKind.CLOSED
        self._point = run.point
        self._in_transaction: tuple[str, ...] = ()

    def reach(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    def enter(self, *points: str) -> None:
        """The next commit reaches these points."""
        self._in_transaction = points

    def commit(self, _: Connection) -> None:
        for point in self._in_transaction:
            self.reach(point)


class KillableLedger(SqlLedger):
    """A real ledger with points before, in and after each of its transactions."""

    kill_point: KillPoint

    def record(
        self,
        decisions: Sequence[Decision],
        outbox: Sequence[OutboxRow] = (),
        policy_decisions: Sequence[PolicyDecision] = (),
    ) -> None:
        changes = {each.change for each in decisions if isinstance(each, IncidentChange)}
        points = ["decisions"] if self.kill_point.awaited in changes else []
        points += ["message"] if outbox else []
        for point in points:
            self.kill_point.reach(f"{point} {'made'}")
        self.kill_point.enter(*(f"{point} in its transaction" for point in points))
        super().record(decisions, outbox, policy_decisions)
        self.kill_point.enter()
        for point in points:
            self.kill_point.reach(f"{point} committed")

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        batches = super().lease(channel, now_s, lease_s, limit)
        if batches:
            self.kill_point.reach("leased")
        return batches

    def mark_sent(self, row: int, replaced: Collection[int], at_s: float) -> None:
        self.kill_point.reach("accepted, not marked")
        self.kill_point.enter("mark in its transaction")
        super().mark_sent(row, replaced, at_s)
        self.kill_point.enter()
        self.kill_point.reach("marked")


class FileChannel:
    """Appends each message that it accepts to a file."""

    def __init__(self, path: Path, kill_point: KillPoint) -> None:
        self._path = path
        self._kill_point = kill_point

    async def send(self, message: Notification) -> Delivery:
        self._kill_point.reach("before sending")
        line = json.dumps({"key": message.key, "event": message.event.value})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._kill_point.reach("accepted, not returned")
        return Delivered()

    async def close(self) -> None:
        return


def run_process(run: ProcessRun) -> None:
    """Run until killed, or until the awaited message is delivered."""
    asyncio.run(_run(run))


async def _run(run: ProcessRun) -> None:
    kill_point = KillPoint(run)
    event.listen(Engine, "commit", kill_point.commit)
    ledger = KillableLedger.open(run.ledger)
    ledger.kill_point = kill_point
    only_hook = tuple(
        replace(route, steps=(replace(route.steps[0], to=("channel:hook",)),))
        for route in ALERTS.routes
    )
    rig = AlertingRig(
        NET,
        replace(ALERTS, channels=CHANNELS, people=(), routes=only_hook),
        ManualClock(run.start_s),
        ledger,
        {"hook": FileChannel(run.delivered, kill_point)},
    )
    await rig.open()
    rig.prober.behave_by(lambda name, _: Silent() if run.silent and name == LINK else Answers())
    wanted = "opened" if run.silent else "resolved"
    for _ in range(MAX_RUN_S):
        await rig.run_for(1.0)
        # The ledger's threads have a turn in real time, as they have in real run.
        await asyncio.to_thread(ledger.load_snapshot)
        if wanted in run.delivered.read_text("utf-8") and rig.is_idle():
            break
    await rig.run_for(5.0)
    await rig.close()
    ledger.close()
