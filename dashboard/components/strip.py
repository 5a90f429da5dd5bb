"""The latency around an incident as a small SVG: a line, and what was silent shaded."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.i18n import Words
from dashboard.reads.intervals import Stretch
from monitor.core.model import State
from monitor.core.samples.samples import LatencyBucket

WIDTH, HEIGHT = 600, 90
SHADED = {State.DOWN: "sd", State.UNREACHABLE: "sh", State.UNKNOWN: "su"}


def strip(
    buckets: Sequence[LatencyBucket],
    stretches: Sequence[Stretch],
    start_s: float,
    end_s: float,
    words: Words,
) -> Markup:
    """buckets: ascending, one width; a gap in them is a gap in the line."""
    span_s = max(end_s - start_s, 1.0)

    def x(at_s: float) -> float:
        return (min(max(at_s, start_s), end_s) - start_s) / span_s * WIDTH

    high = max((each.rtt_mid for each in buckets if each.rtt_mid is not None), default=1.0)
    path, before_s = "", float("-inf")
    for each in buckets:
        if each.rtt_mid is None:
            continue
        y = HEIGHT - 8 - each.rtt_mid / max(high * 1.2, 1e-9) * (HEIGHT - 16)
        pen = "L" if each.start_s - before_s <= each.width_s * 1.5 else "M"
        path += f"{pen}{x(each.start_s + each.width_s / 2):.0f} {y:.0f}"
        before_s = each.start_s
    shades = "".join(
        f'<path class="{SHADED[each.state]}" d="M{x(each.start_s):.1f} 0H'
        f'{max(x(each.end_s), x(each.start_s) + 2):.1f}V{HEIGHT}H{x(each.start_s):.1f}z"/>'
        for each in stretches
        if each.state in SHADED
    )
    return Markup(
        '<figure><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '{}<path class="ln" d="{}"/></svg><figcaption><span>{}</span><span>{}</span>'
        "<span>{}</span></figcaption></figure>"
    ).format(
        WIDTH,
        HEIGHT,
        words.say("alert.chart"),
        Markup(shades),  # noqa: S704 - numbers and our own names only
        path,
        words.clock(start_s),
        words.say("alert.caption"),
        words.clock(end_s),
    )
