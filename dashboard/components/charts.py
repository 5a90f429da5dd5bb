"""The charts and the list of troubles of one site, as Dash components (React escapes them)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from dash import dcc, html

from dashboard.components.numbers import latency_cells, numbers
from dashboard.components.reasons import Names, reason_text
from dashboard.figures.canvas import Frame, config
from dashboard.figures.latency import LOSS_STEPS, LatencyTexts, latency
from dashboard.i18n import MONTHS, Words
from dashboard.reads.intervals import Stretch, union_s
from dashboard.reads.ranges import Span
from monitor.core.model import Incident, Link, Scope, Site, State
from monitor.core.samples.samples import LatencyBucket

Part = Any
MOST_ROWS = 200
"""Of troubles in a table; the sum over it counts all of them."""


def card(title: str, note: str, *body: Part, half: bool = False) -> Part:
    """A framed part of the page with its heading; half: two stand side by side on a desk."""
    name = "card half" if half else "card"
    return html.Section([html.H2([title, html.Small(note)]), *body], className=name)


def span_text(span: Span, words: Words) -> str:
    """`24 jam`, `20 Nov 2026 – 22 Nov 2026`."""
    if span.first is None or span.last is None:
        return words.say(f"site.span_{span.name}")
    first, last = words.date(span.first), words.date(span.last)
    return first if first == last else f"{first} – {last}"


def latency_card(
    link: Link,
    buckets: Sequence[LatencyBucket],
    stretches: Sequence[Stretch],
    span: Span,
    frame: Frame,
    words: Words,
) -> Part:
    """One link's latency with what was lost under it."""
    title = words.say("site.latency_of", span=span_text(span, words), link=link.id)
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
        graph(f"latency-{link.id}", figure, title, words),
        _legend([state for _, _, state in shaded], words),
        numbers(
            buckets,
            [words.say(f"site.{head}") for head in ("loss", "csv_low", "csv_p95", "csv_high")],
            lambda some: latency_cells(some, words),
            title,
            words,
        ),
    )


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
    title = words.say("site.outages", span=span_text(span, words))
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


def graph(name: str, figure: dict[str, Any], label: str, words: Words) -> Part:
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
