"""Latency as a band with its median, and under it what was lost: a dict for plotly.js."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.figures.canvas import Frame, Json, axis, layout, limit_line, note, shade
from dashboard.theme import rgba
from monitor.core.samples.samples import LatencyBucket

LOSS_STEPS = ("neut2", "loss1", "loss2", "loss3", "down")
"""Colours of the strip: nothing lost, under 5 %, under 20 %, under 100 %, everything."""

FLOOR_MS = 5.0
"""The latency axis never shows less than this, so that a quiet line is flat."""


@dataclass(frozen=True, slots=True)
class LatencyTexts:
    """The words in a latency chart; loss takes {lost} and {sent}."""

    median: str
    band: str
    limit: str
    loss: str


def latency(
    buckets: Sequence[LatencyBucket],
    width_s: float,
    limit_ms: float | None,
    shaded: Sequence[tuple[float, float, str]],
    frame: Frame,
    texts: LatencyTexts,
) -> Json:
    """The band from lowest to p95 with the median, the limit, what was out, and what was lost.

    buckets: ascending; shaded: (from, to, state) of what was not up. A bucket that is missing is
    a gap in the band, in the line and in the strip.
    """
    runs = _runs(buckets, width_s)
    accent = frame.colour("acc")
    top = _top_ms(buckets, limit_ms)
    band_x, band_y = _band(runs, frame)
    line = _line(runs, frame)
    drawn = layout(frame) | {
        "yaxis": axis(frame) | {"domain": [0.17, 1], "range": [0, top], "ticksuffix": " ms"},
        "yaxis2": {"domain": [0, 0.07], "visible": False, "fixedrange": True},
        "shapes": [shade(part, frame) for part in shaded]
        + ([limit_line(limit_ms, frame)] if limit_ms is not None and limit_ms <= top else []),
        "annotations": [] if limit_ms is None else [note(texts.limit, limit_ms, top, frame)],
    }
    drawn["xaxis"] |= {"anchor": "y2"}
    traces: list[Json] = [
        {
            "type": "scatter",
            "x": band_x,
            "y": band_y,
            "mode": "lines",
            "fill": "toself",
            "fillcolor": rgba(accent, 0.24),
            "line": {"width": 0},
            "hoverinfo": "skip",
            "name": texts.band,
        },
        {
            "type": "scatter",
            "x": line.x,
            "y": line.y,
            "customdata": line.extra,
            "mode": "lines+markers",
            "line": {"color": accent, "width": frame.line_px},
            "marker": {"color": accent, "size": line.dots},
            "name": texts.median,
            "hovertemplate": (
                f"%{{y:.1f}} ms {texts.median}<br>"
                f"%{{customdata[0]:.1f}}–%{{customdata[1]:.1f}} ms {texts.band}<extra></extra>"
            ),
        },
        _strip(buckets, width_s, frame, texts),
    ]
    return {"data": traces, "layout": drawn}


@dataclass(frozen=True, slots=True)
class _Line:
    """dots: the size of a marker at each point; only a lone point needs one to be seen."""

    x: list[str | None]
    y: list[float | None]
    extra: list[list[float | None]]
    dots: list[int]


def _runs(buckets: Sequence[LatencyBucket], width_s: float) -> list[list[LatencyBucket]]:
    """Stretches of buckets with replies, cut where one is missing or without a reply."""
    runs: list[list[LatencyBucket]] = []
    for bucket in buckets:
        if bucket.rtt_mid is None:
            runs.append([])
            continue
        if not runs or not runs[-1] or bucket.start_s - runs[-1][-1].start_s > width_s * 1.5:
            runs.append([])
        runs[-1].append(bucket)
    return [run for run in runs if run]


def _band(runs: Sequence[Sequence[LatencyBucket]], frame: Frame) -> tuple[list[Any], list[Any]]:
    """One closed outline a run: along the p95 and back along the lowest."""
    x: list[Any] = []
    y: list[Any] = []
    for run in runs:
        there = [frame.local(each.start_s + each.width_s / 2) for each in run]
        x += [*there, *reversed(there), None]
        y += [round(_known(each.rtt_p95, each), 2) for each in run]
        y += [round(_known(each.rtt_low, each), 2) for each in reversed(run)]
        y.append(None)
    return x, y


def _line(runs: Sequence[Sequence[LatencyBucket]], frame: Frame) -> _Line:
    line = _Line([], [], [], [])
    for run in runs:
        for each in run:
            line.x.append(frame.local(each.start_s + each.width_s / 2))
            line.y.append(round(_known(each.rtt_mid, each), 2))
            line.extra.append([_known(each.rtt_low, each), _known(each.rtt_p95, each)])
            line.dots.append(4 if len(run) == 1 else 0)
        line.x.append(None)
        line.y.append(None)
        line.extra.append([None, None])
        line.dots.append(0)
    return line


def _known(value: float | None, bucket: LatencyBucket) -> float:
    """A bound that was not kept falls together with the median."""
    if value is not None:
        return value
    return bucket.rtt_mid if bucket.rtt_mid is not None else 0.0


def _top_ms(buckets: Sequence[LatencyBucket], limit_ms: float | None) -> float:
    """The top of the axis: one spike does not flatten the day, a near limit stays in sight."""
    highs = sorted(each.rtt_p95 for each in buckets if each.rtt_p95 is not None)
    if not highs:
        return max(limit_ms or 0.0, FLOOR_MS) * 1.2
    usual = highs[int(0.98 * (len(highs) - 1))]
    top = max(min(highs[-1], 3 * usual) * 1.15, FLOOR_MS)
    if limit_ms is not None and top < limit_ms <= 2.5 * top:
        top = limit_ms * 1.1
    return top


def _strip(
    buckets: Sequence[LatencyBucket], width_s: float, frame: Frame, texts: LatencyTexts
) -> Json:
    by_start = {round(each.start_s / width_s): each for each in buckets}
    first, last = round(frame.start_s // width_s), round(frame.end_s // width_s)
    x: list[str] = []
    z: list[int | None] = []
    hover: list[str] = []
    for number in range(first, last + 1):
        bucket = by_start.get(number)
        lost = None if bucket is None else bucket.sent - bucket.received
        x.append(frame.local((number + 0.5) * width_s))
        z.append(None if bucket is None else loss_step(bucket.sent, bucket.received))
        hover.append(
            ""
            if bucket is None
            else texts.loss.replace("{lost}", str(lost)).replace("{sent}", str(bucket.sent))
        )
    count = len(LOSS_STEPS)
    scale = [
        [(step + edge) / count, frame.colour(name)]
        for step, name in enumerate(LOSS_STEPS)
        for edge in (0, 1)
    ]
    return {
        "type": "heatmap",
        "x": x,
        "y": [""],
        "z": [z],
        "text": [hover],
        "yaxis": "y2",
        "zmin": 0,
        "zmax": count - 1,
        "colorscale": scale,
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{text}<extra></extra>",
    }


def loss_step(sent: int, received: int) -> int | None:
    """Which colour of the strip; None when nothing was sent."""
    if sent <= 0:
        return None
    lost = 1 - received / sent
    if received == 0:
        return 4
    return 0 if lost <= 0 else 1 if lost < 0.05 else 2 if lost < 0.2 else 3
