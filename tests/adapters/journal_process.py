"""What the journal's tests run in processes of their own.

    python -m tests.adapters.journal_process append DIRECTORY

append   appends one round after another until it is killed, and tells each number
fill     mounts 1 MB of memory there (in a mount namespace of its own), and fills it
ask      asks as another user of the same group
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.core.errors import JournalError
from monitor.core.samples.samples import Sample
from tests.sample_builders import LINK, MIDNIGHT_S, interface, ping

TARGETS = 40
NOBODY = 65_534
GROUP = 54_321


def round_of(number: int) -> list[Sample]:
    """The rows of one `record_s`, over midnight and on."""
    at_s = MIDNIGHT_S - 200 + 10 * number
    rows: list[Sample] = [ping(at_s, f"site-{place}/utama") for place in range(TARGETS)]
    return [*rows, interface(at_s)]


def append(directory: Path) -> None:
    journal = SqliteJournal(directory)
    number = journal.lag(None) // (TARGETS + 1)
    while True:
        journal.append(round_of(number))
        number += 1
        print(number, flush=True)


def ask(directory: Path) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(GROUP, GROUP, GROUP)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    reader = JournalReader(directory)
    print(len(reader.latency(LINK, MIDNIGHT_S - 86_400, MIDNIGHT_S + 86_400, 10.0)), flush=True)


def fill(directory: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)], check=True)
    ballast = directory / "ballast"
    journal = SqliteJournal(directory / "journal")
    _take_all_space_but(ballast, 500_000)
    number = first = 30  # all of one day: full in the middle of a file
    refusals: list[str] = []
    newcomers = [ping(MIDNIGHT_S, f"new-{place}/utama") for place in range(TARGETS + 1)]
    while len(refusals) < 3:
        try:
            journal.append(newcomers if refusals else round_of(number))
            number += 1
        except JournalError as error:
            refusals.append(str(error))
    told: dict[str, object] = {
        "refusals": refusals,
        "written": number - first,
        "kept": _count(journal),
    }
    try:
        journal.save_cursor("influxdb", journal.read_after(None, 10).cursor)
    except JournalError as error:
        told["cursor"] = str(error)
    ballast.unlink()
    before = _count(journal)
    journal.append(newcomers)
    after = journal.read_after(None, 1_000_000).samples[before:]
    told["newcomers_came"] = sorted(after, key=repr) == sorted(newcomers, key=repr)
    told["kept_after"] = _count(journal)
    journal.close()
    print(json.dumps(told))


def _count(journal: SqliteJournal) -> int:
    found, cursor = 0, None
    while (batch := journal.read_after(cursor, 1000)).samples:
        found += len(batch.samples)
        cursor = batch.cursor
    assert found == journal.lag(None)
    return found


def _take_all_space_but(ballast: Path, left: int) -> None:
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        file.truncate(max(0, ballast.stat().st_size - left))


if __name__ == "__main__":
    {"append": append, "ask": ask, "fill": fill}[sys.argv[1]](Path(sys.argv[2]))
