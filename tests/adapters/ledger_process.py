"""What the ledger's tests run in processes of their own: `python -m tests.adapters.ledger_process`.

record PATH   records one judgement after another until it is killed, and tells each number
ask PATH      asks as a user who may read and not write
fill FOLDER   mounts 1 MB of memory on the folder (in a mount namespace of its own), fills it
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
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

NOON_S = 1_764_000_000.0
BEHIND = tuple(f"site-{number}/utama" for number in range(5))
NOBODY = 65_534


def incident(number: int) -> Incident:
    at_s = NOON_S + number
    return Incident(
        number, Scope.NODE, f"node-{number}", State.DOWN, at_s, at_s, "silence", affected=BEHIND
    )


def judgement(number: int) -> list[Decision]:
    """Five transitions, one incident that opens, and the one before that closes."""
    at_s = NOON_S + number
    before, after = (State.UP, State.DOWN) if number % 2 else (State.DOWN, State.UP)
    decisions: list[Decision] = [
        Transition(target, at_s, at_s, before, after, "silence") for target in BEHIND
    ]
    if number > 1:
        last = incident(number - 1)
        ended = Incident(
            last.id,
            last.scope,
            last.target,
            last.state,
            last.started_s,
            last.detected_s,
            last.reason,
            ended_s=at_s,
            end_reason="answers",
            affected=BEHIND,
        )
        decisions.append(IncidentChange(ChangeKind.CLOSED, ended, at_s))
    return [*decisions, IncidentChange(ChangeKind.OPENED, incident(number), at_s)]


def record(path: Path) -> None:
    ledger = SqlLedger.open(path)
    number = ledger.load_snapshot().next_incident_id
    while True:
        ledger.record(judgement(number))
        print(number, flush=True)
        number += 1


def ask(path: Path) -> None:
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
    path, ballast = folder / "ledger.db", folder / "ballast"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    ledger = SqlLedger.open(path)
    reader = SqlLedgerReader.open(path)
    _take_all_space_but(ballast, 400_000)
    refusals: list[str] = []
    stored = 0
    while not refusals and stored < 500:
        refusals += _refusal(partial(ledger.record, judgement(stored + 1)))
        stored += not refusals
    _take_all_space_but(ballast, 0)
    refusals += _refusal(partial(ledger.record, judgement(stored + 1)))
    told = {
        "stored": stored,
        "asked_when_full": len(ledger.incidents()),
        "read_when_full": len(reader.incidents()),
    }
    ballast.unlink()
    ledger.record(judgement(stored + 1))
    told["read_after"] = len(reader.incidents())
    ledger.close()
    _take_all_space_but(ballast, 0)
    refusals += _refusal(partial(SqlLedger.open, path))
    ballast.unlink()
    again = SqlLedger.open(path)
    told["remembered_again"] = len(again.incidents())
    print(json.dumps({**told, "refusals": refusals}))


def _refusal(what: Callable[[], object]) -> list[str]:
    try:
        what()
    except LedgerError as error:
        return [str(error)]
    return []


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
    {"record": record, "ask": ask, "fill": fill}[sys.argv[1]](Path(sys.argv[2]))
