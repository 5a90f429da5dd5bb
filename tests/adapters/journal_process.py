"""Helpers of journal tests that run in a process of their own.

append DIRECTORY   appends one batch after another until killed, prints each number
query DIRECTORY    queries as another user of the same group
forbidden DIR      opens it for writing as another user, prints what it says of its files
fill DIRECTORY     mounts 1 MB of memory there (in a mount namespace of its own) and fills it
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from monitor.adapters.journal import JournalReader, SqliteJournal
from monitor.core.errors import JournalError
from monitor.core.samples.samples import Sample
from tests.adapters.child_process import fill_disk
from tests.sample_builders import LINK, MIDNIGHT_S, interface, ping

TARGETS = 40
NOBODY = 65_534
GROUP = 54_321


def batch_of(number: int) -> list[Sample]:
    """The rows of one `record_s`, over midnight and on."""
    at_s = MIDNIGHT_S - 200 + 10 * number
    rows: list[Sample] = [ping(at_s, f"site-{place}/utama") for place in range(TARGETS)]
    return [*rows, interface(at_s)]


def append(directory: Path) -> None:
    journal = SqliteJournal(directory)
    number = journal.lag(None) // (TARGETS + 1)
    while True:
        journal.append(batch_of(number))
        number += 1
        print(number, flush=True)


def become_another() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(GROUP, GROUP, GROUP)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def forbidden(directory: Path) -> None:
    if os.geteuid() == 0:
        os.chown(directory, NOBODY, GROUP)
    become_another()
    journal = SqliteJournal(directory)
    journal.append([ping(MIDNIGHT_S)])
    print(*journal.problems, sep="\n", flush=True)


def query(directory: Path) -> None:
    become_another()
    reader = JournalReader(directory)
    print(len(reader.latency(LINK, MIDNIGHT_S - 86_400, MIDNIGHT_S + 86_400, 10.0)), flush=True)


def fill(directory: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)], check=True)
    filler = directory / "filler"
    journal = SqliteJournal(directory / "journal")
    fill_disk(filler, 500_000)
    number = first = 30  # all of one day: full in the middle of a file
    refusals: list[str] = []
    newcomers = [ping(MIDNIGHT_S, f"new-{place}/utama") for place in range(TARGETS + 1)]
    while len(refusals) < 3:
        try:
            journal.append(newcomers if refusals else batch_of(number))
            number += 1
        except JournalError as error:
            refusals.append(str(error))
    before = _count(journal)
    found: dict[str, object] = {
        "refusals": refusals,
        "written": number - first,
        "stored": before,
    }
    try:
        journal.save_cursor("influxdb", journal.read_after(None, 10).cursor)
    except JournalError as error:
        found["cursor"] = str(error)
    filler.unlink()
    journal.append(newcomers)
    after = journal.read_after(None, 1_000_000).samples[before:]
    found["newcomers_stored"] = sorted(after, key=repr) == sorted(newcomers, key=repr)
    found["stored_after"] = _count(journal)
    journal.close()
    print(json.dumps(found))


def _count(journal: SqliteJournal) -> int:
    count = len(journal.read_after(None, 1_000_000).samples)
    assert count == journal.lag(None)
    return count


if __name__ == "__main__":
    {"append": append, "query": query, "forbidden": forbidden, "fill": fill}[sys.argv[1]](
        Path(sys.argv[2])
    )
