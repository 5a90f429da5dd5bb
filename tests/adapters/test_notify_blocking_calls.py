"""A blocking call is abandoned at its time limit, and its late result still counts."""

from __future__ import annotations

import asyncio
import threading

from monitor.adapters.notify.blocking_calls import MAX_HANGING, BlockingCalls
from monitor.core.alerting.model import Delivered, Delivery, Rejected, RetryLater
from tests.waiting import eventually_async

BOUND_S = 0.1


class Gate:
    """A blocking call that waits until a test lets it through."""

    def __init__(self, delivery: Delivery) -> None:
        self.open = threading.Event()
        self.calls = 0
        self.over = 0
        self._delivery = delivery

    def work(self) -> Delivery:
        self.calls += 1
        self.open.wait(10)
        self.over += 1
        return self._delivery


async def test_a_call_within_the_limit_gives_its_result() -> None:
    calls = BlockingCalls("test")
    assert await calls.call("a", lambda: Rejected("no")) == Rejected("no")
    assert await calls.call("a", lambda: Delivered("1")) == Delivered("1")


async def test_a_message_accepted_late_is_not_sent_again() -> None:
    calls, gate = BlockingCalls("test", BOUND_S), Gate(Delivered("late"))
    assert await calls.call("a", gate.work) == RetryLater("no answer within 0.1 s")
    assert await calls.call("a", gate.work) == RetryLater("the try before is still on its way")
    gate.open.set()
    await eventually_async(lambda: gate.over == 1)
    assert await calls.call("a", gate.work) == Delivered("late")
    assert gate.calls == 1


async def test_a_message_that_failed_late_is_retried() -> None:
    calls, gate = BlockingCalls("test", BOUND_S), Gate(RetryLater("busy"))
    await calls.call("a", gate.work)
    gate.open.set()
    await eventually_async(lambda: gate.over == 1)
    assert await calls.call("a", lambda: Delivered("2")) == Delivered("2")


async def test_the_number_of_hanging_calls_is_limited() -> None:
    calls, gate = BlockingCalls("test", BOUND_S), Gate(Delivered())
    for number in range(MAX_HANGING):
        await calls.call(str(number), gate.work)
    result = await calls.call("more", gate.work)
    assert result == RetryLater(f"{MAX_HANGING} earlier tries have not come back")
    assert gate.calls == MAX_HANGING
    gate.open.set()
    await eventually_async(lambda: gate.over == MAX_HANGING)
    assert await calls.call("more", Delivered) == Delivered()


async def test_the_event_loop_runs_while_a_call_blocks() -> None:
    calls, gate = BlockingCalls("test", 5.0), Gate(Delivered())
    waiting = asyncio.create_task(calls.call("a", gate.work))
    await eventually_async(lambda: gate.calls == 1)
    gate.open.set()
    assert await waiting == Delivered()
