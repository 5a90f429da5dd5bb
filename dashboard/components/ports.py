"""One port of a router: its traffic against its capacity, and its errors, as Dash components."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from dash import html

from dashboard.components.charts import Part, card, graph, message_card, span_text
from dashboard.components.numbers import NOTHING, largest, numbers
from dashboard.figures.canvas import Frame, one_line, plain
from dashboard.figures.faults import a_minute, faults, worst
from dashboard.figures.traffic import TrafficTexts, throughput
from dashboard.i18n import Words
from dashboard.reads.ranges import Span
from monitor.core.model import Interface
from monitor.core.samples.samples import ThroughputBucket

KINDS = ("in_errors", "out_errors", "in_discards", "out_discards")


def port_cards(
    seen: Sequence[tuple[Interface, Sequence[ThroughputBucket]]],
    span: Span,
    frame: Frame,
    words: Words,
) -> list[Part]:
    """Each port's traffic, then the errors of those that have any: calm until trouble."""
    faulty = [(port, buckets) for port, buckets in seen if worst(buckets)]
    return [
        *(
            _traffic_card(port, buckets, span, frame, words, half=len(seen) > 1)
            for port, buckets in seen
        ),
        *(
            _faults_card(port, buckets, span, frame, words, half=len(faulty) > 1)
            for port, buckets in faulty
        ),
    ]


def _traffic_card(
    port: Interface,
    buckets: Sequence[ThroughputBucket],
    span: Span,
    frame: Frame,
    words: Words,
    *,
    half: bool,
) -> Part:
    """Traffic against capacity, and in a line whether there are errors."""
    title = words.say("site.traffic_of", span=span_text(span, words), name=_shown(port))
    if not any(each.in_bps is not None or each.out_bps is not None for each in buckets):
        return message_card(title, words.say("site.no_samples"), half=half)
    capacity_bps = port.capacity_bps
    capacity = None
    if capacity_bps is not None:
        capacity = plain(words.say("site.capacity_line", value=rate_text(capacity_bps, words)))
    texts = TrafficTexts(words.say("site.in"), words.say("site.out"), capacity)
    figure = throughput(buckets, span.traffic_width_s, capacity_bps, frame, texts)
    legend = html.Div(
        [
            html.Span([html.I(className="key key-in"), words.say("site.in")]),
            html.Span([html.I(className="key key-out"), words.say("site.out")]),
        ],
        className="lg",
    )
    most = words.say("site.most")
    heads = [words.say("site.in"), words.say("site.out")]
    table = numbers(
        buckets,
        [*heads, *(f"{head}, {most}" for head in heads)],
        lambda some: _rates(some, words),
        title,
        words,
    )
    drawn = graph(f"traffic-{port.name}", figure, title, words)
    how = _how(span, "site.traffic_how", words)
    return card(title, how, drawn, legend, *_calm(buckets, words), table, half=half)


def _calm(buckets: Sequence[ThroughputBucket], words: Words) -> list[Part]:
    """A port without errors needs no chart of them."""
    most = worst(buckets)
    if most:
        return []
    key = "site.faults_untold" if most is None else "site.faults_none"
    return [html.P(words.say(key), className="none")]


def _faults_card(
    port: Interface,
    buckets: Sequence[ThroughputBucket],
    span: Span,
    frame: Frame,
    words: Words,
    *,
    half: bool,
) -> Part:
    """Errors and discards."""
    title = words.say("site.faults_of", span=span_text(span, words), name=_shown(port))
    names = [words.say(f"site.{kind}") for kind in KINDS]
    figure = faults(buckets, span.traffic_width_s, names, words.say("site.a_minute"), frame)
    legend = html.Div(
        [
            html.Span([html.I(className=f"key key-{kind.replace('_', '-')}"), name])
            for kind, name, drawn in zip(KINDS, names, figure["data"], strict=True)
            if drawn["visible"]
        ],
        className="lg",
    )
    table = numbers(buckets, names, lambda some: _faults(some, words), title, words)
    chart = graph(f"faults-{port.name}", figure, title, words)
    how = _how(span, "site.faults_how", words)
    return card(title, how, chart, legend, table, half=half)


def rate_text(bps: float, words: Words) -> str:
    """`9,4 Mbit/s`."""
    for divisor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s")):
        if bps >= divisor:
            value = bps / divisor
            return f"{words.number(value, 0 if value == int(value) else 1)} {unit}"
    return f"{words.number(bps / 1e3)} kbit/s"


def _shown(port: Interface) -> str:
    name = one_line(port.name)
    return name if port.link is None else f"{name} ({one_line(port.link.partition('/')[2])})"


def _how(span: Span, key: str, words: Words) -> str:
    """How wide the buckets are, in words."""
    minutes = span.traffic_width_s / 60
    if minutes >= 60:
        return words.say(f"{key}_hours", width=words.number(minutes / 60))
    return words.say(key, width=words.number(minutes))


def _rates(some: Sequence[ThroughputBucket], words: Words) -> list[str]:
    into = [each.in_bps for each in some if each.in_bps is not None]
    out = [each.out_bps for each in some if each.out_bps is not None]
    told = (
        fmean(into) if into else None,
        fmean(out) if out else None,
        largest(each.in_bps_max for each in some),
        largest(each.out_bps_max for each in some),
    )
    return [NOTHING if rate is None else rate_text(rate, words) for rate in told]


def _faults(some: Sequence[ThroughputBucket], words: Words) -> list[str]:
    told = [largest(rates) for rates in zip(*map(a_minute, some), strict=True)]
    return [
        NOTHING if rate is None else words.number(rate, 0 if rate == int(rate) else 1)
        for rate in told
    ]
