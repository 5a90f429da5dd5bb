"""Outbox rules: which rows are due, retry delays, merging."""

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


LATER_S, SOON_S = NOW_S + 200, NOW_S + 60
R, D, M = EventKind.RESOLVED, EventKind.DIGEST, EventKind.REMINDER
DUE = {
    "the oldest first": ([row(n, incident=n) for n in (1, 2, 3)], [(1, ()), (2, ()), (3, ())]),
    "not before its time": ([row(1, next_try_s=NOW_S + 0.1), row(2, incident=2)], [(2, ())]),
    "nothing": ([], []),
    "an incident in order, even to other recipients": (
        [row(1, next_try_s=SOON_S), row(2, recipient="budi")],
        [],
    ),
    "the first of an incident": ([row(1), row(2, recipient="budi")], [(1, ())]),
    "a closing replaces an unsent opening": ([row(1, next_try_s=LATER_S), row(2, R)], [(2, (1,))]),
    "a closing replaces opening and reminder": (
        [row(1, next_try_s=LATER_S), row(2, M), row(3, R)],
        [(3, (1, 2))],
    ),
    "a closing for another recipient replaces nothing": (
        [row(1, next_try_s=LATER_S), row(2, R, recipient="budi")],
        [],
    ),
    "a closing of a few does not replace the digest of many": (
        [row(1, D, about=(1, 2, 3)), row(2, R, about=(1, 3))],
        [(1, ())],
    ),
    "a closing of a few before the closing of all, which replaces the digest": (
        [row(1, D, about=(1, 2, 3)), row(2, R, about=(1, 3)), row(3, R, about=(1, 2, 3))],
        [(2, ())],
    ),
    "a closing of all replaces the digest": (
        [row(1, D, about=(1, 2, 3)), row(3, R, about=(1, 2, 3))],
        [(3, (1,))],
    ),
    "a reminder does not replace the opening": ([row(1), row(2, M), row(3, M)], [(1, ())]),
    "of reminders only the last": ([row(n, M) for n in (2, 3, 4)], [(4, (2, 3))]),
    "flapping is never replaced": ([row(1, EventKind.UPDATED), row(2, R)], [(1, ())]),
    "nothing overtakes what is being sent": (
        [leased(row(1), NOW_S + 30), row(2, R), row(3, incident=2)],
        [(3, ())],
    ),
    "an expired lease": ([leased(row(1), NOW_S)], [(1, ())]),
    "a time from before the clock was set back": (
        [row(1, next_try_s=NOW_S + MAX_AHEAD_S + 1)],
        [(1, ())],
    ),
    "a lease from before the clock was set back": (
        [leased(row(1), NOW_S + MAX_AHEAD_S + 1)],
        [(1, ())],
    ),
}


@pytest.mark.parametrize("name", DUE)
def test_due_rows_and_the_rows_that_they_replace(name: str) -> None:
    rows, due = DUE[name]
    batches = due_batches(rows, NOW_S, 50)
    assert [(b.row.id, tuple(r.id for r in b.replaced)) for b in batches] == due
    assert due_batches(rows, NOW_S, 2) == batches[:2]


def test_incident_ids_are_those_of_all_incidents_of_a_row() -> None:
    assert incident_ids(row(3, R, about=(1, 2, 3))) == {1, 2, 3}
    assert incident_ids(row(4)) == {1}


def test_the_key_is_a_documented_hash_and_its_first_digits_are_the_code_in_the_text() -> None:
    key = idempotency_key("k3v7q2ma", 17, 2, "hook", "channel:hook")
    assert key == sha256(b"k3v7q2ma|17|2|hook|channel:hook").hexdigest()
    message = decode_notification(replace(row(3), ledger="k3v7q2ma"), NOW_S)
    assert message.key == idempotency_key("k3v7q2ma", 1, 3, "chat", "ani")
    assert message.code == message.key[:8]
    assert with_code(message).text == f"text 3\n#{message.code}"
    assert len(with_code(message).text) - len(message.text) == CODE_CHARACTERS


