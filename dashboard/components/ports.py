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
from monitor.core.samples import ThroughputBucket

KINDS = ("in_errors", "out_errors", "in_discards", "out_discards")


def traffic_card(
    port: Interface, buckets: Sequence[ThroughputBucket], span: Span, frame: Frame, words: Words
) -> Part:
    """Traffic against capacity."""
    title = words.say("site.traffic_of", span=span_text(span, words), name=_shown(port))
    if not any(each.in_bps is not None or each.out_bps is not None for each in buckets):
        return message_card(title, words.say("site.no_samples"), half=True)
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
    return card(title, _how(span, "site.traffic_how", words), drawn, legend, table, half=True)


def faults_card(
    port: Interface, buckets: Sequence[ThroughputBucket], span: Span, frame: Frame, words: Words
) -> Part:
    """Errors and discards; a port without any says so and needs no chart."""
    title = words.say("site.faults_of", span=span_text(span, words), name=_shown(port))
    most = worst(buckets)
    if most is None:
        return message_card(title, words.say("site.faults_untold"), half=True)
    if most == 0:
        return message_card(title, words.say("site.faults_none"), half=True)
    names = [words.say(f"site.{kind}") for kind in KINDS]
    figure = faults(buckets, span.traffic_width_s, names, words.say("site.a_minute"), frame)
    legend = html.Div(
        [
            html.Span([html.I(className=f"key key-{kind.replace('_', '-')}"), name])
            for kind, name in zip(KINDS, names, strict=True)
        ],
        className="lg",
    )
    table = numbers(buckets, names, lambda some: _faults(some, words), title, words)
    drawn = graph(f"faults-{port.name}", figure, title, words)
    return card(title, _how(span, "site.faults_how", words), drawn, legend, table, half=True)


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
