"""Messages go from memory on a full disk of 4 MB, the process is killed, and another goes on.

unshare --mount python -m tests.alerting.kill_while_full_process DIRECTORY
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from monitor.adapters.ledger.writer import SqlLedger
from monitor.adapters.system.given_out_file import GivenOutFile
from tests.adapters.child_process import ROOT, fill_disk
from tests.alerting_rig import AlertingRig
from tests.core.detection.scenario import network
from tests.fakes.prober import Answers, Silent

LINKS = ("anjatan/utama", "bongas/utama", "cikedung/utama", "gabus/utama")
NET = network(dict.fromkeys(LINKS, ()), anchors=1)


async def run_until_killed(disk: Path, phase: int) -> None:
    """Print what was told, and die. Phase 0 has room at first; the last one has room again."""
    rig = await AlertingRig(
        NET, ledger=SqlLedger.open(disk / "ledger.db"), given_out=GivenOutFile(disk / "given-out")
    ).open()

    async def run(for_s: int) -> None:
        for _ in range(for_s):
            await rig.run_for(1.0)
            await asyncio.to_thread(lambda: None)

    def cut(*names: str) -> None:
        rig.prober.behave_by(lambda name, _: Silent() if name in names else Answers())

    await run(10)
    if phase == 0:
        cut(LINKS[0])
        await run(30)
        fill_disk(disk / "filler")
        # The write-ahead log may have room left.
        cut(LINKS[0], LINKS[1])
        await run(10)
        fill_disk(disk / "filler")
        await run(20)
        await rig.run_for(1_000)  # the next step of the first one: its second message
        await run(5)
    else:
        cut(LINKS[0], LINKS[phase + 1])
        await run(40)
    told = [
        (message.key, message.event.value, [each["target"] for each in found], message.is_recorded)
        for box in rig.boxes.values()
        for message in box.accepted
        for found in [message.incidents if message.incident is None else (message.incident,)]
    ]
    print(json.dumps(told), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def main(disk: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    told = []
    for phase in (0, 1, 2):
        if phase == 2:
            (disk / "filler").unlink()
        done = subprocess.run(
            [sys.executable, "-m", "tests.alerting.kill_while_full_process", str(disk), str(phase)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL
        told.append(json.loads(done.stdout))
    print(json.dumps(told))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        asyncio.run(run_until_killed(Path(sys.argv[1]), int(sys.argv[2])))
