"""How long the ledger takes, with the sizes that a regency and a province would give it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    Scope,
    State,
    Transition,
)
from tests.bench.timing import median_ms

pytestmark = pytest.mark.bench

NOON_S = 1_764_000_000.0
TARGETS = 500
INCIDENTS = 100_000
OPEN = 1_000


def decisions(number: int) -> list[Decision]:
    """One target goes down, and its incident opens."""
    at_s = NOON_S + number * 100
    name = f"site-{number % TARGETS}/utama"
    incident = Incident(number, Scope.LINK, name, State.DOWN, at_s, at_s + 5, "silence")
    return [
        Transition(name, at_s, at_s + 5, State.UP, State.DOWN, "silence"),
        IncidentChange(ChangeKind.OPENED, incident, at_s + 5),
    ]


def ended(decision: Decision) -> Decision:
    if isinstance(decision, Transition):
        return decision
    at_s = decision.at_s + 60
    return IncidentChange(ChangeKind.CLOSED, replace(decision.incident, ended_s=at_s), at_s)


@pytest.mark.timeout(900)
def test_what_a_ledger_of_100_000_incidents_costs(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger, reader = SqlLedger.open(path), SqlLedgerReader.open(path)
    numbers = iter(range(1, 10 * INCIDENTS))

    def record(targets: int) -> None:
        batch = [decision for _ in range(targets) for decision in decisions(next(numbers))]
        ledger.record(batch[: max(1, targets)])

    figures = {
        "record 1 decision": median_ms(lambda: record(1)),
        "record 70 decisions": median_ms(lambda: record(70)),
        "alive": median_ms(lambda: ledger.record_alive(NOON_S)),
    }
    small = median_ms(lambda: reader.incidents(limit=100))
    while (number := next(numbers)) <= INCIDENTS:
        batch = [d for n in range(number, number + 1_000) for d in decisions(n)]
        is_open = number > INCIDENTS - OPEN
        ledger.record(batch if is_open else [ended(decision) for decision in batch])
        for _ in range(999):
            next(numbers)
    figures |= {
        "snapshot, 500 targets": median_ms(reader.load_snapshot),
        "incidents(limit=100) of 100,000": median_ms(lambda: reader.incidents(limit=100)),
        "open incidents of 100,000": median_ms(lambda: reader.incidents(include_closed=False)),
        "transitions of a day, 1 target": median_ms(
            lambda: reader.transitions(NOON_S + 9e6, NOON_S + 9e6 + 86_400, "site-3/utama")
        ),
        "transitions of a day, 500 targets": median_ms(
            lambda: reader.transitions(NOON_S + 9e6, NOON_S + 9e6 + 86_400)
        ),
        "record 1 decision, at the end": median_ms(lambda: record(1)),
    }
    ledger.close()
    figures["open, with its check"] = median_ms(lambda: SqlLedger.open(path).close(), 3)
    print(f"\n{path.stat().st_size / 1e6:.0f} MB")
    for name, ms in figures.items():
        print(f"{ms:9.2f} ms  {name}")
    assert figures["record 70 decisions"] < 35 * figures["record 1 decision"]
    assert figures["incidents(limit=100) of 100,000"] < 20 * small
