"""What the charts of a site are drawn from, as cells; what is not known is an empty one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from dashboard.figures.faults import a_minute
from dashboard.i18n import Lang, Words
from dashboard.reads.questions import Reads
from dashboard.reads.ranges import Span
from monitor.core.model import Site
from monitor.core.samples.samples import ThroughputBucket

LATENCY = ("time", "sent", "received", "low", "mid", "p95", "high")
TRAFFIC = ("time", "port", "in", "out")
ERRORS = ("time", "port", "in_errors", "out_errors", "in_discards", "out_discards")


def latency(site: Site, span: Span, reads: Reads, words: Words) -> list[list[str]]:
    """Every link. Raises StoreError."""
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
    """Every port of the site's router. Raises StoreError."""
    found = [[words.say(f"site.csv_{head}") for head in TRAFFIC]]
    for port, each in _buckets(site, span, reads):
        rates = (_cell(rate, 0, words) for rate in (each.in_bps, each.out_bps))
        found.append([_moment(each.start_s, words), port, *rates])
    return found


def errors(site: Site, span: Span, reads: Reads, words: Words) -> list[list[str]]:
    """Errors and discards a minute of every port of the site's router. Raises StoreError."""
    found = [[words.say(f"site.csv_{head}") for head in ERRORS]]
    for port, each in _buckets(site, span, reads):
        cells = (_cell(rate, 3, words) for rate in a_minute(each))
        found.append([_moment(each.start_s, words), port, *cells])
    return found


Table = Callable[[Site, Span, Reads, Words], list[list[str]]]
TABLES: Mapping[str, Table] = {"latency": latency, "traffic": traffic, "errors": errors}


def _buckets(site: Site, span: Span, reads: Reads) -> Iterator[tuple[str, ThroughputBucket]]:
    device, now_s = site.device, reads.now()
    if device is None:
        return
    for port in reads.ports(device):
        for each in reads.throughput(device.name, port.name, span, now_s):
            yield port.name, each


def _moment(at_s: float, words: Words) -> str:
    return datetime.fromtimestamp(round(at_s), words.zone).isoformat(sep=" ")


def _cell(value: float | None, digits: int, words: Words) -> str:
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if words.lang is Lang.ID else text
