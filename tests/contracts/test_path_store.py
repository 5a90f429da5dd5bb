"""The contract of PathStore and PathReader: usual paths and traces, kept within limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.model import ChangeKind, Incident, IncidentChange, IncidentEvidence, Scope, State
from monitor.core.paths.model import (
    BASELINE_DAYS,
    MOST_TRACES,
    FindingKind,
    Hop,
    IncidentTrace,
    NamedHop,
    PathBaseline,
    PathFinding,
    RouteHop,
)
from tests.contracts.ledger_pair import LedgerPair

NOON_S = 1_764_000_000.0

BASELINE = PathBaseline(
    "anjatan/utama",
    "10.77.23.1",
    NOON_S,
    (Hop(1, "10.77.0.10", 1.5), Hop(2), Hop(3, "10.77.23.1", 7.25)),
    ("10.77.0.10", "10.77.0.14", "10.77.23.1"),
    NOON_S - 60,
    ("10.77.0.10", None, "10.77.23.1"),
)
TRACE = IncidentTrace(
    7,
    "anjatan/utama",
    NOON_S,
    "stopped",
    (RouteHop(1, "10.77.0.10", "Pusat data", 1.5, None), RouteHop(2, None, None, None, None)),
    (RouteHop(1, "10.77.0.10", "Pusat data", 1.5, "host unreachable"),),
)


def test_usual_paths_and_traces_come_back_as_they_were(pair: LedgerPair) -> None:
    other = replace(BASELINE, target="bongas/utama", changed_s=None, previous=())
    pair.ledger.record_paths([BASELINE, other], [TRACE])
    for side in (pair.ledger, pair.reader):
        assert side.path_baselines() == [BASELINE, other]
        assert side.incident_traces(7) == [TRACE]
        assert side.incident_traces(8) == []


def test_a_target_has_one_usual_path_the_last(pair: LedgerPair) -> None:
    pair.ledger.record_paths([BASELINE], [])
    later = replace(BASELINE, at_s=NOON_S + 86_400, hops=(Hop(1, "10.77.23.1"),))
    pair.ledger.record_paths([later], [])
    assert pair.reader.path_baselines() == [later]


def test_the_same_trace_again_is_one(pair: LedgerPair) -> None:
    pair.ledger.record_paths([], [TRACE])
    pair.ledger.record_paths([], [TRACE, replace(TRACE, at_s=NOON_S + 60)])
    assert [each.at_s for each in pair.reader.incident_traces(7)] == [NOON_S, NOON_S + 60]


def test_the_usual_path_of_a_target_that_left_is_removed(pair: LedgerPair) -> None:
    left = replace(BASELINE, target="left/utama", at_s=NOON_S - BASELINE_DAYS * 86_400 - 1)
    pair.ledger.record_paths([left], [])
    pair.ledger.record_paths([BASELINE], [])
    assert pair.reader.path_baselines() == [BASELINE]


@pytest.mark.full
def test_only_the_newest_traces_are_kept(pair: LedgerPair) -> None:
    many = [replace(TRACE, incident=n, at_s=NOON_S + n) for n in range(MOST_TRACES + 5)]
    pair.ledger.record_paths([], many)
    assert pair.reader.incident_traces(4) == []
    assert pair.reader.incident_traces(5) == [many[5]]


def test_where_a_path_breaks_off_is_part_of_the_evidence(pair: LedgerPair) -> None:
    finding = PathFinding(
        FindingKind.STOPPED,
        NOON_S,
        NamedHop(3, "10.77.0.11", "PoP Jatibarang"),
        NamedHop(4, "10.77.0.12"),
        NamedHop(4, "10.77.0.12"),
        5,
        NOON_S - 60,
        NOON_S - 120,
        "host unreachable",
    )
    for number, path in enumerate((finding, PathFinding(FindingKind.DIRECT, NOON_S), None), 1):
        incident = Incident(
            *(number, Scope.LINK, f"site-{number}/utama", State.DOWN, NOON_S, NOON_S + 5),
            "silence",
            IncidentEvidence(lost_in_row=22, path=path),
        )
        pair.ledger.record([IncidentChange(ChangeKind.OPENED, incident, NOON_S + 5)])
        assert pair.reader.incident(number) == incident