def test_a_row_of_a_version_without_identities_keeps_its_key() -> None:
    assert decode_notification(row(3), NOW_S).key == sha256(b"1|3|chat|ani").hexdigest()


def test_merged_messages_are_of_the_ledger_that_the_newest_of_them_names() -> None:
    old, new = row(1), replace(row(2), ledger="k3v7q2ma")
    for rows in ([old, new], [new, old]):
        parts = [decode_notification(each, NOW_S) for each in rows]
        assert merge_notifications(parts).ledger == "k3v7q2ma"


@pytest.mark.parametrize("documents", [[{"id": 1}], [{"id": 1}, {"id": 2}], []])
def test_a_row_is_decoded_as_it_was_encoded(documents: list[dict[str, object]]) -> None:
    made = replace(row(1), body=encode_body(Wording("t", "“é”\n"), documents))
    key = idempotency_key("", 1, 1, "chat", "ani")
    alone = documents[0] if len(documents) == 1 else None
    several = () if alone else tuple(documents)
    assert decode_notification(made, NOW_S) == Notification(
        *(key, EventKind.OPENED, "t", "“é”\n", "ani", NOW_S, alone, several),
        event_id=sha256(b"1|1|ani").hexdigest(),
    )


def test_a_broken_body_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        decode_notification(replace(row(1), body=""), NOW_S)


def test_merged_messages_lose_no_text_no_code_and_no_incident() -> None:
    parts = [with_code(decode_notification(row(n, incident=n % 2 + 1), NOW_S)) for n in (1, 2, 3)]
    one = merge_notifications(parts)
    assert all(part.text in one.text and part.code in one.text for part in parts)
    assert one.title == "title 1 (+2)"
    assert one.event is EventKind.OPENED
    assert [document["id"] for document in one.incidents] == [2, 1]
    assert one.key == merge_notifications(parts).key != merge_notifications(parts[:2]).key
    assert merge_notifications(parts[:1]) is parts[0]
    closing = decode_notification(row(2, R), NOW_S)
    assert merge_notifications([parts[0], closing]).event is EventKind.DIGEST


def test_the_retry_delay_doubles_to_five_minutes_and_obeys_the_channel_up_to_that() -> None:
    assert [retry_delay_s(n, 0.5) for n in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert retry_delay_s(1_000_000, 0.5) == 300
    assert retry_delay_s(9, 0.9, asked_s=7.0) == 7.0
    assert retry_delay_s(1, 0.1, asked_s=86_400.0) == 300.0
    assert retry_delay_s(1, 0.1, asked_s=-5.0) == 0.0


@given(st.integers(0, 100), st.floats(0, 1))
def test_the_retry_delay_is_spread_by_a_fifth(attempts: int, chance: float) -> None:
    plain_s = retry_delay_s(attempts, 0.5)
    assert 0.8 * plain_s - 1e-9 <= retry_delay_s(attempts, chance) <= 1.2 * plain_s + 1e-9


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
def test_every_row_is_sent_or_replaced_by_a_later_one_exactly_once(
    made: list[tuple[EventKind, int, str, float]],
) -> None:
    waiting = [
        replace(row(n, event, incident=incident, recipient=recipient), next_try_s=NOW_S + late_s)
        for n, (event, incident, recipient, late_s) in enumerate(made, start=1)
    ]
    now_s = NOW_S
    done: list[DeliveryBatch] = []
    for _ in range(2 * len(waiting) + 2):
        for batch in due_batches(waiting, now_s, 2):
            done.append(batch)
            waiting = [r for r in waiting if r.id not in batch.ids]
        now_s += 40.0
    assert waiting == []
    assert sorted(n for batch in done for n in batch.ids) == list(range(1, len(made) + 1))
    for incident in (1, 2, 3):
        sent = [batch.row.id for batch in done if batch.row.incident == incident]
        assert sent == sorted(sent)
    for batch in done:
        for replaced in batch.replaced:
            assert replaced.id < batch.row.id
            assert replaced.recipient == batch.row.recipient
            assert replaced.event is not EventKind.UPDATED
