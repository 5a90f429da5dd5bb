"""The head of a site's page: where it is, four figures and its links, filled from the snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from dashboard.components.icons import icon, joined
from dashboard.i18n import Words
from monitor.core.model import Link, Site


def crumbs(site: Site, chosen: str, offered: Iterable[str], prefix: str, words: Words) -> Markup:
    """Name and code, and the ranges of time as links: the address holds what is chosen."""
    ranges = joined(
        Markup('<a href="?range={}"{}>{}</a>').format(
            name,
            Markup(' class="on" aria-current="true"') if name == chosen else "",
            words.say(f"site.range_{name}"),
        )
        for name in offered
    )
    return Markup(
        '<div class="crumb"><a href="{}">{}</a><h1>{}</h1><span>{}</span>'
        '<nav class="rng" aria-label="{}">{}</nav>{}</div>'
    ).format(
        prefix,
        words.say("page.overview"),
        site.name,
        site.code,
        words.say("site.ranges"),
        ranges,
        joined(
            Markup('<a class="btn" href="{}situs/{}.csv?range={}&what={}">{}</a>').format(
                prefix, site.id, chosen, what, words.say(f"site.csv_{what}")
            )
            for what in ("latency", "traffic")
        ),
    )


def kpis(words: Words) -> Markup:
    """State and since when, latency, loss, and which link is in use."""
    return Markup('<section class="kpis">{}</section>').format(
        joined(
            Markup('<div class="kpi" id="kpi-{0}"><span>{1}</span><b></b><i></i></div>').format(
                name, words.say(f"site.{name}")
            )
            for name in ("status", "latency", "loss", "path")
        )
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
