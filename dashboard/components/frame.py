"""What every page has: head, header with counts and freshness, banner, voices for changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup

from dashboard.components.icons import SHAPES, icon, joined, own, sprite
from dashboard.i18n import Lang, Words
from dashboard.theme import Theme

SCRIPTS = ("words.js", "freshness.js", "parts.js", "map.js", "overview.js", "site.js", "start.js")


@dataclass(frozen=True, slots=True)
class Look:
    """How a visitor wants it. theme None: as the system is set."""

    words: Words
    theme: Theme | None


@dataclass(frozen=True, slots=True)
class Assets:
    """Where the files of the page are, each with a version in its address; `css`: the colours."""

    urls: Mapping[str, str]
    css: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where this page is. prefix: of every address, ends in `/`; page: `overview` or `site`."""

    prefix: str
    page: str


def head(title: str, place: Place, assets: Assets) -> Markup:
    """<head>, with the colours inline."""
    return Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="theme-color" content="#232C36"><title>{}</title>'
        '<link rel="icon" type="image/svg+xml" href="{}">'
        '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>'
        '<style>{}</style><link rel="stylesheet" href="{}">'
    ).format(
        title,
        assets.urls["icon.svg"],
        f"{place.prefix}assets/inter-latin-wght-normal.woff2",
        own(assets.css),
        assets.urls["pantau.css"],
    )


def bar(place: Place, organisation: str, words: Words, *rest: Markup) -> Markup:
    """The top of a page: whose it is, the way home, and what else belongs there."""
    current = Markup(' class="on" aria-current="page"') if place.page == "overview" else ""
    return Markup(
        '<a class="skip" href="#main">{skip}</a>'
        '<header><a class="brand" href="{home}"><b>{title}</b><span>{organisation}</span></a>'
        '<nav><a href="{home}"{current}>{overview}</a></nav>{rest}</header>'
    ).format(
        skip=words.say("page.skip"),
        home=place.prefix,
        title=words.say("page.title"),
        organisation=organisation,
        current=current,
        overview=words.say("page.overview"),
        rest=joined(rest),
    )


def header(place: Place, organisation: str, words: Words) -> Markup:
    """The bar with counts by state, freshness, two switches and a clock; the banner under it."""
    counts = joined(
        Markup('<span class="cnt {0} z" data-count="{0}">{1}<b>0</b> <i>{2}</i></span>').format(
            state, icon(state), words.say(f"state.{state}")
        )
        for state in SHAPES
    )
    group = Markup('<div class="cnts" role="group" aria-label="{}">{}</div>').format(
        words.say("page.counts"), counts
    )
    return bar(place, organisation, words, group, _switches(words)) + Markup(
        '<div class="ban" id="banner" role="alert" hidden><b></b> <span></span></div>'
    )


def _switches(words: Words) -> Markup:
    other = Lang.EN if words.lang is Lang.ID else Lang.ID
    return Markup(
        '<div class="hr"><span class="fresh" id="fresh"><i class="dot"></i><span>{none}</span>'
        '</span><span class="sw"><a href="?lang={other}" lang="{other}" hreflang="{other}" '
        'aria-label="{language}: {other}" data-lang="{other}">{shown}</a>'
        '<button type="button" id="theme" aria-label="{theme}" title="{theme}">'
        '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 1a7 7 0 100 14A7 7 0 008 1zm0 '
        '2v10A5 5 0 018 3z"/></svg></button></span>'
        '<span class="clock" id="clock" aria-hidden="true"></span></div>'
    ).format(
        none=words.say("fresh.none"),
        other=other.value,
        shown=other.value.upper(),
        language=words.say("page.language"),
        theme=words.say("page.theme"),
    )


def voices() -> Markup:
    """Where changes are spoken: politely, and at once for an outage."""
    return Markup(
        '<div class="voice" id="polite" aria-live="polite"></div>'
        '<div class="voice" id="urgent" aria-live="assertive"></div>'
    )


def scripts(assets: Assets, config: Mapping[str, Any]) -> Markup:
    """Our scripts, and what they need to know; before those of Dash, which call them."""
    data = orjson.dumps(config).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return Markup('<script type="application/json" id="config">{}</script>{}').format(
        own(data),
        joined(Markup('<script src="{}"></script>').format(assets.urls[name]) for name in SCRIPTS),
    )


def document(look: Look, head_part: Markup, body: Markup) -> str:
    """A whole page."""
    theme = "" if look.theme is None else Markup(' data-theme="{}"').format(look.theme.value)
    return str(
        Markup('<!doctype html><html lang="{}"{}><head>{}</head><body>{}{}</body></html>').format(
            look.words.lang.value, theme, head_part, sprite(), body
        )
    )
