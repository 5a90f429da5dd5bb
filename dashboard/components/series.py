"""What the charts of a site are drawn from, as cells; what is not known is an empty one."""

from __future__ import annotations

from datetime import datetime

from dashboard.i18n import Lang, Words
from dashboard.reads.questions import Reads, Span
from monitor.core.model import Site

LATENCY = ("time", "sent", "received", "low", "mid", "p95", "high")
TRAFFIC = ("time", "port", "in", "out")


def latency(site: Site, span: Span, reads: Reads, words: Words) -> list[list[str]]:
    """Every link up to now. Raises StoreError."""
    time, *rest = (words.say(f"site.csv_{head}") for head in LATENCY)
    found = [[time, words.say("site.link"), *rest]]
    end_s = reads.now()
    for link in site.links:
        for each in reads.latency(link.name, span, end_s):
            numbers = (each.rtt_low, each.rtt_mid, each.rtt_p95, each.rtt_high)
            found.append(
                [
                    _moment(each.start_s, words),
                    link.id,
                    str(each.sent),
                    str(each.received),
                    *(_cell(number, 3, words) for number in numbers),
                ]
            )
    return found


def traffic(site: Site, span: Span, reads: Reads, words: Words) -> list[list[str]]:
    """Every port of the site's router up to now. Raises StoreError."""
    found = [[words.say(f"site.csv_{head}") for head in TRAFFIC]]
    device, end_s = site.device, reads.now()
    if device is None:
        return found
    for port in reads.ports(device):
        for each in reads.throughput(device.name, port.name, span, end_s):
            rates = (_cell(rate, 0, words) for rate in (each.in_bps, each.out_bps))
            found.append([_moment(each.start_s, words), port.name, *rates])
    return found


def _moment(at_s: float, words: Words) -> str:
    return datetime.fromtimestamp(round(at_s), words.zone).isoformat(sep=" ")


def _cell(value: float | None, digits: int, words: Words) -> str:
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if words.lang is Lang.ID else text
