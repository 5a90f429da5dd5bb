"""The dispatcher sends outbox rows in order and once; no channel delays another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
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
from monitor.core.alerting.self_checks import CheckKey, SelfCheck
from monitor.core.errors import LedgerError
from tests.core.alerting.scenario import ALERTS, NET
from tests.dispatcher_rig import DispatcherRig
from tests.fakes.channel import MemoryChannel
from tests.fakes.ledger import MemoryLedger

PENDING, LEASED = OutboxStatus.PENDING, OutboxStatus.LEASED
SENT, DEAD = OutboxStatus.SENT, OutboxStatus.DEAD
RESOLVED = EventKind.RESOLVED


Start = Callable[[DispatcherRig], Awaitable[DispatcherRig]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Opens a rig and closes it after the test."""
    started: list[DispatcherRig] = []

    async def open_rig(rig: DispatcherRig) -> DispatcherRig:
        started.append(rig)
        return await rig.open()

    yield open_rig
    for rig in started:
        await rig.close()


@pytest.fixture
async def rig(start: Start) -> DispatcherRig:
    return await start(DispatcherRig())


def always(delivery: Delivery) -> Callable[[Notification], Delivery]:
    return lambda _: delivery


def in_turn(*deliveries: Delivery) -> Callable[[Notification], Delivery]:
    """One after the other; the last one repeats."""
    left = list(deliveries)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def noting(
    at_s: list[float], rig: DispatcherRig, delivery: Delivery
) -> Callable[[Notification], Delivery]:
    """Always this delivery; notes when."""

    def answer(_: Notification) -> Delivery:
        at_s.append(rig.elapsed_s())
        return delivery

    return answer


async def test_a_message_is_sent_at_once_with_key_and_code_and_marked(
    rig: DispatcherRig,
) -> None:
    rig.queue()
    await rig.advance()
    (message,) = rig.boxes["chat"].accepted
    assert message.key == idempotency_key("", 1, 1, "chat", "ani")
    assert message.text == f"text 1.1\n#{message.key[:8]}"
    assert message.incident == {"id": 1}
    (row,) = rig.ledger.outbox()
    assert (row.status, row.sent_s, row.attempts) == (SENT, rig.utc_s(), 1)


async def test_rows_of_before_the_start_are_sent(start: Start) -> None:
    rig = DispatcherRig()
    body = '{"title": "t", "text": "x", "incidents": []}'
    row = OutboxRow(1, 1, "chat", "ani", EventKind.OPENED, body, rig.utc_s())
    rig.ledger.record([], [row])
    await start(rig)
    assert rig.texts() == ["x"]


