"""The contract of Ledger and LedgerReader: states, transitions, incidents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.errors import RecordRefused
from monitor.core.model import (
    ChangeKind,
    Decision,
    Incident,
    IncidentChange,
    IncidentEvidence,
    LedgerSnapshot,
    Scope,
    State,
    StoredState,
    Transition,
)
from tests.contracts.ledger_pair import LedgerPair
from tests.fakes.ledger import MemoryLedger

NOON_S = 1_764_000_000.0
ALL_EVIDENCE = IncidentEvidence(
    22, 0.004, 5.2, 1.0, 12.25, 50.0, 0.93, "host unreachable from 10.77.0.1"
)


def went_down(target: str = "anjatan/utama", after_s: float = 0.0) -> Transition:
    return Transition(
        target=target,
        at_s=NOON_S + after_s,
        detected_s=NOON_S + after_s + 5.4,
        before=State.UP,
        after=State.DOWN,
        reason="silence",
        evidence=IncidentEvidence(lost_in_row=22, loss_before=0.004, silence_s=5.2),
    )


def came_back(target: str = "anjatan/utama", after_s: float = 60.0) -> Transition:
    return Transition(
        target=target,
        at_s=NOON_S + after_s,
        detected_s=NOON_S + after_s + 2.0,
        before=State.DOWN,
        after=State.UP,
        reason="answers",
    )


def outage(number: int = 1, target: str = "anjatan/utama", after_s: float = 0.0) -> Incident:
    return Incident(
        id=number,
        scope=Scope.LINK,
        target=target,
        state=State.DOWN,
        started_s=NOON_S + after_s,
        detected_s=NOON_S + after_s + 5.4,
        reason="silence",
        evidence=IncidentEvidence(lost_in_row=22, loss_before=0.004, silence_s=5.2),
    )


def opened(incident: Incident) -> IncidentChange:
    return IncidentChange(ChangeKind.OPENED, incident, incident.detected_s)


def closed(incident: Incident, after_s: float = 60.0) -> IncidentChange:
    ended = replace(incident, ended_s=NOON_S + after_s, end_reason="answers")
    return IncidentChange(ChangeKind.CLOSED, ended, NOON_S + after_s + 2.0)


def test_a_new_ledger_is_empty_and_counts_from_one(pair: LedgerPair) -> None:
    assert pair.ledger.load_snapshot() == LedgerSnapshot()
    assert pair.ledger.incidents() == []
    assert pair.ledger.transitions(0.0, NOON_S) == []


def test_what_is_recorded_is_in_the_snapshot(pair: LedgerPair) -> None:
    pair.ledger.record([went_down(), opened(outage())])
    snapshot = pair.reader.load_snapshot()
    assert snapshot.states == (StoredState("anjatan/utama", State.DOWN, NOON_S, "silence"),)
    assert snapshot.open_incidents == (outage(),)
    assert snapshot.next_incident_id == 2
    assert pair.reader.transitions(NOON_S, NOON_S + 1) == [went_down()]
    assert pair.ledger.load_snapshot() == snapshot


def test_every_field_of_an_incident_is_stored(pair: LedgerPair) -> None:
    complete = Incident(
        id=7,
        scope=Scope.NODE,
        target="pop-jatibarang",
        state=State.DOWN,
        started_s=NOON_S + 0.123,
        detected_s=NOON_S + 5.456789,
        reason="silence",
        evidence=ALL_EVIDENCE,
        ended_s=NOON_S + 61.5,
        end_reason="answers",
        started_earliest_s=NOON_S - 600.001,
        ended_earliest_s=NOON_S + 59.999,
        parent=3,
        affected=("losarang/utama", "anjatan/utama"),
        suspected_cause="power",
    )
    pair.ledger.record([IncidentChange(ChangeKind.CLOSED, complete, NOON_S + 63.5)])
    assert pair.reader.incidents() == [complete]


def test_every_field_of_a_transition_is_stored(pair: LedgerPair) -> None:
    complete = replace(
        went_down(),
        at_s=NOON_S + 0.001,
        detected_s=NOON_S + 5.456789,
        evidence=ALL_EVIDENCE,
    )
    pair.ledger.record([complete])
    assert pair.reader.transitions(0.0, NOON_S + 10) == [complete]


def test_states_follow_the_last_transition_of_each_target(pair: LedgerPair) -> None:
    pair.ledger.record([went_down("a/x"), went_down("b/y", 1.0)])
    pair.ledger.record([came_back("a/x")])
    assert pair.reader.load_snapshot().states == (
        StoredState("a/x", State.UP, NOON_S + 60, "answers"),
        StoredState("b/y", State.DOWN, NOON_S + 1, "silence"),
    )


def test_the_last_recorded_counts_even_after_the_clock_was_set_back(pair: LedgerPair) -> None:
    pair.ledger.record([went_down()])
    pair.ledger.record([came_back(after_s=-86_400.0)])
    assert pair.reader.load_snapshot().states[0].state is State.UP


def test_recording_the_same_decisions_again_changes_nothing(pair: LedgerPair) -> None:
    first: list[Decision] = [went_down(), opened(outage())]
    second: list[Decision] = [came_back(), closed(outage())]
    pair.ledger.record(first)
    pair.ledger.record(second)
    before = (
        pair.reader.load_snapshot(),
        pair.reader.incidents(),
        pair.reader.transitions(0.0, NOON_S + 900),
    )
    pair.ledger.record(first)
    pair.ledger.record(second)
    pair.ledger.record([*first, *second])
    assert before == (
        pair.reader.load_snapshot(),
        pair.reader.incidents(),
        pair.reader.transitions(0.0, NOON_S + 900),
    )
    assert before[0].states[0].state is State.UP
    assert before[0].open_incidents == ()


def test_a_decision_twice_in_one_call_is_stored_once(pair: LedgerPair) -> None:
    pair.ledger.record([went_down(), went_down(), opened(outage()), opened(outage())])
    assert pair.reader.transitions(0.0, NOON_S + 900) == [went_down()]
    assert pair.reader.incidents() == [outage()]


def test_two_transitions_at_one_instant_are_both_stored(pair: LedgerPair) -> None:
    fell = went_down()
    hidden = replace(fell, before=State.DOWN, after=State.UNREACHABLE, reason="parent_down")
    pair.ledger.record([fell, hidden])
    assert pair.reader.transitions(0.0, NOON_S + 900) == [fell, hidden]
    assert pair.reader.load_snapshot().states[0].state is State.UNREACHABLE


def test_an_update_replaces_the_affected_targets_in_their_order(pair: LedgerPair) -> None:
    node = replace(outage(), scope=Scope.NODE, target="pop-patrol", affected=("a/x", "b/y"))
    more = replace(node, affected=("c/z", "a/x"))
    pair.ledger.record([opened(node)])
    pair.ledger.record([IncidentChange(ChangeKind.UPDATED, more, NOON_S + 9)])
    assert pair.reader.incidents() == [more]


def test_the_last_of_several_changes_of_an_incident_in_one_call_counts(pair: LedgerPair) -> None:
    cause = replace(outage(), suspected_cause="power")
    pair.ledger.record(
        [opened(outage()), IncidentChange(ChangeKind.UPDATED, cause, NOON_S + 9), closed(cause)]
    )
    assert pair.reader.incidents() == [closed(cause).incident]
    assert pair.reader.load_snapshot().open_incidents == ()


def test_a_change_of_an_incident_whose_opening_was_never_stored_is_stored(pair: LedgerPair) -> None:
    pair.ledger.record([closed(outage(5))])
    assert pair.reader.incidents() == [closed(outage(5)).incident]
    assert pair.reader.load_snapshot().next_incident_id == 6


def test_a_number_of_another_incident_is_refused_and_nothing_is_stored(
    pair: LedgerPair,
) -> None:
    pair.ledger.record([opened(outage())])
    with pytest.raises(RecordRefused, match="incident 1"):
        pair.ledger.record([went_down("b/y"), opened(outage(1, "b/y"))])
    assert pair.reader.incidents() == [outage()]
    assert pair.reader.transitions(0.0, NOON_S + 900) == []


def test_one_number_for_two_incidents_in_one_call_is_refused(pair: LedgerPair) -> None:
    with pytest.raises(RecordRefused, match="incident 1"):
        pair.ledger.record([opened(outage(1, "a/x")), opened(outage(1, "b/y"))])
    assert pair.reader.incidents() == []


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({}, [1, 2, 3, 4]),
        ({"limit": 2}, [3, 4]),
        ({"limit": 0}, []),
        ({"include_closed": False}, [3]),
        ({"include_closed": False, "limit": 1}, [3]),
        ({"since_s": NOON_S + 10.001}, [2, 3, 4]),
        ({"since_s": NOON_S + 20.0}, [2, 3, 4]),
        ({"since_s": NOON_S + 500}, [3]),
        ({"since_s": NOON_S, "limit": 2}, [3, 4]),
    ],
)
def test_incidents_come_by_number_and_are_filtered(
    pair: LedgerPair, arguments: dict[str, Any], ids: list[int]
) -> None:
    for change in (
        opened(outage(3, "c/z")),
        closed(outage(1, "a/x"), 10.0),
        closed(outage(4, "d/w", 30.0), 40.0),
        closed(outage(2, "b/y"), 20.0),
    ):
        pair.ledger.record([change])
    assert [each.id for each in pair.reader.incidents(**arguments)] == ids


def test_a_closed_incident_counts_for_the_next_number(pair: LedgerPair) -> None:
    pair.ledger.record([opened(outage(8)), closed(outage(8))])
    snapshot = pair.reader.load_snapshot()
    assert snapshot.open_incidents == ()
    assert snapshot.next_incident_id == 9


def test_a_range_includes_its_start_not_its_end_and_the_last_before_it(pair: LedgerPair) -> None:
    first, second, third = went_down("a/x", 0), came_back("a/x", 60), went_down("a/x", 120)
    other = went_down("b/y", 30)
    pair.ledger.record([first, second, third, other])
    assert pair.reader.transitions(NOON_S + 60, NOON_S + 120) == [first, other, second]
    assert pair.reader.transitions(NOON_S + 60, NOON_S + 120, "a/x") == [first, second]
    assert pair.reader.transitions(NOON_S + 121, NOON_S + 500) == [other, third]
    assert pair.reader.transitions(NOON_S - 50, NOON_S) == []
    assert pair.reader.transitions(NOON_S, NOON_S + 500, "nobody/there") == []


def test_of_two_transitions_at_one_instant_the_later_recorded_is_the_last(
    pair: LedgerPair,
) -> None:
    fell = went_down("a/x")
    hidden = replace(fell, before=State.DOWN, after=State.UNREACHABLE, detected_s=NOON_S + 9)
    pair.ledger.record([fell, hidden])
    assert pair.reader.transitions(NOON_S + 1, NOON_S + 2) == [hidden]


def test_last_alive_is_the_last_one_recorded(pair: LedgerPair) -> None:
    pair.ledger.record_alive(NOON_S + 0.25)
    pair.ledger.record_alive(NOON_S + 10.125)
    assert pair.reader.load_snapshot().last_alive_s == NOON_S + 10.125


def test_recording_nothing_stores_nothing(pair: LedgerPair) -> None:
    pair.ledger.record([])
    assert pair.ledger.load_snapshot() == LedgerSnapshot()


def test_a_target_may_have_any_name(pair: LedgerPair) -> None:
    name = "krangkeng'; DROP TABLE states; --/ütama 100%_\"\\"
    pair.ledger.record([went_down(name), opened(outage(1, name))])
    assert pair.reader.transitions(0.0, NOON_S + 1, name) == [went_down(name)]
    assert pair.reader.load_snapshot().states[0].target == name


def test_thousands_of_targets_are_recorded_in_one_call(pair: LedgerPair) -> None:
    names = [f"site-{number}/utama" for number in range(2_000)]
    pair.ledger.record(
        [
            decision
            for number, name in enumerate(names, start=1)
            for decision in (went_down(name), opened(outage(number, name)))
        ]
    )
    pair.ledger.record([closed(outage(number, name)) for number, name in enumerate(names, start=1)])
    snapshot = pair.reader.load_snapshot()
    assert len(snapshot.states) == 2_000
    assert snapshot.open_incidents == ()
    assert [each.id for each in pair.reader.incidents()] == list(range(1, 2_001))


TARGETS = st.sampled_from(["a/x", "b/y", "pop-patrol"])
SECONDS = st.integers(0, 40).map(lambda tenths: NOON_S + tenths / 10)
TRANSITIONS = st.builds(
    Transition,
    target=TARGETS,
    at_s=SECONDS,
    detected_s=SECONDS,
    before=st.sampled_from(State),
    after=st.sampled_from(State),
    reason=st.just("silence"),
)
INCIDENTS = st.builds(
    Incident,
    id=st.integers(1, 6),
    scope=st.just(Scope.LINK),
    target=st.just("a/x"),
    state=st.just(State.DOWN),
    started_s=SECONDS,
    detected_s=SECONDS,
    reason=st.just("silence"),
    ended_s=st.none() | SECONDS,
    affected=st.lists(TARGETS, unique=True, max_size=3).map(tuple),
)
CHANGES = st.builds(IncidentChange, st.sampled_from(ChangeKind), INCIDENTS, SECONDS)
BATCHES = st.lists(st.lists(TRANSITIONS | CHANGES, max_size=6), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, start_s=SECONDS, end_s=SECONDS, limit=st.none() | st.integers(0, 4))
def test_memory_and_file_give_the_same_answers_whatever_is_recorded(
    tmp_path_factory: pytest.TempPathFactory,
    new_ledger: Callable[[Path], SqlLedger],
    batches: list[list[Decision]],
    start_s: float,
    end_s: float,
    limit: int | None,
) -> None:
    memory = MemoryLedger()
    ledger = new_ledger(tmp_path_factory.mktemp("alike"))
    for batch in batches:
        memory.record(batch)
        ledger.record(batch)
    assert ledger.load_snapshot() == memory.load_snapshot()
    assert ledger.incidents(since_s=start_s, limit=limit) == memory.incidents(
        since_s=start_s, limit=limit
    )
    assert ledger.transitions(start_s, end_s) == memory.transitions(start_s, end_s)
    assert ledger.transitions(start_s, end_s, "a/x") == memory.transitions(start_s, end_s, "a/x")
    ledger.close()
