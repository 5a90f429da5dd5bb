"""Packed requests are unpacked to the millisecond and the microsecond, in order of time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import Lost, NotMeasured, Outcome, Reply
from monitor.core.samples.packed_requests import (
    RecordedRequest,
    RecordedRequests,
    pack,
    requests_in_order,
    unpack,
)

AT_MS = 1_764_028_800_000
LINK = "anjatan/utama"

sent = st.integers(-400_000, 400_000).map(lambda ms: (AT_MS + ms) / 1000)
outcomes = st.one_of(
    st.builds(Reply, st.just(LINK), sent, sent, st.integers(0, 90_000_000).map(lambda u: u / 1000)),
    st.builds(Lost, st.just(LINK), sent, sent),
    st.builds(NotMeasured, st.just(LINK), sent, sent, st.sampled_from(["ENOBUFS", "stalled", ""])),
)


def as_request(outcome: Outcome) -> RecordedRequest:
    sent_ms = round(outcome.sent_s * 1000)
    match outcome:
        case Reply():
            return RecordedRequest(sent_ms, LINK, round(outcome.rtt_ms * 1000))
        case NotMeasured():
            return RecordedRequest(sent_ms, LINK, error=outcome.reason)
        case _:
            return RecordedRequest(sent_ms, LINK)


@given(st.lists(outcomes, max_size=60))
def test_every_request_is_unpacked_in_the_order_of_sending(some: list[Outcome]) -> None:
    expected = sorted(some, key=lambda outcome: outcome.sent_s)
    assert list(unpack(pack(some, AT_MS), LINK, AT_MS)) == [as_request(each) for each in expected]


def test_a_row_of_ten_requests_takes_about_thirty_bytes() -> None:
    rng = random.Random(4)
    start_s = AT_MS / 1000 - 10
    row = [
        Reply(LINK, start_s + n + rng.uniform(0, 0.004), 0.0, rng.gauss(12.0, 0.6))
        for n in range(10)
    ]
    assert len(pack(row, AT_MS)) < 40


def test_steady_times_are_stored_in_utc() -> None:
    packed = RecordedRequests(1000.0, 900.0, [Reply(LINK, 95.5, 95.51, 12.25)]).packed()
    assert list(unpack(packed, LINK, 1_000_000)) == [RecordedRequest(995_500, LINK, 12_250)]


def test_requests_are_packed_once() -> None:
    requests = RecordedRequests(10.0, 0.0, [Lost(LINK, 5.0, 6.0)])
    assert not requests.is_packed
    assert requests.packed() == requests.packed() == pack([Lost(LINK, 5.0, 6.0)], 10_000)
    assert requests.is_packed


def test_truncated_bytes_are_refused() -> None:
    packed = pack([Reply(LINK, 5.0, 5.1, 12.25), NotMeasured(LINK, 6.0, 6.0, "ENOBUFS")], 10_000)
    with pytest.raises(ValueError, match="cut short"):
        list(unpack(packed[:6], LINK, 10_000))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100_000)), max_size=80))
def test_requests_of_many_targets_are_merged_by_time(some: list[tuple[int, int]]) -> None:
    rows: dict[tuple[int, str], list[Outcome]] = {}
    for place, ms in some:
        target = f"site-{place}/utama"
        rows.setdefault((10_000 + ms // 10_000 * 10_000, target), []).append(
            Lost(target, ms / 1000, 0.0)
        )
    packed = [(at, target, pack(each, at)) for (at, target), each in sorted(rows.items())]
    found = [(each.sent_ms, each.target) for each in requests_in_order(packed)]
    assert found == sorted((ms, f"site-{place}/utama") for place, ms in some)