async def test_a_failing_channel_is_retried_with_back_off_and_the_same_key(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    at_s: list[float] = []
    box.answer = noting(at_s, rig, RetryLater("HTTP 503"))
    rig.queue()
    await rig.advance(1000)
    waits = [round(after - before) for before, after in pairwise(at_s)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert len({message.key for message in box.tried}) == 1
    (row,) = rig.ledger.outbox()
    assert (row.status, row.last_error, row.attempts) == (PENDING, "HTTP 503", 9)
    box.answer = None
    await rig.advance(301)
    assert rig.texts() == ["text 1.1"]


async def test_the_first_success_releases_everything_that_waits_for_the_channel(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = lambda _: RetryLater("HTTP 503")
    for number in range(1, 6):
        rig.queue(number)
        rig.queue(number, EventKind.REMINDER, sequence=2)
    await rig.advance(310)
    box.answer = None
    rig.queue(6)
    await rig.advance(0)
    assert rig.texts()[0] == "text 6.1"
    assert sorted(rig.texts()[1:]) == [f"text {n}.{k}" for n in range(1, 6) for k in (1, 2)]
    for number in range(1, 6):
        assert rig.texts().index(f"text {number}.1") < rig.texts().index(f"text {number}.2")


async def test_openings_do_not_wait_behind_a_backlog_of_reminders(start: Start) -> None:
    rig = await start(limited(1, most_characters=200))
    rig.queue(1)
    await rig.advance(1)
    for number in range(2, 40):
        rig.queue(number, EventKind.REMINDER, text="x" * 100)
    rig.queue(40)
    await rig.advance(61)
    assert rig.texts()[1].startswith("text 40.1")


async def test_after_a_restart_too_the_first_success_releases_what_waits(start: Start) -> None:
    rig = DispatcherRig()
    body = '{"title": "t", "text": "x", "incidents": []}'
    rows = [
        OutboxRow(n, 1, "chat", "ani", EventKind.OPENED, body, rig.utc_s() + later_s)
        for n, later_s in ((1, 290.0), (2, 300.0), (3, 0.0))
    ]
    rig.ledger.record([], rows)
    await start(rig)
    assert rig.texts() == ["x", "x", "x"]


async def test_a_message_that_alone_fails_is_not_tried_after_every_success(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = lambda m: RetryLater("HTTP 500") if "text 1." in m.text else Delivered()
    rig.queue(1)
    for number in range(2, 62):
        rig.queue(number)
        await rig.advance(10)
    assert len(box.accepted) == 60
    assert sum("text 1." in message.text for message in box.tried) <= 12


async def test_of_what_waits_for_a_failing_channel_one_is_tried_at_a_time(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = lambda _: RetryLater("HTTP 503")
    rig.queue(1)
    await rig.advance(1)
    box.hold()
    for number in range(2, 12):
        rig.queue(number)
    await rig.advance(1)
    leased = [row for row in rig.ledger.outbox() if row.status is OutboxStatus.LEASED]
    assert len(leased) == 1
    box.release()


async def test_a_burst_delays_later_messages_by_seconds_not_by_a_minute(start: Start) -> None:
    rig = await start(limited(20))
    at_s: list[float] = []
    rig.boxes["chat"].answer = noting(at_s, rig, Delivered())
    for number in range(1, 81):
        rig.queue(number)
        await rig.advance(0.75)
    await rig.advance(60)
    assert max(after - before for before, after in pairwise(at_s)) <= 5.1
    for place, began_s in enumerate(at_s):
        assert sum(began_s <= s < began_s + 60 for s in at_s[place:]) <= 20
    texts = "\n".join(rig.texts())
    assert all(f"text {number}.1" in texts for number in range(1, 81))


@pytest.mark.parametrize(("luck", "first_s"), [(0.0, 4.0), (1.0, 6.0)])
async def test_retry_delays_are_spread_at_random(start: Start, luck: float, first_s: float) -> None:
    rig = await start(DispatcherRig(chance=luck))
    rig.boxes["chat"].answer = in_turn(RetryLater("HTTP 503"), Delivered())
    rig.queue()
    await rig.advance(first_s - 0.1)
    assert rig.texts() == []
    await rig.advance(0.2)
    assert rig.texts() == ["text 1.1"]


async def test_a_requested_pause_holds_all_messages_of_the_channel(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = in_turn(RetryLater("HTTP 429", after_s=42.0), Delivered())
    rig.queue()
    await rig.advance(1)
    rig.queue(2)
    await rig.advance(40)
    assert len(box.tried) == 1
    await rig.advance(2)
    assert rig.texts() == ["text 1.1", "text 2.1"]


async def test_a_requested_pause_is_limited_to_five_minutes(rig: DispatcherRig) -> None:
    rig.boxes["chat"].answer = in_turn(RetryLater("HTTP 429", after_s=86_400.0), Delivered())
    rig.queue()
    await rig.advance(299)
    assert rig.texts() == []
    await rig.advance(2)
    assert rig.texts() == ["text 1.1"]


async def test_a_refused_message_goes_to_the_next_channel_at_once(rig: DispatcherRig) -> None:
    rig.boxes["chat"].answer = always(Rejected("HTTP 403"))
    rig.queue()
    await rig.advance()
    await rig.advance(10)
    assert rig.texts("mail") == ["text 1.1"]
    assert rig.boxes["mail"].keys == [idempotency_key("", 1, 1, "mail", "ani")]
    assert rig.statuses() == [("chat", DEAD), ("mail", SENT)]
    assert rig.ledger.outbox(DEAD)[0].last_error == "HTTP 403"


async def test_a_message_that_every_channel_refuses_is_a_warning(rig: DispatcherRig) -> None:
    for box in rig.boxes.values():
        box.answer = always(Rejected("HTTP 403"))
    rig.queue()
    await rig.advance(20)
    assert rig.statuses() == [("chat", DEAD), ("mail", DEAD)]
    rig.dispatcher.reconfigure(rig.boxes)
    await rig.advance()
    assert [each.text for each in rig.dispatcher.warnings()] == [
        "2 messages could not be delivered: see `pantau outbox --dead`"
    ]


async def test_the_fallback_of_a_channel_is_tried_after_it(start: Start) -> None:
    channels = (
        replace(ALERTS.channels[0], fallback=("hook",)),
        *ALERTS.channels[1:],
    )
    rig = await start(DispatcherRig(replace(ALERTS, channels=channels)))
    rig.boxes["chat"].answer = always(Rejected("HTTP 401"))
    rig.queue(recipient="channel:chat")
    await rig.advance(20)
    assert rig.texts("hook") == ["text 1.1"]


async def test_a_message_that_fails_for_a_day_is_dead_and_goes_to_the_next_channel(
    rig: DispatcherRig,
) -> None:
    rig.boxes["chat"].answer = always(RetryLater("no route to host"))
    first_try_s = rig.utc_s() - 86_400 + 300
    body = '{"title": "t", "text": "x", "incidents": []}'
    row = OutboxRow(
        *(1, 1, "chat", "ani", EventKind.OPENED, body, rig.utc_s()),
        attempts=9,
        first_try_s=first_try_s,
    )
    rig.ledger.record([], [row])
    rig.dispatcher.wake()
    await rig.advance(290)
    assert rig.statuses() == [("chat", PENDING)]
    await rig.advance(700)
    assert rig.statuses() == [("chat", DEAD), ("mail", SENT)]


async def test_a_slow_channel_delays_no_other(rig: DispatcherRig) -> None:
    rig.boxes["chat"].hold()
    for number in range(1, 6):
        rig.queue(number)
        rig.queue(number, channel="mail", recipient="budi")
    await rig.advance(1)
    assert rig.texts("mail") == [f"text {n}.1" for n in range(1, 6)]
    assert [row.sent_s for row in rig.ledger.outbox(SENT)] == [rig.utc_s() - 1] * 5
    assert len(rig.boxes["chat"].tried) == 1
    rig.boxes["chat"].release()
    await rig.advance(1)
    assert rig.texts("chat") == [f"text {n}.1" for n in range(1, 6)]


async def test_a_dead_channel_delays_no_other(rig: DispatcherRig) -> None:
    rig.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    for number in range(1, 30):
        rig.queue(number)
        rig.queue(number, channel="mail", recipient="budi")
        await rig.advance(1)
    delays_s = [
        row.sent_s - row.next_try_s for row in rig.ledger.outbox(SENT) if row.sent_s is not None
    ]
    assert len(delays_s) == 29
    assert max(delays_s) < 5


async def test_the_closing_of_an_incident_never_overtakes_its_opening(rig: DispatcherRig) -> None:
    box = rig.boxes["chat"]
    box.hold()
    rig.queue(recipient="ani")
    await rig.advance()
    rig.queue(event=RESOLVED, sequence=2, recipient="ani")
    rig.queue(2)
    await rig.advance(1)
    box.release()
    await rig.advance(1)
    assert rig.texts() == ["text 1.1", "text 2.1", "text 1.2"]


async def test_an_opening_that_was_not_sent_yet_is_merged_with_its_closing(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = always(RetryLater("network is unreachable"))
    rig.queue()
    await rig.advance(200)
    box.answer = None
    rig.queue(event=RESOLVED, sequence=2)
    await rig.advance()
    assert rig.texts() == ["text 1.2"]
    opening, closing = rig.ledger.outbox()
    assert (opening.status, opening.merged_into) == (SENT, closing.id)


def limited(per_minute: int, most_characters: int = 4000) -> DispatcherRig:
    first = replace(ALERTS.channels[0], per_minute=per_minute, most_characters=most_characters)
    return DispatcherRig(replace(ALERTS, channels=(first, *ALERTS.channels[1:])))


async def test_messages_above_the_rate_limit_are_merged_and_none_is_dropped(start: Start) -> None:
    rig = await start(limited(3))
    at_s: list[float] = []
    box = rig.boxes["chat"]
    box.answer = noting(at_s, rig, Delivered())
    for number in range(1, 41):
        rig.queue(number, recipient="ani" if number % 4 else "citra")
        await rig.advance(0.5)
    await rig.advance(120)
    for number in range(1, 41):
        assert sum(f"text {number}.1\n" in message.text for message in box.accepted) == 1
    for place, began_s in enumerate(at_s):
        assert sum(began_s <= s < began_s + 60 for s in at_s[place:]) <= 3
    assert {row.status for row in rig.ledger.outbox()} == {SENT}
    for message in box.accepted:
        assert {"ani", "citra"} - {message.recipient}, "never two people in one message"


async def test_a_merged_message_is_never_longer_than_the_channel_allows(start: Start) -> None:
    rig = await start(limited(1, most_characters=200))
    rig.boxes["chat"].hold()
    for number in range(1, 21):
        rig.queue(number, text="x" * 40 + f"{number:02}")
    await rig.advance()
    rig.boxes["chat"].release()
    await rig.advance(3600)
    arrived = rig.boxes["chat"].accepted
    assert max(len(message.text) for message in arrived) <= 200
    assert sum(message.text.count("x" * 40) for message in arrived) == 20
    assert len(arrived) < 20


async def test_of_merged_messages_only_the_refused_part_is_dead(start: Start) -> None:
    rig = await start(limited(2))
    box = rig.boxes["chat"]
    box.answer = lambda m: Rejected("HTTP 400") if "text 4.1" in m.text else Delivered()
    for number in range(1, 7):
        rig.queue(number, recipient="citra")
    await rig.advance(1200)
    assert {text for row in rig.texts() for text in row.split("\n\n")} >= {"text 3.1"}
    statuses = {row.incident: row.status for row in rig.ledger.outbox()}
    assert statuses == {n: DEAD if n == 4 else SENT for n in range(1, 7)}


class Broken(MemoryChannel):
    """Raises what no channel should, with a secret in it."""

    async def send(self, message: Notification) -> Delivery:
        self.tried.append(message)
        if len(self.tried) < 3:
            raise RuntimeError("https://user:KANARI@example.net refused")
        self.accepted.append(message)
        return Delivered()


async def test_an_exception_of_a_channel_is_counted_retried_and_logged_without_its_text(
    start: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Broken()
    rig = await start(DispatcherRig(channels={"chat": broken, "mail": MemoryChannel()}))
    with caplog.at_level(logging.DEBUG):
        rig.queue()
        await rig.advance(60)
    assert len(broken.accepted) == 1
    assert rig.dispatcher.states["chat"].faults == 2
    assert "RuntimeError" in caplog.text
    assert "KANARI" not in caplog.text
    assert "KANARI" not in repr(rig.ledger.outbox())


async def test_an_accepted_message_is_not_sent_again_while_the_ledger_cannot_be_written(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]

    def accept_and_fill_the_disk(_: Notification) -> Delivery:
        rig.ledger.trouble = LedgerError("the disk is full")
        return Delivered()

    box.answer = accept_and_fill_the_disk
    rig.queue()
    await rig.advance(300)
    rig.ledger.trouble = None
    assert rig.statuses() == [("chat", LEASED)]
    await rig.advance(10)
    assert rig.statuses() == [("chat", SENT)]
    assert len(box.tried) == 1


async def test_a_ledger_that_cannot_be_used_is_logged_once_a_channel_and_stored_rows_wait(
    rig: DispatcherRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.queue()
    rig.ledger.trouble = LedgerError("the disk is full")
    await rig.advance(60)
    said = [r.getMessage() for r in caplog.records if "without the ledger" in r.getMessage()]
    assert len(said) == len(rig.boxes), "once for each channel"
    assert rig.boxes["chat"].tried == [], "what can be neither leased nor read is not known"
    assert rig.dispatcher.workers_alive()
    rig.ledger.trouble = None
    await rig.advance(5)
    assert rig.texts() == ["text 1.1"]


class CountingLedger(MemoryLedger):
    """Counts the leases."""

    leases = 0

    def lease(self, channel: str, now_s: float, lease_s: float, limit: int) -> list[DeliveryBatch]:
        self.leases += 1
        return super().lease(channel, now_s, lease_s, limit)


async def test_an_idle_dispatcher_reads_the_outbox_seldom(start: Start) -> None:
    ledger = CountingLedger()
    rig = await start(DispatcherRig(ledger=ledger))
    rig.queue()
    await rig.advance(600)
    assert ledger.leases <= 3 * (600 / 10 + 2) + 1


async def test_a_row_that_cannot_be_decoded_is_dead_and_delays_nothing(rig: DispatcherRig) -> None:
    rig.ledger.record([], [OutboxRow(1, 1, "chat", "citra", EventKind.OPENED, "{", rig.utc_s())])
    rig.queue(2)
    await rig.advance(10)
    assert [status for _, status in rig.statuses()] == [DEAD, SENT]


async def test_a_lease_of_a_killed_daemon_expires(start: Start) -> None:
    rig = DispatcherRig()
    body = '{"title": "t", "text": "x", "incidents": []}'
    row = OutboxRow(1, 1, "chat", "ani", EventKind.OPENED, body, rig.utc_s())
    rig.ledger.record([], [row])
    rig.ledger.lease("chat", rig.utc_s(), 60.0, 10)
    await start(rig)
    await rig.advance(59)
    assert rig.texts() == []
    await rig.advance(12)
    assert rig.texts() == ["x"]


async def test_a_clock_set_back_by_a_day_delays_no_message(rig: DispatcherRig) -> None:
    box = rig.boxes["chat"]
    box.answer = in_turn(RetryLater("HTTP 503"), Delivered())
    rig.queue()
    await rig.advance(1)
    rig.clock.step_wall(-86_400)
    rig.clock.step_s()
    rig.queue(2)
    await rig.advance(20)
    assert sorted(rig.texts()) == ["text 1.1", "text 2.1"]


async def test_after_a_reload_the_new_channel_is_used_and_the_old_one_finishes_first(
    rig: DispatcherRig,
) -> None:
    old, new = rig.boxes["chat"], MemoryChannel()
    old.hold()
    rig.queue()
    await rig.advance(1)
    rig.queue(2)
    rig.dispatcher.reconfigure({**rig.boxes, "chat": new})
    await rig.advance(1)
    assert new.tried == []
    assert not old.closed
    old.release()
    await rig.advance(20)
    assert [m.incident for m in old.accepted] == [{"id": 1}]
    assert [m.incident for m in new.accepted] == [{"id": 2}]
    assert old.closed
    assert not new.closed


async def test_rows_of_a_removed_channel_go_to_the_next_channel(rig: DispatcherRig) -> None:
    rig.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    rig.queue()
    await rig.advance(1)
    without = replace(
        ALERTS,
        channels=ALERTS.channels[1:],
        people=(replace(ALERTS.people[0], channels=("mail",)), *ALERTS.people[1:]),
    )
    rig.alerting_state.reconfigure(without, NET, rig.alerting_state.zone)
    rig.dispatcher.reconfigure({name: rig.boxes[name] for name in ("mail", "hook")})
    await rig.advance(60)
    rig.dispatcher.reconfigure({name: rig.boxes[name] for name in ("mail", "hook")})
    await rig.advance(60)
    assert rig.texts("mail") == ["text 1.1"]
    assert rig.statuses() == [("chat", DEAD), ("mail", SENT)]


async def test_at_shutdown_sends_in_progress_finish_and_every_channel_is_closed(
    start: Start,
) -> None:
    rig = await start(DispatcherRig())
    box = rig.boxes["chat"]
    box.hold()
    rig.queue()
    rig.queue(2)
    await rig.advance(1)
    rig.running.cancel()
    await rig.advance(1)
    box.release()
    await asyncio.wait({rig.running})
    assert [row.status for row in rig.ledger.outbox()] == [SENT, PENDING]
    assert all(each.closed for each in rig.boxes.values())


async def test_a_channel_that_fails_for_five_minutes_is_a_warning(rig: DispatcherRig) -> None:
    rig.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    rig.queue()
    await rig.advance(290)
    assert [each.text for each in rig.dispatcher.warnings()] == []
    await rig.advance(310)
    assert [each.text for each in rig.dispatcher.warnings()] == [
        "channel chat: nothing can be sent for 10 min (HTTP 503)"
    ]
    assert rig.dispatcher.has_working_channel(), "the others may work"
    rig.boxes["chat"].answer = None
    await rig.advance(400)
    assert [each.text for each in rig.dispatcher.warnings()] == []


async def test_no_working_channel_is_noticed_after_five_minutes(rig: DispatcherRig) -> None:
    assert rig.dispatcher.has_working_channel()
    for name, box in rig.boxes.items():
        box.answer = always(RetryLater("network is unreachable"))
        rig.queue(channel=name, recipient=f"channel:{name}")
    await rig.advance(290)
    assert rig.dispatcher.has_working_channel()
    await rig.advance(30)
    assert not rig.dispatcher.has_working_channel()
    rig.boxes["mail"].answer = None
    await rig.advance(400)
    assert rig.dispatcher.has_working_channel()


async def test_a_stuck_worker_is_noticed(rig: DispatcherRig) -> None:
    await rig.advance(600)
    assert rig.dispatcher.workers_alive()
    rig.boxes["chat"].hold()
    rig.queue()
    await rig.advance(119)
    assert rig.dispatcher.workers_alive()
    await rig.advance(2)
    assert not rig.dispatcher.workers_alive()
    rig.boxes["chat"].release()
    await rig.advance(11)
    assert rig.dispatcher.workers_alive()


async def test_the_wait_of_the_oldest_message_is_known(rig: DispatcherRig) -> None:
    async def oldest_due_s() -> float | None:
        rig.dispatcher.reconfigure(rig.boxes)
        await rig.advance()
        return rig.dispatcher.oldest_due_s

    assert await oldest_due_s() == 0.0
    rig.boxes["chat"].answer = always(RetryLater("HTTP 503"))
    rig.queue()
    await rig.advance(200)
    assert await oldest_due_s() == pytest.approx(200.0, abs=0.1), (
        "since the first try, not the last"
    )
    rig.ledger.trouble = LedgerError("the disk is full")
    assert await oldest_due_s() is None
    rig.ledger.trouble = None
    rig.boxes["chat"].answer = None
    await rig.advance(400)
    assert await oldest_due_s() == 0.0


async def test_a_channel_is_dead_after_ten_minutes_until_something_goes_through(
    rig: DispatcherRig,
) -> None:
    box = rig.boxes["chat"]
    box.answer = always(RetryLater("HTTP 503"))
    rig.queue()
    await rig.advance(590)
    assert rig.dispatcher.failures(()) == []
    await rig.advance(20)
    [failure] = rig.dispatcher.failures(())
    assert (failure.subject, failure.why) == ("chat", "HTTP 503")
    box.answer = None
    await rig.advance(400)
    assert rig.dispatcher.failures([failure.key]) == []


async def test_after_a_restart_a_dead_channel_stays_so_until_something_goes_through(
    rig: DispatcherRig,
) -> None:
    key = CheckKey(SelfCheck.CHANNEL, "chat")
    assert [each.subject for each in rig.dispatcher.failures([key])] == ["chat"]
    rig.queue()
    await rig.advance()
    assert rig.dispatcher.failures([key]) == []
