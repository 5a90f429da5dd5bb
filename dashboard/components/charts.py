"""The charts and the list of troubles of one site, as Dash components (React escapes them)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from dash import dcc, html

from dashboard.components.reasons import Names, reason_text
from dashboard.figures.canvas import Frame, config, one_line, plain
from dashboard.figures.latency import LOSS_STEPS, LatencyTexts, latency
from dashboard.figures.traffic import TrafficTexts, throughput
from dashboard.i18n import MONTHS, Words
from dashboard.reads.intervals import Stretch, union_s
from dashboard.reads.questions import Span
from monitor.core.model import Incident, Interface, Link, Scope, Site, State
from monitor.core.samples import LatencyBucket, ThroughputBucket

Part = Any
MOST_ROWS = 200
"""Of troubles in a table; the sum over it counts all of them."""


def card(title: str, note: str, *body: Part, half: bool = False) -> Part:
    """A framed part of the page with its heading; half: two stand side by side on a desk."""
    name = "card half" if half else "card"
    return html.Section([html.H2([title, html.Small(note)]), *body], className=name)


def latency_card(
    link: Link,
    buckets: Sequence[LatencyBucket],
    stretches: Sequence[Stretch],
    span: Span,
    frame: Frame,
    words: Words,
) -> Part:
    """One link's latency with what was lost under it."""
    title = words.say("site.latency_of", span=words.say(f"site.span_{span.name}"), link=link.id)
    if not buckets:
        return message_card(title, words.say("site.no_samples"))
    shaded = [
        (each.start_s, each.end_s, str(each.state))
        for each in stretches
        if each.state not in (None, State.UP, State.DEGRADED)
    ]
    limit = words.number(link.rules.rtt_ms)
    figure = latency(
        buckets,
        span.latency_width_s,
        link.rules.rtt_ms,
        shaded,
        frame,
        LatencyTexts(
            median=words.say("site.median"),
            band=words.say("site.band"),
            limit=words.say("site.limit_line", limit=limit),
            loss=words.say("site.loss_hover"),
        ),
    )
    return card(
        title,
        words.say("site.latency_how"),
        _graph(f"latency-{link.id}", figure, title, words),
        _legend([state for _, _, state in shaded], words),
    )


def traffic_card(
    port: Interface,
    buckets: Sequence[ThroughputBucket],
    span: Span,
    frame: Frame,
    words: Words,
    *,
    half: bool,
) -> Part:
    """One port's traffic against its capacity; half: as in `card`."""
    capacity_bps = port.capacity_bps
    capacity = None if capacity_bps is None else _rate_text(capacity_bps, words)
    figure = throughput(
        buckets,
        span.traffic_width_s,
        capacity_bps,
        frame,
        TrafficTexts(
            inward=words.say("site.in"),
            outward=words.say("site.out"),
            capacity=None
            if capacity is None
            else plain(words.say("site.capacity_line", value=capacity)),
        ),
    )
    name = one_line(port.name)
    shown = name if port.link is None else f"{name} ({one_line(port.link.partition('/')[2])})"
    title = words.say("site.traffic_of", span=words.say(f"site.span_{span.name}"), name=shown)
    if not buckets:
        return message_card(title, words.say("site.no_samples"), half=half)
    legend = html.Div(
        [
            html.Span([html.I(className="key key-in"), words.say("site.in")]),
            html.Span([html.I(className="key key-out"), words.say("site.out")]),
        ],
        className="lg",
    )
    minutes = span.traffic_width_s / 60
    key, width = ("site.traffic_how", minutes)
    if minutes >= 60:
        key, width = ("site.traffic_how_hours", minutes / 60)
    how = words.say(key, width=words.number(width))
    graph = _graph(f"traffic-{port.name}", figure, title, words)
    return card(title, how, graph, legend, half=half)


def message_card(title: str, text: str, *, half: bool = False) -> Part:
    """A card that says why there is nothing to draw."""
    return card(title, "", html.P(text, className="mutp"), half=half)


def outages_card(
    site: Site,
    incidents: Sequence[Incident],
    start_s: float,
    end_s: float,
    span: Span,
    names: Names,
    words: Words,
) -> Part:
    """What happened in the range, newest first; the sum counts overlapping outages once."""
    title = words.say("site.outages", span=words.say(f"site.span_{span.name}"))
    if not incidents:
        return message_card(title, words.say("site.outages_none"))
    links = {link.name for link in site.links}
    downs = [
        (max(each.started_s, start_s), end_s if each.ended_s is None else each.ended_s)
        for each in incidents
        if each.state is State.DOWN and each.target in links
    ]
    note = ""
    if downs:
        total = words.duration(union_s(downs))
        note = words.say("site.outages_sum", count=len(downs), total=total)
    heads = ("begin", "end", "age", "link", "what", "why")
    return card(
        title,
        note,
        html.Div(
            html.Table(
                [
                    html.Thead(
                        html.Tr([html.Th(words.say(f"site.{head}"), scope="col") for head in heads])
                    ),
                    html.Tbody(
                        [_row(each, site, end_s, names, words) for each in incidents[:MOST_ROWS]]
                    ),
                ],
                className="tb",
            ),
            className="wide",
            tabIndex="0",
            role="region",
            **spoken(title),
        ),
    )


def _row(incident: Incident, site: Site, now_s: float, names: Names, words: Words) -> Part:
    over_s = incident.ended_s
    hidden = incident.scope is Scope.NODE
    state = State.UNREACHABLE if hidden else incident.state
    own = {link.name: link.id for link in site.links}
    touched = (
        [own[incident.target]]
        if incident.target in own
        else [own[name] for name in incident.affected if name in own]
    )
    cells: tuple[str | list[Part], ...] = (
        words.moment(incident.started_s),
        words.say("site.still") if over_s is None else words.moment(over_s),
        words.duration((now_s if over_s is None else over_s) - incident.started_s),
        ", ".join(touched),
        [html.I(className=f"shape {state}"), words.say(f"state.{state}")],
        reason_text(incident, names, words),
    )
    return html.Tr([html.Td(cell) for cell in cells])


def spoken(label: str) -> Part:
    """What a screen reader says of a part (Dash takes `aria-…` as a keyword)."""
    return {"aria-label": label}


def _graph(name: str, figure: dict[str, Any], label: str, words: Words) -> Part:
    lang = words.lang.value
    options: Part = config(lang, MONTHS[lang])
    # A port may be called `eth0.100`; Dash gives dots and braces in an id a meaning.
    number = crc32(name.encode())
    graph = dcc.Graph(id=f"chart-{number:08x}", figure=figure, config=options, className="plot")
    return html.Div(graph, role="img", **spoken(label))


def _legend(shaded: Sequence[str], words: Words) -> Part:
    """What the colours of the strip mean, and those of the shading that is there."""
    loss = [
        (f"key {colour}", words.say(f"site.loss_{key}"))
        for key, colour in zip(("none", "low", "mid", "high", "all"), LOSS_STEPS, strict=True)
    ]
    states = [(f"key shade {state}", words.say(f"state.{state}")) for state in sorted({*shaded})]
    return html.Div(
        [html.Span([html.I(className=name), text]) for name, text in loss + states],
        className="lg",
    )


def _rate_text(bps: float, words: Words) -> str:
    for divisor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s")):
        if bps >= divisor:
            value = bps / divisor
            return f"{words.number(value, 0 if value == int(value) else 1)} {unit}"
    return f"{words.number(bps / 1e3)} kbit/s"
