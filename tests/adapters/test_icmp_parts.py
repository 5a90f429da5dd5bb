"""The parts that need no network: pacing, the book of requests, words for errors, absence."""

from __future__ import annotations

import errno
from itertools import pairwise

import pytest

from monitor.adapters.icmp.absence import Absence
from monitor.adapters.icmp.book import INDEXES, Aim, Asked, OutstandingRequests, Tally
from monitor.adapters.icmp.pace import AT_MOST, SendPace
from monitor.adapters.icmp.wire import Family
from monitor.adapters.icmp.words import errno_name, icmp_error
from monitor.core.model import ProbeRules, Target, TargetRole

HERE = "10.77.0.1"


def aim(timeout_s: float = 1.0) -> Aim:
    target = Target("a/b", HERE, TargetRole.LINK, ProbeRules(timeout_s=timeout_s))
    return Aim(target, HERE, (HERE, 0), None)


def test_a_round_is_spread_evenly() -> None:
    pace = SendPace(["x"] * 10, 100.0, 1.0)
    assert [pace.until(100.0 + s) for s in (0.0, 0.05, 0.1001, 0.55, 0.9001, 5.0)] == [
        *(1, 1, 2, 6, 10, 10)
    ]


def test_a_round_over_no_time_is_due_at_once_but_goes_in_portions() -> None:
    pace = SendPace(["x"] * (AT_MOST + 1), 100.0, 0.0)
    assert pace.until(100.0) == AT_MOST
    pace.done = AT_MOST
    assert pace.wait_s(100.0) == 0.0
    assert pace.until(100.0) == AT_MOST + 1


def test_a_round_waits_for_its_next_request_and_never_only_a_moment() -> None:
    pace = SendPace(["x"] * 4, 100.0, 0.4)
    pace.done = 1
    assert pace.wait_s(100.0) == pytest.approx(0.1)
    assert pace.wait_s(100.0999) == 0.005
    assert pace.wait_s(100.2) == 0.0
    assert pace.late_s(100.25) == pytest.approx(0.15)


@pytest.mark.parametrize(("a_second", "pause_s"), [(62, 0.005), (2_000, 0.0025), (20_000, 0.001)])
def test_the_more_requests_the_shorter_the_pauses(a_second: int, pause_s: float) -> None:
    """So that a burst stays short."""
    pace = SendPace(["x"] * a_second, 100.0, 1.0)
    pace.done = 1
    assert pace.wait_s(100.0 + 1.0 / a_second - 1e-6) == pytest.approx(pause_s)


def test_marks_are_never_the_same_twice_and_nonces_are_no_pattern() -> None:
    book = OutstandingRequests(Tally())
    marks = [book.new_marks() for _ in range(3000)]
    indexes = [index for index, _ in marks]
    assert all((b - a) % INDEXES == 1 for a, b in pairwise(indexes))
    assert len({nonce for _, nonce in marks}) >= 2_990


def test_deadlines_of_different_time_outs_come_in_order() -> None:
    book = OutstandingRequests(Tally())
    slow, quick = aim(3.0), aim(1.0)
    for sent_s, one in ((0.0, slow), (0.5, quick), (1.0, slow), (1.2, quick)):
        index, nonce = book.new_marks()
        book.enter(index, nonce, one, sent_s)
    assert book.next_deadline_s() == 1.5
    assert [one.deadline_s for one in book.expire(2.2)] == [1.5, 2.2]
    assert book.next_deadline_s() == 3.0
    assert book.expire(2.9) == []
    assert len(book) == 2


def test_an_answered_request_needs_no_look_at_its_deadline() -> None:
    book = OutstandingRequests(Tally())
    index, nonce = book.new_marks()
    book.enter(index, nonce, aim(), 0.0)
    assert book.find(index, nonce, HERE) is not None
    book.settle(index)
    assert book.next_deadline_s() is None
    assert book.expire(9.0) == []


