"""Errors and discards of one port, in and out, a minute: a dict for plotly.js."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.figures.canvas import Frame, Json, axis, layout
from monitor.core.samples.samples import ThroughputBucket

LOOKS = (
    ("down", "solid"),
    ("down", "2px,2px"),
    ("degraded-line", "8px,3px"),
    ("degraded-line", "8px,3px,2px,3px"),
)
"""Of errors in, errors out, discards in, discards out: a colour, and a dash for who sees none."""

Rates = tuple[float | None, float | None, float | None, float | None]


def a_minute(bucket: ThroughputBucket) -> Rates:
    """The largest rates of a bucket: errors in, out, discards in, out."""
    return (
        _a_minute(bucket.in_errors_max),
        _a_minute(bucket.out_errors_max),
        _a_minute(bucket.in_discards_max),
        _a_minute(bucket.out_discards_max),
    )


def worst(buckets: Sequence[ThroughputBucket]) -> float | None:
    """The largest of all; None when no router ever told any."""
    told = [rate for each in buckets for rate in a_minute(each) if rate is not None]
    return max(told, default=None)


def faults(
    buckets: Sequence[ThroughputBucket],
    width_s: float,
    names: Sequence[str],
    unit: str,
    frame: Frame,
) -> Json:
    """names: of the four lines, in the order of `a_minute`; one that is all 0 is not seen.

    A gap is a gap.
    """
    top = max(worst(buckets) or 0.0, 1.0) * 1.12
    traces = []
    for place, (name, (colour, dash)) in enumerate(zip(names, LOOKS, strict=True)):
        x: list[str | None] = []
        y: list[float | None] = []
        before_s: float | None = None
        for each in buckets:
            if before_s is not None and each.start_s - before_s > width_s * 1.5:
                x.append(None)
                y.append(None)
            rate = a_minute(each)[place]
            x.append(frame.local(each.start_s + each.width_s / 2))
            y.append(None if rate is None else round(rate, 3))
            before_s = each.start_s
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "lines",
                "line": {"color": frame.colour(colour), "width": frame.line_px, "dash": dash},
                "name": name,
                "visible": any(y),
                "hovertemplate": f"%{{y:.1f}} {unit} {name}<extra></extra>",
            }
        )
    drawn = layout(frame) | {
        "yaxis": axis(frame) | {"range": [0, top], "ticksuffix": f" {unit}"},
    }
    return {"data": traces, "layout": drawn}


def _a_minute(rate: float | None) -> float | None:
    return None if rate is None else rate * 60
