"""Tiles in fixed places, rows of the day, two lists: empty until the snapshot fills them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.components.icons import icon, joined
from dashboard.i18n import Words
from monitor.core.model import Site


def grid(sites: Sequence[Site], prefix: str, words: Words) -> Markup:
    """A tile a site, in the order of the configuration, each a link with a full label."""
    tiles = joined(
        Markup(
            '<a class="tile unknown" href="{}situs/{}" data-id="{}">'
            '<span class="t1">{}<b>{}</b></span> '
            '<span class="t2"><span class="val"></span> <span class="sub"></span></span> '
            '<svg class="spk" viewBox="0 0 120 26" preserveAspectRatio="none" aria-hidden="true">'
            '<path class="gap"/><path class="ln"/></svg>'
            '<span class="foot"></span> <em></em></a>'
        ).format(prefix, site.id, site.id, icon("unknown"), site.name)
        for site in sites
    )
    return Markup('<section class="grid" id="tiles" aria-label="{}">{}</section>').format(
        words.say("tile.grid"), tiles
    )


def day(sites: Sequence[Site], words: Words) -> Markup:
    """24 hours of every site, a row each."""
    rows = joined(
        Markup(
            '<div class="hrw" data-id="{}"><span>{}</span>'
            '<svg viewBox="0 0 1440 1" preserveAspectRatio="none" role="img"></svg></div>'
        ).format(site.id, site.name)
        for site in sites
    )
    return Markup(
        '<section class="card hs"><h2>{}</h2><div class="hist" id="day">{}</div>'
        '<div class="hax" id="axis" aria-hidden="true"></div></section>'
    ).format(words.say("day.title"), rows)


def attention(words: Words) -> Markup:
    """What needs somebody, and what has just recovered."""
    return Markup(
        '<div class="c3"><section class="card al">'
        '<h2>{} <span class="n" id="open-count" hidden></span></h2>'
        '<div class="calm" id="calm" hidden>{}<div><b>{}</b><span>{}</span></div></div>'
        '<ol class="incs" id="open"></ol><div class="notes" id="notes" hidden><h2>{}</h2>'
        '<ul></ul></div></section><section class="card rc"><h2>{}</h2>'
        '<ol class="incs" id="recent"></ol>'
        '<p class="mutp" id="recent-none" hidden>{}</p></section></div>'
    ).format(
        words.say("attention.title"),
        icon("up"),
        words.say("attention.none"),
        words.say("attention.none_detail"),
        words.say("attention.notes"),
        words.say("attention.recent"),
        words.say("attention.recent_none"),
    )
