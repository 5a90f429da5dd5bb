"""The map: real borders, one shape a kecamatan, its state told by pattern, shape and name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from dashboard.components.icons import joined, own
from dashboard.figures.geometry import Area, MapShape
from dashboard.i18n import Words
from monitor.core.model import Site

DATA_URL = "https://data.humdata.org/dataset/cod-ab-idn"
LICENCE_URL = "https://creativecommons.org/licenses/by/3.0/igo/"

PATTERNS = Markup(
    '<defs><pattern id="hatch" width="10" height="10" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="10" height="10" class="hb"/>'
    '<path d="M0 0V10" class="hl"/></pattern>'
    '<pattern id="dots" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<rect width="8" height="8" class="db"/><circle cx="3" cy="3" r="1.4" class="dd"/>'
    "</pattern></defs>"
)


def site_map(shape: MapShape, sites: Sequence[Site], prefix: str, words: Words) -> Markup:
    """All borders; an area whose site is watched is a link to it. Names are placed, not yet shown.

    The map repeats what the tiles say, so it is out of the way of the keyboard and of voices.
    """
    by_code: Mapping[str, Site] = {site.code: site for site in sites}
    areas = joined(_area(area, by_code.get(area.code), prefix) for area in shape.areas)
    names = joined(
        Markup(
            '<g class="mn" data-id="{}" data-room="{}" transform="translate({} {})">'
            '<text class="ml">{}</text></g>'
        ).format(by_code[area.code].id, area.room, area.x, area.y, by_code[area.code].name)
        for area in shape.areas
        if area.code in by_code
    )
    return Markup(
        '<svg class="map" id="map" viewBox="0 0 {} {}" role="group" aria-label="{}">{}<g>{}</g>'
        '<g id="names">{}</g></svg>'
    ).format(
        shape.width,
        shape.height,
        words.say("map.label", count=len(by_code)),
        PATTERNS,
        areas,
        names,
    )


def _area(area: Area, site: Site | None, prefix: str) -> Markup:
    if site is None:
        return Markup('<path class="m none" d="{}"/>').format(area.path)
    return Markup(
        '<a href="{}situs/{}" tabindex="-1"><path class="m unknown" data-id="{}" d="{}">'
        "<title>{}</title></path></a>"
    ).format(prefix, site.id, site.id, area.path, site.name)


def credit(words: Words) -> Markup:
    """Whose borders these are; the licence asks for it."""
    link = Markup('<a href="{}" rel="noreferrer">{}</a>')
    return Markup('<p class="credit">{}</p>').format(
        own(words.say("map.credit")).format(
            data=link.format(DATA_URL, "COD-AB Indonesia"),
            licence=link.format(LICENCE_URL, "CC BY 3.0 IGO"),
        )
    )
