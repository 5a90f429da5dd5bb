"""Traffic of one port, in and out, against its capacity: a dict for plotly.js."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.figures.canvas import Frame, Json, axis, layout, limit_line, note
from dashboard.theme import rgba
from monitor.core.samples.samples import ThroughputBucket


@dataclass(frozen=True, slots=True)
class TrafficTexts:
    """The words in a traffic chart; `capacity` is None when it is not known."""

    inward: str
    outward: str
    capacity: str | None


def throughput(
    buckets: Sequence[ThroughputBucket],
    width_s: float,
    capacity_bps: float | None,
    frame: Frame,
    texts: TrafficTexts,
) -> Json:
    """In (filled) and out (dashed) of one port, against its capacity where that is in sight."""
    peak = max(
        (rate for each in buckets for rate in (each.in_bps, each.out_bps) if rate is not None),
        default=0.0,
    )
    in_sight = capacity_bps is not None and capacity_bps <= 4 * peak
    top = max(peak * 1.15, capacity_bps * 1.06 if capacity_bps and in_sight else 0.0, 1000.0)
    divisor, unit = _unit(top)
    traces = [
        _rate(buckets, width_s, frame, divisor, unit, inward=True, name=texts.inward),
        _rate(buckets, width_s, frame, divisor, unit, inward=False, name=texts.outward),
    ]
    notes, shapes = [], []
    if capacity_bps is not None and texts.capacity is not None:
        notes.append(note(texts.capacity, capacity_bps / divisor, top / divisor, frame))
        if in_sight:
            shapes.append(limit_line(capacity_bps / divisor, frame))
    drawn = layout(frame) | {
        "yaxis": axis(frame) | {"range": [0, top / divisor], "ticksuffix": f" {unit}"},
        "shapes": shapes,
        "annotations": notes,
    }
    return {"data": traces, "layout": drawn}


def _rate(
    buckets: Sequence[ThroughputBucket],
    width_s: float,
    frame: Frame,
    divisor: float,
    unit: str,
    *,
    inward: bool,
    name: str,
) -> Json:
    colour = frame.colour("acc" if inward else "acc2")
    x: list[str | None] = []
    y: list[float | None] = []
    before_s: float | None = None
    for each in buckets:
        if before_s is not None and each.start_s - before_s > width_s * 1.5:
            x.append(None)
            y.append(None)
        rate = each.in_bps if inward else each.out_bps
        x.append(frame.local(each.start_s + each.width_s / 2))
        y.append(None if rate is None else round(rate / divisor, 3))
        before_s = each.start_s
    fill = {"fill": "tozeroy", "fillcolor": rgba(colour, 0.2)} if inward else {}
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": colour, "width": frame.line_px, "dash": "solid" if inward else "4px,2px"},
        "name": name,
        "hovertemplate": f"%{{y:.2f}} {unit} {name}<extra></extra>",
    } | fill


def _unit(top_bps: float) -> tuple[float, str]:
    for divisor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s")):
        if top_bps >= divisor:
            return divisor, unit
    return 1e3, "kbit/s"