def test_what_answers_nothing_is_counted_under_its_name() -> None:
    tally = Tally()
    book = OutstandingRequests(tally)
    answered, lost, out = (book.new_marks() for _ in range(3))
    book.enter(*answered, aim(), 0.0)
    book.settle(answered[0])
    book.enter(*lost, aim(), 0.0)
    book.expire(1.0)
    book.enter(*out, aim(), 1.0)
    assert book.find(*answered, HERE) is None
    assert book.find(*lost, HERE) is None
    assert book.find(out[0], out[1] ^ 1, HERE) is None
    assert book.find(*out, "10.77.0.2") is None
    assert book.find(lost[0], lost[1] ^ 1, HERE) is None
    assert book.find((out[0] + 9) % INDEXES, 1, HERE) is None
    assert (tally.duplicate, tally.late, tally.spoofed, tally.foreign) == (1, 1, 3, 1)
    assert book.find(*out, HERE) is not None


def asked(sent_s: float, timeout_s: float) -> Asked:
    return Asked(sent_s, sent_s + timeout_s, 1, aim(timeout_s))


def test_only_a_stall_longer_than_its_time_out_excuses_a_silent_request() -> None:
    absence = Absence(100.0)
    absence.awake(102.0, due_s=100.5)
    assert absence.excuse(asked(100.4, 1.0)) == "stalled"
    assert absence.excuse(asked(100.4, 3.0)) is None
    assert absence.excuse(asked(102.0, 1.0)) is None, "it was sent after the stall"


def test_a_shorter_stall_does_not_make_a_longer_one_forgotten() -> None:
    absence = Absence(100.0)
    absence.awake(102.0, due_s=100.5)
    absence.awake(102.2, due_s=102.1)
    assert absence.excuse(asked(101.3, 1.0)) == "stalled"


def test_whoever_waited_longest_tells_how_long_we_stood_still() -> None:
    absence = Absence(100.0)
    absence.expect("a round", 100.2)
    absence.awake(101.5, due_s=101.4)
    assert absence.excuse(asked(100.1, 1.0)) == "stalled"
    absence.forget("a round")
    absence.awake(105.0)
    assert absence.excuse(asked(101.5, 1.0)) is None


def test_a_loop_that_is_in_time_excuses_nothing() -> None:
    absence = Absence(100.0)
    absence.expect("a round", 100.2)
    for now_s in (100.0, 100.1, 100.2):
        absence.awake(now_s, due_s=100.3)
    assert absence.excuse(asked(100.1, 0.01)) is None


def test_lost_answers_excuse_what_was_sent_before(caplog: pytest.LogCaptureFixture) -> None:
    absence = Absence(100.0)
    for now_s in (101.0, 102.0):
        absence.deaf(now_s)
    assert absence.excuse(asked(101.9, 1.0)) == "ENOBUFS"
    assert absence.excuse(asked(102.1, 1.0)) is None
    assert len(caplog.records) == 1, "it is not said again at once"


def test_what_was_settled_long_ago_is_forgotten() -> None:
    tally = Tally()
    book = OutstandingRequests(tally)
    first = book.new_marks()
    book.enter(*first, aim(), 0.0)
    book.settle(first[0])
    for _ in range(40_000):
        index, nonce = book.new_marks()
        book.enter(index, nonce, aim(), 0.0)
        book.settle(index)
    assert book.find(*first, HERE) is None
    assert (tally.duplicate, tally.foreign) == (0, 1)


@pytest.mark.parametrize(
    ("family", "kind", "code", "words"),
    [
        (Family.V4, 3, 0, "network unreachable"),
        (Family.V4, 3, 1, "host unreachable"),
        (Family.V4, 3, 9, "network prohibited"),
        (Family.V4, 3, 13, "packet filtered"),
        (Family.V4, 3, 77, "unreachable, bad code: 77"),
        (Family.V4, 11, 0, "time to live exceeded"),
        (Family.V4, 12, 0, "error type: 12, code: 0"),
        (Family.V6, 1, 0, "no route to destination"),
        (Family.V6, 1, 3, "address unreachable"),
        (Family.V6, 3, 0, "hop limit exceeded"),
    ],
)
def test_icmp_errors_have_words(family: Family, kind: int, code: int, words: str) -> None:
    assert icmp_error(family, kind, code) == words


def test_an_errno_has_its_name() -> None:
    assert errno_name(OSError(errno.ENETUNREACH, "")) == "ENETUNREACH"
    assert errno_name(OSError(9_999, "")) == "errno 9999"
