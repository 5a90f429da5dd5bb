"""Outcomes of a period become one row a target."""

from __future__ import annotations

from monitor.core.model import Lost, NotMeasured, Outcome, Reply, State
from monitor.core.samples.ping_aggregator import PingAggregator, tags_of
from monitor.core.samples.samples import STATE_CODES
from tests.core.detection.scenario import network

NET = network({"anjatan/utama": ("pop",)}, {"pop": ()}, anchors=1)


def some() -> list[Outcome]:
    return [
        Reply("anjatan/utama", 0.0, 0.01, 10.0),
        Reply("anjatan/utama", 1.0, 1.02, 20.0),
        Lost("anjatan/utama", 2.0, 3.0),
        NotMeasured("anjatan/utama", 3.0, 3.0, "ENOBUFS"),
        Reply("anjatan/utama", 4.0, 4.06, 60.0),
    ]


def test_a_row_counts_requests_and_those_not_measured_apart() -> None:
    aggregator = PingAggregator(tags_of(NET))
    aggregator.add(some())
    (finished,) = aggregator.finish(10.0, lambda _: State.UP, ["anjatan/utama", "pop"])
    row = finished.row()
    assert (row.sent, row.received, row.not_measured) == (4, 3, 1)
    assert (row.site, row.link, row.node, row.kind) == ("anjatan", "utama", None, "fibre")
    assert (row.rtt_min, row.rtt_p50, row.rtt_p95, row.rtt_max) == (10.0, 20.0, 60.0, 60.0)
    assert row.rtt_avg == 30.0
    assert row.jitter == 25.0
    assert row.state == STATE_CODES[State.UP]
    assert aggregator.finish(20.0, lambda _: State.UP, ["anjatan/utama"]) == []


def test_a_period_without_a_reply_has_no_rtt() -> None:
    aggregator = PingAggregator(tags_of(NET))
    aggregator.add([Lost("pop", 0.0, 1.0)])
    (finished,) = aggregator.finish(10.0, lambda _: State.DOWN, ["pop"])
    row = finished.row()
    assert (row.node, row.sent, row.received) == ("pop", 1, 0)
    assert (row.rtt_min, row.rtt_avg, row.rtt_p50, row.jitter) == (None, None, None, None)
