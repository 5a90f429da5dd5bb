"""What every ledger promises: the one in memory and the one in a file.

The reader is held to the same answers as the writer that it reads behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.adapters.ledger import SqlLedgerReader
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
from monitor.core.ports import Ledger, LedgerReader
from tests.fakes.ledger import MemoryLedger

NOON_S = 1_764_000_000.0


@dataclass
class Books:
    """A ledger, and what reads it."""

    ledger: Ledger
    reader: LedgerReader


@pytest.fixture(params=["memory", "file"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Books(memory, memory)
        return
    path = tmp_path / "ledger.db"
    ledger = SqlLedger.open(path)
    yield Books(ledger, SqlLedgerReader.open(path))
    ledger.close()


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


def test_a_new_ledger_remembers_nothing_and_counts_from_one(books: Books) -> None:
    assert books.ledger.load_snapshot() == LedgerSnapshot()
    assert books.ledger.incidents() == []
    assert books.ledger.transitions(0.0, NOON_S) == []


def test_a_judgement_is_remembered_as_it_was_told(books: Books) -> None:
    books.ledger.record([went_down(), opened(outage())])
    remembered = books.reader.load_snapshot()
    assert remembered.states == (StoredState("anjatan/utama", State.DOWN, NOON_S, "silence"),)
    assert remembered.open_incidents == (outage(),)
    assert remembered.next_incident_id == 2
    assert books.reader.transitions(NOON_S, NOON_S + 1) == [went_down()]
    assert books.ledger.load_snapshot() == remembered


def test_an_incident_keeps_every_field(books: Books) -> None:
    everything = Incident(
        id=7,
        scope=Scope.NODE,
        target="pop-jatibarang",
        state=State.DOWN,
        started_s=NOON_S + 0.123,
        detected_s=NOON_S + 5.456789,
        reason="silence",
        evidence=IncidentEvidence(
            22, 0.004, 5.2, 1.0, 12.25, 50.0, 0.93, "host unreachable from 10.77.0.1"
        ),
        ended_s=NOON_S + 61.5,
        end_reason="answers",
        started_earliest_s=NOON_S - 600.001,
        ended_earliest_s=NOON_S + 59.999,
        parent=3,
        affected=("losarang/utama", "anjatan/utama"),
        suspected_cause="power",
    )
    books.ledger.record([IncidentChange(ChangeKind.CLOSED, everything, NOON_S + 63.5)])
    assert books.reader.incidents() == [everything]


def test_a_transition_keeps_every_field(books: Books) -> None:
    everything = replace(
        went_down(),
        at_s=NOON_S + 0.001,
        detected_s=NOON_S + 5.456789,
        evidence=IncidentEvidence(
            22, 0.004, 5.2, 1.0, 12.25, 50.0, 0.93, "host unreachable from 10.77.0.1"
        ),
    )
    books.ledger.record([everything])
    assert books.reader.transitions(0.0, NOON_S + 10) == [everything]


def test_states_follow_the_last_transition_of_each_target(books: Books) -> None:
    books.ledger.record([went_down("a/x"), went_down("b/y", 1.0)])
    books.ledger.record([came_back("a/x")])
    assert books.reader.load_snapshot().states == (
        StoredState("a/x", State.UP, NOON_S + 60, "answers"),
        StoredState("b/y", State.DOWN, NOON_S + 1, "silence"),
    )


def test_the_last_told_counts_even_after_the_clock_was_set_back(books: Books) -> None:
    books.ledger.record([went_down()])
    books.ledger.record([came_back(after_s=-86_400.0)])
    assert books.reader.load_snapshot().states[0].state is State.UP


def test_the_same_judgement_again_changes_nothing(books: Books) -> None:
    first: list[Decision] = [went_down(), opened(outage())]
    second: list[Decision] = [came_back(), closed(outage())]
    books.ledger.record(first)
    books.ledger.record(second)
    before = (
        books.reader.load_snapshot(),
        books.reader.incidents(),
        books.reader.transitions(0.0, NOON_S + 900),
    )
    books.ledger.record(first)
    books.ledger.record(second)
    books.ledger.record([*first, *second])
    assert before == (
        books.reader.load_snapshot(),
        books.reader.incidents(),
        books.reader.transitions(0.0, NOON_S + 900),
    )
    assert before[0].states[0].state is State.UP
    assert before[0].open_incidents == ()


def test_a_decision_twice_in_one_judgement_is_stored_once(books: Books) -> None:
    books.ledger.record([went_down(), went_down(), opened(outage()), opened(outage())])
    assert books.reader.transitions(0.0, NOON_S + 900) == [went_down()]
    assert books.reader.incidents() == [outage()]


def test_two_steps_in_one_instant_are_both_kept(books: Books) -> None:
    fell = went_down()
    hidden = replace(fell, before=State.DOWN, after=State.UNREACHABLE, reason="parent_down")
    books.ledger.record([fell, hidden])
    assert books.reader.transitions(0.0, NOON_S + 900) == [fell, hidden]
    assert books.reader.load_snapshot().states[0].state is State.UNREACHABLE


def test_an_update_replaces_what_an_incident_affects_in_the_given_order(books: Books) -> None:
    node = replace(outage(), scope=Scope.NODE, target="pop-patrol", affected=("a/x", "b/y"))
    more = replace(node, affected=("c/z", "a/x"))
    books.ledger.record([opened(node)])
    books.ledger.record([IncidentChange(ChangeKind.UPDATED, more, NOON_S + 9)])
    assert books.reader.incidents() == [more]


def test_several_changes_of_one_incident_in_one_judgement_leave_the_last(books: Books) -> None:
    cause = replace(outage(), suspected_cause="power")
    books.ledger.record(
        [opened(outage()), IncidentChange(ChangeKind.UPDATED, cause, NOON_S + 9), closed(cause)]
    )
    assert books.reader.incidents() == [closed(cause).incident]
    assert books.reader.load_snapshot().open_incidents == ()


def test_a_change_of_an_incident_whose_opening_was_never_stored_is_kept(books: Books) -> None:
    books.ledger.record([closed(outage(5))])
    assert books.reader.incidents() == [closed(outage(5)).incident]
    assert books.reader.load_snapshot().next_incident_id == 6


def test_a_number_that_belongs_to_another_incident_is_refused_and_nothing_stored(
    books: Books,
) -> None:
    books.ledger.record([opened(outage())])
    with pytest.raises(RecordRefused, match="incident 1"):
        books.ledger.record([went_down("b/y"), opened(outage(1, "b/y"))])
    assert books.reader.incidents() == [outage()]
    assert books.reader.transitions(0.0, NOON_S + 900) == []


def test_one_number_for_two_incidents_of_one_judgement_is_refused(books: Books) -> None:
    with pytest.raises(RecordRefused, match="incident 1"):
        books.ledger.record([opened(outage(1, "a/x")), opened(outage(1, "b/y"))])
    assert books.reader.incidents() == []


def test_incidents_come_by_number_and_the_limit_keeps_the_newest(books: Books) -> None:
    for number in (3, 1, 4, 2):
        books.ledger.record([opened(outage(number, f"site-{number}/utama", number * 100.0))])
    assert [each.id for each in books.reader.incidents()] == [1, 2, 3, 4]
    assert [each.id for each in books.reader.incidents(limit=2)] == [3, 4]
    assert books.reader.incidents(limit=0) == []


def test_closed_incidents_are_left_out_when_asked(books: Books) -> None:
    books.ledger.record([opened(outage(1)), closed(outage(1)), opened(outage(2, "b/y"))])
    assert [each.id for each in books.reader.incidents(include_closed=False)] == [2]
    assert [each.id for each in books.reader.incidents(include_closed=False, limit=1)] == [2]


def test_since_keeps_what_was_open_then_or_later(books: Books) -> None:
    books.ledger.record(
        [
            closed(outage(1, "a/x"), 10.0),
            closed(outage(2, "b/y"), 20.0),
            opened(outage(3, "c/z")),
            closed(outage(4, "d/w", 30.0), 40.0),
        ]
    )
    assert [each.id for each in books.reader.incidents(since_s=NOON_S + 10.001)] == [2, 3, 4]
    assert [each.id for each in books.reader.incidents(since_s=NOON_S + 20.0)] == [2, 3, 4]
    assert [each.id for each in books.reader.incidents(since_s=NOON_S + 500)] == [3]
    assert [each.id for each in books.reader.incidents(since_s=NOON_S, limit=2)] == [3, 4]


def test_a_closed_incident_counts_for_the_next_number(books: Books) -> None:
    books.ledger.record([opened(outage(8)), closed(outage(8))])
    remembered = books.reader.load_snapshot()
    assert remembered.open_incidents == ()
    assert remembered.next_incident_id == 9


def test_a_range_holds_its_start_and_not_its_end_and_what_went_before(books: Books) -> None:
    first, second, third = went_down("a/x", 0), came_back("a/x", 60), went_down("a/x", 120)
    other = went_down("b/y", 30)
    books.ledger.record([first, second, third, other])
    assert books.reader.transitions(NOON_S + 60, NOON_S + 120) == [first, other, second]
    assert books.reader.transitions(NOON_S + 60, NOON_S + 120, "a/x") == [first, second]
    assert books.reader.transitions(NOON_S + 121, NOON_S + 500) == [other, third]
    assert books.reader.transitions(NOON_S - 50, NOON_S) == []
    assert books.reader.transitions(NOON_S, NOON_S + 500, "nobody/there") == []


def test_of_two_steps_in_one_instant_the_later_told_went_before(books: Books) -> None:
    fell = went_down("a/x")
    hidden = replace(fell, before=State.DOWN, after=State.UNREACHABLE, detected_s=NOON_S + 9)
    books.ledger.record([fell, hidden])
    assert books.reader.transitions(NOON_S + 1, NOON_S + 2) == [hidden]


def test_the_last_time_alive_is_the_last_one_told(books: Books) -> None:
    books.ledger.record_alive(NOON_S + 0.25)
    books.ledger.record_alive(NOON_S + 10.125)
    assert books.reader.load_snapshot().last_alive_s == NOON_S + 10.125


def test_nothing_to_record_is_no_fault(books: Books) -> None:
    books.ledger.record([])
    assert books.ledger.load_snapshot() == LedgerSnapshot()


def test_a_name_may_hold_any_letter(books: Books) -> None:
    name = "krangkeng'; DROP TABLE states; --/ütama 100%_\"\\"
    books.ledger.record([went_down(name), opened(outage(1, name))])
    assert books.reader.transitions(0.0, NOON_S + 1, name) == [went_down(name)]
    assert books.reader.load_snapshot().states[0].target == name


def test_a_judgement_on_thousands_of_targets_is_one_of_many(books: Books) -> None:
    names = [f"site-{number}/utama" for number in range(2_000)]
    books.ledger.record(
        [
            decision
            for number, name in enumerate(names, start=1)
            for decision in (went_down(name), opened(outage(number, name)))
        ]
    )
    books.ledger.record(
        [closed(outage(number, name)) for number, name in enumerate(names, start=1)]
    )
    remembered = books.reader.load_snapshot()
    assert len(remembered.states) == 2_000
    assert remembered.open_incidents == ()
    assert [each.id for each in books.reader.incidents()] == list(range(1, 2_001))


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
JUDGEMENTS = st.lists(st.lists(TRANSITIONS | CHANGES, max_size=6), max_size=6)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(judgements=JUDGEMENTS, start_s=SECONDS, end_s=SECONDS, limit=st.none() | st.integers(0, 4))
def test_memory_and_file_answer_alike_whatever_they_are_told(
    tmp_path_factory: pytest.TempPathFactory,
    judgements: list[list[Decision]],
    start_s: float,
    end_s: float,
    limit: int | None,
) -> None:
    memory = MemoryLedger()
    ledger = SqlLedger.open(tmp_path_factory.mktemp("alike") / "ledger.db")
    for judgement in judgements:
        memory.record(judgement)
        ledger.record(judgement)
    assert ledger.load_snapshot() == memory.load_snapshot()
    assert ledger.incidents(since_s=start_s, limit=limit) == memory.incidents(
        since_s=start_s, limit=limit
    )
    assert ledger.transitions(start_s, end_s) == memory.transitions(start_s, end_s)
    assert ledger.transitions(start_s, end_s, "a/x") == memory.transitions(start_s, end_s, "a/x")
    ledger.close()
