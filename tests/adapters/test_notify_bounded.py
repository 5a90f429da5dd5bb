"""A call that blocks is left at its bound, and what it came to is not forgotten."""

from __future__ import annotations

import asyncio
import threading

from monitor.adapters.notify.bounded import MOST_HANGING, BoundedCalls
from monitor.core.alerting.model import Accepted, Delivery, Refused, TryLater
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


async def test_a_call_that_comes_back_in_time_is_what_it_is() -> None:
    calls = BoundedCalls("test")
    assert await calls.call("a", lambda: Refused("no")) == Refused("no")
    assert await calls.call("a", lambda: Accepted("1")) == Accepted("1")


async def test_what_was_accepted_late_is_not_sent_again() -> None:
    calls, gate = BoundedCalls("test", BOUND_S), Gate(Accepted("late"))
    assert await calls.call("a", gate.work) == TryLater("no answer within 0.1 s")
    assert await calls.call("a", gate.work) == TryLater("the try before is still on its way")
    gate.open.set()
    await eventually_async(lambda: gate.over == 1)
    assert await calls.call("a", gate.work) == Accepted("late")
    assert gate.calls == 1


async def test_what_failed_late_is_tried_again() -> None:
    calls, gate = BoundedCalls("test", BOUND_S), Gate(TryLater("busy"))
    await calls.call("a", gate.work)
    gate.open.set()
    await eventually_async(lambda: gate.over == 1)
    assert await calls.call("a", lambda: Accepted("2")) == Accepted("2")


async def test_calls_that_hang_do_not_pile_up() -> None:
    calls, gate = BoundedCalls("test", BOUND_S), Gate(Accepted())
    for number in range(MOST_HANGING):
        await calls.call(str(number), gate.work)
    said = await calls.call("more", gate.work)
    assert said == TryLater(f"{MOST_HANGING} earlier tries have not come back")
    assert gate.calls == MOST_HANGING
    gate.open.set()
    await eventually_async(lambda: gate.over == MOST_HANGING)
    assert await calls.call("more", Accepted) == Accepted()


async def test_the_loop_goes_on_while_a_call_blocks() -> None:
    calls, gate = BoundedCalls("test", 5.0), Gate(Accepted())
    waiting = asyncio.create_task(calls.call("a", gate.work))
    await eventually_async(lambda: gate.calls == 1)
    gate.open.set()
    assert await waiting == Accepted()
