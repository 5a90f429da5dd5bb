"""Recorded lines reach the judge in the order in which they became known."""

from __future__ import annotations

import pytest

from monitor.core.detection.replay import ReplayLine, read_evidence
from monitor.core.model import Lost, NotMeasured, Reply


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
