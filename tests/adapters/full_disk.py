"""A process of its own on 16 MB of memory as its disk: a pipeline, a ledger, a journal, a filler.

unshare --mount python -m tests.adapters.full_disk DIRECTORY
"""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

from monitor.adapters.journal import SqliteJournal
from monitor.adapters.journal.day_files import free_bytes
from monitor.adapters.ledger.writer import SqlLedger
from monitor.alerting.monitor_messages import MonitorMessages
from monitor.alerting.self_alerts import SelfAlerts
from monitor.core.alerting.alerting_state import AlertingState
from monitor.core.alerting.self_checks import OUTBOX_INCIDENT, SelfCheck
from monitor.core.alerting.settings import AlertSettings, ChannelSettings, EscalationStep, Route
from monitor.core.detection.detector import Detector
from monitor.core.model import Lost, Outcome, Reply
from monitor.pipeline.pipeline import Pipeline
from tests.core.detection.scenario import network
from tests.fakes.clock import ManualClock
from tests.waiting import eventually_async

LINK = "anjatan/utama"
NET = network({LINK: (), "bongas/utama": ()}, anchors=1)
ALERTS = AlertSettings(
    channels=(ChannelSettings("hook", "webhook", address="http://127.0.0.1:9/"),),
    routes=(Route({"scope": ("monitor",)}, (EscalationStep(0.0, ("channel:hook",)),)),),
)
NAMES = [target.name for target in NET.targets()]


class House:
    """The path from outcomes to the disk, on a clock that the rounds move."""

    def __init__(self, disk: Path) -> None:
        self.clock = ManualClock(1_764_000_000.0)
        self.journal = SqliteJournal(disk / "journal")
        self.ledger = SqlLedger.open(disk / "ledger.db")
        self.pipeline = Pipeline(
            NET, Detector(NET), self.clock, self.ledger, self.journal, retry_s=0.01
        )
        self.made = 0
        self.self_alerts = SelfAlerts(
            MonitorMessages(
                *(self.ledger, self.clock, AlertingState(ALERTS, NET)),
                *(asyncio.to_thread, lambda: None),
            ),
            lambda: self.pipeline.progress,
            lambda: 0.0,
        )

    async def second(self, dead: str | None = None) -> None:
        """A round, and every ten seconds a row a target."""
        self.clock.advance(1.0)
        now_s = self.clock.steady_s()
        outcomes: list[Outcome] = [
            Lost(name, now_s - 1.0, now_s)
            if name == dead
            else Reply(name, now_s - 0.01, now_s, 10.0)
            for name in NAMES
        ]
        self.pipeline.take(outcomes)
        if now_s % 10 == 0:
            self.pipeline.store([one.row() for one in self.pipeline.finish_period(now_s)])
            self.made += len(NAMES)
            await self.self_alerts.check()
        turn = asyncio.Event()
        asyncio.get_running_loop().call_later(0.002, turn.set)
        await turn.wait()

    def messages(self) -> list[tuple[str, str, float]]:
        """What people are told of the monitor itself: the event, its title, when."""
        return [
            (row.event.value, json.loads(row.body)["title"], row.next_try_s)
            for row in self.ledger.outbox(incident=OUTBOX_INCIDENT[SelfCheck.JOURNAL])
        ]

    def rows(self) -> int:
        """How many rows of pings the files have."""
        spans = self.journal.latency_all(0.0, 2e9, 10.0)
        return sum(len(buckets) for buckets in spans.values())


async def story(disk: Path) -> dict[str, object]:
    house = House(disk)
    progress = house.pipeline.progress
    writers = [
        asyncio.create_task(house.pipeline.run()),
    ]
    for _ in range(60):
        await house.second()
    filler = disk / "filler"
    fill(filler)
    full_s = house.clock.steady_s()
    while progress.journal.error is None and house.clock.steady_s() < full_s + 600:
        await house.second()
    told: dict[str, object] = {
        "trouble": progress.journal.error,
        "told_after_s": house.clock.steady_s() - full_s,
        "kept_before": house.rows(),
        "free_for_the_ledger": free_bytes(disk),
    }
    for _ in range(120):
        await house.second(dead=LINK)
    await eventually_async(lambda: house.ledger.load_snapshot().open_incidents, 10)
    told["verdicts_while_full"] = [str(each.state) for each in house.ledger.incidents()]
    told["kept_while_full"] = house.rows()
    told["messages_while_full"] = [(*what, at_s - full_s) for *what, at_s in house.messages()]
    filler.unlink()
    await house.second()
    await eventually_async(lambda: progress.journal.error is None, 10)
    for _ in range(90):
        await house.second()
    await eventually_async(lambda: house.rows() == house.made, 10)
    told |= {
        "messages_after": [event for event, *_ in house.messages()],
        "trouble_after": progress.journal.error,
        "made": house.made,
        "kept_after": house.rows(),
        "reserve_is_back": (disk / "journal" / "ballast").exists(),
    }
    for writer in writers:
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
    house.pipeline.close()
    house.journal.close()
    house.ledger.close()
    return told


def checked(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def fill(filler: Path) -> None:
    """Take all the space that is left."""
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


if __name__ == "__main__":
    where = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(where)], check=True)
    told = asyncio.run(story(where))
    told["integrity"] = sorted({checked(path) for path in where.rglob("*.db")})
    print(json.dumps(told))
