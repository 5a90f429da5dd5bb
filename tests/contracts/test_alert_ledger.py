"""What every ledger promises about alerts: the one in memory and the one in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.adapters.ledger import SqlLedgerReader
from monitor.adapters.ledger.writer import SqlLedger
from monitor.core.alerting.model import (
    ActionKind,
    EventKind,
    IncidentAction,
    MaintenanceWindow,
    OutboxRow,
    OutboxStatus,
    PolicyDecision,
)
from monitor.core.alerting.ports import AlertLedger, AlertReader
from monitor.core.alerting.reasons import Reason
from monitor.core.errors import LedgerError
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from tests.fakes.ledger import MemoryLedger

NOON_S = 1_764_000_000.0


@dataclass
class Books:
    """A ledger, and what reads it."""

    ledger: AlertLedger
    reader: AlertReader


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


def opened(number: int = 1) -> IncidentChange:
    incident = Incident(
        number, Scope.LINK, f"site-{number}/utama", State.DOWN, NOON_S, NOON_S + 5.5, "silence"
    )
    return IncidentChange(ChangeKind.OPENED, incident, NOON_S + 5.5)


def closed(number: int = 1) -> IncidentChange:
    ended = replace(opened(number).incident, ended_s=NOON_S + 60, end_reason="reply")
    return IncidentChange(ChangeKind.CLOSED, ended, NOON_S + 62)


def row(
    sequence: int = 1,
    event: EventKind = EventKind.OPENED,
    *,
    incident: int = 1,
    channel: str = "chat",
    recipient: str = "ani",
    next_try_s: float = NOON_S,
) -> OutboxRow:
    return OutboxRow(incident, sequence, channel, recipient, event, '{"text": "é"}', next_try_s)


def notice(
    number: int = 1, reason: Reason = Reason.FIRST_NOTICE, after_s: float = 0
) -> PolicyDecision:
    return PolicyDecision(
        *(number, NOON_S + after_s, EventKind.OPENED, True, reason, "ani", "chat"),
        thread=number,
        sequence=1,
        step=0,
    )


def test_a_new_ledger_has_nobody_to_tell_and_nothing_planned(books: Books) -> None:
    assert books.reader.outbox() == []
    assert books.reader.policy_decisions() == []
    assert books.reader.actions() == []
    assert books.reader.undecided_closings() == []
    assert books.reader.windows(0.0, 2e9) == []
    assert books.ledger.lease("chat", NOON_S, 60, 10) == []


def test_what_follows_from_a_judgement_is_stored_with_it_and_numbered(books: Books) -> None:
    hers, his = row(), row(recipient="budi")
    books.ledger.record([opened()], [hers, his], [notice()])
    assert books.reader.outbox() == [replace(hers, id=1), replace(his, id=2)]
    assert books.reader.policy_decisions([1]) == [notice()]
    assert [i.id for i in books.reader.incidents()] == [1]


def test_a_row_keeps_every_field(books: Books) -> None:
    everything = OutboxRow(
        incident=7,
        sequence=20_261_124,
        channel="hook",
        recipient="channel:hook",
        event=EventKind.DIGEST,
        body="{}",
        next_try_s=NOON_S + 0.123456,
        status=OutboxStatus.SENT,
        lease_until_s=NOON_S + 1,
        attempts=3,
        first_try_s=NOON_S + 2,
        last_error="503",
        sent_s=NOON_S + 3.5,
        about=(7, 9),
        merged_into=4,
    )
    books.ledger.record([], [everything])
    assert books.reader.outbox() == [replace(everything, id=1)]


def test_the_same_told_again_changes_nothing(books: Books) -> None:
    for _ in range(2):
        books.ledger.record([opened()], [row(), row()], [notice(), notice()])
    assert len(books.reader.outbox()) == 1
    assert books.reader.policy_decisions() == [notice()]
    books.ledger.record([], [row(2), row(channel="mail")], [notice(after_s=1)])
    assert len(books.reader.outbox()) == 3
    assert len(books.reader.policy_decisions()) == 2


def test_a_judgement_that_is_refused_takes_its_messages_with_it(books: Books) -> None:
    books.ledger.record([opened()])
    stranger = replace(opened().incident, target="b/y")
    with pytest.raises(LedgerError, match="incident 1"):
        books.ledger.record(
            [IncidentChange(ChangeKind.OPENED, stranger, NOON_S)], [row()], [notice()]
        )
    assert books.reader.outbox() == []
    assert books.reader.policy_decisions() == []


def test_a_no_for_everybody_has_no_receiver(books: Books) -> None:
    nobody = PolicyDecision(1, NOON_S, EventKind.OPENED, notified=False, reason=Reason.MAINTENANCE)
    books.ledger.record([], [], [nobody, nobody])
    assert books.reader.policy_decisions() == [nobody]


def test_notices_are_asked_for_by_incident_and_time_and_come_as_they_were_decided(
    books: Books,
) -> None:
    told = [notice(2, after_s=5), notice(1, after_s=3), notice(2, Reason.REMINDER_DUE, 9)]
    books.ledger.record([], [], told)
    assert books.reader.policy_decisions() == told
    assert books.reader.policy_decisions([2]) == [told[0], told[2]]
    assert books.reader.policy_decisions([]) == []
    assert books.reader.policy_decisions([1, 2], since_s=NOON_S + 5) == [told[0], told[2]]


def test_a_closing_is_owed_to_whoever_was_told_until_it_is_decided(books: Books) -> None:
    books.ledger.record([opened(1), opened(2), opened(3)], [], [notice(1), notice(3)])
    assert books.reader.undecided_closings() == []
    books.ledger.record([closed(1), closed(2)])
    assert [i.id for i in books.reader.undecided_closings()] == [1]
    decided = replace(notice(1, Reason.RESOLVED), event=EventKind.RESOLVED)
    books.ledger.record([closed(3)], [], [decided])
    assert [i.id for i in books.reader.undecided_closings()] == [3]


def test_what_people_did_is_kept_in_order_with_a_number(books: Books) -> None:
    books.ledger.record([opened(1), opened(2)])
    ack = IncidentAction(
        1, ActionKind.ACKNOWLEDGE, "ani", NOON_S + 9.25, "ke lokasi", NOON_S + 3600
    )
    note = IncidentAction(2, ActionKind.NOTE, "budi", NOON_S + 1)
    assert books.ledger.add_action(ack) == replace(ack, id=1)
    assert books.ledger.add_action(note) == replace(note, id=2)
    assert books.reader.actions() == [replace(ack, id=1), replace(note, id=2)]
    assert books.reader.actions([2]) == [replace(note, id=2)]
    assert books.reader.actions(since_s=NOON_S + 2) == [replace(ack, id=1)]


def test_nothing_can_be_done_about_an_incident_that_does_not_exist(books: Books) -> None:
    with pytest.raises(LedgerError, match="no incident 99"):
        books.ledger.add_action(IncidentAction(99, ActionKind.NOTE, "ani", NOON_S, "?"))
    assert books.reader.actions() == []


def window(after_s: float = 0.0, for_s: float = 600.0) -> MaintenanceWindow:
    start_s = NOON_S + after_s
    return MaintenanceWindow(
        ("anjatan", "pop-patrol"), start_s, start_s + for_s, "ani", "ganti router"
    )


def test_windows_are_found_by_any_moment_in_which_they_are_in_force(books: Books) -> None:
    late = books.ledger.add_window(window(100))
    early = books.ledger.add_window(replace(window(), recurring="malam"))
    assert late == replace(window(100), id=1)
    assert books.reader.windows(NOON_S, NOON_S + 100) == [early]
    assert books.reader.windows(NOON_S, NOON_S + 100.5) == [early, late]
    assert books.reader.windows(NOON_S + 599, NOON_S + 600) == [early, late]
    assert books.reader.windows(NOON_S + 600, NOON_S + 900) == [late]
    assert books.reader.windows(NOON_S + 700, NOON_S + 900) == []


def test_a_window_is_ended_early_once_by_somebody(books: Books) -> None:
    books.ledger.add_window(window())
    ended = books.ledger.end_window(1, NOON_S + 60.5, "budi")
    assert ended == replace(window(), id=1, ended_s=NOON_S + 60.5, ended_by="budi")
    assert books.reader.windows(NOON_S + 60, NOON_S + 61) == [ended]
    assert books.reader.windows(NOON_S + 60.5, NOON_S + 61) == []
    with pytest.raises(LedgerError, match="is over already"):
        books.ledger.end_window(1, NOON_S + 70, "ani")
    with pytest.raises(LedgerError, match="no maintenance window 9"):
        books.ledger.end_window(9, NOON_S, "ani")


def test_a_window_that_ran_out_or_never_began_is_in_force_no_more(books: Books) -> None:
    books.ledger.add_window(window())
    with pytest.raises(LedgerError, match="is over already"):
        books.ledger.end_window(1, NOON_S + 600, "ani")
    books.ledger.add_window(window(1000))
    books.ledger.end_window(2, NOON_S + 900, "ani")
    assert [w.id for w in books.reader.windows(NOON_S, NOON_S + 5000)] == [1]


def test_a_lease_takes_what_is_due_on_that_channel_and_counts_the_attempt(books: Books) -> None:
    books.ledger.record(
        [],
        [
            row(),
            row(channel="mail"),
            row(incident=2, next_try_s=NOON_S + 30),
            row(incident=3),
        ],
    )
    parcels = books.ledger.lease("chat", NOON_S + 1, 60, 10)
    assert [parcel.row.id for parcel in parcels] == [1, 4]
    first = parcels[0].row
    assert (first.status, first.attempts) == (OutboxStatus.LEASED, 1)
    assert (first.lease_until_s, first.first_try_s) == (NOON_S + 61, NOON_S + 1)
    assert books.reader.outbox(OutboxStatus.LEASED) == [parcel.row for parcel in parcels]
    assert books.ledger.lease("chat", NOON_S + 2, 60, 10) == []
    (again,) = books.ledger.lease("chat", NOON_S + 61, 60, 1)
    assert (again.row.id, again.row.attempts, again.row.first_try_s) == (1, 2, NOON_S + 1)


def test_what_was_accepted_is_sent_together_with_what_it_replaced(books: Books) -> None:
    books.ledger.record([], [row(1, next_try_s=NOON_S + 100), row(2, EventKind.RESOLVED)])
    (parcel,) = books.ledger.lease("chat", NOON_S, 60, 10)
    assert parcel.ids == (2, 1)
    assert parcel.replaced[0].status is OutboxStatus.LEASED
    books.ledger.mark_sent(2, [1], NOON_S + 0.5)
    opening, closing = books.reader.outbox(OutboxStatus.SENT)
    assert (opening.sent_s, opening.merged_into) == (NOON_S + 0.5, 2)
    assert (closing.sent_s, closing.merged_into, closing.lease_until_s) == (
        NOON_S + 0.5,
        None,
        None,
    )
    assert books.ledger.lease("chat", NOON_S + 999, 60, 10) == []


def test_what_failed_waits_until_its_next_try(books: Books) -> None:
    books.ledger.record([], [row()])
    books.ledger.lease("chat", NOON_S, 60, 10)
    books.ledger.reschedule([1], "503 Service Unavailable", NOON_S + 5)
    (failed,) = books.reader.outbox()
    assert (failed.status, failed.last_error) == (OutboxStatus.PENDING, "503 Service Unavailable")
    assert (failed.next_try_s, failed.lease_until_s, failed.attempts) == (NOON_S + 5, None, 1)
    assert books.ledger.lease("chat", NOON_S + 4.9, 60, 10) == []
    assert len(books.ledger.lease("chat", NOON_S + 5, 60, 10)) == 1


def test_what_was_leased_and_not_tried_is_due_again_and_nothing_was_counted(
    books: Books,
) -> None:
    books.ledger.record([], [row(), row(incident=2)])
    books.ledger.lease("chat", NOON_S, 60, 10)
    books.ledger.release([1, 2])
    given = books.reader.outbox()
    assert [(r.status, r.attempts, r.lease_until_s) for r in given] == [
        (OutboxStatus.PENDING, 0, None)
    ] * 2
    assert len(books.ledger.lease("chat", NOON_S, 60, 10)) == 2


def test_what_can_never_succeed_is_dead_and_goes_on_by_the_next_channel_once(
    books: Books,
) -> None:
    books.ledger.record([], [row()])
    books.ledger.lease("chat", NOON_S, 60, 10)
    for _ in range(2):
        books.ledger.mark_dead([1], "403 Forbidden", [row(channel="mail")])
    assert [(r.id, r.channel) for r in books.reader.outbox(OutboxStatus.DEAD)] == [(1, "chat")]
    assert [(r.id, r.channel) for r in books.reader.outbox(OutboxStatus.PENDING)] == [(2, "mail")]
    assert books.ledger.lease("chat", NOON_S + 999, 60, 10) == []


def test_a_person_can_have_a_dead_message_tried_again(books: Books) -> None:
    books.ledger.record([], [row()])
    books.ledger.lease("chat", NOON_S, 60, 10)
    with pytest.raises(LedgerError, match="message 1 is leased"):
        books.ledger.retry(1, NOON_S + 1)
    books.ledger.mark_dead([1], "403 Forbidden")
    again = books.ledger.retry(1, NOON_S + 9)
    assert (again.status, again.attempts, again.first_try_s) == (OutboxStatus.PENDING, 0, None)
    assert (again.next_try_s, again.last_error) == (NOON_S + 9, "403 Forbidden")
    assert books.reader.outbox() == [again]
    with pytest.raises(LedgerError, match="no message 99"):
        books.ledger.retry(99, NOON_S)


def test_the_outbox_is_asked_for_by_status_and_incident_and_the_limit_keeps_the_newest(
    books: Books,
) -> None:
    books.ledger.record([], [row(incident=n) for n in (1, 2, 3, 2)] + [row(2, incident=2)])
    books.ledger.lease("chat", NOON_S, 60, 1)
    assert [r.id for r in books.reader.outbox()] == [1, 2, 3, 4]
    assert [r.id for r in books.reader.outbox(incident=2)] == [2, 4]
    assert [r.id for r in books.reader.outbox(OutboxStatus.PENDING, limit=2)] == [3, 4]
    assert books.reader.outbox(limit=0) == []


def test_one_incident_and_one_message_are_found_by_their_numbers(books: Books) -> None:
    books.ledger.record([opened(1), opened(2), closed(2)], [row(1), row(2)])
    for asked in (books.ledger, books.reader):
        assert asked.incident(2) == closed(2).incident
        assert asked.incident(3) is None
        found = asked.outbox_row(2)
        assert found is not None
        assert (found.id, found.sequence) == (2, 2)
        assert asked.outbox_row(3) is None


def test_thousands_of_messages_are_one_of_many(books: Books) -> None:
    rows = [row(incident=n) for n in range(1, 1_201)]
    books.ledger.record([], rows, [notice(n) for n in range(1, 1_201)])
    books.ledger.record([], rows, [notice(n) for n in range(1, 1_201)])
    assert len(books.reader.policy_decisions(range(1, 1_201))) == 1_200
    assert len(books.ledger.lease("chat", NOON_S, 60, 2_000)) == 1_200
    books.ledger.reschedule(range(1, 1_201), "503", NOON_S)
    books.ledger.mark_dead(range(2, 1_201), "403")
    books.ledger.mark_sent(1, range(2, 1_201), NOON_S)
    assert len(books.reader.outbox(OutboxStatus.SENT)) == 1_200


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "lease", "sent", "fail", "dead", "wait"]),
        st.integers(1, 3),
        st.sampled_from([EventKind.OPENED, EventKind.REMINDER, EventKind.RESOLVED]),
        st.sampled_from(["ani", "budi"]),
    ),
    max_size=25,
)


def _follow(ledger: AlertLedger, steps: list[tuple[str, int, EventKind, str]]) -> None:
    now_s = NOON_S
    in_hand: list[tuple[int, ...]] = []
    for number, (what, incident, event, recipient) in enumerate(steps, start=1):
        if what == "add":
            made = row(number, event, incident=incident, recipient=recipient, next_try_s=now_s)
            ledger.record([], [made])
        elif what == "lease":
            in_hand += [parcel.ids for parcel in ledger.lease("chat", now_s, 30, incident)]
        elif what == "wait":
            now_s += 20
        elif in_hand:
            first, *others = in_hand.pop(0)
            if what == "sent":
                ledger.mark_sent(first, others, now_s)
            elif what == "fail":
                ledger.reschedule([first, *others], "503", now_s + 10)
            else:
                ledger.mark_dead([first, *others], "403")


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_memory_and_file_agree_on_the_outbox_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, EventKind, str]]
) -> None:
    memory = MemoryLedger()
    ledger = SqlLedger.open(tmp_path_factory.mktemp("alike") / "ledger.db")
    _follow(memory, steps)
    _follow(ledger, steps)
    assert ledger.outbox() == memory.outbox()
    ledger.close()
