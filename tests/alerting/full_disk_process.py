"""From a silent link to its messages on a disk of 4 MB in memory that is filled and emptied.

unshare --mount python -m tests.alerting.full_disk_process DIRECTORY
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.alerting.unrecorded import MARKS
from tests.adapters.child_process import fill_disk
from tests.alerting_rig import AlertingRig
from tests.core.detection.scenario import network
from tests.fakes.prober import Answers, Silent
from tests.waiting import eventually_async

LINK, OTHER = "anjatan/utama", "bongas/utama"
NET = network({LINK: (), OTHER: ()}, anchors=1)


async def report(disk: Path) -> dict[str, object]:
    ledger = SqlLedger.open(disk / "ledger.db")
    rig = await AlertingRig(NET, ledger=ledger).open()

    async def run(for_s: int) -> None:
        for _ in range(for_s):
            await rig.run_for(1.0)
            await asyncio.to_thread(lambda: None)

    def cut(*names: str) -> None:
        rig.prober.behave_by(lambda name, _: Silent() if name in names else Answers())

    def heard() -> list[tuple[str, str, bool]]:
        return [
            (
                message.event.value,
                str((message.incident or {})["target"]),
                MARKS["id"] in message.text,
            )
            for message in rig.boxes["hook"].accepted
        ]

    await run(10)
    cut(LINK)
    await run(30)
    found: dict[str, object] = {"before": heard()}
    filler = disk / "filler"
    fill_disk(filler)
    cut(LINK, OTHER)
    await run(10)
    fill_disk(filler)  # the write-ahead log may have had room left
    await run(20)
    cut(OTHER)
    await run(20)
    found |= {"while_full": heard()[1:], "error": rig.progress.ledger.error}
    filler.unlink()
    await eventually_async(lambda: rig.progress.ledger.error is None)
    cut()
    await run(90)
    await eventually_async(rig.is_idle)
    found |= {
        "afterwards": heard()[3:],
        "rows": sorted((row.event.value, row.status.value) for row in ledger.outbox()),
        "incidents": [(each.target, each.ended_s is not None) for each in ledger.incidents()],
    }
    await rig.close()
    ledger.close()
    return found


if __name__ == "__main__":
    where = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(where)], check=True)
    print(json.dumps(asyncio.run(report(where))))
