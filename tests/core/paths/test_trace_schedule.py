"""Which path is traced when: outages first, one a second, a bounded queue, a day's spread."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from monitor.core.paths.trace_schedule import (
    BASELINE_PAUSE_S,
    FIRST_BASELINE_S,
    MAX_RUNNING,
    MAX_WAITING,
    REPEAT_S,
    TRY_AGAIN_S,
    DownTarget,
    TraceRequest,
    TraceSchedule,
)

DAY_S = 86_400.0
NOW_S = 1_764_000_000.0


def schedule(*targets: str, baselines_s: float | None = None) -> TraceSchedule:
    made = TraceSchedule()
    made.reconfigure(dict.fromkeys(targets, baselines_s), DAY_S, NOW_S)
    return made


def down(count: int, parents: int = 3) -> list[DownTarget]:
    return [
        DownTarget(n, f"link{n}", is_node=False, parents=(f"pop{n % parents}",))
        for n in range(1, count + 1)
    ]


def always(_: str) -> bool:
    return True


def names(count: int) -> list[str]:
    return [f"link{n}" for n in range(1, count + 1)]


def test_a_target_that_is_down_is_traced_once() -> None:
    traces = schedule("link1")
    assert traces.offer(down(1), NOW_S) == []
    request = traces.next_trace(NOW_S, always)
    assert request == TraceRequest("link1", 1)
    traces.finished(request, NOW_S + 4, usable=True)
    assert traces.offer(down(1), NOW_S) == []
    assert traces.next_trace(NOW_S + 5, always) is None


def test_a_trace_that_proves_nothing_is_made_again() -> None:
    traces = schedule("link1")
    traces.offer(down(1), NOW_S)
    request = traces.next_trace(NOW_S, always)
    assert request is not None
    traces.finished(request, NOW_S + 4, usable=False)
    traces.offer(down(1), NOW_S + 4 + REPEAT_S - 0.1)
    assert traces.next_trace(NOW_S + 5, always) is None
    traces.offer(down(1), NOW_S + 4 + REPEAT_S)
    assert traces.next_trace(NOW_S + 15, always) == request


def test_outages_come_before_usual_paths_and_nodes_before_links() -> None:
    traces = schedule("link1", "link2", "pop", "up")
    at_s = NOW_S + FIRST_BASELINE_S
    traces.offer([*down(2), DownTarget(9, "pop", is_node=True)], NOW_S)
    order = [traces.next_trace(at_s, always) for _ in range(4)]
    assert [request.incident for request in order if request] == [9, 1, 2, None]


def test_of_a_mass_outage_each_node_has_a_trace_before_a_second_one_behind_it() -> None:
    traces = schedule(*names(12))
    traces.offer([DownTarget(n, f"link{n}", False, (f"pop{n > 9}",)) for n in range(1, 13)], NOW_S)
    first = [traces.next_trace(NOW_S, always) for _ in range(4)]
    assert [request.incident for request in first if request] == [1, 10, 2, 11]


def test_more_than_fit_in_the_queue_are_skipped_and_named_once() -> None:
    traces = schedule(*names(300))
    skipped = traces.offer(down(300), NOW_S)
    assert (len(skipped), traces.waiting) == (300 - MAX_WAITING, MAX_WAITING)
    assert traces.offer(down(300), NOW_S) == []
    behind = Counter(each.parents for each in down(300) if each not in skipped)
    assert set(behind.values()) == {MAX_WAITING // 3}


def test_at_most_so_many_traces_are_under_way() -> None:
    traces = schedule(*names(50))
    traces.offer(down(50), NOW_S)
    begun = [traces.next_trace(NOW_S, always) for _ in range(30)]
    assert sum(request is not None for request in begun) == traces.running == MAX_RUNNING
    assert begun[0] is not None
    traces.finished(begun[0], NOW_S, usable=True)
    assert traces.next_trace(NOW_S, always) is not None


def test_a_target_that_is_up_again_leaves_the_queue() -> None:
    traces = schedule(*names(3))
    traces.offer(down(3), NOW_S)
    traces.offer(down(1), NOW_S)
    assert traces.waiting == 1


def test_the_first_usual_paths_come_soon_but_slowly() -> None:
    traces = schedule(*names(40))
    begun: list[float] = []
    for second in range(400):
        request = traces.next_trace(NOW_S + second, always)
        if request is not None:
            begun.append(second)
            traces.finished(request, NOW_S + second, usable=True)
    assert begun[0] == FIRST_BASELINE_S
    assert len(begun) == 40
    assert min(b - a for a, b in pairwise(begun)) == BASELINE_PAUSE_S


def test_daily_usual_paths_are_spread_over_the_day() -> None:
    traces = schedule(*names(200), baselines_s=NOW_S)
    begun: list[float] = []
    for second in range(0, int(DAY_S) + 60, 2):
        request = traces.next_trace(NOW_S + second, always)
        if request is not None:
            begun.append(second)
            traces.finished(request, NOW_S + second, usable=True)
    by_hour = Counter(int(second // 3600) for second in begun)
    assert 200 <= len(begun) <= 202
    assert len(by_hour) == 24
    assert max(by_hour.values()) < 25


def test_a_target_that_is_not_up_is_looked_at_again_later() -> None:
    traces = schedule("link1")
    at_s = NOW_S + FIRST_BASELINE_S
    assert traces.next_trace(at_s, lambda _: False) is None
    assert traces.next_trace(at_s + TRY_AGAIN_S - 1, always) is None
    assert traces.next_trace(at_s + TRY_AGAIN_S, always) == TraceRequest("link1")


def test_a_usual_path_can_be_asked_for_at_a_time() -> None:
    traces = schedule("link1", baselines_s=NOW_S)
    traces.set_due("link1", NOW_S + 60)
    assert traces.next_trace(NOW_S + 59, always) is None
    request = traces.next_trace(NOW_S + 60, always)
    assert request == TraceRequest("link1")
    traces.finished(request, NOW_S + 60, usable=True)
    due = [s for s in range(61, int(DAY_S) + 61) if traces.next_trace(NOW_S + s, always)]
    assert len(due) == 1


@pytest.mark.parametrize("incident", [None, 1])
def test_a_target_that_left_is_not_traced(incident: int | None) -> None:
    traces = schedule("link1", "link2")
    traces.offer(down(1), NOW_S)
    traces.reconfigure({"link2": NOW_S}, DAY_S, NOW_S)
    traces.offer(down(1), NOW_S)
    assert traces.next_trace(NOW_S + FIRST_BASELINE_S, lambda name: name == "link1") is None


def test_a_wall_clock_that_is_set_back_holds_up_no_trace() -> None:
    traces = schedule("link1", "link2")
    traces.offer(down(1), NOW_S)
    request = traces.next_trace(NOW_S, always)
    assert request is not None
    traces.finished(request, NOW_S + 4, usable=False)
    back_s = NOW_S - DAY_S
    traces.offer(down(1), back_s)
    assert traces.next_trace(back_s, always) == request
    traces.set_due("link2", back_s)
    assert traces.next_trace(back_s, always) == TraceRequest("link2")
