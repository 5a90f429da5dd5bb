"""Open a ledger on a disk that is full to the last byte: after a clean end, and after a kill.

unshare --mount python -m tests.adapters.ledger_start_while_full DIRECTORY
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from monitor.adapters.ledger.writer import SqlLedger
from tests.adapters.child_process import ROOT, fill_disk


def write(disk: Path) -> SqlLedger:
    ledger = SqlLedger.open(disk / "ledger.db")
    for number in range(30):
        ledger.record_alive(float(number))
    return ledger


def main(disk: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    found = []
    for killed in (False, True):
        child = [sys.executable, "-m", "tests.adapters.ledger_start_while_full", str(disk)]
        done = subprocess.run([*child, "kill" if killed else "end"], cwd=ROOT, check=False)
        assert done.returncode == (-signal.SIGKILL if killed else 0)
        # What SQLite gives back as it opens the log may be taken by others at once.
        (disk / "ledger.db-shm").unlink(missing_ok=True)
        fill_disk(disk / "filler")
        ledger = SqlLedger.open(disk / "ledger.db")
        found.append(ledger.load_snapshot().last_alive_s)
        (disk / "filler").unlink()
        ledger.record_alive(77.0)
        found.append(ledger.load_snapshot().last_alive_s)
        ledger.close()
    print(json.dumps(found))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        opened = write(Path(sys.argv[1]))
        if sys.argv[2] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        opened.close()
