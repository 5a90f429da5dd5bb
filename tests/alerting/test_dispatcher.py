"""The dispatcher sends outbox rows in order and once; no channel delays another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from monitor.core.alerting.model import (
    Delivered,
    Delivery,
    DeliveryBatch,
    EventKind,
    Notification,
    OutboxRow,
    OutboxStatus,
    Rejected,
    RetryLater,
)
from monitor.core.alerting.outbox import idempotency_key
from monitor.core.errors import LedgerError
from tests.core.alerting.scenario import ALERTS, NET
from tests.dispatcher_rig import DispatcherRig
from tests.fakes.channel import MemoryChannel
from tests.fakes.ledger import MemoryLedger

PENDING, LEASED = OutboxStatus.PENDING, OutboxStatus.LEASED
SENT, DEAD = OutboxStatus.SENT, OutboxStatus.DEAD
RESOLVED = EventKind.RESOLVED


@pytest.fixture
async def post() -> AsyncIterator[DispatcherRig]:
    opened = await DispatcherRig().open()
    yield opened
    await opened.close()


def always(delivery: Delivery) -> Callable[[Notification], Delivery]:
    return lambda _: delivery


def in_turn(*deliveries: Delivery) -> Callable[[Notification], Delivery]:
    """One after the other; the last one repeats."""
    left = list(deliveries)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def noting(
    at_s: list[float], post: DispatcherRig, delivery: Delivery
) -> Callable[[Notification], Delivery]:
    """Always this delivery; notes when."""

    def answer(_: Notification) -> Delivery:
        at_s.append(post.elapsed_s())
        return delivery

    return answer


async def test_a_message_is_sent_at_once_with_key_and_code_and_marked(
    post: DispatcherRig,
) -> None:
    post.queue()
    await post.advance()
    (message,) = post.boxes["chat"].accepted
    assert message.key == idempotency_key(1, 1, "chat", "ani")
    assert message.text == f"text 1.1\n#{message.key[:8]}"
    assert message.incident == {"id": 1}
    (row,) = post.ledger.outbox()
    assert (row.status, row.sent_s, row.attempts) == (SENT, post.utc_s(), 1)


async def test_rows_of_before_the_start_are_sent() -> None:
    post = DispatcherRig()
    body = '{"title": "t", "text": "x", "incidents": []}'
    row = OutboxRow(1, 1, "chat", "ani", EventKind.OPENED, body, post.utc_s())
    post.ledger.record([], [row])
    await post.open()
    assert post.texts() == ["x"]
    await post.close()


async def test_a_failing_channel_is_retried_with_back_off_and_the_same_key(
    post: DispatcherRig,
) -> None:
    box = post.boxes["chat"]
    at_s: list[float] = []
    box.answer = noting(at_s, post, RetryLater("HTTP 503"))
    post.queue()
    await post.advance(1000)
    waits = [round(after - before) for before, after in pairwise(at_s)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert len({message.key for message in box.tried}) == 1
    (row,) = post.ledger.outbox()
    assert (row.status, row.last_error, row.attempts) == (PENDING, "HTTP 503", 9)
    box.answer = None
    await post.advance(301)
    assert post.texts() == ["text 1.1"]


@pytest.mark.parametrize(("luck", "first_s"), [(0.0, 4.0), (1.0, 6.0)])
async def test_retry_delays_are_spread_at_random(luck: float, first_s: float) -> None:
    post = await DispatcherRig(chance=luck).open()
    post.boxes["chat"].answer = in_turn(RetryLater("HTTP 503"), Delivered())
    post.queue()
    await post.advance(first_s - 0.1)
    assert post.texts() == []
    await post.advance(0.2)
    assert post.texts() == ["text 1.1"]
    await post.close()


async def test_a_requested_pause_holds_all_messages_of_the_channel(
    post: DispatcherRig,
) -> None:
    box = post.boxes["chat"]
    box.answer = in_turn(RetryLater("HTTP 429", after_s=42.0), Delivered())
    post.queue()
    await post.advance(1)
    post.queue(2)
    await post.advance(40)
    assert len(box.tried) == 1
    await post.advance(2)
    assert post.texts() == ["text 1.1", "text 2.1"]


async def test_a_requested_pause_is_limited_to_five_minutes(post: DispatcherRig) -> None:
    post.boxes["chat"].answer = in_turn(RetryLater("HTTP 429", after_s=86_400.0), Delivered())
    post.queue()
    await post.advance(299)
    assert post.texts() == []
    await post.advance(2)
    assert post.texts() == ["text 1.1"]


async def test_a_refused_message_goes_to_the_next_channel_at_once(post: DispatcherRig) -> None:
    post.boxes["chat"].answer = always(Rejected("HTTP 403"))
    post.queue()
    await post.advance()
    await post.advance(10)
    assert post.texts("mail") == ["text 1.1"]
    assert post.boxes["mail"].keys == [idempotency_key(1, 1, "mail", "ani")]
    assert post.statuses() == [("chat", DEAD), ("mail", SENT)]
    assert post.ledger.outbox(DEAD)[0].last_error == "HTTP 403"


async def test_a_message_that_every_channel_refuses_is_a_warning(post: DispatcherRig) -> None:
    for box in post.boxes.values():
        box.answer = always(Rejected("HTTP 403"))
    post.queue()
    await post.advance(20)
    assert post.statuses() == [("chat", DEAD), ("mail", DEAD)]
    post.dispatcher.reconfigure(post.boxes)
    await post.advance()
    assert [each.text for each in post.dispatcher.warnings()] == [
        "2 messages could not be delivered: see `pantau outbox --dead`"
    ]


async def test_the_fallback_of_a_channel_is_tried_after_it() -> None:
    channels = (
        replace(ALERTS.channels[0], fallback=("hook",)),
        *ALERTS.channels[1:],
    )
    post = await DispatcherRig(replace(ALERTS, channels=channels)).open()
    post.boxes["chat"].answer = always(Rejected("HTTP 401"))
    post.queue(recipient="channel:chat")
    await post.advance(20)
    assert post.texts("hook") == ["text 1.1"]
    await post.close()


async def test_a_message_that_fails_for_a_day_is_dead_and_goes_to_the_next_channel(
    post: DispatcherRig,
) -> None:
    post.boxes["chat"].answer = always(RetryLater("no route to host"))
    first_try_s = post.utc_s() - 86_400 + 300
    body = '{"title": "t", "text": "x", "incidents": []}'
    row = OutboxRow(
        *(1, 1, "chat", "ani", EventKind.OPENED, body, post.utc_s()),
        attempts=9,
        first_try_s=first_try_s,
    )
    post.ledger.record([], [row])
    post.dispatcher.wake()
    await post.advance(290)
    assert post.statuses() == [("chat", PENDING)]
    await post.advance(700)
    assert post.statuses() == [("chat", DEAD), ("mail", SENT)]


async def test_a_slow_channel_delays_no_other(post: DispatcherRig) -> None:
    post.boxes["chat"].hold()
    for number in range(1, 6):
        post.queue(number)
        post.queue(number, channel="mail", recipient="budi")
    await post.advance(1)
    assert post.texts("mail") == [f"text {n}.1" for n in range(1, 6)]
    assert [row.sent_s for row in post.ledger.outbox(SENT)] == [post.utc_s() - 1] * 5
    assert len(post.boxes["chat"].tried) == 1
    post.boxes["chat"].release()
    await post.advance(1)
    assert post.texts("chat") == [f"text {n}.1" for n in range(1, 6)]


async def test_a_dead_channel_delays_no_other(post: DispatcherRig) -> None:
    post.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    for number in range(1, 30):
        post.queue(number)
        post.queue(number, channel="mail", recipient="budi")
        await post.advance(1)
    delays_s = [
        row.sent_s - row.next_try_s for row in post.ledger.outbox(SENT) if row.sent_s is not None
    ]
    assert len(delays_s) == 29
    assert max(delays_s) < 5


async def test_the_closing_of_an_incident_never_overtakes_its_opening(post: DispatcherRig) -> None:
    box = post.boxes["chat"]
    box.hold()
    post.queue(recipient="ani")
    await post.advance()
    post.queue(event=RESOLVED, sequence=2, recipient="ani")
    post.queue(2)
    await post.advance(1)
    box.release()
    await post.advance(1)
    assert post.texts() == ["text 1.1", "text 1.2", "text 2.1"]


async def test_an_opening_that_was_not_sent_yet_is_merged_with_its_closing(
    post: DispatcherRig,
) -> None:
    box = post.boxes["chat"]
    box.answer = always(RetryLater("network is unreachable"))
    post.queue()
    await post.advance(200)
    box.answer = None
    post.queue(event=RESOLVED, sequence=2)
    await post.advance()
    assert post.texts() == ["text 1.2"]
    opening, closing = post.ledger.outbox()
    assert (opening.status, opening.merged_into) == (SENT, closing.id)


def limited(per_minute: int, most_characters: int = 4000) -> DispatcherRig:
    first = replace(ALERTS.channels[0], per_minute=per_minute, most_characters=most_characters)
    return DispatcherRig(replace(ALERTS, channels=(first, *ALERTS.channels[1:])))


async def test_messages_above_the_rate_limit_are_merged_and_none_is_dropped() -> None:
    post = await limited(3).open()
    at_s: list[float] = []
    box = post.boxes["chat"]
    box.answer = noting(at_s, post, Delivered())
    for number in range(1, 41):
        post.queue(number, recipient="ani" if number % 4 else "citra")
        await post.advance(0.5)
    await post.advance(120)
    for number in range(1, 41):
        assert sum(f"text {number}.1\n" in message.text for message in box.accepted) == 1
    for place, began_s in enumerate(at_s):
        assert sum(began_s <= s < began_s + 60 for s in at_s[place:]) <= 3
    assert {row.status for row in post.ledger.outbox()} == {SENT}
    for message in box.accepted:
        assert {"ani", "citra"} - {message.recipient}, "never two people in one message"
    await post.close()


async def test_a_merged_message_is_never_longer_than_the_channel_allows() -> None:
    post = await limited(1, most_characters=200).open()
    post.boxes["chat"].hold()
    for number in range(1, 21):
        post.queue(number, text="x" * 40 + f"{number:02}")
    await post.advance()
    post.boxes["chat"].release()
    await post.advance(3600)
    arrived = post.boxes["chat"].accepted
    assert max(len(message.text) for message in arrived) <= 200
    assert sum(message.text.count("x" * 40) for message in arrived) == 20
    assert len(arrived) < 20
    await post.close()


async def test_of_merged_messages_only_the_refused_part_is_dead() -> None:
    post = await limited(2).open()
    box = post.boxes["chat"]
    box.answer = lambda m: Rejected("HTTP 400") if "text 4.1" in m.text else Delivered()
    for number in range(1, 7):
        post.queue(number, recipient="citra")
    await post.advance(1200)
    assert {text for row in post.texts() for text in row.split("\n\n")} >= {"text 3.1"}
    statuses = {row.incident: row.status for row in post.ledger.outbox()}
    assert statuses == {n: DEAD if n == 4 else SENT for n in range(1, 7)}
    await post.close()


class Broken(MemoryChannel):
    """Raises what no channel should, with a secret in it."""

    async def send(self, message: Notification) -> Delivery:
        self.tried.append(message)
        if len(self.tried) < 3:
            raise RuntimeError("https://user:KANARI@example.net refused")
        self.accepted.append(message)
        return Delivered()


async def test_an_exception_of_a_channel_is_counted_retried_and_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Broken()
    post = await DispatcherRig(channels={"chat": broken, "mail": MemoryChannel()}).open()
    with caplog.at_level(logging.DEBUG):
        post.queue()
        await post.advance(60)
    assert len(broken.accepted) == 1
    assert post.dispatcher.states["chat"].faults == 2
    assert "RuntimeError" in caplog.text
    assert "KANARI" not in caplog.text
    assert "KANARI" not in repr(post.ledger.outbox())
    await post.close()


async def test_an_accepted_message_is_not_sent_again_while_the_ledger_cannot_be_written(
    post: DispatcherRig,
) -> None:
    box = post.boxes["chat"]

    def accept_and_fill_the_disk(_: Notification) -> Delivery:
        post.ledger.trouble = LedgerError("the disk is full")
        return Delivered()

    box.answer = accept_and_fill_the_disk
    post.queue()
    await post.advance(300)
    post.ledger.trouble = None
    assert post.statuses() == [("chat", LEASED)]
    await post.advance(10)
    assert post.statuses() == [("chat", SENT)]
    assert len(box.tried) == 1


async def test_workers_wait_while_the_ledger_cannot_be_read(
    post: DispatcherRig, caplog: pytest.LogCaptureFixture
) -> None:
    post.queue()
    post.ledger.trouble = LedgerError("the disk is full")
    await post.advance(60)
    said = [r.getMessage() for r in caplog.records if "waits for the ledger" in r.getMessage()]
    assert len(said) == len(post.boxes), "once for each channel"
    assert post.boxes["chat"].tried == []
    assert post.dispatcher.workers_alive()
    post.ledger.trouble = None
    await post.advance(5)
    assert post.texts() == ["text 1.1"]


class CountingLedger(MemoryLedger):
    """Counts the leases."""

    leases = 0

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        self.leases += 1
        return super().lease(channel, now_s, lease_s, limit)


async def test_an_idle_dispatcher_reads_the_outbox_seldom() -> None:
    ledger = CountingLedger()
    post = await DispatcherRig(ledger=ledger).open()
    post.queue()
    await post.advance(600)
    assert ledger.leases <= 3 * (600 / 10 + 2) + 1
    await post.close()


async def test_a_row_that_cannot_be_decoded_is_dead_and_delays_nothing(post: DispatcherRig) -> None:
    post.ledger.record([], [OutboxRow(1, 1, "chat", "citra", EventKind.OPENED, "{", post.utc_s())])
    post.queue(2)
    await post.advance(10)
    assert [status for _, status in post.statuses()] == [DEAD, SENT]


async def test_a_lease_of_a_killed_daemon_expires() -> None:
    post = DispatcherRig()
    body = '{"title": "t", "text": "x", "incidents": []}'
    row = OutboxRow(1, 1, "chat", "ani", EventKind.OPENED, body, post.utc_s())
    post.ledger.record([], [row])
    post.ledger.lease("chat", post.utc_s(), 60.0, 10)
    await post.open()
    await post.advance(59)
    assert post.texts() == []
    await post.advance(12)
    assert post.texts() == ["x"]
    await post.close()


async def test_a_clock_set_back_by_a_day_delays_no_message(post: DispatcherRig) -> None:
    box = post.boxes["chat"]
    box.answer = in_turn(RetryLater("HTTP 503"), Delivered())
    post.queue()
    await post.advance(1)
    post.clock.step_wall(-86_400)
    post.clock.step_s()
    post.queue(2)
    await post.advance(20)
    assert sorted(post.texts()) == ["text 1.1", "text 2.1"]


async def test_after_a_reload_the_new_channel_is_used_and_the_old_one_finishes_first(
    post: DispatcherRig,
) -> None:
    old, new = post.boxes["chat"], MemoryChannel()
    old.hold()
    post.queue()
    await post.advance(1)
    post.queue(2)
    post.dispatcher.reconfigure({**post.boxes, "chat": new})
    await post.advance(1)
    assert new.tried == []
    assert not old.closed
    old.release()
    await post.advance(20)
    assert [m.incident for m in old.accepted] == [{"id": 1}]
    assert [m.incident for m in new.accepted] == [{"id": 2}]
    assert old.closed
    assert not new.closed


async def test_rows_of_a_removed_channel_go_to_the_next_channel(post: DispatcherRig) -> None:
    post.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    post.queue()
    await post.advance(1)
    without = replace(
        ALERTS,
        channels=ALERTS.channels[1:],
        people=(replace(ALERTS.people[0], channels=("mail",)), *ALERTS.people[1:]),
    )
    post.alerting_state.reconfigure(without, NET, post.alerting_state.zone)
    post.dispatcher.reconfigure({name: post.boxes[name] for name in ("mail", "hook")})
    await post.advance(60)
    post.dispatcher.reconfigure({name: post.boxes[name] for name in ("mail", "hook")})
    await post.advance(60)
    assert post.texts("mail") == ["text 1.1"]
    assert post.statuses() == [("chat", DEAD), ("mail", SENT)]


async def test_at_shutdown_sends_in_progress_finish_and_every_channel_is_closed() -> None:
    post = await DispatcherRig().open()
    box = post.boxes["chat"]
    box.hold()
    post.queue()
    post.queue(2)
    await post.advance(1)
    post.running.cancel()
    await post.advance(1)
    box.release()
    await asyncio.wait({post.running})
    assert [row.status for row in post.ledger.outbox()] == [SENT, PENDING]
    assert all(each.closed for each in post.boxes.values())


async def test_a_channel_that_fails_for_five_minutes_is_a_warning(post: DispatcherRig) -> None:
    post.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    post.queue()
    await post.advance(290)
    assert [each.text for each in post.dispatcher.warnings()] == []
    await post.advance(310)
    assert [each.text for each in post.dispatcher.warnings()] == [
        "channel chat: nothing can be sent for 10 min (HTTP 503)"
    ]
    assert post.dispatcher.has_working_channel(), "the others may work"
    post.boxes["chat"].answer = None
    await post.advance(400)
    assert [each.text for each in post.dispatcher.warnings()] == []


async def test_no_working_channel_is_noticed_after_five_minutes(post: DispatcherRig) -> None:
    assert post.dispatcher.has_working_channel()
    for name, box in post.boxes.items():
        box.answer = always(RetryLater("network is unreachable"))
        post.queue(channel=name, recipient=f"channel:{name}")
    await post.advance(290)
    assert post.dispatcher.has_working_channel()
    await post.advance(30)
    assert not post.dispatcher.has_working_channel()
    post.boxes["mail"].answer = None
    await post.advance(400)
    assert post.dispatcher.has_working_channel()


async def test_a_stuck_worker_is_noticed(post: DispatcherRig) -> None:
    await post.advance(600)
    assert post.dispatcher.workers_alive()
    post.boxes["chat"].hold()
    post.queue()
    await post.advance(119)
    assert post.dispatcher.workers_alive()
    await post.advance(2)
    assert not post.dispatcher.workers_alive()
    post.boxes["chat"].release()
    await post.advance(11)
    assert post.dispatcher.workers_alive()


async def test_the_wait_of_the_oldest_message_is_known(post: DispatcherRig) -> None:
    async def oldest_due_s() -> float | None:
        post.dispatcher.reconfigure(post.boxes)
        await post.advance()
        return post.dispatcher.oldest_due_s

    assert await oldest_due_s() == 0.0
    post.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    post.queue()
    await post.advance(200)
    assert await oldest_due_s() == pytest.approx(200.0, abs=0.1), (
        "since the first try, not the last"
    )
    post.ledger.trouble = LedgerError("the disk is full")
    assert await oldest_due_s() is None
    post.ledger.trouble = None
    post.boxes["chat"].answer = None
    await post.advance(400)
    assert await oldest_due_s() == 0.0
