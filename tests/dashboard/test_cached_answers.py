"""Answers are queried once for all pages and cached for a limited time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dashboard.reads.kept import Kept
from tests.waiting import eventually


class CountingSource:
    """A manual clock and a query that counts its calls."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.asked = 0
        self.hold: Callable[[], object] | None = None

    def clock(self) -> float:
        return self.now_s

    def make(self) -> int:
        self.asked += 1
        if self.hold is not None:
            self.hold()
        return self.asked


def test_a_cached_answer_is_used_until_it_expires() -> None:
    hand = CountingSource()
    kept = Kept(hand.make, 0.5, hand.clock)
    assert [kept.get() for _ in range(5)] == [1] * 5
    hand.now_s += 0.49
    assert kept.get() == 1
    hand.now_s += 0.02
    assert kept.get() == 2


def test_a_failed_answer_is_not_cached() -> None:
    hand = CountingSource()
    kept = Kept(hand.make, 10, hand.clock)

    def fail() -> None:
        raise OSError("no")

    hand.hold = fail
    with pytest.raises(OSError, match="no"):
        kept.get()
    hand.hold = None
    assert kept.get() == 2


def test_during_a_query_others_get_the_last_answer_unless_it_is_old() -> None:
    hand = CountingSource()
    kept = Kept(hand.make, 1.0, hand.clock)
    kept.get()
    hand.now_s += 1.5
    asking, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        asking.set()
        go_on.wait(10)

    hand.hold = wait
    found: list[int] = []
    first = threading.Thread(target=lambda: found.append(kept.get()))
    first.start()
    assert asking.wait(10)
    assert kept.get() == 1, "young enough to go on with"
    hand.now_s += 1.0
    late = threading.Thread(target=lambda: found.append(kept.get()))
    late.start()
    eventually(late.is_alive)
    assert found == [], "too old: it waits"
    hand.hold = None
    go_on.set()
    first.join(10)
    late.join(10)
    assert found == [2, 2], "the same new answer serves both"
    assert hand.asked == 2
