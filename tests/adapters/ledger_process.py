"""What tests of the ledger run in a process of its own: `python -m tests.adapters.ledger_process`.

record PATH   records one batch of decisions after another until killed, prints each number
query PATH    queries as a user who may only read
fill FOLDER   mounts 1 MB of memory on the folder (in a mount namespace of its own) and fills it
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.errors import LedgerError
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    Scope,
    State,
    Transition,
)
from tests.adapters.child_process import fill_disk

NOON_S = 1_764_000_000.0
AFFECTED = tuple(f"site-{number}/utama" for number in range(5))
NOBODY = 65_534


def incident(number: int) -> Incident:
    at_s = NOON_S + number
    return Incident(
        number, Scope.NODE, f"node-{number}", State.DOWN, at_s, at_s, "silence", affected=AFFECTED
    )


def decisions(number: int) -> list[Decision]:
    """Five transitions, an incident that opens, and the one before that closes."""
    at_s = NOON_S + number
    before, after = (State.UP, State.DOWN) if number % 2 else (State.DOWN, State.UP)
    found: list[Decision] = [
        Transition(target, at_s, at_s, before, after, "silence") for target in AFFECTED
    ]
    if number > 1:
        ended = replace(incident(number - 1), ended_s=at_s, end_reason="answers")
        found.append(IncidentChange(ChangeKind.CLOSED, ended, at_s))
    return [*found, IncidentChange(ChangeKind.OPENED, incident(number), at_s)]


def record(path: Path) -> None:
    ledger = SqlLedger.open(path)
    number = ledger.load_snapshot().next_incident_id
    while True:
        ledger.record(decisions(number))
        print(number, flush=True)
        number += 1


def query(path: Path) -> None:
    reader = SqlLedgerReader.open(path)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    try:
        print(json.dumps({"states": len(reader.load_snapshot().states)}))
    except LedgerError as error:
        print(json.dumps({"refused": str(error)}))


def fill(folder: Path) -> None:
    path, filler = folder / "ledger.db", folder / "filler"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    ledger = SqlLedger.open(path)
    reader = SqlLedgerReader.open(path)
    fill_disk(filler, 400_000)
    refusals: list[str] = []
    stored = 0
    while not refusals and stored < 500:
        refusals += _refusal(partial(ledger.record, decisions(stored + 1)))
        stored += not refusals
    fill_disk(filler)
    refusals += _refusal(partial(ledger.record, decisions(stored + 1)))
    found = {
        "stored": stored,
        "written_when_full": len(ledger.incidents()),
        "read_when_full": len(reader.incidents()),
    }
    filler.unlink()
    ledger.record(decisions(stored + 1))
    found["read_after"] = len(reader.incidents())
    ledger.close()
    fill_disk(filler)
    refusals += _refusal(partial(SqlLedger.open, path))
    filler.unlink()
    found["opened_again"] = len(SqlLedger.open(path).incidents())
    print(json.dumps({**found, "refusals": refusals}))


def _refusal(call: Callable[[], object]) -> list[str]:
    try:
        call()
    except LedgerError as error:
        return [str(error)]
    return []


if __name__ == "__main__":
    {"record": record, "query": query, "fill": fill}[sys.argv[1]](Path(sys.argv[2]))
