"""The contract of AlertLedger and AlertReader: outbox, policy decisions, actions, windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from monitor.core.alerting.ports import AlertLedger
from monitor.core.alerting.reasons import Reason
from monitor.core.errors import LedgerError
from monitor.core.model import ChangeKind, Incident, IncidentChange, Scope, State
from tests.contracts.ledger_pair import LedgerPair
from tests.fakes.ledger import MemoryLedger

NOON_S = 1_764_000_000.0


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


def decision(
    number: int = 1, reason: Reason = Reason.FIRST_NOTICE, after_s: float = 0
) -> PolicyDecision:
    return PolicyDecision(
        *(number, NOON_S + after_s, EventKind.OPENED, True, reason, "ani", "chat"),
        thread=number,
        sequence=1,
        step=0,
    )


def test_a_new_ledger_is_empty(pair: LedgerPair) -> None:
    assert pair.reader.outbox() == []
    assert pair.reader.policy_decisions() == []
    assert pair.reader.actions() == []
    assert pair.reader.undecided_closings() == []
    assert pair.reader.windows(0.0, 2e9) == []
    assert pair.ledger.lease("chat", NOON_S, 60, 10) == []


def test_messages_and_policy_decisions_are_stored_with_the_decisions(
    pair: LedgerPair,
) -> None:
    first, second = row(), row(recipient="budi")
    pair.ledger.record([opened()], [first, second], [decision()])
    assert pair.reader.outbox() == [replace(first, id=1), replace(second, id=2)]
    assert pair.reader.policy_decisions([1]) == [decision()]
    assert [i.id for i in pair.reader.incidents()] == [1]


def test_every_field_of_a_message_is_stored(pair: LedgerPair) -> None:
    complete = OutboxRow(
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
    pair.ledger.record([], [complete])
    assert pair.reader.outbox() == [replace(complete, id=1)]


def test_recording_the_same_again_changes_nothing(pair: LedgerPair) -> None:
    for _ in range(2):
        pair.ledger.record([opened()], [row(), row()], [decision(), decision()])
    assert len(pair.reader.outbox()) == 1
    assert pair.reader.policy_decisions() == [decision()]
    pair.ledger.record([], [row(2), row(channel="mail")], [decision(after_s=1)])
    assert len(pair.reader.outbox()) == 3
    assert len(pair.reader.policy_decisions()) == 2


def test_a_message_that_was_sent_from_memory_is_recorded_as_sent(pair: LedgerPair) -> None:
    sent = replace(row(), status=OutboxStatus.SENT, attempts=1, sent_s=NOON_S + 9)
    other = replace(row(channel="mail"), status=OutboxStatus.DEAD, last_error="HTTP 403")
    pair.ledger.record([opened()], [row(), row(2)])
    pair.ledger.record([opened()], [sent, other, row(2)])
    assert pair.ledger.outbox() == [
        replace(sent, id=1),
        replace(row(2), id=2),
        replace(other, id=3),
    ]
    pair.ledger.record([], [replace(sent, sent_s=NOON_S + 99)])
    assert pair.ledger.outbox()[0] == replace(sent, id=1)


def test_the_messages_of_refused_decisions_are_not_stored(pair: LedgerPair) -> None:
    pair.ledger.record([opened()])
    other = replace(opened().incident, target="b/y")
    with pytest.raises(LedgerError, match="incident 1"):
        pair.ledger.record(
            [IncidentChange(ChangeKind.OPENED, other, NOON_S)], [row()], [decision()]
        )
    assert pair.reader.outbox() == []
    assert pair.reader.policy_decisions() == []


def test_a_policy_decision_about_everybody_has_no_recipient(pair: LedgerPair) -> None:
    for_all = PolicyDecision(1, NOON_S, EventKind.OPENED, notified=False, reason=Reason.MAINTENANCE)
    pair.ledger.record([], [], [for_all, for_all])
    assert pair.reader.policy_decisions() == [for_all]


def test_policy_decisions_are_filtered_by_incident_and_time(
    pair: LedgerPair,
) -> None:
    expected = [decision(2, after_s=5), decision(1, after_s=3), decision(2, Reason.REMINDER_DUE, 9)]
    pair.ledger.record([], [], expected)
    assert pair.reader.policy_decisions() == expected
    assert pair.reader.policy_decisions([2]) == [expected[0], expected[2]]
    assert pair.reader.policy_decisions([]) == []
    assert pair.reader.policy_decisions([1, 2], since_s=NOON_S + 5) == [expected[0], expected[2]]


def test_a_closing_of_a_notified_incident_is_undecided_until_it_is_decided(
    pair: LedgerPair,
) -> None:
    pair.ledger.record([opened(1), opened(2), opened(3)], [], [decision(1), decision(3)])
    assert pair.reader.undecided_closings() == []
    pair.ledger.record([closed(1), closed(2)])
    assert [i.id for i in pair.reader.undecided_closings()] == [1]
    decided = replace(decision(1, Reason.RESOLVED), event=EventKind.RESOLVED)
    pair.ledger.record([closed(3)], [], [decided])
    assert [i.id for i in pair.reader.undecided_closings()] == [3]


def test_actions_are_stored_in_order_with_a_number(pair: LedgerPair) -> None:
    pair.ledger.record([opened(1), opened(2)])
    ack = IncidentAction(
        1, ActionKind.ACKNOWLEDGE, "ani", NOON_S + 9.25, "ke lokasi", NOON_S + 3600
    )
    note = IncidentAction(2, ActionKind.NOTE, "budi", NOON_S + 1)
    assert pair.ledger.add_action(ack) == replace(ack, id=1)
    assert pair.ledger.add_action(note) == replace(note, id=2)
    assert pair.reader.actions() == [replace(ack, id=1), replace(note, id=2)]
    assert pair.reader.actions([2]) == [replace(note, id=2)]
    assert pair.reader.actions(since_s=NOON_S + 2) == [replace(ack, id=1)]


def test_an_action_on_an_unknown_incident_is_refused(pair: LedgerPair) -> None:
    with pytest.raises(LedgerError, match="no incident 99"):
        pair.ledger.add_action(IncidentAction(99, ActionKind.NOTE, "ani", NOON_S, "?"))
    assert pair.reader.actions() == []


def window(after_s: float = 0.0, for_s: float = 600.0) -> MaintenanceWindow:
    start_s = NOON_S + after_s
    return MaintenanceWindow(
        ("anjatan", "pop-patrol"), start_s, start_s + for_s, "ani", "ganti router"
    )


def test_windows_are_found_by_any_moment_in_which_they_are_in_force(pair: LedgerPair) -> None:
    late = pair.ledger.add_window(window(100))
    early = pair.ledger.add_window(replace(window(), recurring="malam"))
    assert late == replace(window(100), id=1)
    assert pair.reader.windows(NOON_S, NOON_S + 100) == [early]
    assert pair.reader.windows(NOON_S, NOON_S + 100.5) == [early, late]
    assert pair.reader.windows(NOON_S + 599, NOON_S + 600) == [early, late]
    assert pair.reader.windows(NOON_S + 600, NOON_S + 900) == [late]
    assert pair.reader.windows(NOON_S + 700, NOON_S + 900) == []


def test_a_window_can_be_ended_early_once(pair: LedgerPair) -> None:
    pair.ledger.add_window(window())
    ended = pair.ledger.end_window(1, NOON_S + 60.5, "budi")
    assert ended == replace(window(), id=1, ended_s=NOON_S + 60.5, ended_by="budi")
    assert pair.reader.windows(NOON_S + 60, NOON_S + 61) == [ended]
    assert pair.reader.windows(NOON_S + 60.5, NOON_S + 61) == []
    with pytest.raises(LedgerError, match="is over already"):
        pair.ledger.end_window(1, NOON_S + 70, "ani")
    with pytest.raises(LedgerError, match="no maintenance window 9"):
        pair.ledger.end_window(9, NOON_S, "ani")


def test_a_window_that_is_over_or_was_ended_before_its_start_is_not_in_force(
    pair: LedgerPair,
) -> None:
    pair.ledger.add_window(window())
    with pytest.raises(LedgerError, match="is over already"):
        pair.ledger.end_window(1, NOON_S + 600, "ani")
    pair.ledger.add_window(window(1000))
    pair.ledger.end_window(2, NOON_S + 900, "ani")
    assert [w.id for w in pair.reader.windows(NOON_S, NOON_S + 5000)] == [1]


def test_a_lease_takes_what_is_due_on_the_channel_and_counts_the_attempt(pair: LedgerPair) -> None:
    pair.ledger.record(
        [],
        [
            row(),
            row(channel="mail"),
            row(incident=2, next_try_s=NOON_S + 30),
            row(incident=3),
        ],
    )
    batches = pair.ledger.lease("chat", NOON_S + 1, 60, 10)
    assert [batch.row.id for batch in batches] == [1, 4]
    first = batches[0].row
    assert (first.status, first.attempts) == (OutboxStatus.LEASED, 1)
    assert (first.lease_until_s, first.first_try_s) == (NOON_S + 61, NOON_S + 1)
    assert pair.reader.outbox(OutboxStatus.LEASED) == [batch.row for batch in batches]
    assert pair.ledger.lease("chat", NOON_S + 2, 60, 10) == []
    (again,) = pair.ledger.lease("chat", NOON_S + 61, 60, 1)
    assert (again.row.id, again.row.attempts, again.row.first_try_s) == (1, 2, NOON_S + 1)


def test_a_sent_message_is_marked_together_with_those_it_replaced(pair: LedgerPair) -> None:
    pair.ledger.record([], [row(1, next_try_s=NOON_S + 100), row(2, EventKind.RESOLVED)])
    (batch,) = pair.ledger.lease("chat", NOON_S, 60, 10)
    assert batch.ids == (2, 1)
    assert batch.replaced[0].status is OutboxStatus.LEASED
    pair.ledger.mark_sent(2, [1], NOON_S + 0.5)
    opening, closing = pair.reader.outbox(OutboxStatus.SENT)
    assert (opening.sent_s, opening.merged_into) == (NOON_S + 0.5, 2)
    assert (closing.sent_s, closing.merged_into, closing.lease_until_s) == (
        NOON_S + 0.5,
        None,
        None,
    )
    assert pair.ledger.lease("chat", NOON_S + 999, 60, 10) == []


def test_a_failed_message_waits_until_its_next_try(pair: LedgerPair) -> None:
    pair.ledger.record([], [row()])
    pair.ledger.lease("chat", NOON_S, 60, 10)
    pair.ledger.reschedule([1], "503 Service Unavailable", NOON_S + 5)
    (failed,) = pair.reader.outbox()
    assert (failed.status, failed.last_error) == (OutboxStatus.PENDING, "503 Service Unavailable")
    assert (failed.next_try_s, failed.lease_until_s, failed.attempts) == (NOON_S + 5, None, 1)
    assert pair.ledger.lease("chat", NOON_S + 4.9, 60, 10) == []
    assert len(pair.ledger.lease("chat", NOON_S + 5, 60, 10)) == 1


def test_a_released_message_is_due_again_and_the_attempt_does_not_count(
    pair: LedgerPair,
) -> None:
    pair.ledger.record([], [row(), row(incident=2)])
    pair.ledger.lease("chat", NOON_S, 60, 10)
    pair.ledger.release([1, 2])
    released = pair.reader.outbox()
    assert [(r.status, r.attempts, r.lease_until_s) for r in released] == [
        (OutboxStatus.PENDING, 0, None)
    ] * 2
    assert len(pair.ledger.lease("chat", NOON_S, 60, 10)) == 2


def test_at_a_start_leased_messages_are_due_and_the_attempt_counts(pair: LedgerPair) -> None:
    pair.ledger.record([], [row(), row(incident=2)])
    pair.ledger.lease("chat", NOON_S, 60, 1)
    assert pair.ledger.release_all() == 1
    assert pair.ledger.release_all() == 0
    released = pair.reader.outbox()
    assert [(r.status, r.attempts, r.lease_until_s) for r in released] == [
        (OutboxStatus.PENDING, 1, None),
        (OutboxStatus.PENDING, 0, None),
    ]
    assert len(pair.ledger.lease("chat", NOON_S, 60, 10)) == 2


def test_openings_that_wait_are_found_until_a_further_channel_has_them(pair: LedgerPair) -> None:
    waits = replace(row(), queued_s=NOON_S - 60)
    rows = [
        waits,
        replace(row(incident=2), queued_s=NOON_S - 59),
        replace(row(2, EventKind.RESOLVED, incident=3), queued_s=NOON_S - 60),
        replace(row(1, EventKind.DIGEST, incident=4), queued_s=NOON_S - 60),
        replace(row(incident=5), queued_s=NOON_S - 60),
    ]
    pair.ledger.record([], rows)
    pair.ledger.lease("chat", NOON_S, 60, 3)
    pair.ledger.mark_sent(5, [], NOON_S)
    assert [each.id for each in pair.reader.waiting_openings(NOON_S - 60)] == [1, 4]
    pair.ledger.record([], [replace(waits, channel="mail", queued_s=NOON_S, fallback_of=1)])
    assert [each.id for each in pair.reader.waiting_openings(NOON_S - 60)] == [4]
    assert [each.id for each in pair.reader.waiting_openings(NOON_S)] == [2, 4, 6]


def test_what_waits_for_a_channel_is_released_together_but_for_some(pair: LedgerPair) -> None:
    rows = [row(), row(incident=2), row(incident=3), row(incident=4, channel="mail")]
    pair.ledger.record([], rows)
    for channel in ("chat", "mail"):
        pair.ledger.lease(channel, NOON_S, 60, 10)
    pair.ledger.reschedule([1, 2, 3, 4], "503 Service Unavailable", NOON_S + 300)
    assert pair.ledger.release_waiting("chat", [3], NOON_S + 1) == 2
    assert pair.ledger.release_waiting("chat", [3], NOON_S + 1) == 0
    due = pair.ledger.lease("chat", NOON_S + 1, 60, 10)
    assert [batch.row.id for batch in due] == [1, 2]
    assert pair.ledger.lease("mail", NOON_S + 1, 60, 10) == []


def test_a_dead_message_is_queued_once_on_the_next_channel(
    pair: LedgerPair,
) -> None:
    pair.ledger.record([], [row()])
    pair.ledger.lease("chat", NOON_S, 60, 10)
    for _ in range(2):
        pair.ledger.mark_dead([1], "403 Forbidden", [row(channel="mail")])
    assert [(r.id, r.channel) for r in pair.reader.outbox(OutboxStatus.DEAD)] == [(1, "chat")]
    assert [(r.id, r.channel) for r in pair.reader.outbox(OutboxStatus.PENDING)] == [(2, "mail")]
    assert pair.ledger.lease("chat", NOON_S + 999, 60, 10) == []


def test_only_a_dead_message_can_be_tried_again(pair: LedgerPair) -> None:
    pair.ledger.record([], [row()])
    pair.ledger.lease("chat", NOON_S, 60, 10)
    with pytest.raises(LedgerError, match="message 1 is leased"):
        pair.ledger.retry(1, NOON_S + 1)
    pair.ledger.mark_dead([1], "403 Forbidden")
    again = pair.ledger.retry(1, NOON_S + 9)
    assert (again.status, again.attempts, again.first_try_s) == (OutboxStatus.PENDING, 0, None)
    assert (again.next_try_s, again.last_error) == (NOON_S + 9, "403 Forbidden")
    assert pair.reader.outbox() == [again]
    with pytest.raises(LedgerError, match="no message 99"):
        pair.ledger.retry(99, NOON_S)


def test_the_outbox_is_filtered_by_status_and_incident_and_limited_to_the_newest(
    pair: LedgerPair,
) -> None:
    pair.ledger.record([], [row(incident=n) for n in (1, 2, 3, 2)] + [row(2, incident=2)])
    pair.ledger.lease("chat", NOON_S, 60, 1)
    assert [r.id for r in pair.reader.outbox()] == [1, 2, 3, 4]
    assert [r.id for r in pair.reader.outbox(incident=2)] == [2, 4]
    assert [r.id for r in pair.reader.outbox(OutboxStatus.PENDING, limit=2)] == [3, 4]
    assert pair.reader.outbox(limit=0) == []


def test_an_incident_and_a_message_are_found_by_their_numbers(pair: LedgerPair) -> None:
    pair.ledger.record([opened(1), opened(2), closed(2)], [row(1), row(2)])
    for source in (pair.ledger, pair.reader):
        assert source.incident(2) == closed(2).incident
        assert source.incident(3) is None
        found = source.outbox_row(2)
        assert found is not None
        assert (found.id, found.sequence) == (2, 2)
        assert source.outbox_row(3) is None


def test_thousands_of_messages_are_handled_in_one_call(pair: LedgerPair) -> None:
    rows = [row(incident=n) for n in range(1, 1_201)]
    pair.ledger.record([], rows, [decision(n) for n in range(1, 1_201)])
    pair.ledger.record([], rows, [decision(n) for n in range(1, 1_201)])
    assert len(pair.reader.policy_decisions(range(1, 1_201))) == 1_200
    assert len(pair.ledger.lease("chat", NOON_S, 60, 2_000)) == 1_200
    pair.ledger.reschedule(range(1, 1_201), "503", NOON_S)
    pair.ledger.mark_dead(range(2, 1_201), "403")
    pair.ledger.mark_sent(1, range(2, 1_201), NOON_S)
    assert len(pair.reader.outbox(OutboxStatus.SENT)) == 1_200


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
    leased: list[tuple[int, ...]] = []
    for number, (what, incident, event, recipient) in enumerate(steps, start=1):
        if what == "add":
            made = row(number, event, incident=incident, recipient=recipient, next_try_s=now_s)
            ledger.record([], [made])
        elif what == "lease":
            leased += [batch.ids for batch in ledger.lease("chat", now_s, 30, incident)]
        elif what == "wait":
            now_s += 20
        elif leased:
            first, *others = leased.pop(0)
            if what == "sent":
                ledger.mark_sent(first, others, now_s)
            elif what == "fail":
                ledger.reschedule([first, *others], "503", now_s + 10)
            else:
                ledger.mark_dead([first, *others], "403")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_memory_and_file_have_the_same_outbox_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory,
    new_ledger: Callable[[Path], SqlLedger],
    steps: list[tuple[str, int, EventKind, str]],
) -> None:
    memory = MemoryLedger()
    ledger = new_ledger(tmp_path_factory.mktemp("alike"))
    _follow(memory, steps)
    _follow(ledger, steps)
    assert ledger.outbox() == memory.outbox()
    ledger.close()
