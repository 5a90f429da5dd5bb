"""`/tv`: the wall, read from four metres: map, six problems, 31 chips, three figures. No mouse."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.components.icons import icon, joined
from dashboard.components.map import credit, site_map
from dashboard.figures.geometry import MapShape
from dashboard.i18n import Words
from monitor.core.model import Network


def body(network: Network, shape: MapShape, prefix: str, words: Words) -> Markup:
    """Everything in its fixed place; filled from the snapshot."""
    figures = joined(
        Markup('<div><span>{}</span><b id="fig-{}">–</b></div>').format(
            words.say(f"wall.{name}"), name
        )
        for name in ("served", "worst", "today")
    )
    chips = joined(
        Markup('<a class="chip unknown" href="{}situs/{}" data-id="{}">{}<b>{}</b></a>').format(
            prefix, site.id, site.id, icon("unknown"), site.name
        )
        for site in network.sites
    )
    return Markup(
        '<main class="tv" id="main"><h1 class="voice">{}</h1>'
        '<section class="card tvmap">{}<div class="figs" role="group" aria-label="{}">{}</div>{}'
        '</section><section class="tvlist" aria-label="{}"><ol id="problems"></ol>'
        '<p id="problems-more" hidden></p></section>'
        '<section class="chips" id="chips" aria-label="{}">{}</section></main>'
    ).format(
        words.say("page.tv"),
        site_map(shape, network.sites, prefix, words),
        words.say("wall.figures"),
        figures,
        credit(words),
        words.say("wall.problems"),
        words.say("wall.chips"),
        chips,
    )
