"""`/situs/<id>`: how one kecamatan is, each of its links, and what happened in the range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from dashboard.components import charts, facts, ports
from dashboard.components.ninety import ninety
from dashboard.components.router import router_card
from dashboard.components.standing import month_figure, thirty_figure, unread_figures
from dashboard.figures.canvas import Frame
from dashboard.i18n import Lang, Words
from dashboard.reads.questions import Reads
from dashboard.reads.ranges import Span, span_of, spans
from dashboard.theme import Theme
from monitor.core.errors import StoreError
from monitor.core.model import Site

ASKED = ("range", "from", "to")


@dataclass(frozen=True, slots=True)
class Ask:
    """What the browser asks the charts for. size_px: of its letters."""

    site: Site
    span: Span
    theme: Theme
    lang: Lang
    phone: bool
    size_px: int


def read_ask(data: object, reads: Reads) -> Ask | None:
    """The request of the browser, None unless every part of it is one that we offer."""
    if not isinstance(data, dict):
        return None
    asked = {key: str(data.get(key) or "") for key in ("site", "theme", "lang", *ASKED)}
    site = reads.site(asked["site"])
    if site is None or not any(asked[key] for key in ASKED):
        return None
    try:
        span = span_of(asked, reads.zone, reads.now())
    except ValueError:
        return None
    if asked["theme"] not in {*Theme} or asked["lang"] not in {*Lang}:
        return None
    theme, lang = Theme(asked["theme"]), Lang(asked["lang"])
    size = data.get("px")
    size_px = min(max(size, 8), 64) if isinstance(size, int) else 14
    return Ask(site, span, theme, lang, data.get("phone") is True, size_px)


def told(span: Span) -> dict[str, str]:
    """The range for the page's script, which asks `read_ask` with it."""
    if span.first is None or span.last is None:
        return {"range": span.name}
    return {"from": span.first.isoformat(), "to": span.last.isoformat()}


def body(site: Site, span: Span, reads: Reads, prefix: str, words: Words, entry: Markup) -> Markup:
    """What stands under the header. entry: where Dash puts the charts."""
    today = datetime.fromtimestamp(reads.now(), words.zone).date()
    return Markup('<main class="site" id="main">{}{}{}{}{}{}</main>').format(
        facts.crumbs(site, span, spans(), prefix, words),
        facts.tools(site, span, today, prefix, words),
        facts.kpis(_standing(site, reads, words), words),
        facts.link_table(site, reads.node_names(), words),
        entry,
        _ninety(site, reads, words),
    )


def _standing(site: Site, reads: Reads, words: Words) -> Markup:
    """This month and the last 30 days; empty places when the ledger cannot be read."""
    months = reads.months
    try:
        report, lately = months.report(months.period(None)), months.lately(site)
    except StoreError:
        return unread_figures(words)
    return month_figure(site, report, words) + thirty_figure(lately.thirty, words)


def _ninety(site: Site, reads: Reads, words: Words) -> Markup:
    """The last 90 days; a ledger that cannot be read is said in a sentence."""
    try:
        return ninety(reads.months.lately(site).bars, words)
    except StoreError:
        return Markup('<section class="card"><h2>{}</h2><p class="mutp">{}</p></section>').format(
            words.say("ninety.title"), words.say("site.outages_unread")
        )


def chart_cards(ask: Ask, reads: Reads, words: Words) -> list[Any]:
    """The charts and the list of troubles up to now; a store that fails is said on its card."""
    frame = Frame(
        *ask.span.bounds(reads.now()),
        ask.theme,
        words.zone,
        "." if words.lang is Lang.ID else ":",
        ask.phone,
        ask.size_px,
    )
    return [
        *_latency_cards(ask, reads, frame, words),
        *_router_cards(ask, reads, frame, words),
        _outages(ask, reads, frame, words),
    ]


def _latency_cards(ask: Ask, reads: Reads, frame: Frame, words: Words) -> list[Any]:
    cards = []
    for link in ask.site.links:
        try:
            buckets = reads.latency(link.name, ask.span, reads.now())
        except StoreError:
            return [charts.message_card(words.say("site.latency"), words.say("site.no_store"))]
        try:
            stretches = reads.stretches(link.name, frame.start_s, frame.end_s)
        except StoreError:
            stretches = []
        cards.append(charts.latency_card(link, buckets, stretches, ask.span, frame, words))
    return cards


def _router_cards(ask: Ask, reads: Reads, frame: Frame, words: Words) -> list[Any]:
    """Each port's traffic with its errors beside it, and what the router tells of itself."""
    device = ask.site.device
    span = charts.span_text(ask.span, words)
    title = words.say("site.traffic_of", span=span, name="SNMP")
    if device is None:
        return [charts.message_card(title, words.say("site.no_ports"))]
    about = router_card(device, reads.router(device), reads.now(), words)
    try:
        seen = [
            (port, reads.throughput(device.name, port.name, ask.span, reads.now()))
            for port in reads.ports(device)
        ]
    except StoreError:
        return [charts.message_card(title, words.say("site.no_store")), about]
    cards = ports.port_cards(seen, ask.span, frame, words)
    return [*(cards or [charts.message_card(title, words.say("site.no_samples"))]), about]


def _outages(ask: Ask, reads: Reads, frame: Frame, words: Words) -> Any:
    try:
        incidents = reads.incidents_of(ask.site, frame.start_s, frame.end_s)
    except StoreError:
        title = words.say("site.outages", span=charts.span_text(ask.span, words))
        return charts.message_card(title, words.say("site.outages_unread"))
    return charts.outages_card(
        ask.site, incidents, frame.start_s, frame.end_s, ask.span, reads.node_names(), words
    )
