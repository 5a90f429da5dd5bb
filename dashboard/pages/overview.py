"""`/`: the map over the day, 31 tiles in fixed places, and what needs attention."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.components import tiles
from dashboard.components.map import credit, site_map
from dashboard.figures.geometry import MapShape
from dashboard.i18n import Words
from monitor.core.model import Network


def body(network: Network, shape: MapShape, prefix: str, words: Words) -> Markup:
    """What stands under the header; all of it is filled from the snapshot."""
    return Markup(
        '<main class="ov" id="main"><h1 class="voice">{}</h1>'
        '<div class="c1"><section class="card mp">{}{}</section>{}</div>{}{}</main>'
    ).format(
        words.say("page.overview"),
        site_map(shape, network.sites, prefix, words),
        credit(words),
        tiles.day(network.sites, words),
        tiles.grid(network.sites, prefix, words),
        tiles.attention(words),
    )
