"""`/situs/<id>`: how one kecamatan is, each of its links, and what happened in the range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dashboard.components import charts, facts
from dashboard.components.ninety import ninety
from dashboard.figures.canvas import Frame
from dashboard.i18n import Lang, Words
from dashboard.reads.questions import Reads, Span, spans
from dashboard.theme import Theme
from monitor.core.errors import StoreError
from monitor.core.model import Site

DEFAULT_SPAN = "24h"


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
    asked = {key: str(data.get(key)) for key in ("site", "range", "theme", "lang")}
    site, span = reads.site(asked["site"]), spans().get(asked["range"])
    if site is None or span is None:
        return None
    if asked["theme"] not in {*Theme} or asked["lang"] not in {*Lang}:
        return None
    theme, lang = Theme(asked["theme"]), Lang(asked["lang"])
    size = data.get("px")
    size_px = min(max(size, 8), 64) if isinstance(size, int) else 14
    return Ask(site, span, theme, lang, data.get("phone") is True, size_px)


def body(site: Site, chosen: str, reads: Reads, prefix: str, words: Words, entry: Markup) -> Markup:
    """What stands under the header. entry: where Dash puts the charts."""
    return Markup('<main class="site" id="main">{}{}{}{}{}</main>').format(
        facts.crumbs(site, chosen, spans(), prefix, words),
        facts.kpis(words),
        facts.link_table(site, reads.node_names(), words),
        entry,
        _ninety(site, reads, words),
    )


def _ninety(site: Site, reads: Reads, words: Words) -> Markup:
    """The last 90 days; a ledger that cannot be read is said in a sentence."""
    try:
        return ninety(reads.months.bars(site), words)
    except StoreError:
        return Markup('<section class="card"><h2>{}</h2><p class="mutp">{}</p></section>').format(
            words.say("ninety.title"), words.say("site.outages_unread")
        )


def chart_cards(ask: Ask, reads: Reads, words: Words) -> list[Any]:
    """The charts and the list of troubles up to now; a store that fails is said on its card."""
    end_s = reads.now()
    frame = Frame(
        end_s - ask.span.length_s,
        end_s,
        ask.theme,
        words.zone,
        "." if words.lang is Lang.ID else ":",
        ask.phone,
        ask.size_px,
    )
    return [
        *_latency_cards(ask, reads, frame, words),
        *_traffic_cards(ask, reads, frame, words),
        _outages(ask, reads, frame, words),
    ]


def _latency_cards(ask: Ask, reads: Reads, frame: Frame, words: Words) -> list[Any]:
    cards = []
    for link in ask.site.links:
        try:
            buckets = reads.latency(link.name, ask.span, frame.end_s)
        except StoreError:
            return [charts.message_card(words.say("site.latency"), words.say("site.no_store"))]
        try:
            stretches = reads.stretches(link.name, frame.start_s, frame.end_s)
        except StoreError:
            stretches = []
        cards.append(charts.latency_card(link, buckets, stretches, ask.span, frame, words))
    return cards


def _traffic_cards(ask: Ask, reads: Reads, frame: Frame, words: Words) -> list[Any]:
    device = ask.site.device
    span = words.say(f"site.span_{ask.span.name}")
    title = words.say("site.traffic_of", span=span, name="SNMP")
    if device is None:
        return [charts.message_card(title, words.say("site.no_ports"))]
    try:
        ports = reads.ports(device)
        cards = [
            charts.traffic_card(
                port,
                reads.throughput(device.name, port.name, ask.span, frame.end_s),
                ask.span,
                frame,
                words,
                half=len(ports) > 1,
            )
            for port in ports
        ]
    except StoreError:
        return [charts.message_card(title, words.say("site.no_store"))]
    return cards or [charts.message_card(title, words.say("site.no_samples"))]


def _outages(ask: Ask, reads: Reads, frame: Frame, words: Words) -> Any:
    try:
        incidents = reads.incidents_of(ask.site, frame.start_s)
    except StoreError:
        title = words.say("site.outages", span=words.say(f"site.span_{ask.span.name}"))
        return charts.message_card(title, words.say("site.outages_unread"))
    return charts.outages_card(
        ask.site, incidents, frame.start_s, frame.end_s, ask.span, reads.node_names(), words
    )
