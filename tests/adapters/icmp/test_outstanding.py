"""Matching, deadlines, pacing and receive gaps: the parts of the prober that need no network."""

from __future__ import annotations

from itertools import pairwise

import pytest

from monitor.adapters.icmp.outstanding import (
    INDEXES,
    Destination,
    OutstandingRequest,
    OutstandingRequests,
    ProbeTotals,
)
from monitor.adapters.icmp.prober import MAX_CATCH_UP, SendPace
from monitor.adapters.icmp.receiver import ReceiveGaps
from monitor.core.model import ProbeRules, Target, TargetRole

ADDRESS = "10.77.0.1"


def destination(timeout_s: float = 1.0) -> Destination:
    target = Target("a/b", ADDRESS, TargetRole.LINK, ProbeRules(timeout_s=timeout_s))
    return Destination(target, ADDRESS, (ADDRESS, 0), None)


def test_a_round_is_spread_evenly_and_sent_in_portions_when_it_is_late() -> None:
    pace = SendPace(["x"] * 10, 100.0, 1.0)
    times_s = (0.0, 0.05, 0.1001, 0.55, 0.9001, 5.0)
    assert [pace.due_count(100.0 + s) for s in times_s] == [1, 1, 2, 6, 10, 10]
    pace = SendPace(["x"] * (MAX_CATCH_UP + 1), 100.0, 0.0)
    assert pace.due_count(100.0) == MAX_CATCH_UP
    pace.done = MAX_CATCH_UP
    assert pace.wait_s(100.0) == 0.0
    assert pace.due_count(100.0) == MAX_CATCH_UP + 1


def test_a_round_waits_for_its_next_request_but_never_less_than_its_pause() -> None:
    pace = SendPace(["x"] * 4, 100.0, 0.4)
    pace.done = 1
    waits_s = [pace.wait_s(now_s) for now_s in (100.0, 100.0999, 100.2)]
    assert waits_s == [pytest.approx(0.1), 0.005, 0.0]
    assert pace.late_s(100.25) == pytest.approx(0.15)


@pytest.mark.parametrize(("a_second", "pause_s"), [(62, 0.005), (2_000, 0.0025), (20_000, 0.001)])
def test_pauses_shrink_with_the_rate_so_that_bursts_stay_short(
    a_second: int, pause_s: float
) -> None:
    pace = SendPace(["x"] * a_second, 100.0, 1.0)
    pace.done = 1
    assert pace.wait_s(100.0 + 1.0 / a_second - 1e-6) == pytest.approx(pause_s)


def test_indexes_are_consecutive_and_nonces_random() -> None:
    requests = OutstandingRequests(ProbeTotals())
    marks = [requests.next_index_and_nonce() for _ in range(3000)]
    assert all((b - a) % INDEXES == 1 for (a, _), (b, _) in pairwise(marks))
    assert len({nonce for _, nonce in marks}) >= 2_990


def test_deadlines_of_different_time_outs_expire_in_order() -> None:
    requests = OutstandingRequests(ProbeTotals())
    slow, quick = destination(3.0), destination(1.0)
    for sent_s, one in ((0.0, slow), (0.5, quick), (1.0, slow), (1.2, quick)):
        requests.add(*requests.next_index_and_nonce(), one, sent_s)
    assert requests.next_deadline_s() == 1.5
    assert [one.deadline_s for one in requests.pop_expired(2.2)] == [1.5, 2.2]
    assert requests.next_deadline_s() == 3.0
    assert requests.pop_expired(2.9) == []
    assert len(requests) == 2


def test_an_answered_request_does_not_expire() -> None:
    requests = OutstandingRequests(ProbeTotals())
    index, nonce = requests.next_index_and_nonce()
    requests.add(index, nonce, destination(), 0.0)
    assert requests.match_reply(index, nonce, ADDRESS) is not None
    requests.complete(index)
    assert requests.next_deadline_s() is None
    assert requests.pop_expired(9.0) == []


