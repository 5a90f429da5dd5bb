"""Recorded lines become evidence in the order in which they became known; two replays compared."""

from __future__ import annotations

import pytest

from monitor.core.detection.replay import ReplayLine, compare_replays, read_evidence
from monitor.core.model import Incident, Lost, NotMeasured, Reply, Scope, State


def test_a_lost_request_is_known_at_its_time_out() -> None:
    lines = [
        ReplayLine(0.0, "a"),
        ReplayLine(0.5, "b", 10.0),
        ReplayLine(1.0, "b", 11.0),
        ReplayLine(9.0, "b", 12.0),
    ]
    assert list(read_evidence(lines, {"a": 1.0})) == [
        Reply("b", 0.5, 0.5, 10.0),
        Lost("a", 0.0, 1.0),
        Reply("b", 1.0, 1.0, 11.0),
        Reply("b", 9.0, 9.0, 12.0),
    ]


def test_each_target_has_its_own_time_out() -> None:
    lines = [ReplayLine(0.0, "a"), ReplayLine(0.0, "b"), ReplayLine(9.0, "b", 12.0)]
    known = [item.known_s for item in read_evidence(lines, {"a": 3.0}) if isinstance(item, Lost)]
    assert known == [1.0, 3.0]


def test_the_last_line_ends_the_replay() -> None:
    lines = [ReplayLine(0.0, "a", 10.0), ReplayLine(9.5, "a"), ReplayLine(10.0, "b", 5.0)]
    assert list(read_evidence(lines, {"a": 1.0})) == [
        Reply("a", 0.0, 0.0, 10.0),
        Reply("b", 10.0, 10.0, 5.0),
    ]


def test_an_error_was_not_measured() -> None:
    assert list(read_evidence([ReplayLine(1.0, "a", error="ENETUNREACH")], {})) == [
        NotMeasured("a", 1.0, 1.0, "ENETUNREACH")
    ]


def test_time_that_goes_back_is_refused() -> None:
    with pytest.raises(ValueError, match="time goes back"):
        list(read_evidence([ReplayLine(5.0, "a", 1.0), ReplayLine(4.0, "a", 1.0)], {}))


def outage(
    number: int, started_s: float, ended_s: float | None, target: str = "a/utama"
) -> Incident:
    return Incident(
        number,
        Scope.LINK,
        target,
        State.DOWN,
        started_s,
        started_s + 6,
        "silence",
        ended_s=ended_s,
    )


def test_each_incident_is_paired_once_and_with_the_nearest_of_several() -> None:
    one_long = outage(1, 100.0, 300.0)
    early, late = outage(1, 100.0, 150.0), outage(2, 200.0, 300.0)
    found = compare_replays([early, late], [one_long])
    assert [(pair.before, pair.after) for pair in found.both] == [(early, one_long)]
    assert (found.less, found.more) == ((late,), ())
    found = compare_replays([late], [outage(1, 150.0, 201.0), outage(2, 202.0, None)])
    assert [pair.after.id for pair in found.both] == [2]
    assert [incident.id for incident in found.more] == [1]


def test_incidents_that_do_not_overlap_are_not_paired() -> None:
    for before, after in ((outage(1, 0.0, 50.0), outage(1, 60.0, 90.0)),):
        for one, other in ((before, after), (after, before)):
            found = compare_replays([one], [other])
            assert (found.both, found.less, found.more) == ((), (one,), (other,))


def test_incidents_of_two_targets_are_not_paired() -> None:
    found = compare_replays([outage(1, 0.0, 50.0)], [outage(1, 0.0, 50.0, "b/utama")])
    assert (len(found.less), len(found.more)) == (1, 1)


def test_a_pair_tells_how_much_later_and_longer_in_seconds() -> None:
    (pair,) = compare_replays([outage(1, 0.0, 50.0)], [outage(1, 2.0, 60.0)]).later
    assert (pair.detected_later_s, pair.longer_s) == (2.0, 8.0)
    found = compare_replays([outage(1, 2.0, 50.0)], [outage(1, 0.0, None)])
    assert [p.longer_s for p in found.sooner] == [None]
    assert found.later == ()
