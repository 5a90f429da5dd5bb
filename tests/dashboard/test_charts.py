"""Charts: gaps, shaded outages, escaped text, no external address."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.figures.canvas import Frame, config, plain
from dashboard.figures.faults import faults, worst
from dashboard.figures.latency import LatencyTexts, latency, loss_step
from dashboard.figures.traffic import TrafficTexts, throughput
from dashboard.i18n import MONTHS
from dashboard.theme import Theme, paints
from monitor.core.samples.samples import LatencyBucket, ThroughputBucket

START_S = 1_795_500_000.0
WIDTH_S = 60.0
TEXTS = LatencyTexts("median", "pita", "ambang 50 ms", "hilang {lost} dari {sent}")


def frame(theme: Theme = Theme.LIGHT) -> Frame:
    return Frame(START_S, START_S + 1200, theme, ZoneInfo("Asia/Jakarta"), ".")


def bucket(minute: int, mid: float | None = 10.0, sent: int = 60, lost: int = 0) -> LatencyBucket:
    """A minute of one target; mid None: no reply."""
    received = 0 if mid is None else sent - lost
    low, high = (None, None) if mid is None else (mid * 0.8, mid * 1.5)
    return LatencyBucket(
        START_S + minute * WIDTH_S, WIDTH_S, sent, received, 0, low, mid, high, high
    )


def drawn(
    buckets: list[LatencyBucket], limit_ms: float | None = 50.0, shaded: Any = ()
) -> dict[str, Any]:
    return latency(buckets, WIDTH_S, limit_ms, shaded, frame(), TEXTS)


def test_the_line_and_the_band_stop_where_there_is_no_reply_or_no_sample() -> None:
    silent = [bucket(0), bucket(1), bucket(2, None), bucket(3), bucket(7), bucket(8)]
    band, line, _ = drawn(silent)["data"]
    assert line["y"] == [10, 10, None, 10, None, 10, 10, None]
    assert band["y"].count(None) == 3, "three outlines"
    assert line["y"].count(0) == 0, "never a zero"


def test_a_single_minute_is_drawn() -> None:
    line = drawn([bucket(0), bucket(5), bucket(6)])["data"][1]
    assert line["marker"]["size"][0] > 0
    assert set(line["marker"]["size"][2:]) == {0}


def test_the_outline_of_the_band_is_closed() -> None:
    band = drawn([bucket(0, 10), bucket(1, 20)])["data"][0]
    assert band["y"] == [15, 30, 16, 8, None]
    assert band["x"][0] == band["x"][3]


def test_times_are_those_of_the_office() -> None:
    line = drawn([bucket(0)])["data"][1]
    assert line["x"][0] == "2026-11-24 13:00:30"


@pytest.mark.parametrize(
    ("sent", "received", "step"),
    [(60, 60, 0), (60, 58, 1), (60, 55, 2), (60, 30, 3), (60, 0, 4), (0, 0, None)],
)
def test_lost_packets_have_their_colour(sent: int, received: int, step: int | None) -> None:
    assert loss_step(sent, received) == step


def test_the_strip_has_a_place_for_every_minute_and_none_where_nothing_was_sent() -> None:
    strip = drawn([bucket(0), bucket(1, lost=6), bucket(2, None)])["data"][2]
    assert strip["z"][0][:4] == [0, 2, 4, None]
    assert len(strip["x"]) == 21
    assert strip["text"][0][1] == "hilang 6 dari 60"


def test_outages_are_shaded_within_the_picture() -> None:
    spans = [(START_S - 500, START_S + 60, "down"), (START_S + 600, START_S + 9999, "unreachable")]
    shapes = drawn([bucket(0)], None, spans)["layout"]["shapes"]
    assert [(each["x0"][11:], each["x1"][11:]) for each in shapes] == [
        ("13:00:00", "13:01:00"),
        ("13:10:00", "13:20:00"),
    ]
    assert len({each["fillcolor"] for each in shapes}) == 2


def test_a_limit_outside_the_axis_is_named_instead_of_drawn() -> None:
    near = drawn([bucket(0, 20)])["layout"]
    assert any(shape["type"] == "line" and shape["y0"] == 50 for shape in near["shapes"])
    assert near["annotations"][0]["text"] == "ambang 50 ms"
    far = drawn([bucket(0, 2)])["layout"]
    assert far["shapes"] == []
    assert far["annotations"][0]["text"].endswith("↑")
    assert far["yaxis"]["range"][1] < 10


def test_one_spike_does_not_flatten_the_day() -> None:
    calm = [bucket(minute, 10) for minute in range(100)]
    assert drawn([*calm, bucket(101, 900)], None)["layout"]["yaxis"]["range"][1] < 60


def test_a_chart_without_replies_is_drawn() -> None:
    figure = drawn([bucket(minute, None) for minute in range(5)])
    assert figure["data"][1]["y"] == []
    assert figure["layout"]["yaxis"]["range"][1] > 0


def test_both_themes_use_their_own_colours() -> None:
    light, dark = (
        json.dumps(latency([bucket(0)], WIDTH_S, 50.0, (), frame(theme), TEXTS)) for theme in Theme
    )
    accent = paints()["acc"]
    assert accent.light in light
    assert accent.dark not in light
    assert accent.dark in dark


def traffic(minute: int, inward: float | None) -> ThroughputBucket:
    outward = None if inward is None else inward / 4
    return ThroughputBucket(START_S + minute * WIDTH_S, WIDTH_S, inward, outward, inward, outward)


def test_traffic_is_told_in_a_unit_that_fits_and_gaps_stay_gaps() -> None:
    texts = TrafficTexts("masuk", "keluar", "kapasitas 20 Mbit/s")
    rows = [traffic(0, 8e6), traffic(1, None), traffic(5, 9e6)]
    figure = throughput(rows, WIDTH_S, 20e6, frame(), texts)
    inward, outward = figure["data"]
    assert inward["y"] == [8.0, None, None, 9.0]
    assert outward["y"][0] == 2.0
    assert outward["line"]["dash"] != inward["line"]["dash"], "told apart without colour"
    assert figure["layout"]["yaxis"]["ticksuffix"] == " Mbit/s"
    assert figure["layout"]["shapes"][0]["y0"] == 20.0


def test_a_capacity_far_above_the_traffic_is_named_but_not_drawn() -> None:
    texts = TrafficTexts("masuk", "keluar", "kapasitas 1 Gbit/s")
    layout = throughput([traffic(0, 2e3)], WIDTH_S, 1e9, frame(), texts)["layout"]
    assert layout["shapes"] == []
    assert layout["yaxis"]["ticksuffix"] == " kbit/s"
    assert layout["annotations"][0]["text"].endswith("↑")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("<b onmouseover=alert(1)>x</b>", "&lt;b onmouseover=alert(1)&gt;x&lt;/b&gt;"),
        ("$\\href{javascript:x}{y}$", "&#36;\\href{javascript:x}{y}&#36;"),
        ("a\u202egpj.exe\nb\0c", "a gpj.exe b c"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_text_of_a_device_is_escaped(told: str, shown: str) -> None:
    assert plain(told) == shown
    assert len(plain("x" * 60_000)) <= 80


def test_charts_contain_no_address_of_another_host() -> None:
    for lang in ("id", "en"):
        options = config(lang, MONTHS[lang])
        assert options["showSendToCloud"] is False
        assert options["plotlyServerURL"] == ""
        assert options["displayModeBar"] is False
        assert options["locales"]["id"]["format"]["decimal"] == ","


def faulty(minute: int, *rates: float | None) -> ThroughputBucket:
    """A minute of a port. rates: errors in, out, discards in, out, a second."""
    return ThroughputBucket(START_S + minute * WIDTH_S, WIDTH_S, 1.0, 1.0, 1.0, 1.0, *rates)


def test_errors_are_four_lines_a_minute_with_gaps_where_nothing_is_known() -> None:
    buckets = [faulty(0, 0.5, 0.0, None, 2.0), faulty(1, 0.25, 0.0, None, 0.0), faulty(5, 1.0)]
    figure = faults(buckets, WIDTH_S, ["a", "b", "c", "d"], "/mnt", frame())
    assert [trace["y"] for trace in figure["data"]] == [
        [30.0, 15.0, None, 60.0],
        [0.0, 0.0, None, None],
        [None, None, None, None],
        [120.0, 0.0, None, None],
    ]
    assert [trace["visible"] for trace in figure["data"]] == [True, False, False, True]
    assert figure["layout"]["yaxis"]["range"][1] > 120
    looks = {(trace["line"]["color"], trace["line"]["dash"]) for trace in figure["data"]}
    assert len({dash for _, dash in looks}) == 4, "told apart without colours, too"
    assert (worst(buckets), worst([faulty(0)]), worst([])) == (120.0, None, None)
