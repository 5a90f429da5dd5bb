"""The head of a site's page: where it is, four figures and its links, filled from the snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from markupsafe import Markup

from dashboard.components.icons import icon, joined
from dashboard.i18n import Words
from dashboard.reads.ranges import FIRST_YEAR, Span
from monitor.core.model import Link, Site


def crumbs(site: Site, span: Span, offered: Iterable[str], prefix: str, words: Words) -> Markup:
    """Name and code, and the ranges of time as links: the address holds what is chosen."""
    ranges = joined(
        Markup('<a href="?range={}"{}>{}</a>').format(
            name,
            Markup(' class="on" aria-current="true"') if name == span.name else "",
            words.say(f"site.range_{name}"),
        )
        for name in offered
    )
    return Markup(
        '<div class="crumb"><a href="{}">{}</a><h1>{}</h1><span>{}</span>'
        '<nav class="rng" aria-label="{}">{}</nav></div>'
    ).format(
        prefix,
        words.say("page.overview"),
        site.name,
        site.code,
        words.say("site.ranges"),
        ranges,
    )


def tools(site: Site, span: Span, today: date, prefix: str, words: Words) -> Markup:
    """A range by its dates, and what is drawn as files. today: the last day that can be drawn."""
    first = today if span.first is None else span.first
    last = today if span.last is None else span.last
    fields = joined(
        Markup(
            '<label>{} <input type="date" name="{}" value="{}" min="{}-01-01" max="{}" required>'
            "</label>"
        ).format(words.say(f"site.{name}"), name, day, FIRST_YEAR, today)
        for name, day in (("from", first), ("to", last))
    )
    files = joined(
        Markup('<a class="btn" href="{}situs/{}.csv?{}&amp;what={}">{}</a>').format(
            prefix, site.id, span.query, what, words.say(f"site.csv_{what}")
        )
        for what in ("latency", "traffic", "errors")
    )
    return Markup(
        '<div class="tools"><form class="dates{}" method="get" aria-label="{}">{}'
        '<button class="btn">{}</button><small>{}</small></form>{}</div>'
    ).format(
        "" if span.first is None else " on",
        words.say("site.by_date"),
        fields,
        words.say("site.draw"),
        words.zone_name(0.0),
        files,
    )


def kpis(standing: Markup, words: Words) -> Markup:
    """State and since when, latency, loss, which link is in use; then what `standing` tells."""
    return Markup('<section class="kpis six">{}{}</section>').format(
        joined(
            Markup('<div class="kpi" id="kpi-{0}"><span>{1}</span><b></b><i></i></div>').format(
                name, words.say(f"site.{name}")
            )
            for name in ("status", "latency", "loss", "path")
        ),
        standing,
    )


def link_table(site: Site, names: Mapping[str, str], words: Words) -> Markup:
    """Each link: what it is, and how it is (filled from the snapshot)."""
    heads = ("link", "status", "age", "latency", "loss", "kind", "provider", "address", "via")
    return Markup(
        '<section class="card"><h2>{}</h2><div class="wide" tabindex="0" role="region" '
        'aria-label="{}"><table class="tb" id="links">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></section>"
    ).format(
        words.say("site.links"),
        words.say("site.links"),
        joined(
            Markup('<th scope="col">{}</th>').format(words.say(f"site.{head}")) for head in heads
        ),
        joined(_row(link, names, words) for link in site.links),
    )


def _row(link: Link, names: Mapping[str, str], words: Words) -> Markup:
    kind = words.say(f"kind.{link.kind}") if words.has(f"kind.{link.kind}") else link.kind
    capacity = "" if link.capacity_mbps is None else f" · {words.number(link.capacity_mbps)} Mbit/s"
    return Markup(
        '<tr data-link="{}"><th scope="row">{}</th><td class="ls">{}<span></span></td>'
        '<td class="la"></td><td class="lr"></td><td class="ll"></td>'
        "<td>{}{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
    ).format(
        link.id,
        link.id,
        icon("unknown"),
        kind,
        capacity,
        link.provider or "–",
        link.address,
        ", ".join(names.get(node, node) for node in link.via) or "–",
    )
