"""A pipeline, a ledger and a journal on a disk of 16 MB in memory that is filled and emptied.

unshare --mount python -m tests.adapters.full_disk DIRECTORY
"""

from __future__ import annotations

import asyncio
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
from monitor.core.alerting.unrecorded import UnrecordedMessages
from monitor.core.detection.detector import Detector
from monitor.core.model import Lost, Outcome, Reply
from monitor.pipeline.pipeline import Pipeline
from tests.adapters.child_process import fill_disk
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


class PipelineOnDisk:
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
                *(asyncio.to_thread, lambda: None, self.pipeline.queue_messages),
            ),
            lambda: self.pipeline.progress,
            lambda: 0.0,
            UnrecordedMessages(self.clock.steady_s, self.pipeline.progress.ledger),
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
        """The self-alerts about the journal: event, title, time."""
        return [
            (row.event.value, json.loads(row.body)["title"], row.next_try_s)
            for row in self.ledger.outbox(incident=OUTBOX_INCIDENT[SelfCheck.JOURNAL])
        ]

    def rows(self) -> int:
        """How many rows of pings the files have."""
        spans = self.journal.latency_all(0.0, 2e9, 10.0)
        return sum(len(buckets) for buckets in spans.values())


async def report(disk: Path) -> dict[str, object]:
    disk_pipeline = PipelineOnDisk(disk)
    progress = disk_pipeline.pipeline.progress
    writers = [
        asyncio.create_task(disk_pipeline.pipeline.run()),
    ]
    for _ in range(30):
        await disk_pipeline.second()
    filler = disk / "filler"
    fill_disk(filler)
    full_s = disk_pipeline.clock.steady_s()
    while progress.journal.error is None and disk_pipeline.clock.steady_s() < full_s + 600:
        await disk_pipeline.second()
    found: dict[str, object] = {
        "error": progress.journal.error,
        "reported_after_s": disk_pipeline.clock.steady_s() - full_s,
        "rows_before": disk_pipeline.rows(),
        "free_for_the_ledger": free_bytes(disk),
    }
    for _ in range(60):
        await disk_pipeline.second(dead=LINK)
    await eventually_async(lambda: disk_pipeline.ledger.load_snapshot().open_incidents, 10)
    found["incidents_while_full"] = [str(each.state) for each in disk_pipeline.ledger.incidents()]
    found["rows_while_full"] = disk_pipeline.rows()
    found["messages_while_full"] = [
        (*what, at_s - full_s) for *what, at_s in disk_pipeline.messages()
    ]
    filler.unlink()
    await disk_pipeline.second()
    await eventually_async(lambda: progress.journal.error is None, 10)
    for _ in range(90):
        await disk_pipeline.second()
    await eventually_async(lambda: disk_pipeline.rows() == disk_pipeline.made, 10)
    found |= {
        "messages_after": [event for event, *_ in disk_pipeline.messages()],
        "error_after": progress.journal.error,
        "rows_made": disk_pipeline.made,
        "rows_after": disk_pipeline.rows(),
        "reserve_exists": (disk / "journal" / "ballast").exists(),
    }
    for writer in writers:
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer
    disk_pipeline.pipeline.close()
    disk_pipeline.journal.close()
    disk_pipeline.ledger.close()
    return found


def checked(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


if __name__ == "__main__":
    where = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(where)], check=True)
    found = asyncio.run(report(where))
    found["integrity"] = sorted({checked(path) for path in where.rglob("*.db")})
    print(json.dumps(found))
