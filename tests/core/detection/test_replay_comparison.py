"""Two judgements of the same evidence, trouble by trouble."""

from __future__ import annotations

from monitor.core.detection.replay import compare_replays
from monitor.core.model import Incident, Scope, State


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


def test_each_trouble_is_taken_once_and_the_nearest_of_several() -> None:
    one_long = outage(1, 100.0, 300.0)
    early, late = outage(1, 100.0, 150.0), outage(2, 200.0, 300.0)
    found = compare_replays([early, late], [one_long])
    assert [(pair.before, pair.after) for pair in found.both] == [(early, one_long)]
    assert (found.less, found.more) == ((late,), ())
    found = compare_replays([late], [outage(1, 150.0, 201.0), outage(2, 202.0, None)])
    assert [pair.after.id for pair in found.both] == [2]
    assert [incident.id for incident in found.more] == [1]


def test_times_that_do_not_overlap_are_not_the_same_trouble() -> None:
    for before, after in ((outage(1, 0.0, 50.0), outage(1, 60.0, 90.0)),):
        for one, other in ((before, after), (after, before)):
            found = compare_replays([one], [other])
            assert (found.both, found.less, found.more) == ((), (one,), (other,))


def test_another_target_is_another_trouble() -> None:
    found = compare_replays([outage(1, 0.0, 50.0)], [outage(1, 0.0, 50.0, "b/utama")])
    assert (len(found.less), len(found.more)) == (1, 1)


def test_what_is_said_later_and_lasts_longer_is_told_in_seconds() -> None:
    (pair,) = compare_replays([outage(1, 0.0, 50.0)], [outage(1, 2.0, 60.0)]).later
    assert (pair.detected_later_s, pair.longer_s) == (2.0, 8.0)
    found = compare_replays([outage(1, 2.0, 50.0)], [outage(1, 0.0, None)])
    assert [p.longer_s for p in found.sooner] == [None]
    assert found.later == ()