def test_replies_that_match_no_request_are_counted_by_kind() -> None:
    totals = ProbeTotals()
    requests = OutstandingRequests(totals)
    answered, lost, out = (requests.next_index_and_nonce() for _ in range(3))
    requests.add(*answered, destination(), 0.0)
    requests.complete(answered[0])
    requests.add(*lost, destination(), 0.0)
    requests.pop_expired(1.0)
    requests.add(*out, destination(), 1.0)
    for index, nonce, source in (
        (*answered, ADDRESS),
        (*lost, ADDRESS),
        (out[0], out[1] ^ 1, ADDRESS),
        (*out, "10.77.0.2"),
        (lost[0], lost[1] ^ 1, ADDRESS),
        ((out[0] + 9) % INDEXES, 1, ADDRESS),
    ):
        assert requests.match_reply(index, nonce, source) is None
    assert (totals.duplicate, totals.late, totals.spoofed, totals.foreign) == (1, 1, 3, 1)
    assert requests.match_reply(*out, ADDRESS) is not None


def test_only_a_bounded_number_of_completed_requests_is_remembered() -> None:
    totals = ProbeTotals()
    requests = OutstandingRequests(totals)
    first = requests.next_index_and_nonce()
    requests.add(*first, destination(), 0.0)
    requests.complete(first[0])
    for _ in range(40_000):
        index, nonce = requests.next_index_and_nonce()
        requests.add(index, nonce, destination(), 0.0)
        requests.complete(index)
    assert requests.match_reply(*first, ADDRESS) is None
    assert (totals.duplicate, totals.foreign) == (0, 1)


def request(sent_s: float, timeout_s: float) -> OutstandingRequest:
    return OutstandingRequest(sent_s, sent_s + timeout_s, 1, destination(timeout_s))


@pytest.mark.parametrize(
    ("wakeups", "sent_s", "timeout_s", "reason"),
    [
        # Each wake-up is (when, when it was due).
        ([(102.0, 100.5)], 100.4, 1.0, "stalled"),
        ([(102.0, 100.5)], 100.4, 3.0, None),  # the stall was shorter than the time-out
        ([(102.0, 100.5)], 102.0, 1.0, None),  # sent after the stall
        ([(102.0, 100.5), (102.2, 102.1)], 101.3, 1.0, "stalled"),  # a later, shorter stall
        ([(100.0, 100.3), (100.2, 100.3)], 100.1, 0.01, None),  # never late
    ],
)
def test_only_a_stall_longer_than_the_time_out_makes_a_request_not_measured(
    wakeups: list[tuple[float, float]], sent_s: float, timeout_s: float, reason: str | None
) -> None:
    gaps = ReceiveGaps(100.0)
    for now_s, due_s in wakeups:
        gaps.record_wakeup(now_s, due_s)
    assert gaps.reason_not_measured(request(sent_s, timeout_s)) == reason


def test_the_longest_waiter_determines_the_length_of_a_stall() -> None:
    gaps = ReceiveGaps(100.0)
    gaps.expect_wakeup("a round", 100.2)
    gaps.record_wakeup(101.5, due_s=101.4)
    assert gaps.reason_not_measured(request(100.1, 1.0)) == "stalled"
    gaps.cancel_wakeup("a round")
    gaps.record_wakeup(105.0)
    assert gaps.reason_not_measured(request(101.5, 1.0)) is None


def test_dropped_replies_make_what_was_sent_before_not_measured(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gaps = ReceiveGaps(100.0)
    for now_s in (101.0, 102.0):
        gaps.record_overflow(now_s)
    assert gaps.reason_not_measured(request(101.9, 1.0)) == "ENOBUFS"
    assert gaps.reason_not_measured(request(102.1, 1.0)) is None
    assert len(caplog.records) == 1, "the warning is not repeated at once"
