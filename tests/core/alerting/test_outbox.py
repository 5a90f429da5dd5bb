"""What goes out next of a channel's rows, how long a failed one waits, and how several merge."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.alerting.model import (
    DeliveryBatch,
    EventKind,
    Notification,
    OutboxRow,
    OutboxStatus,
    Wording,
)
from monitor.core.alerting.outbox import (
    CODE_CHARACTERS,
    MAX_AHEAD_S,
    decode_notification,
    due_batches,
    encode_body,
    idempotency_key,
    incident_ids,
    merge_notifications,
    retry_delay_s,
    with_code,
)

NOW_S = 1_764_000_000.0


def row(
    number: int,
    event: EventKind = EventKind.OPENED,
    *,
    incident: int = 1,
    recipient: str = "ani",
    next_try_s: float = NOW_S,
    about: tuple[int, ...] = (),
) -> OutboxRow:
    return OutboxRow(
        incident=incident,
        sequence=number,
        channel="chat",
        recipient=recipient,
        event=event,
        body=encode_body(Wording(f"title {number}", f"text {number}"), [{"id": incident}]),
        next_try_s=next_try_s,
        id=number,
        about=about,
    )


def leased(made: OutboxRow, until_s: float) -> OutboxRow:
    return replace(made, status=OutboxStatus.LEASED, lease_until_s=until_s, attempts=1)


def chosen(*rows: OutboxRow, limit: int = 50) -> list[tuple[int, tuple[int, ...]]]:
    """The ids of each parcel: what goes out, and what it replaces."""
    return [
        (parcel.row.id, tuple(r.id for r in parcel.replaced))
        for parcel in due_batches(rows, NOW_S, limit)
    ]


def test_what_is_due_goes_out_oldest_first_and_no_more_than_asked_for() -> None:
    rows = [row(n, incident=n) for n in (1, 2, 3)]
    assert chosen(*rows) == [(1, ()), (2, ()), (3, ())]
    assert chosen(*rows, limit=2) == [(1, ()), (2, ())]
    assert chosen(row(1, next_try_s=NOW_S + 0.1), row(2, incident=2)) == [(2, ())]
    assert due_batches([], NOW_S, 5) == []


def test_one_incident_is_told_in_order_even_to_different_receivers() -> None:
    first = row(1, next_try_s=NOW_S + 60)
    second = row(2, recipient="budi")
    assert chosen(first, second) == []
    assert chosen(replace(first, next_try_s=NOW_S), second) == [(1, ())]


def test_a_closing_takes_the_place_of_an_opening_that_could_not_be_sent() -> None:
    opening = row(1, next_try_s=NOW_S + 200)
    assert chosen(opening, row(2, EventKind.RESOLVED)) == [(2, (1,))]
    reminder = row(2, EventKind.REMINDER)
    assert chosen(opening, reminder, row(3, EventKind.RESOLVED)) == [(3, (1, 2))]


def test_a_closing_for_somebody_else_replaces_nothing() -> None:
    opening = row(1, next_try_s=NOW_S + 200)
    assert chosen(opening, row(2, EventKind.RESOLVED, recipient="budi")) == []


def test_a_closing_of_a_few_never_swallows_the_list_of_many() -> None:
    digest = row(1, EventKind.DIGEST, about=(1, 2, 3))
    some = row(2, EventKind.RESOLVED, about=(1, 3))
    every = row(3, EventKind.RESOLVED, about=(1, 2, 3))
    assert chosen(digest, some) == [(1, ())]
    assert chosen(digest, some, every) == [(2, ())]
    assert chosen(digest, every) == [(3, (1,))]
    assert incident_ids(every) == {1, 2, 3}
    assert incident_ids(row(4)) == {1}


def test_of_reminders_that_piled_up_only_the_last_goes_out() -> None:
    opening = row(1)
    reminders = [row(n, EventKind.REMINDER) for n in (2, 3, 4)]
    assert chosen(opening, *reminders) == [(1, ())]
    assert chosen(*reminders) == [(4, (2, 3))]


def test_a_notice_of_flapping_is_never_replaced() -> None:
    assert chosen(row(1, EventKind.UPDATED), row(2, EventKind.RESOLVED)) == [(1, ())]


def test_nothing_of_an_incident_overtakes_what_is_under_way() -> None:
    under_way = leased(row(1), NOW_S + 30)
    assert chosen(under_way, row(2, EventKind.RESOLVED)) == []
    assert chosen(under_way, row(2, incident=2)) == [(2, ())]


def test_a_lease_that_ran_out_is_due_again() -> None:
    assert chosen(leased(row(1), NOW_S)) == [(1, ())]


def test_times_from_before_the_clock_was_set_back_hold_nothing_up() -> None:
    ahead_s = NOW_S + MAX_AHEAD_S + 1
    assert chosen(row(1, next_try_s=ahead_s)) == [(1, ())]
    assert chosen(leased(row(1), ahead_s)) == [(1, ())]


def test_the_key_is_the_hash_that_the_design_names_and_its_code_can_be_read_aloud() -> None:
    key = idempotency_key(17, 2, "hook", "channel:hook")
    assert key == sha256(b"17|2|hook|channel:hook").hexdigest()
    message = decode_notification(row(3), NOW_S)
    assert message.key == idempotency_key(1, 3, "chat", "ani")
    assert message.code == message.key[:8]
    assert with_code(message).text == f"text 3\n#{message.code}"
    assert len(with_code(message).text) - len(message.text) == CODE_CHARACTERS


def test_a_row_comes_back_as_the_message_that_was_packed() -> None:
    one = decode_notification(row(1), NOW_S)
    assert one == Notification(
        idempotency_key(1, 1, "chat", "ani"),
        EventKind.OPENED,
        "title 1",
        "text 1",
        "ani",
        NOW_S,
        {"id": 1},
    )
    several = replace(row(1), body=encode_body(Wording("t", "“é”\n"), [{"id": 1}, {"id": 2}]))
    message = decode_notification(several, NOW_S)
    assert (message.text, message.incident) == ("“é”\n", None)
    assert message.incidents == ({"id": 1}, {"id": 2})
    assert (
        decode_notification(
            replace(row(1), body=encode_body(Wording("t", "x"), [])), NOW_S
        ).incidents
        == ()
    )


def test_a_broken_body_is_said_as_a_value_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        decode_notification(replace(row(1), body=""), NOW_S)


def test_merged_messages_lose_no_text_no_code_and_no_incident() -> None:
    parts = [with_code(decode_notification(row(n, incident=n % 2 + 1), NOW_S)) for n in (1, 2, 3)]
    one = merge_notifications(parts)
    for part in parts:
        assert part.text in one.text
        assert part.code in one.text
    assert one.title == "title 1 (+2)"
    assert one.event is EventKind.OPENED
    assert [document["id"] for document in one.incidents] == [2, 1]
    assert one.key == merge_notifications(parts).key != merge_notifications(parts[:2]).key
    assert merge_notifications(parts[:1]) is parts[0]


def test_messages_of_different_kinds_merge_into_a_digest() -> None:
    parts = [
        decode_notification(row(1), NOW_S),
        decode_notification(row(2, EventKind.RESOLVED), NOW_S),
    ]
    assert merge_notifications(parts).event is EventKind.DIGEST


def test_a_failed_try_waits_twice_as_long_each_time_up_to_five_minutes() -> None:
    assert [retry_delay_s(n, 0.5) for n in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert retry_delay_s(1_000_000, 0.5) == 300


@given(st.integers(0, 100), st.floats(0, 1))
def test_the_wait_is_spread_by_a_fifth(attempts: int, chance: float) -> None:
    plain_s = retry_delay_s(attempts, 0.5)
    assert 0.8 * plain_s - 1e-9 <= retry_delay_s(attempts, chance) <= 1.2 * plain_s + 1e-9


def test_what_the_channel_asks_for_is_obeyed_up_to_five_minutes() -> None:
    assert retry_delay_s(9, 0.9, asked_s=7.0) == 7.0
    assert retry_delay_s(1, 0.1, asked_s=86_400.0) == 300.0
    assert retry_delay_s(1, 0.1, asked_s=-5.0) == 0.0


ROWS = st.lists(
    st.tuples(
        st.sampled_from([event for event in EventKind if event is not EventKind.TEST]),
        st.integers(1, 3),
        st.sampled_from(["ani", "budi"]),
        st.sampled_from([0.0, 0.0, 40.0]),
    ),
    max_size=12,
)


@given(ROWS)
def test_whatever_waits_every_row_goes_out_or_is_replaced_by_a_later_one_exactly_once(
    made: list[tuple[EventKind, int, str, float]],
) -> None:
    waiting = [
        replace(row(n, event, incident=incident, recipient=recipient), next_try_s=NOW_S + late_s)
        for n, (event, incident, recipient, late_s) in enumerate(made, start=1)
    ]
    now_s = NOW_S
    done: list[DeliveryBatch] = []
    for _ in range(2 * len(waiting) + 2):
        for parcel in due_batches(waiting, now_s, 2):
            done.append(parcel)
            gone = set(parcel.ids)
            waiting = [r for r in waiting if r.id not in gone]
        now_s += 40.0
    assert waiting == []
    ids = [number for parcel in done for number in parcel.ids]
    assert sorted(ids) == list(range(1, len(made) + 1))
    for incident in (1, 2, 3):
        carried = [p.row.id for p in done if p.row.incident == incident]
        assert carried == sorted(carried)
    for parcel in done:
        assert all(r.id < parcel.row.id for r in parcel.replaced)
        assert all(r.recipient == parcel.row.recipient for r in parcel.replaced)
        assert all(r.event is not EventKind.UPDATED for r in parcel.replaced)
