"""Read the live ledger as a user who may write nothing, not even `-shm`, beside its writer.

    pytest -m bench -s tests/bench/test_read_only_wal.py

Asserted: no read fails, and none sees less than the one before.
"""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from tests.other_user import OtherUser, open_directory

pytestmark = [pytest.mark.bench, pytest.mark.timeout(120)]

GROUP = 41_000
READER = OtherUser(41_001, 41_001, (GROUP,))
LASTS_S = 10.0
READ = """
import sys, time
from pathlib import Path
from monitor.adapters.ledger import SqlLedgerReader
reader, until_s = SqlLedgerReader.open(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2])
reads, newest = 0, 0
while time.monotonic() < until_s:
    found = reader.incidents(limit=1)[-1].id
    assert found >= newest, (found, newest)
    reads, newest = reads + 1, found
print(reads, newest)
"""


def test_reading_a_live_ledger_without_writing_anything() -> None:
    with open_directory() as directory:
        directory.chmod(0o750)
        if os.geteuid() == 0:
            os.chown(directory, 0, GROUP)
            directory.chmod(0o2750)
        ledger = SqlLedger.open(directory / "ledger.db")
        at_s, number = 1_795_000_000.0, 0
        words = ["-c", READ, str(directory / "ledger.db"), str(LASTS_S)]
        readers: list[subprocess.Popen[bytes]] = []
        until_s = time.monotonic() + LASTS_S + 2
        while time.monotonic() < until_s:
            number += 1
            incident = Incident(number, Scope.LINK, "a/b", State.DOWN, at_s, at_s, "silence")
            ledger.record([IncidentChange(ChangeKind.OPENED, incident, at_s)])
            if not readers:
                readers = [READER.popen(words, out=subprocess.PIPE) for _ in range(2)]
        outputs = [each.communicate(timeout=30)[0].decode() for each in readers]
        ledger.close()
    print(f"\n{number} commits; of each reader, reads and the newest incident: {outputs}")
    assert all(each.returncode == 0 for each in readers), outputs
